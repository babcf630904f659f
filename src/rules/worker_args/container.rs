// SPDX-License-Identifier: Apache-2.0
//! Options that Celery takes and that have no place in a container.

use crate::celery::command::Command;
use crate::celery::reading::Occurrence;
use crate::rules::args::{self, Matter};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W06", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the worker stays in the foreground",
        consequence: "The container ends at once with success and is restarted for ever.",
        check: Check::object(w06),
        example: Example { bad: "spec: {workerSpec: {args: ['--detach']}}", at: "spec.workerSpec.args[0]", good: "{}", old: None },
    },
    Rule {
        id: "W07", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the worker does more than tell how it is used",
        consequence: "The container prints a text, ends with success and is restarted for ever.",
        check: Check::arguments(Command::Worker, &[Matter::Ends]).and(w07),
        example: Example { bad: "spec: {workerSpec: {args: ['--help']}}", at: "spec.workerSpec.args[0]", good: "{}", old: None },
    },
    Rule {
        id: "W08", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a container needs no pid file",
        consequence: "A file that cannot be written ends the worker; one that outlives the pod keeps the next from starting.",
        check: Check::object(w08).or(Severity::Deny, "when the file lies on a volume"),
        example: Example { bad: "spec: {workerSpec: {args: ['--pidfile=/tmp/w.pid']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--pidfile=']}}", old: None },
    },
    Rule {
        id: "W09", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a worker logs to its error output",
        consequence: "kubectl logs stays empty, and a folder that cannot be written ends the worker.",
        check: Check::object(w09),
        example: Example { bad: "spec: {workerSpec: {args: ['-f', /var/log/w.log]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['-f', /dev/stderr]}}", old: None },
    },
    Rule {
        id: "W10", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the user of a container is the security context's matter",
        consequence: "The worker ends when the image has no such user, or when it does not start as root.",
        check: Check::object(w10),
        example: Example { bad: "spec: {workerSpec: {args: ['--uid=1000']}}", at: "spec.workerSpec.args[0]", good: "spec: {common: {securityContext: {runAsUser: 1000}}}", old: None },
    },
    Rule {
        id: "W13", severity: Severity::Deny, schema: false, since: "0.1",
        title: "no start of a pod deletes waiting tasks",
        consequence: "Every pod that starts, also on a restart and on a scale-out, deletes all waiting messages.",
        check: Check::object(w13),
        example: Example { bad: "spec: {workerSpec: {args: ['--purge']}}", at: "spec.workerSpec.args[0]", good: "{}", old: None },
    },
    Rule {
        id: "W41", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the file of revoked tasks belongs to one pod",
        consequence: "A folder that is not there ends the worker; two pods that write one file destroy it.",
        check: Check::object(w41),
        example: Example { bad: "spec: {workerSpec: {args: ['-S', /var/run/state]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['-S', /tmp/state]}}", old: None },
    },
];

fn w06(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--detach"]) {
        let message = format!("{} makes the container exit at once", used.name);
        report.add(Kind::Forbidden, pool.arg(used.at), message, "remove it");
    }
}

fn w07(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--help"]) {
        let message = format!("{} prints a text and ends the container", used.name);
        report.add(Kind::Forbidden, pool.arg(used.at), message, "remove it");
    }
}

fn w08(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--pidfile"]) {
        // An empty name switches the file off, as Celery 4 needs it.
        let Some(file) = used.value.filter(|file| !file.is_empty()) else { continue };
        if is_mounted(subject, pool, file) {
            let message = "outlives the pod and keeps the next one from starting";
            report.graded(
                Severity::Deny,
                Kind::Invalid,
                pool.arg(used.value_at),
                message,
                args::removal(used),
            );
        } else {
            let message = "has no use in a container";
            report.add(Kind::Invalid, pool.arg(used.value_at), message, args::removal(used));
        }
    }
}

/// Whether a path lies on a volume.
fn is_mounted(subject: &Subject<'_>, pool: &Pool<'_>, path: &str) -> bool {
    let mounts = subject.common().volume_mounts.iter().chain(&pool.spec.volume_mounts);
    mounts.map(|mount| mount.mount_path.trim_end_matches('/')).any(|folder| {
        path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')) && !folder.is_empty()
    })
}

fn w09(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--logfile"]) {
        let is_file = used.value.is_some_and(|file| !file.is_empty() && file != "-" && !is_output(file));
        if is_file {
            let message = "hides logs from kubectl logs";
            report.add(Kind::Invalid, pool.arg(used.value_at), message, args::removal(used));
        }
    }
}

fn is_output(file: &str) -> bool {
    file.starts_with("/dev/std")
        || file.starts_with("/dev/fd/")
        || file.starts_with("/proc/1/fd/")
        || file.starts_with("/proc/self/fd/")
}

fn w10(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--uid", "--gid", "--umask", "--executable"]) {
        let name = used.option.name();
        let (message, fix) = match name {
            "--umask" | "--executable" => {
                (format!("{name} has no effect without --detach"), args::removal(used))
            }
            _ => (format!("{name} has no use in a container"), "use securityContext".to_owned()),
        };
        report.add(Kind::Forbidden, pool.arg(used.at), message, fix);
    }
}

fn w13(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--purge"]) {
        let message = format!("{} would delete all waiting tasks at each restart or scale-out", used.name);
        report.add(Kind::Forbidden, pool.arg(used.at), message, "remove it, and run celery purge by hand");
    }
}

fn w41(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--statedb"]) {
        let Some(file) = used.value.filter(|file| {
            !file.is_empty() && !used.is_opaque() && !used.has_sign() && !file.starts_with("/tmp/")
        }) else {
            continue;
        };
        if is_scheduler(pool, used, file) {
            let message = format!("{} of a worker is --statedb", used.name);
            report.add(Kind::Forbidden, pool.arg(used.at), message, "write --scheduler for the scheduler");
            continue;
        }
        let shared = is_mounted(subject, pool, file) && subject.may_be_many(pool) && !file.contains('%');
        if shared {
            report.add(
                Kind::Invalid,
                pool.arg(used.value_at),
                "is one file for several pods",
                "use a file in /tmp",
            );
        } else if !is_mounted(subject, pool, file) {
            report.add(
                Kind::Invalid,
                pool.arg(used.value_at),
                "is not on a volume",
                "use /tmp/state, or mount a volume",
            );
        }
    }
}

/// Whether a scheduler was meant: `-S` is one for beat, and something else for a worker with a beat in it.
fn is_scheduler(pool: &Pool<'_>, used: &Occurrence<'_>, value: &str) -> bool {
    let is_path = value.contains('/');
    used.name == "-S" && !is_path && (pool.said.has("--beat") || value.contains("cheduler"))
}
