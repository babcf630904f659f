// SPDX-License-Identifier: Apache-2.0
//! What the user's own words say already: nothing of it is said a second time.
//!
//! Arguments win over everything. A variable such as `CELERY_WORKER_CONCURRENCY` becomes the default of an option, so it
//! wins over what the operator would choose, but not over a field that is written.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::EnvVar;

use crate::api::{BeatSpec, CelerySpec, FlowerSpec, WorkerSpec};
use crate::celery::command::Command;
use crate::celery::flower;
use crate::celery::options::flower::Release as FlowerRelease;
use crate::celery::reading::Reading;
use crate::celery::version::Release;

/// The arguments and variables of a worker pool or of beat, read once. The newest release knows every option.
pub(super) struct Said<'a> {
    reading: Reading<'a>,
    variables: Variables<'a>,
}

/// The same of Flower, which has options of another kind.
pub(super) struct SaidToFlower<'a> {
    reading: flower::Reading<'a>,
    variables: Variables<'a>,
}

/// The names of the variables that a container gets, and what stands in them before the name of an option.
struct Variables<'a> {
    names: HashSet<&'a str>,
    prefix: &'static str,
}

impl<'a> Said<'a> {
    /// Of a worker pool.
    pub(super) fn to_worker(worker: &'a WorkerSpec, spec: &'a CelerySpec) -> Self {
        let variables = Variables::new("CELERY_WORKER", [&spec.common.env, &worker.env]);
        Self { reading: Command::Worker.reading(&worker.args, Release::NEWEST), variables }
    }

    /// Of beat.
    pub(super) fn to_beat(beat: &'a BeatSpec, spec: &'a CelerySpec) -> Self {
        let variables = Variables::new("CELERY_BEAT", [&spec.common.env, &beat.env]);
        Self { reading: Command::Beat.reading(&beat.args, Release::NEWEST), variables }
    }

    /// Whether the arguments contain an option, in any of its spellings.
    pub(super) fn option(&self, name: &str) -> bool {
        self.reading.has(name)
    }

    /// Whether the arguments or the variables say an option; `name` is the long one.
    pub(super) fn option_or_variable(&self, name: &str) -> bool {
        self.option(name) || self.variables.say(name)
    }

    /// The value of an option in the arguments, as it is written; the last one wins.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.reading.last(name).and_then(|used| used.value)
    }

    /// The value of an option in the arguments, else its variable as kubelet replaces it in a word.
    pub(super) fn value_or_variable(&self, name: &str) -> Option<String> {
        let variable = || self.variables.say(name).then(|| format!("$({})", self.variables.name(name)));
        self.value(name).map(str::to_owned).or_else(variable)
    }
}

impl<'a> SaidToFlower<'a> {
    /// Of Flower.
    pub(super) fn new(written: &'a FlowerSpec, spec: &'a CelerySpec) -> Self {
        let variables = Variables::new("FLOWER", [&spec.common.env, &written.env]);
        Self { reading: flower::reading(&written.args, FlowerRelease::NEWEST), variables }
    }

    /// Whether the arguments contain an option; `name` is as in `url_prefix`.
    pub(super) fn option(&self, name: &str) -> bool {
        self.reading.last(name).is_some()
    }

    /// Whether the arguments or the variables say an option.
    pub(super) fn option_or_variable(&self, name: &str) -> bool {
        self.option(name) || self.variables.say(name)
    }
}

impl<'a> Variables<'a> {
    /// Of the shared variables and those of the component.
    fn new(prefix: &'static str, env: [&'a [EnvVar]; 2]) -> Self {
        let names = env.into_iter().flatten().map(|variable| variable.name.as_str()).collect();
        Self { names, prefix }
    }

    /// Whether one of them is this option.
    fn say(&self, option: &str) -> bool {
        self.names.contains(self.name(option).as_str())
    }

    /// The variable of an option.
    fn name(&self, option: &str) -> String {
        let option = option.trim_start_matches('-').replace('-', "_").to_uppercase();
        format!("{}_{option}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_counts_like_an_option_and_not_as_an_argument() {
        let mut spec = CelerySpec::default();
        spec.common.env = ["CELERY_WORKER_PREFETCH_MULTIPLIER", "FLOWER_PURGE_OFFLINE_WORKERS"]
            .map(|name| EnvVar { name: name.to_owned(), ..EnvVar::default() })
            .into();
        let (worker, beat, flower) = (WorkerSpec::default(), BeatSpec::default(), FlowerSpec::default());
        let said = Said::to_worker(&worker, &spec);
        assert!(said.option_or_variable("--prefetch-multiplier"));
        assert!(!said.option_or_variable("--concurrency"));
        assert!(!said.option("--prefetch-multiplier"));
        assert!(!Said::to_beat(&beat, &spec).option_or_variable("--prefetch-multiplier"));
        let said = SaidToFlower::new(&flower, &spec);
        assert!(said.option_or_variable("purge_offline_workers") && !said.option_or_variable("max_tasks"));
    }

    #[test]
    fn each_component_has_options_of_its_own() {
        let spec = CelerySpec::default();
        let words = || vec!["-S".to_owned(), "django".to_owned()];
        let beat = BeatSpec { args: words(), ..BeatSpec::default() };
        assert!(Said::to_beat(&beat, &spec).option("--scheduler"));
        let worker = WorkerSpec { args: words(), ..WorkerSpec::default() };
        assert!(!Said::to_worker(&worker, &spec).option("--scheduler"));
    }

    #[test]
    fn every_spelling_of_a_value_is_read() {
        let spec = CelerySpec::default();
        let value = |text: &str| {
            let args = text.split_whitespace().map(str::to_owned).collect();
            let worker = WorkerSpec { args, ..WorkerSpec::default() };
            Said::to_worker(&worker, &spec).value("--include").map(str::to_owned)
        };
        for text in ["-I a,b", "-Ia,b", "--include a,b", "--include=a,b", "-I c -I a,b", "-I a,b -- -I c"] {
            assert_eq!(value(text).as_deref(), Some("a,b"), "{text}");
        }
        assert_eq!(value("-c 4 -- -I a"), None);
    }

    #[test]
    fn an_argument_stands_before_its_variable() {
        let mut spec = CelerySpec::default();
        spec.common.env = vec![EnvVar { name: "CELERY_WORKER_INCLUDE".to_owned(), ..EnvVar::default() }];
        let mut worker = WorkerSpec::default();
        let said = |worker: &WorkerSpec, name: &str| Said::to_worker(worker, &spec).value_or_variable(name);
        assert_eq!(said(&worker, "--include").as_deref(), Some("$(CELERY_WORKER_INCLUDE)"));
        assert_eq!(said(&worker, "--exclude-queues"), None);
        worker.args = vec!["--include=a".to_owned()];
        assert_eq!(said(&worker, "--include").as_deref(), Some("a"));
    }
}
