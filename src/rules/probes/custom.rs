// SPDX-License-Identifier: Apache-2.0
//! Rules about the command of a probe of the user's own: whether it comes to ask anything.

use super::named::commands;
use super::{Placed, of_all, of_pool};
use crate::api::{ProbeRole, ProbeType};
use crate::celery::options::global;
use crate::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::shell::{behind_init, every_command, is_celery, needs_a_shell, script_at};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G42", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the command of a probe is one that can fail and can succeed",
        consequence: "Celery 5 takes -A before the sub-command only and ends with \"No such option\"; celery alone says how it is used, and always succeeds; a shell runs one word behind -c, and without -c a file; && without a shell is a word like others.",
        check: Check::object(g42),
        example: Example {
            bad: "spec: {workerSpec: {probes: {readiness: {type: Custom, timeoutSeconds: 15, command: [celery, inspect, ping, -A, shop.tasks]}}}}",
            at: "spec.workerSpec.probes.readiness.command[3]",
            good: "spec: {workerSpec: {probes: {readiness: {type: Custom, timeoutSeconds: 15, command: [celery, -A, shop.tasks, inspect, ping]}}}}",
            old: None,
        },
    },
    Rule {
        id: "G43", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a liveness probe asks its own worker",
        consequence: "Without -d every worker answers, and any answer will do: a dead worker is alive as long as another one lives.",
        check: Check::object(g43),
        example: Example {
            bad: "spec: {workerSpec: {probes: {liveness: {type: Custom, timeoutSeconds: 15, command: [celery, -A, shop.tasks, inspect, ping]}}}}",
            at: "spec.workerSpec.probes.liveness.command",
            good: "spec: {workerSpec: {probes: {liveness: {type: Custom, timeoutSeconds: 15, command: [sh, -c, 'celery -A shop.tasks inspect ping -d default@$HOSTNAME']}}}}",
            old: None,
        },
    },
];

/// Sub-commands of Celery that ask workers.
const ASKING: [&str; 3] = ["inspect", "status", "control"];

/// What is wrong with a command: which word, what is told of it, and what to write instead.
type Fault = (usize, String, String);

fn g42(subject: &Subject<'_>, report: &mut Report<'_>) {
    let has_click = subject.celery.releases().iter().all(|release| release.has_click());
    for Placed { path, probe, .. } in of_all(subject).filter(|one| one.is(ProbeType::Custom)) {
        let unread = needs_a_shell(&probe.command).filter(|found| found.is_certain);
        let unread = unread.map(|found| (found.at, found.message, found.fix));
        if let Some((at, message, fix)) = unread.or_else(|| fault(&probe.command, has_click)) {
            report.add(Kind::Forbidden, format!("{path}.command[{at}]"), message, fix);
        }
    }
    let own = [names::WORKER_CONTAINER, names::BEAT_CONTAINER];
    for laid in subject.laid_over.iter().filter(|laid| own.contains(&laid.container.name.as_str())) {
        for (when, command) in commands(&laid.container) {
            if let Some((at, message, fix)) = fault(command, has_click) {
                let path = format!("{}.{when}.exec.command[{at}]", laid.path);
                report.add(Kind::Forbidden, path, message, fix);
            }
        }
    }
}

fn g43(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_asked = |one: &Placed<'_>| one.is(ProbeType::Custom) && one.role == ProbeRole::Liveness;
    for Placed { path, probe, .. } in subject.pools.iter().flat_map(of_pool).filter(is_asked) {
        if pings(&probe.command) == Some(false) {
            let message = "any worker answers for this one";
            report.add(Kind::Forbidden, format!("{path}.command"), message, "ask one by -d name@$HOSTNAME");
        }
    }
}

fn fault(command: &[String], has_click: bool) -> Option<Fault> {
    let begin = command.len() - behind_init(command).len();
    let started = &command[begin..];
    let Some(script) = script_at(started).map(|at| begin + at) else {
        let words = started.iter().enumerate().map(|(at, word)| (begin + at, word.as_str()));
        return behind_sub_command(&words.collect::<Vec<_>>()).filter(|_| has_click);
    };
    if is_celery(&command[script]) && script + 1 < command.len() {
        let message = "is all that the shell runs, which says how it is used and succeeds";
        return Some((script, message.to_owned(), "write the whole line as one text after -c".to_owned()));
    }
    // Each word has the place of the whole.
    let mut lines = every_command(&command[script]).filter(|_| has_click);
    lines
        .find_map(|line| behind_sub_command(&line.into_iter().map(|word| (script, word)).collect::<Vec<_>>()))
}

/// An option of Celery itself behind the sub-command that asks.
fn behind_sub_command(line: &[(usize, &str)]) -> Option<Fault> {
    let celery = line.iter().position(|(_, word)| is_celery(word))?;
    let behind = &line[celery + 1..];
    let asks = behind.iter().position(|(_, word)| ASKING.contains(word))?;
    // What stands there as a value of an option of Celery is no sub-command.
    let before = asks.checked_sub(1).and_then(|before| global::named(behind[before].1));
    if before.is_some_and(|option| option.kind.takes_value()) {
        return None;
    }
    let ((at, _), name) = behind[asks + 1..].iter().find_map(|word| Some((word, global_option(word.1)?)))?;
    let verb = behind[asks].1;
    let message = format!("{name} stands after {verb}, and Celery 5 takes it before that only");
    let option = match name {
        "-A" | "--app" => "-A <app>",
        "-b" | "--broker" => "-b <url>",
        name => name,
    };
    Some((*at, message, format!("write celery {option} {verb} …")))
}

