// SPDX-License-Identifier: Apache-2.0
//! Rules about a probe of the user's own that asks a worker by its name.

use k8s_openapi::api::core::v1::Container;

use super::{Placed, in_shell, of_pool};
use crate::api::ProbeType;
use crate::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{LaidOver, Pool, Subject};
use crate::rules::variables::may_define;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G40", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a probe asks the worker by the name that it has",
        consequence: "Nobody of that name answers: celery inspect ends with 69 each time, and the container is restarted for ever. A worker is called after its pool, default@ and the name of the pod, unless nodeName says otherwise; without a shell nobody fills in $HOSTNAME.",
        check: Check::object(g40),
        example: Example {
            bad: "spec: {workerSpec: {probes: {liveness: {type: Custom, timeoutSeconds: 15, command: [sh, -c, 'celery inspect ping -d celery@$HOSTNAME']}}}}",
            at: "spec.workerSpec.probes.liveness.command[2]",
            good: "spec: {workerSpec: {probes: {liveness: {type: Custom, timeoutSeconds: 15, command: [sh, -c, 'celery inspect ping -d default@$HOSTNAME']}}}}",
            old: None,
        },
    },
];

/// The ways to write the name of the pod where a shell reads it.
const HOSTS: [&str; 4] = ["$HOSTNAME", "${HOSTNAME}", "$(hostname)", "`hostname`"];
/// The way in which kubelet would fill it in, if the container had such a variable, and a shell would run a program.
const HOST_OF_KUBELET: &str = "$(HOSTNAME)";
/// The way to write it for a worker, and for nobody who asks one.
const HOST_OF_WORKER: &str = "%h";

/// A node that a probe asks for on the host of the pod.
struct Asked<'w> {
    /// Which word of the command holds it.
    at: usize,
    name: &'w str,
    host: &'w str,
    /// Whether quotes keep the shell from it.
    is_quoted: bool,
}

fn g40(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for Placed { path, probe, .. } in of_pool(pool).filter(|one| one.is(ProbeType::Custom)) {
            if let Some((at, message, fix)) = fault(pool, &probe.command, is_there(subject, pool)) {
                report.add(Kind::Forbidden, format!("{path}.command[{at}]"), message, fix);
            }
        }
    }
    for laid in subject.laid_over.iter().filter(|laid| laid.container.name == names::WORKER_CONTAINER) {
        let pools = || subject.pools.iter().filter(|pool| is_over(laid, pool));
        // What is shared may be replaced by a template of the pool's own.
        if laid.component.is_none() && pools().any(|pool| pool.spec.pod_template.is_some()) {
            continue;
        }
        for (when, command) in commands(&laid.container) {
            let faults: Option<Vec<_>> =
                pools().map(|pool| fault(pool, command, is_there(subject, pool))).collect();
            if let Some((at, message, fix)) = faults.and_then(|faults| faults.into_iter().next()) {
                let path = format!("{}.{when}.exec.command[{at}]", laid.path);
                report.add(Kind::Forbidden, path, message, fix);
            }
        }
    }
}

fn is_over(laid: &LaidOver, pool: &Pool<'_>) -> bool {
    laid.component.as_ref().is_none_or(|path| *path == pool.path)
}

/// The commands of a container's probes.
pub(super) fn commands(container: &Container) -> impl Iterator<Item = (&'static str, &[String])> {
    let probes = [
        ("startupProbe", &container.startup_probe),
        ("readinessProbe", &container.readiness_probe),
        ("livenessProbe", &container.liveness_probe),
    ];
    probes
        .into_iter()
        .filter_map(|(when, probe)| Some((when, probe.as_ref()?.exec.as_ref()?.command.as_deref()?)))
}

