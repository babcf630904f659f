// SPDX-License-Identifier: Apache-2.0
//! Rules about hooks and init containers that reach further than their own pod.

use k8s_openapi::api::core::v1::{Lifecycle, LifecycleHandler};

use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::shell::{every_command, is_celery};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G41", severity: Severity::Warn, schema: false, since: "0.1",
        title: "hooks and init containers leave other workers and waiting tasks alone",
        consequence: "celery control shutdown without a destination ends the workers of every pod, whenever one of them stops; celery purge deletes all waiting tasks, whenever one starts.",
        check: Check::object(g41).or(Severity::Deny, "for a command that keeps the workers of other pods from their tasks, where there are or may be others"),
        example: Example {
            bad: "spec: {workerSpec: {lifecycle: {preStop: {exec: {command: [celery, -A, shop, control, shutdown]}}}}}",
            at: "spec.workerSpec.lifecycle.preStop.exec.command",
            good: "spec: {workerSpec: {lifecycle: {preStop: {exec: {command: [sleep, '5']}}}}}",
            old: None,
        },
    },
];

fn g41(subject: &Subject<'_>, report: &mut Report<'_>) {
    let own = subject.pools.iter().map(|pool| (pool.path.clone(), pool.spec.lifecycle.as_ref()));
    let others = subject.containers().chain(subject.laid_over());
    let others = others.map(|(path, container)| (path, container.lifecycle.as_ref()));
    for (path, lifecycle) in own.chain(others) {
        for (hook, command) in lifecycle.into_iter().flat_map(hooks) {
            let path = format!("{path}.lifecycle.{hook}.exec.command");
            if let Some(message) = broadcast(command) {
                let has_others =
                    subject.pools.len() > 1 || subject.pools.iter().any(|pool| subject.may_be_many(pool));
                let severity = if has_others { Severity::Deny } else { report.severity() };
                let fix = "use sh -c with -d default@$HOSTNAME";
                report.graded(severity, Kind::Forbidden, path, message, fix);
            } else if let Some((message, fix)) = harm(command.iter()) {
                report.add(Kind::Forbidden, path, message, fix);
            }
        }
    }
    let shared = subject.common().init_containers.iter().enumerate();
    let shared = shared.map(|(index, one)| (format!("spec.common.initContainers[{index}]"), one));
    let of_templates = subject.laid_over.iter().filter(|laid| laid.is_init);
    let of_templates = of_templates.map(|laid| (laid.path.clone(), &laid.container));
    for (path, container) in shared.chain(of_templates) {
        let words = container.command.iter().chain(&container.args).flatten();
        if let Some((message, fix)) = harm(words) {
            let field = if container.command.is_some() { "command" } else { "args" };
            report.add(Kind::Forbidden, format!("{path}.{field}"), message, fix);
        }
    }
}

/// The commands of a container's hooks.
fn hooks(lifecycle: &Lifecycle) -> impl Iterator<Item = (&'static str, &[String])> {
    let hooks = [("preStop", &lifecycle.pre_stop), ("postStart", &lifecycle.post_start)];
    hooks.into_iter().filter_map(|(hook, handler)| Some((hook, command(handler.as_ref()?)?)))
}

fn command(handler: &LifecycleHandler) -> Option<&[String]> {
    handler.exec.as_ref()?.command.as_deref()
}

/// Commands of `celery control` that keep a worker from tasks, with what they do without a destination.
const HOLDING: [(&str, &str); 4] = [
    ("cancel_consumer", "makes every worker leave the queue, not this one alone"),
    ("pool_shrink", "shrinks every worker, not this one alone"),
    ("pool_restart", "restarts the pool of every worker, not of this one alone"),
    ("autoscale", "scales every worker, not this one alone"),
];

/// What a command tells every worker that only one is to do.
fn broadcast(command: &[String]) -> Option<&'static str> {
    let words = words(command.iter());
    let behind = behind_celery(&words)?;
    let at = behind.iter().position(|word| *word == "control")?;
    let verb = behind[at + 1..].iter().find(|word| !word.starts_with('-'))?;
    let (_, message) = HOLDING.iter().find(|(known, _)| known == verb)?;
    (!is_aimed(behind)).then_some(*message)
}

/// The words of a command and of the scripts in it.
fn words<'w>(words: impl Iterator<Item = &'w String>) -> Vec<&'w str> {
    words.flat_map(|word| every_command(word)).flatten().collect()
}

