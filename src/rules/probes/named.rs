// SPDX-License-Identifier: Apache-2.0
//! Rules about a probe of the user's own that asks a worker by its name.

use super::of_pool;
use crate::api::{Probe, ProbeType};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::shell::{behind_init, is_shell};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G40", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a probe asks the worker by the name that it has",
        consequence: "Nobody of that name answers: celery inspect ends with 69 each time, and the container is restarted for ever. A worker is called after its pool, default@ and the name of the pod, unless nodeName says otherwise; without a shell nobody fills in $HOSTNAME.",
        check: Check::object(g40),
        example: Example {
            bad: "spec: {workerSpec: {probes: {liveness: {type: Custom, command: [sh, -c, 'celery inspect ping -d celery@$HOSTNAME']}}}}",
            at: "spec.workerSpec.probes.liveness.command[2]",
            good: "spec: {workerSpec: {probes: {liveness: {type: Custom, command: [sh, -c, 'celery inspect ping -d default@$HOSTNAME']}}}}",
            old: None,
        },
    },
];

/// The ways to write the name of the pod where a shell reads it.
const HOSTS: [&str; 4] = ["$HOSTNAME", "${HOSTNAME}", "$(hostname)", "`hostname`"];

fn g40(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for (path, probe) in of_pool(pool).filter(|(_, probe)| probe.type_.known() == Some(ProbeType::Custom))
        {
            if let Some((at, message, fix)) = fault(pool, probe) {
                report.add(Kind::Forbidden, format!("{path}.command[{at}]"), message, fix);
            }
        }
    }
}

/// What is wrong with the name that a probe asks for, and which word of its command holds it.
fn fault(pool: &Pool<'_>, probe: &Probe) -> Option<(usize, String, String)> {
    let command = probe.command.as_slice();
    let pings = |part: &str| command.iter().any(|word| word.split_whitespace().any(|word| word == part));
    if !(pings("inspect") && pings("ping")) {
        return None;
    }
    let (at, asked) = command.iter().enumerate().find_map(|(at, word)| Some((at, asked(word)?)))?;
    let (name, host) = asked.split_once('@')?;
    let (own, own_host) = pool
        .effective()
        .node_name()
        .is()?
        .split_once('@')
        .map(|(name, host)| (name.to_owned(), host.to_owned()))?;
    if !HOSTS.contains(&host) || own_host != "%h" || own.contains('%') {
        return None;
    }
    let right = format!("{own}@$HOSTNAME");
    if !is_shell(behind_init(command)) && host.starts_with('$') {
        return Some((
            at,
            format!("nobody fills in {host} without a shell"),
            format!("use sh -c with {right}"),
        ));
    }
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let is_other = is_plain(name) && !name.is_empty() && name != own;
    is_other.then(|| (at, "asks a worker that is not here".to_owned(), format!("ask {right}")))
}

/// The node that a word of a command, or a word of a script, names for the host of the pod.
fn asked(word: &str) -> Option<&str> {
    let parts = word.split(|c: char| c.is_whitespace() || ";|&=,".contains(c));
    let mut bare = parts.map(|part| part.trim_matches(['"', '\'']));
    bare.rfind(|part| HOSTS.iter().any(|host| part.ends_with(&format!("@{host}"))))
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
        for node in
            ["celery@$HOSTNAME", "\"celery@${HOSTNAME}\" -t 5", "celery@$(hostname)", "worker@$HOSTNAME"]
        {
            assert_eq!(told(&script(node), "").as_deref(), Some("ask default@$HOSTNAME"), "{node}");
        }
        assert_eq!(
            told("celery, inspect, ping, --destination=default@$HOSTNAME", "").as_deref(),
            Some("use sh -c with default@$HOSTNAME")
        );
        for (command, worker) in [
            (script("default@$HOSTNAME"), ""),
            (script("celery@$HOSTNAME"), "nodeName: celery@%h"),
            (script("celery@$HOSTNAME"), "args: [-n, '$(NODE)']"),
            (script("celery@cache"), ""),
            (script("$NODE@$HOSTNAME"), ""),
            ("sh, -c, 'celery inspect ping'".to_owned(), ""),
            ("sh, -c, './check celery@$HOSTNAME'".to_owned(), ""),
        ] {
            assert_eq!(told(&command, worker), None, "{command} {worker}");
        }
    }
}
