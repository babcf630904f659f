// SPDX-License-Identifier: Apache-2.0
//! Settings that packages beside Celery read from its configuration. Celery itself knows none of them.
//!
//! With a cast before its value the command line takes any name, so that they can be set there like Celery's own; seen
//! with celery-redbeat 2.4.

/// A package that has settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// celery-redbeat, a scheduler for beat.
    RedBeat,
}

/// The settings of celery-redbeat.
const REDBEAT: [&str; 6] = [
    "redbeat_key_prefix",
    "redbeat_lock_key",
    "redbeat_lock_timeout",
    "redbeat_redis_options",
    "redbeat_redis_url",
    "redbeat_redis_use_ssl",
];

/// The package that reads a setting.
#[must_use]
pub fn extension(name: &str) -> Option<Extension> {
    REDBEAT.contains(&name).then_some(Extension::RedBeat)
}

impl Extension {
    /// How its package is called.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::RedBeat => "celery-redbeat",
        }
    }

    /// Whether a scheduler of beat belongs to it.
    #[must_use]
    pub fn has_scheduler(self, scheduler: &str) -> bool {
        match self {
            Self::RedBeat => scheduler.to_ascii_lowercase().contains("redbeat"),
        }
    }

    /// Its settings.
    #[must_use]
    pub fn settings(self) -> &'static [&'static str] {
        match self {
            Self::RedBeat => &REDBEAT,
        }
    }
}
