// SPDX-License-Identifier: Apache-2.0
//! What the user's own words say already: nothing of it is said a second time.
//!
//! Arguments win over everything. A variable such as `CELERY_WORKER_CONCURRENCY` becomes the default of an option, so it
//! wins over what the operator would choose, but not over a field that is written.

use k8s_openapi::api::core::v1::EnvVar;

use crate::api::{CelerySpec, Common, FlowerSpec};
use crate::celery::flower;
use crate::celery::reading::Reading;
use crate::effective;

/// The arguments and variables of a worker pool or of beat.
pub(super) struct Said<'a> {
    reading: &'a Reading<'a>,
    prefix: &'static str,
    own: &'a [EnvVar],
    shared: &'a [EnvVar],
}

/// The same of Flower, which has options of another kind.
pub(super) struct SaidToFlower<'a> {
    reading: flower::Reading<'a>,
    flower: &'a FlowerSpec,
    common: &'a Common,
}

impl<'a> Said<'a> {
    /// Of a worker pool.
    pub(super) fn to_worker(pool: effective::Pool<'a>) -> Self {
        let (own, shared) = (&pool.worker.env, &pool.common.env);
        Self { reading: pool.said, prefix: "CELERY_WORKER", own, shared }
    }

    /// Of beat.
    pub(super) fn to_beat(beat: effective::Beat<'a>) -> Self {
        let (own, shared) = (&beat.beat.env, &beat.common.env);
        Self { reading: beat.said, prefix: "CELERY_BEAT", own, shared }
    }

    /// Whether the arguments contain an option, in any of its spellings.
    pub(super) fn option(&self, name: &str) -> bool {
        self.reading.has(name)
    }

    /// The long names of all options in the arguments.
    pub(super) fn options(&self) -> impl Iterator<Item = &'static str> {
        self.reading.occurrences.iter().map(|used| used.option.name())
    }

    /// Whether the arguments or the variables say an option; `name` is the long one.
    pub(super) fn option_or_variable(&self, name: &str) -> bool {
        self.option(name) || self.variable(name)
    }

    /// Whether a variable says an option. Celery 4 reads none, and an empty one says nothing.
    fn variable(&self, option: &str) -> bool {
        let name = self.variable_name(option);
        self.reading.release.has_click() && effective::variable(&name, self.own, self.shared).is_written()
    }

    fn variable_name(&self, option: &str) -> String {
        let option = option.trim_start_matches('-').replace('-', "_").to_uppercase();
        format!("{}_{option}", self.prefix)
    }

    /// The value of an option in the arguments, as it is written; the last one wins.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.reading.last(name).and_then(|used| used.value)
    }

    /// The value of an option in the arguments, else its variable as kubelet replaces it in a word.
    pub(super) fn value_or_variable(&self, name: &str) -> Option<String> {
        let variable = || self.variable(name).then(|| format!("$({})", self.variable_name(name)));
        self.value(name).map(str::to_owned).or_else(variable)
    }
}

impl<'a> SaidToFlower<'a> {
    /// Of Flower.
    pub(super) fn new(written: &'a FlowerSpec, spec: &'a CelerySpec) -> Self {
        let reading = effective::flower::reading(written);
        Self { reading, flower: written, common: &spec.common }
    }

    /// Whether the arguments contain an option; `name` is as in `url_prefix`.
    pub(super) fn option(&self, name: &str) -> bool {
        self.reading.last(name).is_some()
    }

