// SPDX-License-Identifier: Apache-2.0
//! Options of Celery that variables set: which of them take effect, and what becomes of their values.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::WorkerSpec;
use crate::celery::command::Command;
use crate::celery::environment::{Variable, variable};
use crate::celery::options::{Spec, ValueKind};
use crate::celery::value::{click_truth, value};
use crate::rules::args::{field_of, refused};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::subject::{Component, Part, Pool, Subject};
use crate::rules::variables::{Origin, Reaching, reaching};

/// What stands in the way of a variable in one component.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// Nothing: the variable decides.
    Free,
    /// This field or argument, which becomes a word of the command line: that wins, and nobody reads the variable.
    Beside(String),
    /// The operator says the option by itself.
    Chosen,
    /// The field of this name leaves a switch off by saying nothing.
    LeftOff(&'static str),
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
            let way = way(subject, &component, &variable, option);
            let key = (variable.path.clone(), variable.name.clone());
            let setting =
                found.entry(key).or_insert_with(|| Setting { variable, option, command, ways: Vec::new() });
            setting.ways.push(way);
        }
    }
    found
}

fn way(subject: &Subject<'_>, component: &Component<'_>, variable: &Reaching, option: &Spec) -> Way {
    let beside = |field: &str| Way::Beside(format!("{}.{field}", component.path.trim_start_matches("spec.")));
    let is_seen = variable.origin == Origin::List;
    match component.part {
        Part::Worker(worker) => {
            let pool = subject.pools.iter().find(|pool| pool.path == component.path);
            if pool.is_some_and(|pool| pool.said.has(option.name())) {
                return beside("args");
            }
            let Some(field) = field_of(option.name()) else { return Way::Free };
            match is_word(worker, field) {
                Some(true) => beside(field),
                Some(false) => Way::LeftOff(field),
                None if is_chosen(subject, pool, field, is_seen) => Way::Chosen,
                None => Way::Free,
            }
        }
        Part::Beat(beat) => {
            let fields = [
                ("--scheduler", "scheduler", beat.scheduler.is_some()),
                ("--schedule", "scheduleFile", beat.schedule_file.is_some()),
                ("--max-interval", "maxInterval", beat.max_interval.is_some()),
                ("--loglevel", "logLevel", beat.log_level.is_some()),
            ];
            let field = fields.into_iter().find(|(name, ..)| *name == option.name());
            let is_chosen = !is_seen && ["--schedule", "--loglevel"].contains(&option.name());
            let is_said = subject.beat.as_ref().is_some_and(|beat| beat.said.has(option.name()));
            match field {
                _ if is_said => beside("args"),
                Some((_, field, true)) => beside(field),
                _ if is_chosen => Way::Chosen,
                _ => Way::Free,
            }
        }
        Part::Flower(_) => Way::Free,
    }
}

/// Whether a field becomes a word of the command line; nothing where nobody wrote it.
fn is_word(worker: &WorkerSpec, field: &str) -> Option<bool> {
    let written = serde_json::to_value(worker).unwrap_or_default();
    match (field, written.get(field)?) {
        (_, Value::Null) => None,
        ("gossip" | "mingle" | "heartbeat", Value::Bool(is_on)) => Some(!is_on),
        (_, Value::Bool(is_on)) => Some(*is_on),
        (_, Value::Array(list)) => (!list.is_empty()).then_some(true),
        _ => Some(true),
    }
}

/// Whether the operator says an option where the object leaves it open: some of them always, others where no variable
/// that it sees says it.
fn is_chosen(subject: &Subject<'_>, pool: Option<&Pool<'_>>, field: &str, is_seen: bool) -> bool {
    match field {
        "gossip" | "mingle" => true,
        "taskEvents" => subject.object.spec.flower_spec.is_some(),
        "nodeName" | "logLevel" | "optimization" => !is_seen,
        "prefetchMultiplier" | "disablePrefetch" => !is_seen && subject.follows_queues(),
        "concurrency" => !is_seen && pool.is_none_or(|pool| pool.effective().chosen_concurrency().is_some()),
        _ => false,
    }
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
    let is_read = ways.iter().any(|way| matches!(way, Way::Free | Way::LeftOff(_)));
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
    } else if variable.origin != Origin::Map && *command == Some(Command::Worker) {
        placed(setting, is_on, denied, report);
    }
}

