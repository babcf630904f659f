// SPDX-License-Identifier: Apache-2.0
//! What an option is: its names, what its value may be, and which releases have it. The tables are below.

pub mod beat;
pub mod daemon;
pub mod flower;
pub mod global;
pub mod worker;

use super::version::Release;

/// What may stand behind an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Nothing: the option is there or not.
    Flag,
    /// Nothing: `--name` or `--no-name`.
    Switch,
    /// An integer as Python reads one; negative ones are accepted.
    Int,
    /// A number as Python reads one.
    Float,
    /// A number of processes: an integer, from 5.7 on 0 or more, or `auto`.
    Concurrency,
    /// One of some words, in this case.
    Choice(&'static [&'static str]),
    /// The implementation of the pool, in this case; 4.x takes any class path.
    Pool,
    /// The name of a log level in any case; 4.x takes any text and stops later.
    LogLevel,
    /// `max,min`, or one of them.
    Autoscale,
    /// Names between commas, taken as they are, blanks and all.
    List,
    /// The name of the node, with `%h`, `%n` and such.
    NodeName,
    /// A path, with `%h`, `%n` and such.
    NodePath,
    /// Any text.
    Text,
}

impl ValueKind {
    /// Whether a value follows.
    #[must_use]
    pub fn takes_value(self) -> bool {
        !matches!(self, Self::Flag | Self::Switch)
    }
}

/// One option of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Spec {
    /// Every spelling, with its dashes.
    pub names: &'static [&'static str],
    /// What its value may be.
    pub kind: ValueKind,
    /// First release that has it.
    pub since: Release,
    /// First release that knows its long names too.
    pub long_since: Release,
    /// Last release that has it; `None` while it lives.
    pub until: Option<Release>,
    /// What it does, in one line.
    pub meaning: &'static str,
}

impl Spec {
    /// An option that every release has.
    const fn new(names: &'static [&'static str], kind: ValueKind, meaning: &'static str) -> Self {
        Self { names, kind, since: Release::V4_4, long_since: Release::V4_4, until: None, meaning }
    }

    const fn since(self, release: Release) -> Self {
        Self { since: release, ..self }
    }

    const fn long_since(self, release: Release) -> Self {
        Self { long_since: release, ..self }
    }

    const fn until(self, release: Release) -> Self {
        Self { until: Some(release), ..self }
    }

    /// The name by which messages speak of it: the first long one.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names
            .iter()
            .find(|name| name.starts_with("--"))
            .or(self.names.first())
            .copied()
            .unwrap_or_default()
    }

    /// The name of its variable without a prefix, as click derives it: `MAX_TASKS_PER_CHILD`.
    #[must_use]
    pub fn variable(&self) -> String {
        let name = if self.kind == ValueKind::Switch {
            self.name().trim_start_matches("--enable-")
        } else {
            self.name()
        };
        name.trim_start_matches('-').replace('-', "_").to_ascii_uppercase()
    }

    /// Whether a release has the option at all.
    #[must_use]
    pub fn is_in(&self, release: Release) -> bool {
        release >= self.since && self.until.is_none_or(|until| release <= until)
    }

    /// The spelling equal to a word, if this release knows it.
    #[must_use]
    pub fn spelling(&self, word: &str, release: Release) -> Option<&'static str> {
        let name = self.names.iter().find(|name| **name == word)?;
        let known = self.is_in(release) && (!name.starts_with("--") || release >= self.long_since);
        known.then_some(*name)
    }
}

/// The options of one sub-command: its own, and those of every daemon.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its own options.
    pub own: &'static [Spec],
}

impl Table {
    /// Every row, of all releases.
    pub fn rows(self) -> impl Iterator<Item = &'static Spec> {
        self.own.iter().chain(daemon::OPTIONS)
    }

    /// The option that a release knows by this name, and the name.
    #[must_use]
    pub fn find(self, word: &str, release: Release) -> Option<(&'static Spec, &'static str)> {
        self.rows().find_map(|spec| spec.spelling(word, release).map(|name| (spec, name)))
    }

    /// Every spelling that a release knows.
    pub fn names(self, release: Release) -> impl Iterator<Item = &'static str> {
        self.rows()
            .flat_map(move |spec| spec.names.iter().filter_map(move |name| spec.spelling(name, release)))
    }
}

/// Whether `name` is a spelling of `spec`, whatever the release.
#[must_use]
pub(super) fn is_named(spec: &Spec, name: &str) -> bool {
    spec.names.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_options_share_a_name() {
        for own in [worker::OPTIONS, beat::OPTIONS] {
            for release in Release::ALL {
                let mut names: Vec<_> = Table { own }.names(release).collect();
                let count = names.len();
                names.sort_unstable();
                names.dedup();
                assert_eq!(names.len(), count, "{release}");
            }
        }
    }

    #[test]
    fn a_name_is_known_from_its_release_on() {
        let table = Table { own: worker::OPTIONS };
        assert!(table.find("-O", Release::V5_2).is_some());
        assert!(table.find("--optimization", Release::V5_2).is_none());
        assert!(table.find("--optimization", Release::V5_3).is_some());
        assert!(table.find("--disable-prefetch", Release::V5_5).is_none());
        assert!(table.find("--logfile", Release::V5_2).is_some());
    }

    #[test]
    fn variables_are_named_as_click_names_them() {
        let variable = |name: &str| {
            let table = Table { own: worker::OPTIONS };
            table.find(name, Release::NEWEST).map(|(spec, _)| spec.variable()).unwrap()
        };
        assert_eq!(variable("-E"), "TASK_EVENTS");
        assert_eq!(variable("--schedule"), "SCHEDULE_FILENAME");
        assert_eq!(variable("-O"), "OPTIMIZATION");
        assert_eq!(
            beat::OPTIONS.iter().find(|spec| spec.kind == ValueKind::Switch).unwrap().variable(),
            "REMOTE_CONTROL"
        );
    }
}
