// SPDX-License-Identifier: Apache-2.0
//! Rules about `spec.common` and the object as a whole: here what is started, in the modules everything around it.

pub(super) mod annotations;
pub(super) mod images;
mod in_shell;
pub(super) mod labels;
mod line;
pub(super) mod main_container;
pub(super) mod names;
pub(super) mod template;
pub(super) mod versions;
pub(super) mod volumes;

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::shell;
use super::subject::Subject;
use crate::celery::app::{self, AppPath};

/// Programs that serve web applications: the command of another container of the same image.
const SERVERS: &[&str] =
    &["gunicorn", "uvicorn", "uwsgi", "daphne", "hypercorn", "waitress-serve", "runserver"];
/// What is wrong with a command that holds such words.
const SAYS_TWICE: &str = "the operator adds this and what follows";

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "C01", severity: Severity::Deny, schema: true, since: "0.1",
        title: "workers need celeryApp",
        consequence: "The worker starts with an empty application, takes messages and discards each as unregistered.",
        check: Check::object(c01),
        example: Example { bad: "spec: {common: {celeryApp: null}}", at: "spec.common.celeryApp", good: "{}", old: None },
    },
    Rule {
        id: "C02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "celeryApp is a module path with an optional attribute",
        consequence: "The container ends with \"Unable to load celery application\".",
        check: Check::field(&["spec.common.celeryApp"], "use module.path or module.path:attribute"),
        example: Example { bad: "spec: {common: {celeryApp: shop/tasks}}", at: "spec.common.celeryApp", good: "spec: {common: {celeryApp: 'shop.tasks:app'}}", old: None },
    },
    Rule {
        id: "C03", severity: Severity::Warn, schema: false, since: "0.1",
        title: "celeryApp is a module, not a file",
        consequence: "The container ends with \"The module tasks.py was not found\".",
        check: Check::object(c03),
        example: Example { bad: "spec: {common: {celeryApp: tasks.py}}", at: "spec.common.celeryApp", good: "spec: {common: {celeryApp: tasks}}", old: None },
    },
    Rule {
        id: "C20", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a shell in front of Celery steps aside",
        consequence: "The shell takes SIGTERM and Celery never hears of it: running tasks are killed when the grace period ends. A script that passes no arguments on runs the same in every pod: beat's starts one more worker, and no beat runs.",
        check: Check::object(in_shell::c20).or(Severity::Deny, "when the script does not pass all arguments on as they are, says worker or beat before them, never comes to Celery, or leaves it in the background"),
        example: Example {
            bad: "spec: {common: {command: [sh, -c, '. ./env && celery \"$@\"', celery]}}",
            at: "spec.common.command",
            good: "spec: {common: {command: [sh, -c, '. ./env && exec celery \"$@\"', celery]}}",
            old: None,
        },
    },
    Rule {
        id: "C22", severity: Severity::Deny, schema: true, since: "0.1",
        title: "something is there to run",
        consequence: "An object without any component does nothing and looks healthy.",
        check: Check::object(c22),
        example: Example { bad: "spec: {workerSpec: null}", at: "spec", good: "spec: {workerSpec: null, flowerSpec: {auth: {allowUnauthenticated: true}}}", old: None },
    },
    Rule {
        id: "C25", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the broker has one scheme",
        consequence: "Celery takes the scheme of the URL; whatever is judged or measured by the other one is wrong.",
        check: Check::object(c25),
        example: Example {
            bad: "spec: {common: {broker: {scheme: amqp}}}",
            at: "spec.common.broker.scheme",
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: amqp}}}",
            old: None,
        },
    },
    Rule {
        id: "C26", severity: Severity::Deny, schema: false, since: "0.1",
        title: "command is what stands before -A",
        consequence: "The container ends with \"No such command\" or \"executable file not found\" and starts again for ever.",
        check: Check::object(c26),
        example: Example {
            bad: "spec: {common: {command: [celery, -A, shop, worker]}}",
            at: "spec.common.command[1]",
            good: "spec: {common: {command: [poetry, run, celery]}}",
            old: None,
        },
    },
    Rule {
        id: "C90", severity: Severity::Warn, schema: false, since: "0.1",
        title: "command starts Celery, not a web server",
        consequence: "The server is given the arguments of Celery, and ends with a usage message or serves in the place of a worker.",
        check: Check::object(c90),
        example: Example {
            bad: "spec: {common: {command: [gunicorn, 'shop:app']}}",
            at: "spec.common.command",
            good: "spec: {common: {command: [ddtrace-run, celery]}}",
            old: None,
        },
    },
];

