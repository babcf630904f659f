// SPDX-License-Identifier: Apache-2.0
//! The argument lists of `celery worker` and `celery beat`.

use std::collections::BTreeSet;

use super::options::{self, Table};
use super::reading::{Effective, Outcome, Reading};
use super::value::Value;
use super::version::{Release, Target};
use super::{argparse, click, queues};

/// A sub-command of Celery itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `celery worker`
    Worker,
    /// `celery beat`
    Beat,
}

impl Command {
    /// `worker` or `beat`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Beat => "beat",
        }
    }

    /// Its options.
    #[must_use]
    pub fn options(self) -> Table {
        match self {
            Self::Worker => Table { own: options::worker::OPTIONS },
            Self::Beat => Table { own: options::beat::OPTIONS },
        }
    }

    /// What a leading `.` of a setting stands for.
    #[must_use]
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Beat => "celery",
        }
    }

    /// What one release makes of the words behind the sub-command.
    #[must_use]
    pub fn reading(self, args: &[String], release: Release) -> Reading<'_> {
        if release.has_click() {
            click::reading(self, args, release)
        } else {
            argparse::reading(self, args, release)
        }
    }

    /// What the newest release in question makes of the words, with no other faults than those of words that all of
    /// them refuse. Where each refuses the list, but none for the same word, the faults of the newest stay.
    #[must_use]
    pub fn agreed(self, args: &[String], target: Target) -> Reading<'_> {
        let releases = target.releases();
        let readings: Vec<_> = releases.iter().map(|release| self.reading(args, *release)).collect();
        let mut agreed = self.reading(args, releases.last().copied().unwrap_or(Release::NEWEST));
        let faulty =
            |reading: &Reading<'_>| reading.faults.iter().map(|fault| fault.at).collect::<BTreeSet<_>>();
        let common = readings.iter().map(faulty).reduce(|one, other| &one & &other).unwrap_or_default();
        let all_refuse = readings.iter().all(|reading| reading.outcome() == Outcome::Refused);
        if !all_refuse || !common.is_empty() {
            agreed.faults.retain(|fault| common.contains(&fault.at));
        }
        agreed
    }
}

/// How many tasks a worker runs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// What the release takes for its own choice: `-c 0`.
    Unset,
    /// As many.
    Of(i64),
    /// As many as the container may use cpus.
    Auto,
}

impl Concurrency {
    /// What a value of `-c` means; `None` for a value of another option.
    #[must_use]
    pub fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(0) => Some(Self::Unset),
            Value::Int(count) => Some(Self::Of(count)),
            Value::Auto => Some(Self::Auto),
            _ => None,
        }
    }
}

/// What a worker's arguments amount to.
impl<'a> Reading<'a> {
    /// `-c`
    #[must_use]
    pub fn concurrency(&self) -> Effective<Concurrency> {
        self.effective("--concurrency").and_then(Concurrency::of)
    }

    /// `-P`
    #[must_use]
    pub fn pool(&self) -> Effective<&'a str> {
        self.text("--pool")
    }

    /// `-n` as written; Celery puts `celery@` before a name without an `@`.
    #[must_use]
    pub fn node_name(&self) -> Effective<&'a str> {
        self.text("--hostname")
    }

    /// `-l` in upper case.
    #[must_use]
    pub fn log_level(&self) -> Effective<&'a str> {
        self.text("--loglevel")
    }

    /// The queues of `-Q`, each once, empty ones left out. `None` when the arguments name none, so that the
    /// application decides.
    #[must_use]
    pub fn queues(&self) -> Option<Vec<String>> {
        let list = self.last("--queues").and_then(|queues| queues.value)?;
        Some(queues::names(list)).filter(|names| !names.is_empty())
    }
}
