// SPDX-License-Identifier: Apache-2.0
//! Rules about names of queues, in fields and in arguments alike.

use super::args::is_joined;
use super::finding::{Kind, Report, Severity};
use super::release::lacks;
use super::rule::{Check, Example, Rule};
use super::subject::{Pool, Subject};
use crate::celery::broker_url::Transport;
use crate::celery::command::Command;
use crate::celery::sqs::queue_name;
use crate::celery::version::Release;
use crate::effective::Effective;

/// Longest name that AMQP can carry, in bytes.
const MAX_AMQP: usize = 255;
/// Longest name on Amazon SQS.
const MAX_SQS: usize = 80;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W25", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a queue's name is written exactly",
        consequence: "Celery takes the name as it is: the worker consumes \" b\", and the queue \"b\" fills up.",
        check: Check::object(w25).or(Severity::Warn, "for a name with a space inside, and for one that looks like a pattern"),
        example: Example { bad: "spec: {workerSpec: {args: ['-Q', 'a, b']}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {queues: [a, b]}}", old: None },
    },
    Rule {
        id: "W26", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a worker has a queue left to consume",
        consequence: "The worker starts with an empty list of queues and stays idle for ever.",
        check: Check::object(w26).or(Severity::Warn, "when the pool names no queues and leaves out the default one, since the application may name others"),
        example: Example { bad: "spec: {workerSpec: {queues: [a], excludeQueues: [a]}}", at: "spec.workerSpec.excludeQueues", good: "spec: {workerSpec: {excludeQueues: [a]}}", old: None },
    },
    Rule {
        id: "W80", severity: Severity::Deny, schema: false, since: "0.1",
        title: "without task_create_missing_queues a worker consumes declared queues",
        consequence: "The worker ends with \"Trying to select queue subset of …\" and starts again for ever.",
        check: Check::object(w80).or(Severity::Warn, "when config has no task_queues, since the application may declare them"),
        example: Example {
            bad: "spec: {common: {config: {task_create_missing_queues: false, task_queues: {mail: {}}}}, workerSpec: {queues: [mial]}}",
            at: "spec.workerSpec.queues[0]",
            good: "spec: {common: {config: {task_create_missing_queues: false, task_queues: {mail: {}}}}, workerSpec: {queues: [mail]}}",
            old: None,
        },
    },
    Rule {
        id: "W27", severity: Severity::Deny, schema: false, since: "0.1",
        title: "RabbitMQ can have a queue of that name",
        consequence: "The worker ends with ACCESS_REFUSED for a reserved name, or with an error of the protocol for one too long.",
        check: Check::object(w27),
        example: Example { bad: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [amq.mail]}}", at: "spec.workerSpec.queues[0]", good: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [mail.amq]}}", old: None },
    },
    Rule {
        id: "W28", severity: Severity::Warn, schema: false, since: "0.1",
        title: "SQS keeps the name of a queue",
        consequence: "Celery writes punctuation otherwise on SQS, so that other programs look for another queue; SQS refuses more than 80 characters.",
        check: Check::object(w28).or(Severity::Deny, "when the name has more than 80 characters"),
        example: Example { bad: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}}}, workerSpec: {queues: ['mail:out']}}", at: "spec.workerSpec.queues[0]", good: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}}}, workerSpec: {queues: [mail-out]}}", old: None },
    },
];

/// The names a pool writes, each with its path.
fn names<'a>(pool: &Pool<'a>) -> Vec<(String, &'a str)> {
    let all = [selected(pool), of(pool, "--exclude-queues", "excludeQueues", &pool.spec.exclude_queues)];
    all.concat()
}

/// Those that it writes to consume.
fn selected<'a>(pool: &Pool<'a>) -> Vec<(String, &'a str)> {
    of(pool, "--queues", "queues", &pool.spec.queues)
}

