// SPDX-License-Identifier: Apache-2.0
//! Options of Celery that variables set: which of them take effect, and what becomes of their values.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::WorkerSpec;
use crate::celery::command::Command;
use crate::celery::environment::{Variable, variable};
use crate::celery::options::{Spec, ValueKind};
use crate::celery::value::{click_truth, refused_by_all};
use crate::resolve::{Origin, Origins, beat_origins, worker_origins};
use crate::rules::args::{BEAT_FIELDS, WORKER_FIELDS, field_of, refused};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::subject::{Component, Part, Subject};
use crate::rules::variables::{Origin as Source, Reaching, reaching};

/// What stands in the way of a variable in one component.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// Nothing: the variable decides.
    Free,
    /// This field or argument, which becomes a word of the command line: that wins, and nobody reads the variable.
    Beside(String),
    /// The operator says the option by itself.
    Chosen,
    /// Nothing, although the field of this name is written: it leaves a switch off, or other arguments put it aside.
    LeftOut(&'static str),
}

/// A variable that sets an option, and what it finds in every component that it reaches.
struct Setting {
    variable: Reaching,
    option: &'static Spec,
    command: Option<Command>,
    ways: Vec<Way>,
}

pub(super) fn b36(subject: &Subject<'_>, report: &mut Report<'_>) {
    for setting in settings(subject).into_values() {
        tell(subject, &setting, report);
    }
}

/// The variables that set options, by the place where they stand and their names.
fn settings(subject: &Subject<'_>) -> BTreeMap<(String, String), Setting> {
    let mut found = BTreeMap::new();
    let known = |name: &str| subject.celery.releases().iter().find_map(|release| variable(name, *release));
    for component in subject.components() {
        let mut origins = None;
        for variable in reaching(subject, &component) {
            let (option, command) = match (known(&variable.name), component.part) {
                (Some(Variable::Of(Command::Worker, option)), Part::Worker(_)) => {
                    (option, Some(Command::Worker))
                }
                (Some(Variable::Of(Command::Beat, option)), Part::Beat(_)) => (option, Some(Command::Beat)),
                // Of names and URLs other rules tell.
                (Some(Variable::Global(option)), _) if option.kind == ValueKind::Flag => (option, None),
                _ => continue,
            };
            let origins = origins.get_or_insert_with(|| self::origins(subject, &component));
            let way = way(&component, origins, option);
            let key = (variable.path.clone(), variable.name.clone());
            let setting =
                found.entry(key).or_insert_with(|| Setting { variable, option, command, ways: Vec::new() });
            setting.ways.push(way);
        }
    }
    found
}

/// Who says which option on the command line of a component. Flower has no such options.
fn origins(subject: &Subject<'_>, component: &Component<'_>) -> Origins {
    let spec = &subject.object.spec;
    match component.part {
        Part::Worker(_) => {
            let pool = subject.pools.iter().find(|pool| pool.path == component.path);
            pool.map(|pool| worker_origins(&pool.effective(), spec)).unwrap_or_default()
        }
        Part::Beat(_) => {
            subject.beat.as_ref().map(|beat| beat_origins(&beat.effective(), spec)).unwrap_or_default()
        }
        Part::Flower(_) => Origins::new(),
    }
}

fn way(component: &Component<'_>, origins: &Origins, option: &Spec) -> Way {
    let fields = match component.part {
        Part::Worker(_) => WORKER_FIELDS,
        Part::Beat(_) => BEAT_FIELDS,
        Part::Flower(_) => &[],
    };
    let field = field_of(option.name(), fields);
    let beside = |field: &str| Way::Beside(format!("{}.{field}", component.path.trim_start_matches("spec.")));
    match (origins.get(option.name()), field, component.part) {
        (Some(Origin::Arguments), ..) => beside("args"),
        (Some(Origin::Field), Some(field), _) => beside(field),
        (Some(_), ..) => Way::Chosen,
        (None, Some(field), Part::Worker(worker)) if is_written(worker, field) => Way::LeftOut(field),
        (None, ..) => Way::Free,
    }
}

