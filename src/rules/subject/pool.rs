// SPDX-License-Identifier: Apache-2.0
//! Worker pools under judgement.

use crate::api::{
    Celery, Common, DEFAULT_POOL, GracefulShutdown, Open, ShutdownMode, WorkerPoolKind, WorkerSpec,
};
use crate::celery::command::Command;
use crate::celery::reading::Reading;
use crate::celery::version::Target;
use crate::effective;

/// A worker pool and where it stands.
#[derive(Clone, Debug)]
pub(in crate::rules) struct Pool<'a> {
    /// `spec.workerSpec` or `spec.workerPools[2]`.
    pub(in crate::rules) path: String,
    /// Its name; `default` for `workerSpec`.
    pub(in crate::rules) name: &'a str,
    /// Its fields.
    pub(in crate::rules) spec: &'a WorkerSpec,
    /// What it shares with all components.
    common: &'a Common,
    /// What Celery makes of its arguments; the faults are those that every release in question finds.
    pub(in crate::rules) said: Reading<'a>,
}

/// The pools of an object, the default one first.
pub(super) fn pools<'a>(object: &'a Celery, celery: Target) -> Vec<Pool<'a>> {
    let pool = |path: String, name: &'a str, spec: &'a WorkerSpec| {
        let said = Command::Worker.agreed(&spec.args, celery);
        Pool { path, name, spec, common: &object.spec.common, said }
    };
    let default = object.spec.worker_spec.iter();
    let default = default.map(|spec| pool("spec.workerSpec".to_owned(), DEFAULT_POOL, spec));
    let named = object.spec.worker_pools.iter().enumerate();
    let named = named
        .map(|(index, named)| pool(format!("spec.workerPools[{index}]"), named.name.as_str(), &named.spec));
    default.chain(named).collect()
}

impl<'a> Pool<'a> {
    /// What it will run with.
    pub(in crate::rules) fn effective(&self) -> effective::Pool<'_> {
        effective::Pool { name: self.name, worker: self.spec, common: self.common, said: &self.said }
    }

    /// What runs its tasks, as far as that is known.
    pub(in crate::rules) fn kind(&self) -> Option<WorkerPoolKind> {
        self.effective().implementation().is()
    }

    /// How many tasks one pod announces to run at once, as far as that is known.
    pub(in crate::rules) fn concurrency(&self) -> Option<u32> {
        self.effective().concurrency().is()
    }

    /// The queues it names and does not leave out; `None` where the application decides, or a variable does.
    pub(in crate::rules) fn queues(&self) -> Option<Vec<String>> {
        self.effective().queues().is()
    }

    /// The field that names its queues.
    pub(in crate::rules) fn queues_field(&self) -> &'static str {
        if self.said.has("--queues") { "args" } else { "queues" }
    }

    /// The path of a word of its arguments.
    pub(in crate::rules) fn arg(&self, at: usize) -> String {
        format!("{}.args[{at}]", self.path)
    }

    /// A word of its arguments.
    pub(in crate::rules) fn word(&self, at: usize) -> &'a str {
        self.spec.args.get(at).map(String::as_str).unwrap_or_default()
    }

    /// Where somebody says what an option is: in the arguments, else in the field.
    pub(in crate::rules) fn place(&self, option: &str, field: &str, is_set: bool) -> Option<String> {
        match self.said.last(option) {
            Some(used) => Some(self.arg(used.value_at)),
            None => is_set.then(|| format!("{}.{field}", self.path)),
        }
    }

    /// Whether a folder, named from the root, may be kept elsewhere than in its container: on a volume at the folder or
    /// above it, or on what a template brings.
    pub(in crate::rules) fn may_keep(&self, folder: &str) -> bool {
        let holds = |place: &str| {
            let place = place.trim_end_matches('/');
            folder.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut mounts = self.common.volume_mounts.iter().chain(&self.spec.volume_mounts);
        self.common.pod_template.is_some()
            || self.spec.pod_template.is_some()
            || mounts.any(|mount| holds(&mount.mount_path))
    }

    /// The same of a file of `SQLite`, which lies in the folder of the image where it does not begin with a slash.
    /// Wherever that is, a volume may be there.
    pub(in crate::rules) fn may_keep_file(&self, file: &str) -> bool {
        let mounts = self.common.volume_mounts.len() + self.spec.volume_mounts.len();
        if file.starts_with('/') {
            self.may_keep(file)
        } else {
            mounts > 0 || self.common.pod_template.is_some() || self.spec.pod_template.is_some()
        }
    }

    /// Whether it lets running tasks end when it is asked to stop.
    pub(in crate::rules) fn is_warm(&self) -> bool {
        let mode = self.spec.graceful_shutdown.as_ref().and_then(|shutdown| shutdown.mode.as_ref());
        mode.and_then(Open::known).unwrap_or(ShutdownMode::Warm) == ShutdownMode::Warm
    }

    /// Seconds between the request to stop and the kill.
    pub(in crate::rules) fn grace(&self) -> i32 {
        let written = self.spec.graceful_shutdown.as_ref().and_then(|shutdown| shutdown.timeout_seconds);
        written.unwrap_or(GracefulShutdown::TIMEOUT_SECONDS)
    }

    /// Whether a probe restarts it before its longest task ends: solo sends no heartbeat while a task runs.
    pub(in crate::rules) fn is_restarted_in_long_tasks(&self) -> bool {
        let liveness = self.spec.probes.as_ref().and_then(|probes| probes.liveness.as_ref());
        let Some(probe) = liveness.filter(|probe| probe.looks_at_heartbeat()) else { return false };
        self.kind() == Some(WorkerPoolKind::Solo)
            && self.effective().time_limit().is().is_some_and(|limit| f64::from(probe.oldest()) <= limit)
    }
}