fn of<'a>(pool: &Pool<'a>, option: &str, field: &str, list: &'a [String]) -> Vec<(String, &'a str)> {
    let path = |index| format!("{}.{field}[{index}]", pool.path);
    let written = list.iter().enumerate().map(|(index, name)| (path(index), name.as_str()));
    let given = pool.said.all(option).filter(|used| !used.is_opaque()).flat_map(|used| {
        // A blank behind the option itself is several words in one.
        let joined = [used.at, used.value_at].iter().any(|at| is_joined(Command::Worker, pool.word(*at)));
        let names = used.value.filter(|_| !joined).into_iter().flat_map(|list| list.split(','));
        names.map(|name| (pool.arg(used.value_at), name))
    });
    written.chain(given).collect()
}

fn w25(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let mut told = String::new();
        for (path, name) in names(pool) {
            let Some((severity, message, fix)) = blemish(name, report.severity()) else { continue };
            let is_entry = name.is_empty() && !path.contains(".args[");
            let fix = if is_entry { "remove the entry" } else { fix };
            // One finding a word, however many names in it are wrong.
            if path != told {
                report.add_shown(severity, path.clone(), name, message, fix);
                told = path;
            }
        }
    }
}

fn blemish(name: &str, severity: Severity) -> Option<(Severity, &'static str, &'static str)> {
    let quotes = ['"', '\''];
    if name.is_empty() {
        Some((severity, "is an empty queue name", "remove the extra comma"))
    } else if name.trim() != name {
        Some((severity, "begins or ends with a space", "write the names without spaces"))
    } else if name.contains(quotes) {
        Some((severity, "has quotes in its name", "remove the quotes"))
    } else if name.contains(',') {
        Some((severity, "contains several queue names", "write one per element"))
    } else if name.chars().any(char::is_control) {
        Some((severity, "has a control character in its name", "remove it"))
    } else if name.contains('*') || name == "#" || name.ends_with(".#") {
        Some((Severity::Warn, "is one queue of that very name, and no pattern", "name every queue"))
    } else if name.contains(char::is_whitespace) {
        Some((Severity::Warn, "has a space in its name", "make sure that the application says the same"))
    } else {
        None
    }
}

/// The queues that config declares for a pool, unless that leaves them to the application.
fn declared<'a>(subject: &Subject<'a>, pool: &Pool<'_>) -> Option<Vec<&'a str>> {
    let is_overridden = pool.said.setting("task_queues").is_some();
    let written = subject.common().config.get("task_queues").filter(|_| !is_overridden)?;
    let queues = written.0.as_object().filter(|queues| !queues.is_empty())?;
    Some(queues.keys().map(String::as_str).collect())
}

/// Whether a queue of config is called so beside its own name, as it may be since Celery 5.7.
fn is_alias(subject: &Subject<'_>, name: &str) -> bool {
    let queues = subject.common().config.get("task_queues").and_then(|written| written.0.as_object());
    let mut queues = queues.into_iter().flatten().map(|(_, queue)| queue);
    lacks(subject, Release::V5_7).is_none()
        && queues.any(|queue| queue.get("alias").is_some_and(|alias| alias == name))
}

/// What the object does not declare, the application may.
fn w80(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| pool.effective().makes_queues() == Effective::Is(false)) {
        let declared = declared(subject, pool);
        let default = pool.effective().default_queue().is();
        let is_there = |name: &str| match &declared {
            Some(declared) => declared.contains(&name) || is_alias(subject, name),
            None => default.as_deref() == Some(name),
        };
        let mut told = String::new();
        let last = pool.said.last("--queues").map(|used| pool.arg(used.value_at));
        let counts = |path: &String| last.as_ref().is_none_or(|last| path == last);
        for (path, name) in selected(pool).into_iter().filter(|(path, _)| counts(path)) {
            if is_there(name) || blemish(name, Severity::Deny).is_some() || path == told {
                continue;
            }
            let (severity, message, fix) = match &declared {
                Some(_) => (report.severity(), "is not in task_queues", "add it to task_queues"),
                None => (Severity::Warn, "is not declared", "set task_queues in config"),
            };
            let message = format!("{message}, and task_create_missing_queues is false");
            report.add_shown(severity, &path, name, message, fix);
            told = path;
        }
    }
}

