// SPDX-License-Identifier: Apache-2.0
//! Variables that Celery 5.x and Flower read as if they were options.

use super::command::Command;
use super::options::{Spec, flower, global};
use super::version::Release;

/// An option that a variable sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// An option of `celery` itself.
    Global(&'static Spec),
    /// An option of a sub-command.
    Of(Command, &'static Spec),
}

/// Global options whose variable has no prefix; where both are set, this one wins over `CELERY_…`.
const BARE: &[(&str, &str)] = &[
    ("APP", "--app"),
    ("BROKER_URL", "--broker"),
    ("RESULT_BACKEND", "--result-backend"),
    ("LOADER", "--loader"),
    ("CONFIG_MODULE", "--config"),
    ("NO_COLOR", "--no-color"),
    ("SKIP_CHECKS", "--skip-checks"),
];

/// The option that click takes from a variable when the command line does not have it. 4.x takes none from any.
///
/// `CELERY_BROKER_URL` and the other variables of Celery's own are none of these: they are settings.
#[must_use]
pub fn variable(name: &str, release: Release) -> Option<Variable> {
    let is_here = |spec: &&'static Spec| release.has_click() && spec.is_in(release);
    let globals = || global::OPTIONS.iter().filter(is_here);
    if let Some((_, option)) = BARE.iter().find(|(bare, _)| *bare == name) {
        return globals().find(|spec| spec.names.contains(option)).map(Variable::Global);
    }
    let rest = name.strip_prefix("CELERY_")?;
    for (prefix, command) in [("WORKER_", Command::Worker), ("BEAT_", Command::Beat)] {
        let Some(option) = rest.strip_prefix(prefix) else { continue };
        let mut rows = command.options().rows().filter(is_here);
        return rows.find(|spec| spec.variable() == option).map(|spec| Variable::Of(command, spec));
    }
    globals().find(|spec| spec.variable() == rest).map(Variable::Global)
}

/// The option of Flower that a variable sets, `FLOWER_…`; the command line wins over it. Behind the prefix Flower minds
/// neither the case nor whether it is `-` or `_`.
#[must_use]
pub fn flower_variable(name: &str, release: flower::Release) -> Option<&'static flower::Spec> {
    let option = name.strip_prefix("FLOWER_")?.to_lowercase().replace('-', "_");
    flower::OPTIONS.iter().find(|spec| spec.is_in(release) && spec.name == option)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, release: Release) -> Option<&'static str> {
        variable(name, release).map(|variable| match variable {
            Variable::Global(spec) | Variable::Of(_, spec) => spec.name(),
        })
    }

    #[test]
    fn names_are_derived_as_click_derives_them() {
        for (name, expected) in [
            ("CELERY_WORKER_CONCURRENCY", Some("--concurrency")),
            ("CELERY_WORKER_MAX_TASKS_PER_CHILD", Some("--max-tasks-per-child")),
            ("CELERY_BEAT_SCHEDULE", Some("--schedule")),
            ("CELERY_WORKER_SCHEDULE", None),
            ("BROKER_URL", Some("--broker")),
            ("CELERY_BROKER", Some("--broker")),
            ("CELERY_BROKER_URL", None),
            ("CELERY_RESULT_BACKEND", Some("--result-backend")),
            ("CELERY_CONFIG_MODULE", None),
            ("CONFIG_MODULE", Some("--config")),
            ("APP", Some("--app")),
            ("PATH", None),
        ] {
            assert_eq!(option(name, Release::NEWEST), expected, "{name}");
            assert_eq!(option(name, Release::V4_4), None, "{name}");
        }
        assert_eq!(option("CELERY_WORKER_DISABLE_PREFETCH", Release::V5_5), None);
    }

    #[test]
    fn flower_has_its_own() {
        let of = |name| flower_variable(name, flower::Release::NEWEST).map(|spec| spec.name);
        for name in ["FLOWER_URL_PREFIX", "FLOWER_url_prefix", "FLOWER_Url-Prefix"] {
            assert_eq!(of(name), Some("url_prefix"), "{name}");
        }
        assert_eq!(of("flower_url_prefix"), None);
        assert_eq!(of("FLOWER_NO_SUCH"), None);
    }
}