fn behind_celery<'s, 'w>(words: &'s [&'w str]) -> Option<&'s [&'w str]> {
    Some(&words[words.iter().position(|word| is_celery(word))? + 1..])
}

fn is_aimed(words: &[&str]) -> bool {
    words.iter().any(|word| word.starts_with("-d") || word.starts_with("--dest"))
}

/// What a command of Celery does to others, and what to do.
fn harm<'w>(command: impl Iterator<Item = &'w String>) -> Option<(&'static str, &'static str)> {
    let words = words(command);
    let behind = behind_celery(&words)?;
    let has = |word: &str| behind.contains(&word);
    let is_aimed = is_aimed(behind);
    let names_queues = behind.iter().any(|word| word.starts_with("-Q") || word.starts_with("--queues"));
    if has("control") && has("shutdown") && !is_aimed {
        Some(("ends every worker, not this one alone", "remove it"))
    } else if has("purge") && (has("-f") || has("--force")) && !names_queues {
        Some(("deletes all waiting tasks", "remove it"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity;
    use crate::rules::tests::findings;

    #[test]
    fn what_ends_or_empties_everything_is_told() {
        let told = |spec: &str| {
            let found = findings(&format!("spec: {{{spec}}}"));
            let found = found.into_iter().find(|finding| finding.rule == "G41");
            found.map(|finding| finding.path)
        };
        let hook = |hook: &str, command: &str| {
            told(&format!("workerSpec: {{lifecycle: {{{hook}: {{exec: {{command: [{command}]}}}}}}}}"))
        };
        let at = |hook: &str| Some(format!("spec.workerSpec.lifecycle.{hook}.exec.command"));
        let severity = |rest: &str| {
            let command = "[celery, control, cancel_consumer, mail]";
            let spec =
                format!("workerSpec: {{lifecycle: {{preStop: {{exec: {{command: {command}}}}}}}, {rest}}}");
            let found = findings(&format!("spec: {{{spec}}}"));
            found.into_iter().find(|finding| finding.rule == "G41").map(|finding| finding.severity)
        };
        assert_eq!(severity("numOfWorkers: 2"), Some(Severity::Deny));
        assert_eq!(severity("numOfWorkers: 1"), Some(Severity::Warn));
        assert_eq!(hook("preStop", "sh, -c, 'celery -A shop control shutdown'"), at("preStop"));
        assert_eq!(hook("preStop", "sh, -c, 'celery -A shop control shutdown; sleep 5'"), at("preStop"));
        assert_eq!(hook("preStop", "sh, -c, '(celery -A shop control \"shutdown\")'"), at("preStop"));
        assert_eq!(hook("postStart", "celery, -A, shop, purge, -f"), at("postStart"));
        assert_eq!(hook("postStart", "celery, -A, shop, purge, -f, -Q, tmp"), None);
        assert_eq!(hook("preStop", "sh, -c, 'celery -A shop control shutdown -d default@$HOSTNAME'"), None);
        assert_eq!(hook("preStop", "celery, control, cancel_consumer, mail"), at("preStop"));
        assert_eq!(hook("preStop", "sh, -c, 'celery control pool_shrink 4'"), at("preStop"));
        assert_eq!(hook("preStop", "celery, control, -t, '5', rate_limit, a, '1'"), None);
        let aimed = "sh, -c, 'celery control cancel_consumer mail -d default@$HOSTNAME'";
        assert_eq!(hook("preStop", aimed), None);
        let init =
            |words: &str| told(&format!("common: {{initContainers: [{{name: a, image: 'a:1', {words}}}]}}"));
        assert_eq!(
            init("command: [celery, -A, shop, purge], args: [--force]").as_deref(),
            Some("spec.common.initContainers[0].command")
        );
        assert_eq!(init("command: [celery, -A, shop, inspect, ping]"), None);
        let template = |whose: &str, containers: &str| {
            told(&format!("{whose}: {{podTemplate: {{spec: {{{containers}}}}}}}"))
        };
        let spec = "podTemplate.spec";
        assert_eq!(
            template("workerSpec", "initContainers: [{name: a, image: 'a:1', command: [celery, purge, -f]}]"),
            Some(format!("spec.workerSpec.{spec}.initContainers[0].command"))
        );
        let hook = "containers: [{name: celery, lifecycle: {preStop: {exec: {command: [celery, control, shutdown]}}}}]";
        for whose in ["common", "workerSpec"] {
            let at = format!("spec.{whose}.{spec}.containers[0].lifecycle.preStop.exec.command");
            assert_eq!(template(whose, hook), Some(at));
        }
    }
}