fn c01(subject: &Subject<'_>, report: &mut Report<'_>) {
    let runs_tasks = !subject.pools.is_empty() || subject.beat.is_some();
    if runs_tasks && subject.common().celery_app.is_none() {
        report.add(
            Kind::Required,
            "spec.common.celeryApp",
            "without it the worker runs an empty app and discards every task",
            "set the module path that celery -A takes",
        );
    }
}

/// What is no path at all is the matter of C02.
fn c03(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(app) = subject.common().celery_app.as_deref() else { return };
    let meant = app::meant(app).filter(|_| app.parse::<AppPath>().is_ok());
    if let Some(module) = meant {
        report.add(
            Kind::Invalid,
            "spec.common.celeryApp",
            "looks like a file name",
            format!("use {module:?}"),
        );
    }
}

/// Tells of the first such word only: behind it stands the rest of the same line.
fn c26(subject: &Subject<'_>, report: &mut Report<'_>) {
    let command = &subject.common().command;
    let Some(first) = command.first() else { return };
    // What the operator writes behind the command.
    let is_added = |word: &&str| shell::STARTED.contains(word) || *word == "-A" || word.starts_with("--app");
    let detaches = |pair: &[String]| shell::is_celery(&pair[0]) && pair[1] == "multi";
    let plain = || "write [celery]".to_owned();
    let (at, message, fix) = if first.trim().is_empty() {
        (0, "is not the name of a program", plain())
    } else if line::behind_celery(first.split_whitespace()).any(|(_, word)| is_added(&word))
        || is_added(&first.as_str())
    {
        (0, SAYS_TWICE, line::instead(command, subject))
    } else if first.contains(char::is_whitespace) {
        (0, "is more than one word", "write each word as an element of its own".to_owned())
    } else if let Some((at, _)) =
        line::behind_celery(command.iter().map(String::as_str)).find(|(_, word)| is_added(word))
        && !shell::is_shell(command)
    {
        (at, SAYS_TWICE, line::instead(command, subject))
    } else if let Some(at) = command.windows(2).position(detaches) {
        (at + 1, "starts workers in the background, and the container ends", plain())
    } else if let Some(unread) = shell::needs_a_shell(command) {
        let path = format!("spec.common.command[{}]", unread.at);
        return report.add(Kind::Forbidden, path, unread.message, unread.fix);
    } else {
        return;
    };
    // Without the word, which may hold the URL of a broker.
    report.add(Kind::Forbidden, format!("spec.common.command[{at}]"), message, fix);
}

fn c90(subject: &Subject<'_>, report: &mut Report<'_>) {
    let command = &subject.common().command;
    let names = |programs: &[&str]| {
        let mut words = (0..command.len()).filter_map(|at| shell::program(&command[at..]));
        words.any(|word| programs.contains(&word))
    };
    if names(SERVERS) && !names(&["celery"]) {
        let message = "starts a web server, not Celery";
        report.add(Kind::Forbidden, "spec.common.command", message, "write [celery], or leave it out");
    }
}

fn c22(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.components().is_empty() {
        report.add(
            Kind::Required,
            "spec",
            "there is nothing to run",
            "set workerSpec, workerPools, beatSpec or flowerSpec, {} is enough",
        );
    }
}

fn c25(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(broker) = subject.broker() else { return };
    let Some(scheme) = broker.scheme.as_ref().map(|scheme| scheme.to_ascii_lowercase()) else { return };
    let (message, matches) = if let Some(Ok(first)) = subject.urls.first() {
        (format!("differs from the scheme {} of url", first.scheme), first.scheme == scheme)
    } else if broker.redis.is_some() {
        (
            "does not fit redis, which is set".to_owned(),
            ["redis", "rediss", "sentinel"].contains(&scheme.as_str()),
        )
    } else if broker.rabbitmq.is_some() {
        (
            "does not fit rabbitmq, which is set".to_owned(),
            ["amqp", "amqps", "pyamqp"].contains(&scheme.as_str()),
        )
    } else if broker.sqs.is_some() {
        ("does not fit sqs, which is set".to_owned(), scheme == "sqs")
    } else {
        return;
    };
    if !matches {
        let fix = "remove it, it is only used with urlSecretRef";
        report.add(Kind::Invalid, "spec.common.broker.scheme", message, fix);
    }
}