/// Whether a field says something.
fn is_written(worker: &WorkerSpec, field: &str) -> bool {
    let written = serde_json::to_value(worker).unwrap_or_default();
    !matches!(written.get(field), None | Some(Value::Null)) && written[field] != Value::Array(Vec::new())
}

fn tell(subject: &Subject<'_>, setting: &Setting, report: &mut Report<'_>) {
    let Setting { variable, option, command, ways } = setting;
    let text = variable.text.as_deref();
    // click takes an empty variable for none, and a switch that is off switches nothing.
    let is_switch = !option.kind.takes_value();
    if text == Some("") || (is_switch && text.and_then(click_truth) == Some(false)) {
        return;
    }
    let denied = release::refusal(subject, Severity::Deny);
    let is_read = ways.iter().any(|way| matches!(way, Way::Free | Way::LeftOut(_)));
    if let Some([message, fix]) = text.filter(|_| is_read).and_then(|text| fault(subject, option, text)) {
        let message = variable.told(&message);
        report.graded(denied, Kind::Forbidden, variable.value_path(), message, fix);
        return;
    }
    let is_on = is_switch && text.is_some();
    let harm = match option.name() {
        _ if !is_on || !is_read => None,
        "--purge" => Some("every start of a pod would delete all waiting tasks"),
        "--detach" if *command == Some(Command::Beat) => Some("beat must stay in the foreground"),
        "--detach" => Some("the worker must stay in the foreground"),
        "--version" => Some("celery would print its version and end"),
        _ => None,
    };
    if let Some(harm) = harm {
        let message = variable.told(harm);
        report.graded(denied, Kind::Forbidden, variable.value_path(), message, "remove it");
    } else if variable.origin != Source::Map && *command == Some(Command::Worker) {
        placed(setting, is_on, denied, report);
    }
}

/// Tells of a variable that is read well: the object is to say it, or says it already.
fn placed(setting: &Setting, is_on: bool, denied: Severity, report: &mut Report<'_>) {
    let Setting { variable, option, ways, .. } = setting;
    let path = format!("{}.name", variable.path);
    let left_out =
        ways.iter().find_map(|way| if let Way::LeftOut(field) = way { Some(*field) } else { None });
    let beside: Option<Vec<&String>> =
        ways.iter().map(|way| if let Way::Beside(field) = way { Some(field) } else { None }).collect();
    let sets = format!("{} sets an option of the workers", variable.name);
    let (severity, message, fix) = match (field_of(option.name(), WORKER_FIELDS), left_out) {
        _ if let Some(first) = beside.as_ref().and_then(|fields| fields.first()) => {
            (Severity::Warn, format!("has no effect beside {first}"), "remove it".to_owned())
        }
        (_, Some(_)) if option.kind.takes_value() => (Severity::Warn, sets, "remove it".to_owned()),
        (Some(field), Some(_)) => {
            let severity = if is_on { denied } else { Severity::Warn };
            (severity, sets, format!("use the field {field}"))
        }
        (Some(field), None) => (Severity::Warn, sets, format!("use the field {field}")),
        (None, _) => {
            let message = format!("{} sets {} of the workers", variable.name, option.name());
            // As arguments they are refused.
            let is_harmful = ["--purge", "--detach"].contains(&option.name());
            let fix = if is_harmful { "remove it" } else { "remove it, or use args" };
            (Severity::Warn, message, fix.to_owned())
        }
    };
    report.graded(severity, Kind::Forbidden, path, message, fix);
}

/// What every release in question refuses in a value, and what to write instead.
fn fault(subject: &Subject<'_>, option: &Spec, text: &str) -> Option<[String; 2]> {
    if !option.kind.takes_value() {
        let message = format!("{} of celery is on or off, and this is neither", option.name());
        return click_truth(text).is_none().then(|| [message, "write 1, or remove it".to_owned()]);
    }
    let refusal = refused_by_all(option.kind, text, subject.celery)?;
    Some(refused(option.name(), &refusal, subject.celery))
}

#[cfg(test)]
mod tests;
