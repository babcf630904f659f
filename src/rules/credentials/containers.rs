// SPDX-License-Identifier: Apache-2.0
//! Credentials in whole containers: sidecars, init containers, and what pod templates lay over.

use k8s_openapi::api::core::v1::Container;

use crate::api::{Probe, limits};
use crate::rules::finding::{Kind, Report};
use crate::rules::signs::{announces_one, holds_one, is_credential};
use crate::rules::subject::{Component, Part, Subject};

/// What is wrong with all of them. Paths are long here, and a warning is short.
const MESSAGE: &str = "is a readable credential";

/// Tells of every container, and of the commands of probes.
pub(super) fn told(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, container) in subject.containers().chain(subject.laid_over()) {
        for (index, variable) in container.env.iter().flatten().enumerate().take(limits::ITEMS) {
            let value = variable.value.as_deref().unwrap_or_default();
            if is_credential(&variable.name, value) {
                let path = format!("{path}.env[{index}].value");
                report.warn(Kind::Forbidden, path, MESSAGE, "use valueFrom");
            }
        }
        for (at, words) in commands(container) {
            command(&format!("{path}.{at}"), words, report);
        }
    }
    for component in subject.components() {
        for (at, probe) in probes(&component) {
            command(&format!("{}.probes.{at}.command", component.path), &probe.command, report);
        }
    }
}

/// The words that a container starts with, is asked with and ends with.
fn commands(container: &Container) -> impl Iterator<Item = (&'static str, &[String])> {
    let lifecycle = container.lifecycle.as_ref();
    let probes = [
        ("startupProbe.exec.command", &container.startup_probe),
        ("readinessProbe.exec.command", &container.readiness_probe),
        ("livenessProbe.exec.command", &container.liveness_probe),
    ];
    let probes =
        probes.into_iter().map(|(at, probe)| (at, probe.as_ref().and_then(|probe| probe.exec.as_ref())));
    let hooks = [
        ("lifecycle.postStart.exec.command", lifecycle.and_then(|hooks| hooks.post_start.as_ref())),
        ("lifecycle.preStop.exec.command", lifecycle.and_then(|hooks| hooks.pre_stop.as_ref())),
    ];
    let hooks = hooks.into_iter().map(|(at, hook)| (at, hook.and_then(|hook| hook.exec.as_ref())));
    let asked = probes.chain(hooks).filter_map(|(at, exec)| Some((at, exec?.command.as_deref()?)));
    let started = [("command", container.command.as_deref()), ("args", container.args.as_deref())];
    started.into_iter().filter_map(|(at, words)| Some((at, words?))).chain(asked)
}

/// The probes that a component describes itself.
fn probes<'a>(component: &Component<'a>) -> impl Iterator<Item = (&'static str, &'a Probe)> {
    let probes = match component.part {
        Part::Worker(worker) => worker.probes.as_ref(),
        Part::Beat(beat) => beat.probes.as_ref(),
        Part::Flower(_) => None,
    };
    let each = probes.into_iter().flat_map(|probes| {
        [("startup", &probes.startup), ("readiness", &probes.readiness), ("liveness", &probes.liveness)]
    });
    each.filter_map(|(at, probe)| Some((at, probe.as_ref()?)))
}

/// Tells of every word of a command that holds a credential, each once.
fn command(path: &str, words: &[String], report: &mut Report<'_>) {
    let words = &words[..words.len().min(limits::ITEMS)];
    for (index, word) in words.iter().enumerate() {
        let is_value = index.checked_sub(1).is_some_and(|before| announces_one(&words[before], word));
        if is_value || holds_one(word) {
            report.warn(Kind::Forbidden, format!("{path}[{index}]"), MESSAGE, "write $(NAME)");
        }
    }
}