/// The name in a word that is an option of Celery itself, alone or with its value.
fn global_option(word: &str) -> Option<&'static str> {
    let names =
        global::OPTIONS.iter().flat_map(|option| option.names.iter().map(move |name| (option, *name)));
    let mut spelt = names.filter(|(option, name)| {
        let rest = word.strip_prefix(name);
        let is_joined = !name.starts_with("--") && option.kind.takes_value();
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || is_joined)
    });
    spelt.next().map(|(_, name)| name)
}

/// Whether a command is a ping of Celery, and whether it asks one worker alone.
pub(super) fn pings(command: &[String]) -> Option<bool> {
    let words: Vec<&str> = command.iter().flat_map(|word| every_command(word)).flatten().collect();
    let celery = words.iter().position(|word| is_celery(word))?;
    let asks = words[celery..].windows(2).position(|pair| pair == ["inspect", "ping"])?;
    let is_aimed = |word: &&str| word.starts_with("-d") || word.starts_with("--dest");
    Some(words[celery + asks..].iter().any(is_aimed) || words.iter().any(|word| word.contains("grep")))
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::findings;

    fn told(rule: &str, command: &str, rest: &str) -> Vec<String> {
        let overlay = format!(
            "spec: {{workerSpec: {{probes: {{liveness: {{type: Custom, command: [{command}], {rest}}}}}}}}}"
        );
        let found = findings(&overlay).into_iter().filter(|one| one.rule == rule);
        found.map(|one| format!("{} {}", one.severity.as_str(), one.path)).collect()
    }

    #[test]
    fn a_command_that_never_asks_is_denied() {
        let at = |index: usize| [format!("deny spec.workerSpec.probes.liveness.command[{index}]")];
        for (command, index) in [
            ("celery, inspect, ping, -A, shop.tasks, -d, a", 3),
            ("celery, inspect, ping, --app=shop.tasks, -d, a", 3),
            ("celery, status, -Ashop.tasks", 2),
            ("sh, -c, 'cd /app && celery inspect ping -A shop.tasks -d \"a\"'", 2),
            ("celery, inspect, ping, -b, 'redis://cache'", 3),
            ("celery, inspect, ping, '-bredis://cache'", 3),
            ("celery, inspect, ping, '--workdir=/app'", 3),
            ("celery, status, -q", 2),
            ("sh, -c, celery, -A, shop.tasks, inspect, ping", 2),
            ("tini, --, sh, 'celery -A shop.tasks inspect ping'", 3),
            ("test, -f, /a, '&&', test, -f, /b", 3),
        ] {
            assert_eq!(told("G42", command, ""), at(index), "{command}");
        }
        for command in [
            "celery, -A, shop.tasks, inspect, ping, -d, a",
            "celery, -A, inspect, ping",
            "celery, --workdir, inspect, ping",
            "sh, -c, 'celery -A shop inspect ping | grep -A 1 pong'",
            "sh, -c, 'test -f /a && test -f /b'",
            "sh, -c, './check \"$@\"', sh, a",
            "timeout, '10', sh, -c, 'a && b'",
            "sh, ./check.sh",
            "sh, '/my app/check.sh'",
            "find, /tmp, -name, '|'",
        ] {
            assert_eq!(told("G42", command, ""), [""; 0], "{command}");
        }
        let four = "spec: {common: {celeryVersion: '4.4'}, workerSpec: {probes: {readiness: {type: Custom, command: [celery, inspect, ping, -A, shop]}}}}";
        assert!(findings(four).iter().all(|one| one.rule != "G42"));
        let template = "livenessProbe: {exec: {command: [sh, -c, celery, -A, shop, inspect, ping]}}";
        let template = format!(
            "spec: {{workerSpec: {{podTemplate: {{spec: {{containers: [{{name: celery, {template}}}]}}}}}}}}"
        );
        let found = findings(&template).into_iter().find(|one| one.rule == "G42").map(|one| one.path);
        let at = "spec.workerSpec.podTemplate.spec.containers[0].livenessProbe.exec.command[2]";
        assert_eq!(found.as_deref(), Some(at));
    }

    #[test]
    fn a_ping_of_ones_own_needs_time_and_one_worker() {
        let aimed = "sh, -c, 'celery -A shop.tasks inspect ping -d default@$HOSTNAME'";
        let path = "spec.workerSpec.probes.liveness";
        assert_eq!(told("G14", aimed, ""), [format!("warn {path}.timeoutSeconds")]);
        assert_eq!(told("G14", aimed, "timeoutSeconds: 2"), [format!("warn {path}.timeoutSeconds")]);
        assert_eq!(told("G14", aimed, "timeoutSeconds: 15"), [""; 0]);
        assert_eq!(told("G14", "./check", ""), [""; 0]);
        let any = "celery, -A, shop.tasks, inspect, ping";
        assert_eq!(told("G43", any, ""), [format!("warn {path}.command")]);
        assert_eq!(told("G43", aimed, ""), [""; 0]);
        let piped = "sh, -c, 'celery -A shop.tasks inspect ping | grep $HOSTNAME'";
        assert_eq!(told("G43", piped, ""), [""; 0]);
    }
}
