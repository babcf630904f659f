// SPDX-License-Identifier: Apache-2.0
//! Rules about what reaches Celery of a signal: by variables, and through what stands in front of it.

use k8s_openapi::api::core::v1::EnvVar;

use super::{mode, written_mode};
use crate::api::ShutdownMode;
use crate::celery::expansion::expands;
use crate::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::shell::{only_command, program, script};
use crate::rules::subject::{Pool, Subject};

/// The variable by which billiard takes another signal for SIGTERM.
const REMAP: &str = "REMAP_SIGTERM";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G07", severity: Severity::Deny, schema: false, since: "0.1",
        title: "REMAP_SIGTERM is SIGQUIT",
        consequence: "Celery ends at its import: module 'signal' has no such attribute.",
        check: Check::object(g07).or(Severity::Warn, "for SIGTERM, which has no effect"),
        example: Example {
            bad: "spec: {workerSpec: {env: [{name: REMAP_SIGTERM, value: sigquit}]}}",
            at: "spec.workerSpec.env[0].value",
            good: "spec: {workerSpec: {env: [{name: REMAP_SIGTERM, value: ''}]}}",
            old: None,
        },
    },
    Rule {
        id: "G08", severity: Severity::Deny, schema: false, since: "0.1",
        title: "how a worker ends is said once",
        consequence: "The variable turns a warm shutdown into a cold one: running tasks are stopped.",
        check: Check::object(g08).or(Severity::Warn, "when no mode is written, and for softTimeoutSeconds without the mode Soft"),
        example: Example {
            bad: "spec: {workerSpec: {gracefulShutdown: {mode: Warm}, env: [{name: REMAP_SIGTERM, value: SIGQUIT}]}}",
            at: "spec.workerSpec.env[0].name",
            good: "spec: {common: {config: {task_acks_late: true}}, workerSpec: {gracefulShutdown: {mode: Cold}, env: [{name: REMAP_SIGTERM, value: SIGQUIT}]}}",
            old: None,
        },
    },
    Rule {
        id: "G09", severity: Severity::Warn, schema: false, since: "0.1",
        title: "SIGTERM reaches the worker alone",
        consequence: "Child processes get the signal too and die in their tasks, which are lost even when acknowledged late.",
        check: Check::object(g09),
        example: Example {
            bad: "spec: {common: {command: [/usr/bin/dumb-init, --, celery]}}",
            at: "spec.common.command",
            good: "spec: {common: {command: [/sbin/tini, --, celery]}}",
            old: None,
        },
    },
    Rule {
        id: "G22", severity: Severity::Warn, schema: false, since: "0.1",
        title: "preStop leaves time to stop",
        consequence: "Celery hears of its end when the grace period is over: two seconds later it is killed with its tasks.",
        check: Check::object(g22),
        example: Example {
            bad: "spec: {workerSpec: {gracefulShutdown: {timeoutSeconds: 30}, lifecycle: {preStop: {exec: {command: [sleep, '30']}}}}}",
            at: "spec.workerSpec.lifecycle.preStop.exec.command",
            good: "spec: {workerSpec: {gracefulShutdown: {timeoutSeconds: 30}, lifecycle: {preStop: {exec: {command: [sleep, '5']}}}}}",
            old: None,
        },
    },
    Rule {
        id: "G31", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the signal that ends a worker is the one of its shutdown mode",
        consequence: "The API server takes the field away without a word, or with the feature ContainerStopSignals refuses the Deployment unless podTemplate names os; then another signal would end the worker in another way, or not at all.",
        check: Check::object(g31),
        example: Example {
            bad: "spec: {workerSpec: {lifecycle: {stopSignal: SIGQUIT}}}",
            at: "spec.workerSpec.lifecycle.stopSignal",
            good: "spec: {workerSpec: {gracefulShutdown: {mode: Warm}, lifecycle: {preStop: {exec: {command: [sleep, '5']}}}}}",
            old: None,
        },
    },
];

fn g07(subject: &Subject<'_>, report: &mut Report<'_>) {
    let shared = subject.common().env.iter().enumerate();
    let shared = shared.map(|(index, variable)| (format!("spec.common.env[{index}]"), variable));
    // billiard is imported by every part of Celery.
    let components = subject.components();
    let own = components.iter().flat_map(|part| {
        let own = part.env().iter().enumerate();
        own.map(|(index, variable)| (format!("{}.env[{index}]", part.path), variable))
    });
    for (path, variable) in shared.chain(own).filter(|(_, variable)| variable.name == REMAP) {
        let (path, fix) = (format!("{path}.value"), "remove it and set gracefulShutdown.mode");
        match variable.value.as_deref() {
            None | Some("" | "SIGQUIT") => {}
            Some("SIGTERM") => report.graded(Severity::Warn, Kind::Invalid, path, "has no effect", fix),
            Some(value) if expands(value) => {}
            Some(_) => {
                let message = "REMAP_SIGTERM accepts only SIGQUIT";
                report.add_hidden(report.severity(), path, message, fix);
            }
        }
    }
}