fn w26(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let excluded = written(pool, "--exclude-queues", &pool.spec.exclude_queues);
        let Some(excluded) = excluded.filter(|excluded| !excluded.is_empty()) else { continue };
        let path = match pool.said.last("--exclude-queues") {
            Some(used) => pool.arg(used.value_at),
            None => format!("{}.excludeQueues", pool.path),
        };
        match written(pool, "--queues", &pool.spec.queues) {
            Some(queues) if !queues.is_empty() && queues.iter().all(|queue| excluded.contains(queue)) => {
                let message = "leaves no queue to consume";
                report.add(Kind::Invalid, path, message, "remove it, or name other queues");
            }
            Some(queues) if queues.is_empty() => match declared(subject, pool) {
                Some(declared) if declared.iter().all(|queue| excluded.contains(queue)) => {
                    let message = "leaves none of task_queues to consume";
                    report.add(Kind::Invalid, path, message, "remove it, or name other queues");
                }
                // An application with queues of its own may mean just this.
                None if pool
                    .effective()
                    .default_queue()
                    .is()
                    .is_some_and(|name| excluded.contains(&name.as_str())) =>
                {
                    let message = "leaves out the queue that Celery uses by default";
                    report.graded(Severity::Warn, Kind::Invalid, path, message, "name queues instead");
                }
                _ => {}
            },
            _ => {}
        }
    }
}

/// The names of an option or of its field; `None` where a variable brings them.
fn written<'a>(pool: &Pool<'a>, option: &str, field: &'a [String]) -> Option<Vec<&'a str>> {
    match pool.said.last(option) {
        Some(used) if used.is_opaque() => None,
        Some(used) => Some(
            used.value.into_iter().flat_map(|list| list.split(',')).filter(|name| !name.is_empty()).collect(),
        ),
        None => Some(field.iter().map(String::as_str).collect()),
    }
}

fn w27(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.transport() != Some(Transport::Amqp) {
        return;
    }
    for (path, name) in subject.pools.iter().flat_map(names) {
        if name.starts_with("amq.") {
            report.add_shown(
                report.severity(),
                path,
                name,
                "is a name that RabbitMQ keeps for itself",
                "use another one",
            );
        } else if name.len() > MAX_AMQP {
            let message = format!("has {} bytes, RabbitMQ allows {MAX_AMQP}", name.len());
            report.add_shown(report.severity(), path, name, message, "use a shorter name");
        }
    }
}

fn w28(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.transport() != Some(Transport::Sqs) {
        return;
    }
    let typed = subject.broker().and_then(|broker| broker.sqs.as_ref());
    let prefix = typed.and_then(|sqs| sqs.queue_name_prefix.as_deref()).unwrap_or_default();
    let prefix_there = queue_name(prefix, "");
    if prefix_there != prefix {
        let path = "spec.common.broker.sqs.queueNamePrefix";
        let message = format!("is {prefix_there:?} in SQS");
        report.add_shown(report.severity(), path, prefix, message, "use letters, digits, - and _");
    }
    for (path, name) in subject.pools.iter().flat_map(names) {
        let there = queue_name(prefix, name);
        if there.chars().count() > MAX_SQS {
            let message = format!("has more than {MAX_SQS} characters, which SQS refuses");
            report.add_shown(Severity::Deny, path, name, message, "use a shorter name");
        } else if queue_name("", name) != name {
            report.add_shown(
                report.severity(),
                path,
                name,
                format!("is called {there:?} in SQS"),
                "use letters, digits, - and _",
            );
        }
    }
}