/// What is wrong with the names that a probe asks for, and which word of its command holds the first of them.
fn fault(pool: &Pool<'_>, command: &[String], is_there: bool) -> Option<(usize, String, String)> {
    // kubelet makes one dollar of two.
    let command: Vec<String> = command.iter().map(|word| word.replace("$$", "$")).collect();
    let pings = |part: &str| command.iter().any(|word| word.split_whitespace().any(|word| word == part));
    if !(pings("inspect") && pings("ping")) {
        return None;
    }
    let asked: Vec<Asked<'_>> = command.iter().enumerate().flat_map(|(at, word)| asked(at, word)).collect();
    let first = asked.first()?;
    let (own, own_host) = pool
        .effective()
        .node_name()
        .is()?
        .split_once('@')
        .map(|(name, host)| (name.to_owned(), host.to_owned()))?;
    if own_host != "%h" || own.contains('%') {
        return None;
    }
    // kubelet fills in a variable that the container has, wherever it stands.
    if is_there && asked.iter().any(|asked| asked.host == HOST_OF_KUBELET) {
        return None;
    }
    let is_for_a_shell = |asked: &Asked<'_>| ![HOST_OF_WORKER, HOST_OF_KUBELET].contains(&asked.host);
    let is_filled_in =
        |asked: &Asked<'_>| is_for_a_shell(asked) && !asked.is_quoted && in_shell(&command, asked.at);
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let may_be_own = |asked: &Asked<'_>| {
        let is_known = is_plain(asked.name) && !asked.name.is_empty();
        !is_known || (is_filled_in(asked) && asked.name == own)
    };
    if asked.iter().any(may_be_own) {
        return None;
    }
    let (right, host) = (format!("{own}@$HOSTNAME"), first.host);
    let ask = || format!("ask {right}");
    let (message, fix) = if host == HOST_OF_WORKER {
        ("celery inspect fills in no %h".to_owned(), format!("use sh -c with {right}"))
    } else if host == HOST_OF_KUBELET && in_shell(&command, first.at) {
        ("the shell runs HOSTNAME as a command".to_owned(), ask())
    } else if !in_shell(&command, first.at) {
        (format!("nobody fills in {host} without a shell"), format!("use sh -c with {right}"))
    } else if first.is_quoted {
        (format!("no shell fills in {host} in single quotes"), ask())
    } else {
        ("asks a worker that is not here".to_owned(), ask())
    };
    Some((first.at, message, fix))
}

/// Whether a pool may have HOSTNAME as a variable that kubelet fills in.
fn is_there(subject: &Subject<'_>, pool: &Pool<'_>) -> bool {
    may_define(subject, pool, "HOSTNAME")
}

/// Whether a word asks for a worker in a way that is told of here.
pub(super) fn is_told(command: &[String], word: &str, is_known: impl Fn(&str) -> bool) -> bool {
    let asks = command.iter().any(|word| word.split_whitespace().any(|part| part == "inspect"));
    asks && word.contains(&format!("@{HOST_OF_KUBELET}")) && !is_known("HOSTNAME")
}

