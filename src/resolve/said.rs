// SPDX-License-Identifier: Apache-2.0
//! What the user's own words say already: nothing of it is said a second time.
//!
//! Arguments win over everything. A variable such as `CELERY_WORKER_CONCURRENCY` becomes the default of an option, so it
//! wins over what the operator would choose, but not over a field that is written.

use k8s_openapi::api::core::v1::EnvVar;

use crate::celery::command::Command;
use crate::celery::flower;
use crate::celery::options::flower::Release as FlowerRelease;
use crate::celery::reading::Reading;
use crate::celery::version::Release;

/// The user's arguments and variables of one component.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) args: &'a [String],
    /// The shared variables, then those of the component.
    pub(super) env: [&'a [EnvVar]; 2],
    /// What stands before the name of an option in a variable.
    pub(super) prefix: &'static str,
}

/// Prefix of variables that are options of a worker.
pub(super) const WORKER: &str = "CELERY_WORKER";
/// Prefix of variables that are options of beat.
pub(super) const BEAT: &str = "CELERY_BEAT";
/// Prefix of variables that are options of Flower.
pub(super) const FLOWER: &str = "FLOWER";

impl<'a> Said<'a> {
    /// What the arguments of a worker or beat say; the newest release knows every option.
    fn reading(&self) -> Reading<'a> {
        let command = if self.prefix == BEAT { Command::Beat } else { Command::Worker };
        command.reading(self.args, Release::NEWEST)
    }

    /// Whether the worker's or beat's arguments contain an option, in any of its spellings.
    pub(super) fn option(&self, name: &str) -> bool {
        self.reading().has(name)
    }

    /// Whether the worker's or beat's arguments or variables say an option; `name` is the long one.
    pub(super) fn option_or_variable(&self, name: &str) -> bool {
        self.option(name) || self.variable(name.trim_start_matches('-'))
    }

    /// The value of Flower's option in the arguments.
    pub(super) fn flower(&self, name: &str) -> Option<&'a str> {
        flower::reading(self.args, FlowerRelease::NEWEST).text(name).is()
    }

    /// Whether Flower's arguments or variables say an option.
    pub(super) fn flower_or_variable(&self, name: &str) -> bool {
        flower::reading(self.args, FlowerRelease::NEWEST).last(name).is_some() || self.variable(name)
    }

    fn variable(&self, option: &str) -> bool {
        let name = format!("{}_{}", self.prefix, option.replace('-', "_").to_uppercase());
        self.env.into_iter().flatten().any(|variable| variable.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<'a>(args: &'a [String], env: &'a [EnvVar], prefix: &'static str) -> Said<'a> {
        Said { args, env: [env, &[]], prefix }
    }

    #[test]
    fn a_variable_counts_like_an_option_and_not_as_an_argument() {
        let env = ["CELERY_WORKER_PREFETCH_MULTIPLIER", "FLOWER_PURGE_OFFLINE_WORKERS"]
            .map(|name| EnvVar { name: name.to_owned(), ..EnvVar::default() });
        let worker = said(&[], &env, WORKER);
        assert!(worker.option_or_variable("--prefetch-multiplier"));
        assert!(!worker.option_or_variable("--concurrency"));
        assert!(!worker.option("--prefetch-multiplier"));
        assert!(!said(&[], &env, BEAT).option_or_variable("--prefetch-multiplier"));
        let flower = said(&[], &env, FLOWER);
        assert!(
            flower.flower_or_variable("purge_offline_workers") && !flower.flower_or_variable("max_tasks")
        );
    }
}