fn g08(subject: &Subject<'_>, report: &mut Report<'_>) {
    // A shared variable is told of once, as severely as for any pool.
    let mut remaps: Vec<(String, Severity)> = Vec::new();
    for pool in &subject.pools {
        if mode(pool) == ShutdownMode::Warm
            && let Some((path, _)) =
                remap(subject, pool).filter(|(_, value)| value.value.as_deref() == Some("SIGQUIT"))
        {
            let severity = if written_mode(pool).is_some() { Severity::Deny } else { Severity::Warn };
            match remaps.iter_mut().find(|(known, _)| *known == path) {
                Some((_, known)) => *known = severity.min(*known),
                None => remaps.push((path, severity)),
            }
        }
        let soft = pool.spec.graceful_shutdown.as_ref().and_then(|shutdown| shutdown.soft_timeout_seconds);
        // Of a word that is no mode another rule tells.
        let unknown = pool.spec.graceful_shutdown.as_ref().and_then(|shutdown| shutdown.mode.as_ref());
        let unknown = unknown.is_some_and(|mode| mode.known().is_none());
        if soft.is_some() && !unknown && mode(pool) != ShutdownMode::Soft {
            let path = format!("{}.gracefulShutdown.softTimeoutSeconds", pool.path);
            report.graded(
                Severity::Warn,
                Kind::Invalid,
                path,
                "is for the mode Soft",
                "set the mode, or remove it",
            );
        }
    }
    for (path, severity) in remaps {
        let message = "this variable forces a cold shutdown";
        report.graded(
            severity,
            Kind::Forbidden,
            format!("{path}.name"),
            message,
            "remove it and set gracefulShutdown.mode",
        );
    }
}

fn remap<'a>(subject: &Subject<'a>, pool: &Pool<'a>) -> Option<(String, &'a EnvVar)> {
    subject.env_of(pool).find(|(_, variable)| variable.name == REMAP)
}

fn g09(subject: &Subject<'_>, report: &mut Report<'_>) {
    let command = &subject.common().command;
    let options: Vec<&str> = command
        .iter()
        .skip(1)
        .map(String::as_str)
        .take_while(|word| word.starts_with('-') && *word != "--")
        .collect();
    let is_everywhere = |name: &str, is_meant: fn(&str) -> bool| {
        subject.pools.iter().all(|pool| {
            subject
                .env_of(pool)
                .any(|(_, variable)| variable.name == name && variable.value.as_deref().is_some_and(is_meant))
        })
    };
    let (signals_all, fix) = match program(command) {
        Some("dumb-init") => {
            let is_single = options.iter().any(|word| ["-c", "--single-child"].contains(word));
            let is_off = is_everywhere("DUMB_INIT_SETSID", |value| value == "0");
            (!is_single && !is_off, "add --single-child")
        }
        Some("tini") => {
            (options.iter().any(|word| !word.starts_with("--") && word.contains('g')), "remove -g")
        }
        _ => return,
    };
    if signals_all && !subject.pools.is_empty() {
        report.add(
            Kind::Forbidden,
            "spec.common.command",
            "signals child processes too, which kills running tasks",
            fix,
        );
    }
}

fn g22(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let grace = f64::from(pool.grace());
        let Some(stop) = pool.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref())
        else {
            continue;
        };
        let exec = stop.exec.as_ref().and_then(|exec| exec.command.as_deref()).and_then(slept);
        // Kubernetes itself refuses a sleep that is longer.
        let sleep = stop.sleep.as_ref().map(|sleep| sleep.seconds);
        let field = match (exec, sleep) {
            (Some(seconds), _) if seconds >= grace => "exec.command",
            (_, Some(seconds)) if seconds == i64::from(pool.grace()) => "sleep.seconds",
            _ => continue,
        };
        if pool.grace() > 0 {
            let path = format!("{}.lifecycle.preStop.{field}", pool.path);
            report.add(Kind::Forbidden, path, "leaves no time to stop", "sleep less than timeoutSeconds");
        }
    }
}

fn g31(subject: &Subject<'_>, report: &mut Report<'_>) {
    let own = subject.pools.iter().map(|pool| (pool.path.clone(), pool.spec.lifecycle.as_ref()));
    // What is shared counts where there are workers.
    let laid_over = subject
        .laid_over()
        .filter(|(_, container)| container.name == names::WORKER_CONTAINER && !subject.pools.is_empty());
    let laid_over = laid_over.map(|(path, container)| (path, container.lifecycle.as_ref()));
    for (path, lifecycle) in own.chain(laid_over) {
        if lifecycle.is_some_and(|lifecycle| lifecycle.stop_signal.is_some()) {
            let path = format!("{path}.lifecycle.stopSignal");
            report.add(
                Kind::Forbidden,
                path,
                "would end the worker in another way",
                "use gracefulShutdown.mode",
            );
        }
    }
}

/// Seconds that a command sleeps, where it does nothing else.
fn slept(command: &[String]) -> Option<f64> {
    let in_shell = script(command).map(only_command);
    let words = in_shell.unwrap_or_else(|| Some(command.to_vec()))?;
    let [sleep, time] = &words[..] else { return None };
    if sleep.rsplit('/').next() != Some("sleep") {
        return None;
    }
    let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(letter, unit)| Some((time.strip_suffix(letter)?, unit)))
        .unwrap_or((time, 1.0));
    number.parse::<f64>().ok().map(|number| number * unit)
}
