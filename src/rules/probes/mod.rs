// SPDX-License-Identifier: Apache-2.0
//! Rules about probes: what they ask, and of whom.

pub(super) mod beat;
pub(super) mod custom;
pub(super) mod heartbeat;
pub(super) mod named;
pub(super) mod ping;

use serde_json::Value;

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::shell::{behind_init, is_shell, script_at};
use super::subject::{Part, Pool, Subject};
use super::variables;
use crate::api::{Open, Probe, ProbeRole, ProbeType, Probes, limits};
use crate::celery::expansion;
use crate::names;

/// Longest name of a variable that a warning has room for.
const LONGEST_NAME: usize = 24;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "G16", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a probe of a port has a port",
        consequence: "A worker listens nowhere: the probe always fails, and the container is restarted for ever.",
        check: Check::object(g16),
        example: Example {
            bad: "spec: {workerSpec: {podTemplate: {spec: {containers: [{name: celery, livenessProbe: {httpGet: {port: 8000}}}]}}}}",
            at: "spec.workerSpec.podTemplate.spec.containers[0].livenessProbe",
            good: "spec: {workerSpec: {podTemplate: {spec: {containers: [{name: celery, ports: [{containerPort: 8000}], livenessProbe: {httpGet: {port: 8000}}}]}}}}",
            old: None,
        },
    },
    Rule {
        id: "G17", severity: Severity::Warn, schema: false, since: "0.1",
        title: "variables in a probe's command have a value, or a shell",
        consequence: "kubelet puts a variable into the command of a probe where the spec gives it a value. One of valueFrom becomes nothing there; of any other $(NAME) the command gets these very letters.",
        check: Check::object(g17),
        example: Example {
            bad: "spec: {workerSpec: {probes: {startup: {type: Custom, command: [./check, $(QUEUE)]}}}}",
            at: "spec.workerSpec.probes.startup.command[1]",
            good: "spec: {workerSpec: {probes: {startup: {type: Custom, command: [sh, -c, './check $QUEUE']}}}}",
            old: None,
        },
    },
    Rule {
        id: "G18", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a solo worker may be silent as long as its longest task",
        consequence: "solo sends no heartbeat while a task runs: the container is restarted in the middle of it.",
        check: Check::object(g18),
        example: Example {
            bad: "spec: {workerSpec: {pool: solo, timeLimit: 600, probes: {liveness: {type: Heartbeat, maxAgeSeconds: 300}}}}",
            at: "spec.workerSpec.probes.liveness.maxAgeSeconds",
            good: "spec: {workerSpec: {pool: prefork, timeLimit: 600, probes: {liveness: {type: Heartbeat, maxAgeSeconds: 300}}}}",
            old: None,
        },
    },
    Rule {
        id: "G21", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a probe has a known type, and what that type needs",
        consequence: "The API server refuses the Deployment, or nobody knows what to ask.",
        check: Check::object(g21),
        example: Example { bad: "spec: {workerSpec: {probes: {liveness: {type: ping}}}}", at: "spec.workerSpec.probes.liveness.type", good: "spec: {workerSpec: {probes: {liveness: {type: Custom, command: [./check]}}}}", old: None },
    },
];

/// A probe, and where it stands.
struct Placed<'p> {
    role: ProbeRole,
    /// `spec.workerSpec.probes.liveness`
    path: String,
    probe: &'p Probe,
}

impl Placed<'_> {
    fn is(&self, type_: ProbeType) -> bool {
        self.probe.type_.known() == Some(type_)
    }
}

/// The written probes of a component.
fn written<'p>(path: &str, probes: Option<&'p Probes>) -> impl Iterator<Item = Placed<'p>> {
    let path = format!("{path}.probes");
    let written = probes.into_iter().flat_map(Probes::written);
    written.map(move |(role, probe)| Placed { role, path: format!("{path}.{}", role.field()), probe })
}

/// The written probes of a pool.
fn of_pool<'a>(pool: &Pool<'a>) -> impl Iterator<Item = Placed<'a>> {
    written(&pool.path, pool.spec.probes.as_ref())
}

/// The written probes of workers and beat.
fn of_all<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Placed<'a>> {
    let beat = subject.beat.as_ref().and_then(|beat| beat.spec.probes.as_ref());
    subject.pools.iter().flat_map(of_pool).chain(written("spec.beatSpec", beat))
}

fn g16(subject: &Subject<'_>, report: &mut Report<'_>) {
    let shared = subject.common().pod_template.as_ref().map(|template| ("spec.common".to_owned(), template));
    let own = subject.pools.iter();
    let own = own.filter_map(|pool| Some((pool.path.clone(), pool.spec.pod_template.as_ref()?)));
    for (path, template) in shared.into_iter().chain(own) {
        let containers = template.0.pointer("/spec/containers").and_then(Value::as_array);
        for (index, container) in containers.into_iter().flatten().enumerate().take(limits::ITEMS) {
            let is_worker = container["name"] == names::WORKER_CONTAINER;
            if !is_worker || container["ports"].as_array().is_some_and(|ports| !ports.is_empty()) {
                continue;
            }
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                let asks = |how: &str| container[probe].get(how).is_some_and(|how| !how.is_null());
                if ["httpGet", "tcpSocket", "grpc"].into_iter().any(asks) {
                    report.add(
                        Kind::Forbidden,
                        format!("{path}.podTemplate.spec.containers[{index}].{probe}"),
                        "a worker has no port",
                        "use exec, or add ports",
                    );
                }
            }
        }
    }
}