/// Tells of a variable that is read well: the object is to say it, or says it already.
fn placed(setting: &Setting, is_on: bool, denied: Severity, report: &mut Report<'_>) {
    let Setting { variable, option, ways, .. } = setting;
    let path = format!("{}.name", variable.path);
    let left_off =
        ways.iter().find_map(|way| if let Way::LeftOff(field) = way { Some(*field) } else { None });
    let beside: Option<Vec<&String>> =
        ways.iter().map(|way| if let Way::Beside(field) = way { Some(field) } else { None }).collect();
    let sets = format!("{} sets an option of the workers", variable.name);
    let (severity, message, fix) = match (field_of(option.name()), left_off) {
        _ if let Some(first) = beside.as_ref().and_then(|fields| fields.first()) => {
            (Severity::Warn, format!("has no effect beside {first}"), "remove it".to_owned())
        }
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
    let releases = subject.celery.releases().iter().filter(|release| release.has_click());
    if !option.kind.takes_value() {
        let message = format!("{} of celery is on or off, and this is neither", option.name());
        return click_truth(text).is_none().then(|| [message, "write 1, or remove it".to_owned()]);
    }
    let mut last = None;
    for release in releases {
        last = Some(value(option.kind, text, *release).err()?);
    }
    last.map(|refusal| refused(option.name(), &refusal, subject.celery))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::rules::tests::{findings, shop};
    use crate::rules::{Facts, Finding, check};

    fn line(finding: &Finding) -> String {
        let Finding { severity, path, message, fix, .. } = finding;
        format!("{} {path}: {message}; {fix}", severity.as_str())
    }

    fn told(spec: &str) -> Vec<String> {
        let found = findings(&format!("spec: {{{spec}}}"));
        found.iter().filter(|one| one.rule == "B36").map(line).collect()
    }

    fn variable(name: &str, text: &str) -> String {
        format!("env: [{{name: {name}, value: '{text}'}}]")
    }

    /// Put together, the last of them would have four terabytes.
    #[test]
    fn variables_full_of_one_another_are_let_be() {
        let full = |name: &str| format!("$({name})").repeat(1000);
        let env = [("D", "x".repeat(4000)), ("C", full("D")), ("B", full("C")), ("A", full("B"))];
        let env: Vec<_> = env.map(|(name, value)| format!("{{name: {name}, value: '{value}'}}")).into();
        assert_eq!(told(&format!("common: {{env: [{}]}}, workerSpec: {{}}", env.join(", "))), [""; 0]);
    }

    #[test]
    fn a_word_of_the_command_line_wins_over_a_variable() {
        let four = variable("CELERY_WORKER_CONCURRENCY", "four");
        let at = "spec.workerSpec.env[0]";
        for (field, beside) in [
            ("concurrency: 2", "concurrency"),
            ("args: [-c, '2']", "args"),
            ("args: ['--autoscale=4,1', -c, '2']", "args"),
        ] {
            let line = format!("warn {at}.name: has no effect beside workerSpec.{beside}; remove it");
            assert_eq!(told(&format!("workerSpec: {{{four}, {field}}}")), [line], "{field}");
        }
        // Another pool has the variable alone.
        let two = format!("common: {{{four}}}, workerSpec: {{concurrency: 2}}, workerPools: [{{name: a}}]");
        assert_eq!(told(&two), ["deny spec.common.env[0].value: is not a number of tasks; use 1 or more"]);
        let gossip = |field: &str, text: &str| {
            told(&format!("workerSpec: {{{field}, {}}}", variable("CELERY_WORKER_WITHOUT_GOSSIP", text)))
        };
        let sets = |severity: &str| {
            vec![format!(
                "{severity} {at}.name: CELERY_WORKER_WITHOUT_GOSSIP sets an option of the workers; use the field gossip"
            )]
        };
        assert_eq!(gossip("gossip: true", "1"), sets("deny"));
        assert_eq!(gossip("pool: prefork", "1"), sets("warn"));
        assert_eq!(gossip("gossip: true", "0"), [""; 0]);
        assert_eq!(
            gossip("gossip: false", "1"),
            [format!("warn {at}.name: has no effect beside workerSpec.gossip; remove it")]
        );
    }

    #[test]
    fn a_value_that_celery_refuses_ends_the_container() {
        for (name, text, expected) in [
            ("CELERY_WORKER_TIME_LIMIT", "5m", "--time-limit is not a number; use seconds such as 300"),
            ("CELERY_WORKER_PURGE", "true", "every start of a pod would delete all waiting tasks; remove it"),
            ("CELERY_WORKER_DETACH", "1", "the worker must stay in the foreground; remove it"),
            (
                "NO_COLOR",
                "please",
                "--no-color of celery is on or off, and this is neither; write 1, or remove it",
            ),
            (
                "CELERY_VERSION",
                "5.4.0",
                "--version of celery is on or off, and this is neither; write 1, or remove it",
            ),
            ("CELERY_VERSION", "1", "celery would print its version and end; remove it"),
        ] {
            let line = format!("deny spec.workerSpec.env[0].value: {expected}");
            assert_eq!(told(&format!("workerSpec: {{{}}}", variable(name, text))), [line], "{name}");
        }
        for (name, text) in [
            ("CELERY_WORKER_PURGE", "false"),
            ("CELERY_WORKER_PURGE", ""),
            ("NO_COLOR", "1"),
            ("CELERY_BEAT_MAX_INTERVAL", "5m"),
        ] {
            assert_eq!(told(&format!("workerSpec: {{{}}}", variable(name, text))), [""; 0], "{name}");
        }
        let beat = |field: &str| {
            let env = variable("CELERY_BEAT_MAX_INTERVAL", "5m");
            told(&format!("common: {{{env}}}, beatSpec: {{{field}}}"))
        };
        let line = "deny spec.common.env[0].value: --max-interval is not a whole number; use digits only";
        assert_eq!(beat(""), [line]);
        assert_eq!(beat("maxInterval: 5"), [""; 0]);
        let hidden = "env: [{name: CELERY_WORKER_PURGE, valueFrom: {secretKeyRef: {name: a, key: b}}}]";
        assert_eq!(
            told(&format!("workerSpec: {{{hidden}}}")),
            ["warn spec.workerSpec.env[0].name: CELERY_WORKER_PURGE sets --purge of the workers; remove it"]
        );
    }

    #[test]
    fn a_template_and_a_map_of_the_input_are_looked_into() {
        let template = |env: &str| {
            told(&format!("workerSpec: {{podTemplate: {{spec: {{containers: [{{name: celery, {env}}}]}}}}}}"))
        };
        assert_eq!(
            template(&variable("CELERY_WORKER_DETACH", "1")),
            [
                "deny spec.workerSpec.podTemplate.spec.containers[0].env[0].value: the worker must stay in the foreground; remove it"
            ]
        );
        // The operator sees no variable there, and says its own level.
        let quiet = template(&variable("CELERY_WORKER_LOGLEVEL", "loud"));
        assert_eq!(quiet.len(), 1);
        assert!(quiet[0].starts_with("warn "), "{quiet:?}");
        let map = |key: &str, text: &str, spec: &str| {
            let texts = BTreeMap::from([(key.to_owned(), text.to_owned())]);
            let facts = Facts { config_texts: [("m".to_owned(), texts)].into(), ..Facts::default() };
            let from = "envFrom: [{configMapRef: {name: m}, prefix: CELERY_}]";
            let object = shop(&format!("spec: {{common: {{{from}}}, {spec}}}"));
            let found = check(&object, None, &facts).expect("a Celery");
            found.iter().filter(|one| one.rule == "B36").map(line).collect::<Vec<_>>()
        };
        let spec = "workerSpec: {env: [{name: CELERY_WORKER_TIME_LIMIT, value: '5'}]}";
        let four = "deny spec.common.envFrom[0]: has CELERY_WORKER_PREFETCH_MULTIPLIER: --prefetch-multiplier is not a whole number; use digits only";
        assert_eq!(map("WORKER_PREFETCH_MULTIPLIER", "four", ""), [four]);
        assert_eq!(
            map("WORKER_SOFT_TIME_LIMIT", "5m", ""),
            [
                "deny spec.common.envFrom[0]: has CELERY_WORKER_SOFT_TIME_LIMIT: --soft-time-limit is not a number; use seconds such as 300"
            ]
        );
        // The entry of the list wins over it, and is no wrong one.
        assert_eq!(
            map("WORKER_TIME_LIMIT", "5m", spec),
            [
                "warn spec.workerSpec.env[0].name: CELERY_WORKER_TIME_LIMIT sets an option of the workers; use the field timeLimit"
            ]
        );
        assert_eq!(map("WORKER_TIME_LIMIT", "300", ""), [""; 0]);
    }
}