    /// Whether the arguments or the variables say an option.
    pub(super) fn option_or_variable(&self, name: &str) -> bool {
        self.option(name) || effective::flower::variable(name, self.flower, self.common).is_written()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{BeatSpec, WorkerSpec};
    use crate::celery::command::Command;

    fn to_worker<T>(worker: &WorkerSpec, spec: &CelerySpec, ask: impl Fn(&Said<'_>) -> T) -> T {
        let said = &Command::Worker.reading(&worker.args, effective::celery(&spec.common).newest());
        ask(&Said::to_worker(effective::Pool { name: "default", worker, common: &spec.common, said }))
    }

    fn to_beat<T>(beat: &BeatSpec, spec: &CelerySpec, ask: impl Fn(&Said<'_>) -> T) -> T {
        let said = &Command::Beat.reading(&beat.args, effective::celery(&spec.common).newest());
        ask(&Said::to_beat(effective::Beat { beat, common: &spec.common, said }))
    }

    #[test]
    fn a_variable_counts_like_an_option_and_not_as_an_argument() {
        let mut spec = CelerySpec::default();
        spec.common.env = [
            ("CELERY_WORKER_PREFETCH_MULTIPLIER", "2"),
            ("CELERY_WORKER_LOGLEVEL", ""),
            ("FLOWER_purge-offline_WORKERS", "60"),
            ("FLOWER_MAX_WORKERS", ""),
        ]
        .map(|(name, value)| EnvVar {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            ..EnvVar::default()
        })
        .into();
        let (worker, beat, flower) = (WorkerSpec::default(), BeatSpec::default(), FlowerSpec::default());
        to_worker(&worker, &spec, |said| {
            assert!(said.option_or_variable("--prefetch-multiplier"));
            assert!(!said.option_or_variable("--concurrency") && !said.option_or_variable("--loglevel"));
            assert!(!said.option("--prefetch-multiplier"));
        });
        assert!(!to_beat(&beat, &spec, |said| said.option_or_variable("--prefetch-multiplier")));
        let said = SaidToFlower::new(&flower, &spec);
        assert!(said.option_or_variable("purge_offline_workers") && !said.option("purge_offline_workers"));
        assert!(!said.option_or_variable("max_tasks") && !said.option_or_variable("max_workers"));
    }

    #[test]
    fn the_release_that_is_named_reads() {
        let mut spec = CelerySpec::default();
        spec.common.env = vec![EnvVar {
            name: "CELERY_WORKER_LOGLEVEL".to_owned(),
            value: Some("DEBUG".to_owned()),
            ..EnvVar::default()
        }];
        let worker = WorkerSpec { args: vec!["--conc=4".to_owned()], ..WorkerSpec::default() };
        for (version, loglevel, concurrency) in
            [(None, true, false), (Some("5.6"), true, false), (Some("4.4"), false, true)]
        {
            spec.common.celery_version = version.map(str::to_owned);
            // Celery 4 reads no variables, but takes the beginning of an option's name.
            to_worker(&worker, &spec, |said| {
                assert_eq!(said.option_or_variable("--loglevel"), loglevel, "{version:?}");
                assert_eq!(said.option("--concurrency"), concurrency, "{version:?}");
            });
        }
    }

    #[test]
    fn each_component_has_options_of_its_own() {
        let spec = CelerySpec::default();
        let words = || vec!["-S".to_owned(), "django".to_owned()];
        let beat = BeatSpec { args: words(), ..BeatSpec::default() };
        assert!(to_beat(&beat, &spec, |said| said.option("--scheduler")));
        let worker = WorkerSpec { args: words(), ..WorkerSpec::default() };
        assert!(!to_worker(&worker, &spec, |said| said.option("--scheduler")));
    }

    #[test]
    fn every_spelling_of_a_value_is_read() {
        let spec = CelerySpec::default();
        let value = |text: &str| {
            let args = text.split_whitespace().map(str::to_owned).collect();
            let worker = WorkerSpec { args, ..WorkerSpec::default() };
            to_worker(&worker, &spec, |said| said.value("--include").map(str::to_owned))
        };
        for text in ["-I a,b", "-Ia,b", "--include a,b", "--include=a,b", "-I c -I a,b", "-I a,b -- -I c"] {
            assert_eq!(value(text).as_deref(), Some("a,b"), "{text}");
        }
        assert_eq!(value("-c 4 -- -I a"), None);
    }

    #[test]
    fn an_argument_stands_before_its_variable() {
        let mut spec = CelerySpec::default();
        spec.common.env = vec![EnvVar {
            name: "CELERY_WORKER_INCLUDE".to_owned(),
            value: Some("shop.extra".to_owned()),
            ..EnvVar::default()
        }];
        let mut worker = WorkerSpec::default();
        let said =
            |worker: &WorkerSpec, name: &str| to_worker(worker, &spec, |said| said.value_or_variable(name));
        assert_eq!(said(&worker, "--include").as_deref(), Some("$(CELERY_WORKER_INCLUDE)"));
        assert_eq!(said(&worker, "--exclude-queues"), None);
        worker.args = vec!["--include=a".to_owned()];
        assert_eq!(said(&worker, "--include").as_deref(), Some("a"));
    }
}
