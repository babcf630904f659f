// SPDX-License-Identifier: Apache-2.0
//! What a pod needs so that a probe can see the heartbeat of its Celery: a module that Celery loads, and a folder for the
//! files by which it shows that it lives.
//!
//! The module is brought into reach by a shell that Celery then takes the place of, since only there can the image's own
//! `PYTHONPATH` be prolonged; a variable of the pod would replace it.

use k8s_openapi::api::core::v1::{ConfigMapVolumeSource, EmptyDirVolumeSource, EnvVar, Volume, VolumeMount};

use super::pod::{Made, literal};
use super::said::Said;
use crate::api::{Probe, Probes};
use crate::effective;
use crate::names;

/// Folder of the module and of the scripts.
pub const FILES: &str = "/etc/celery-operator/probe";
/// Folder of the signs of life.
pub const STATE: &str = "/run/celery-operator";
/// Name of the module.
const MODULE: &str = "celery_operator_probe";
/// Name under which beat finds the module's scheduler.
const SCHEDULER: &str = "celery_operator_probe:scheduler";
/// The variable that tells the module which scheduler is meant.
const SCHEDULER_VARIABLE: &str = "CELERY_OPERATOR_BEAT_SCHEDULER";

/// Whether any of these probes looks at the heartbeat.
pub(super) fn is_asked(written: Option<&Probes>) -> bool {
    written.is_some_and(Probes::look_at_heartbeat)
}

/// What every pod needs whose heartbeat is looked at.
pub(super) fn add(made: &mut Made, app: &str) {
    made.command = vec!["sh".to_owned(), format!("{FILES}/start.sh")];
    made.volumes.extend(volumes(app));
}

/// What a probe runs. A container that has yet to begin its work lives, and is not ready.
pub(super) fn check(is_liveness: bool, probe: &Probe) -> Vec<String> {
    let what = if is_liveness { "alive" } else { "ready" };
    let age = probe.oldest();
    vec!["sh".to_owned(), format!("{FILES}/check.sh"), what.to_owned(), age.to_string()]
}

/// The module's folder and that of the signs of life.
fn volumes(app: &str) -> [(Volume, VolumeMount); 2] {
    let files = ConfigMapVolumeSource { name: names::probe_files(app), ..ConfigMapVolumeSource::default() };
    let volume = |name: &str| Volume { name: name.to_owned(), ..Volume::default() };
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    };
    [
        (
            Volume { config_map: Some(files), ..volume(names::PROBE_VOLUME) },
            VolumeMount { read_only: Some(true), ..mount(names::PROBE_VOLUME, FILES) },
        ),
        (
            Volume { empty_dir: Some(EmptyDirVolumeSource::default()), ..volume(names::ALIVE_VOLUME) },
            mount(names::ALIVE_VOLUME, STATE),
        ),
    ]
}

/// A worker's arguments that load the module, beside what they and the variables load already: Celery takes the last of
/// two lists.
pub(super) fn loaded_by_worker(args: &[String], said: &Said<'_>) -> Vec<String> {
    let list = said
        .value_or_variable("--include")
        .into_iter()
        .chain([MODULE.to_owned()])
        .collect::<Vec<_>>()
        .join(",");
    behind(args, ["-I".to_owned(), list])
}

/// Beat's arguments that load the module in place of the scheduler.
pub(super) fn loaded_by_beat(args: &[String]) -> Vec<String> {
    behind(args, ["-S".to_owned(), SCHEDULER.to_owned()])
}

/// Which scheduler the module is to load, where the fields or the arguments say it.
pub(super) fn scheduler(beat: &effective::Beat<'_>) -> Option<EnvVar> {
    beat.written_scheduler().map(|written| literal(SCHEDULER_VARIABLE, written.text))
}

/// Words behind the options and before the settings: the last one wins.
fn behind(args: &[String], words: [String; 2]) -> Vec<String> {
    let end = args.iter().position(|word| word == "--").unwrap_or(args.len());
    let (options, settings) = args.split_at(end);
    options.iter().cloned().chain(words).chain(settings.iter().cloned()).collect()
}