/// The nodes that a word of a command, or of a script, names for the host of the pod.
fn asked(at: usize, word: &str) -> Vec<Asked<'_>> {
    let mut found = Vec::new();
    let mut begin = 0;
    for part in word.split_inclusive(|c: char| c.is_whitespace() || ";|&=,".contains(c)) {
        let before = &word[..begin];
        begin += part.len();
        let part = part.trim_end_matches(|c: char| c.is_whitespace() || ";|&=,".contains(c));
        // The value of -d may stand in the same word.
        let part = part.strip_prefix("-d").filter(|rest| rest.contains('@')).unwrap_or(part);
        let bare = part.trim_matches(['"', '\'']);
        let Some((name, host)) = bare.split_once('@') else { continue };
        if HOSTS.contains(&host) || [HOST_OF_WORKER, HOST_OF_KUBELET].contains(&host) {
            // Between double quotes a shell reads on.
            let is_open = before.matches('"').count() % 2 == 1;
            let is_quoted = part.starts_with('\'') && part.ends_with('\'') && !is_open;
            found.push(Asked { at, name, host, is_quoted });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::findings;

    #[test]
    fn a_worker_is_asked_by_its_own_name() {
        let told = |command: &str, worker: &str| {
            let overlay = format!(
                "spec: {{workerSpec: {{probes: {{liveness: {{type: Custom, command: [{command}]}}}}, {worker}}}}}"
            );
            let found = findings(&overlay).into_iter().find(|finding| finding.rule == "G40");
            found.map(|finding| finding.fix)
        };
        let script = |node: &str| format!("sh, -c, 'celery -A shop inspect ping -d {node}'");
        for node in [
            "celery@$HOSTNAME",
            "\"celery@${HOSTNAME}\" -t 5",
            "celery@$(hostname)",
            "worker@$HOSTNAME",
            "celery@$$HOSTNAME",
            "a@$HOSTNAME -d b@$HOSTNAME",
            "default@$(HOSTNAME)",
            "''default@$HOSTNAME''",
        ] {
            assert_eq!(told(&script(node), "").as_deref(), Some("ask default@$HOSTNAME"), "{node}");
        }
        assert_eq!(
            told("celery, inspect, ping, --destination=default@$HOSTNAME", "").as_deref(),
            Some("use sh -c with default@$HOSTNAME")
        );
        let without_shell = Some("use sh -c with default@$HOSTNAME".to_owned());
        for command in [
            "celery, inspect, ping, -d, celery@%h",
            "sh, -c, 'celery inspect ping -d default@%h'",
            "celery, inspect, ping, -ddefault@$HOSTNAME",
            "timeout, '10', celery, inspect, ping, -d, default@$HOSTNAME",
            "celery, inspect, ping, -d, default@$(HOSTNAME)",
        ] {
            assert_eq!(told(command, ""), without_shell, "{command}");
        }
        for (command, worker) in [
            (script("default@$HOSTNAME"), ""),
            (script("default@$$HOSTNAME"), ""),
            (script("celery@$HOSTNAME,default@$HOSTNAME"), ""),
            (script("celery@$HOSTNAME -ddefault@$HOSTNAME"), ""),
            ("timeout, '10', sh, -c, 'celery inspect ping -d default@$HOSTNAME'".to_owned(), ""),
            ("gosu, app, bash, -lc, 'celery inspect ping -d default@$HOSTNAME'".to_owned(), ""),
            ("su, app, -c, 'celery inspect ping -d default@$HOSTNAME'".to_owned(), ""),
            ("sh, -c, 'su -c \"celery inspect ping -d ''default@$HOSTNAME''\"'".to_owned(), ""),
            (script("celery@$HOSTNAME"), "nodeName: celery@%h"),
            (script("celery@$HOSTNAME"), "args: [-n, '$(NODE)']"),
            (
                "celery, inspect, ping, -d, default@$(HOSTNAME)".to_owned(),
                "env: [{name: HOSTNAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
            ),
            (script("celery@cache"), ""),
            (script("$NODE@$HOSTNAME"), ""),
            ("sh, -c, 'celery inspect ping'".to_owned(), ""),
            ("sh, -c, './check celery@$HOSTNAME'".to_owned(), ""),
        ] {
            assert_eq!(told(&command, worker), None, "{command} {worker}");
        }
    }

    #[test]
    fn a_probe_of_a_template_asks_by_the_same_name() {
        let told = |spec: &str| {
            let found = findings(&format!("spec: {{{spec}}}")).into_iter();
            found.filter(|finding| finding.rule == "G40").map(|finding| finding.path).collect::<Vec<_>>()
        };
        let template = |node: &str| {
            let command = format!("[sh, -c, 'celery inspect ping -d {node}@$HOSTNAME']");
            let probe = format!("livenessProbe: {{exec: {{command: {command}}}}}");
            format!("podTemplate: {{spec: {{containers: [{{name: celery, {probe}}}]}}}}")
        };
        let at = |whose: &str| {
            [format!("spec.{whose}.podTemplate.spec.containers[0].livenessProbe.exec.command[2]")]
        };
        assert_eq!(told(&format!("workerSpec: {{{}}}", template("celery"))), at("workerSpec"));
        assert_eq!(told(&format!("workerSpec: {{{}}}", template("default"))), [""; 0]);
        assert_eq!(told(&format!("common: {{{}}}", template("celery"))), at("common"));
        let mail = format!("common: {{{}}}, workerPools: [{{name: mail}}]", template("mail"));
        assert_eq!(told(&mail), [""; 0], "it is right for one of them");
        let own = format!("common: {{{}}}, workerSpec: {{podTemplate: {{}}}}", template("celery"));
        assert_eq!(told(&own), [""; 0], "the pool's own may replace it");
    }
}