/// What kubelet makes of a variable in the command of a probe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filled {
    /// Its value, as it is written.
    In,
    /// Nothing: it looks at values alone.
    Empty,
    /// It leaves the name as it stands.
    Not,
}

fn g17(subject: &Subject<'_>, report: &mut Report<'_>) {
    let laid_over = variables::laid_over(subject);
    let components = subject.components();
    for component in &components {
        let probes = match component.part {
            Part::Worker(worker) => worker.probes.as_ref(),
            Part::Beat(beat) => beat.probes.as_ref(),
            Part::Flower(_) => None,
        };
        let filled = |name: &str| {
            let own = component.env().iter().rfind(|variable| variable.name == name);
            let shared = || subject.common().env.iter().rfind(|variable| variable.name == name);
            match own.or_else(shared) {
                // What the operator adds and what a template brings is not looked into.
                _ if name.starts_with("CELERY_") => Filled::In,
                _ if laid_over.iter().any(|place| place.variable.name == name) => Filled::In,
                None => Filled::Not,
                Some(variable) if variable.value_from.is_some() => Filled::Empty,
                Some(_) => Filled::In,
            }
        };
        for Placed { path, probe, .. } in written(&component.path, probes) {
            for (at, word) in probe.command.iter().enumerate() {
                // Of the name of a worker another rule tells.
                if named::is_told(&probe.command, word, |name| filled(name) != Filled::Not) {
                    continue;
                }
                if let Some((message, fix)) = unfilled(&probe.command, at, word, filled) {
                    report.add(Kind::Forbidden, format!("{path}.command[{at}]"), message, fix);
                }
            }
        }
    }
}

/// What is wrong with the variables in a word of a probe's command; without the word, which may hold anything.
fn unfilled(
    command: &[String],
    at: usize,
    word: &str,
    filled: impl Fn(&str) -> Filled,
) -> Option<(&'static str, String)> {
    if in_shell(command, at) {
        // Anything else in parentheses is a command.
        let is_script = script_at(command).is_none_or(|script| script == at);
        let mut names = expansion::each(word).filter(|name| is_script && is_variable(name));
        let name = names.find(|name| filled(name) != Filled::In)?;
        let message = match filled(name) {
            Filled::Empty => "kubelet leaves a valueFrom variable empty",
            _ => "the shell runs this as a command",
        };
        return Some((message, format!("write ${name}")));
    }
    let left = expansion::each(word).map(filled).find(|filled| *filled != Filled::In)?;
    let message = match left {
        Filled::Empty => "kubelet leaves a valueFrom variable empty",
        _ => "env gives a variable in it no value",
    };
    Some((message, "use sh -c with $NAME".to_owned()))
}

/// Whether a shell reads a word of a command: that of the command itself, or one behind another program.
fn in_shell(command: &[String], at: usize) -> bool {
    let is_flag = |word: &String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
    let before = &command[..at];
    let is_script = command[at].contains(char::is_whitespace) && before.iter().any(is_flag);
    is_script || is_shell(behind_init(command)) || (0..at).any(|begin| is_shell(&command[begin..]))
}

/// Whether a name is written as variables are and commands are not.
fn is_variable(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.starts_with(|c: char| c == '_' || c.is_ascii_uppercase())
        && name.chars().all(|c| c == '_' || c.is_ascii_uppercase() || c.is_ascii_digit())
}

fn g18(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| pool.is_restarted_in_long_tasks()) {
        let path = format!("{}.probes.liveness.maxAgeSeconds", pool.path);
        let message = "is not above timeLimit, and solo is silent while a task runs";
        report.add(Kind::Invalid, path, message, "raise it above timeLimit");
    }
}

fn g21(subject: &Subject<'_>, report: &mut Report<'_>) {
    for Placed { path, probe, .. } in of_all(subject) {
        match Open::known(&probe.type_) {
            None => {
                let path = format!("{path}.type");
                let fix = "use one of Ping, Heartbeat, Custom, None";
                report.add(Kind::Unsupported, path, "is not a type of probe", fix);
            }
            Some(ProbeType::Custom) if probe.command.is_empty() => {
                let fix = "set it, one word per element";
                report.add(Kind::Required, format!("{path}.command"), "Custom needs a command", fix);
            }
            Some(ProbeType::Heartbeat) if probe.max_age_seconds == Some(0) => {
                let path = format!("{path}.maxAgeSeconds");
                report.add(
                    Kind::Invalid,
                    path,
                    "no file is that young: the probe always fails",
                    "use 1 or more",
                );
            }
            Some(_) => {}
        }
        for (field, number) in [
            ("maxAgeSeconds", probe.max_age_seconds),
            ("initialDelaySeconds", probe.initial_delay_seconds),
            ("periodSeconds", probe.period_seconds),
            ("timeoutSeconds", probe.timeout_seconds),
            ("failureThreshold", probe.failure_threshold),
        ] {
            if number.is_some_and(|number| number < 0) {
                report.add(Kind::Invalid, format!("{path}.{field}"), "is negative", "use 1 or more");
            }
        }
    }
}
