// SPDX-License-Identifier: Apache-2.0
//! Which versions of Secrets and ConfigMaps held the same fields.
//!
//! Of their content only digests are kept, in memory and nowhere else. They tell a new password from a new label: the
//! version that the API server counts changes with both.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::build::{ConfigRef, Keys, Look, Reading};

/// How long what was read is good enough.
const FRESH: Duration = Duration::from_secs(20);
/// How many versions of one object are remembered.
const VERSIONS: usize = 4;
/// After how long what nobody asked for is forgotten.
const IDLE: Duration = Duration::from_mins(15);

/// A Secret or ConfigMap as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its version.
    pub version: String,
    /// A digest of each field.
    pub fields: BTreeMap<String, [u8; 32]>,
    /// Whether nobody has changed it since it was created.
    pub is_as_created: bool,
}

/// What an attempt to read came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// It is there.
    Found(Config),
    /// It is not.
    Absent,
    /// Nobody knows: the request failed.
    Failed,
}

/// What was read of Secrets and ConfigMaps.
#[derive(Default)]
pub struct ConfigIndex(Mutex<Content>);

#[derive(Default)]
struct Content {
    entries: HashMap<(String, ConfigRef), Entry>,
    swept: Option<Instant>,
}

struct Entry {
    read: Instant,
    asked: Instant,
    state: State,
    /// The newest last.
    versions: VecDeque<Config>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Found,
    Absent,
    Failed,
}

impl ConfigIndex {
    /// Whether an object was read a moment ago.
    pub fn is_fresh(&self, namespace: &str, reference: &ConfigRef, now: Instant) -> bool {
        let content = self.lock();
        let entry = content.entries.get(&(namespace.to_owned(), reference.clone()));
        entry.is_some_and(|entry| now.saturating_duration_since(entry.read) < FRESH)
    }

    /// Takes in what was read.
    pub fn note(&self, namespace: &str, reference: &ConfigRef, read: Read, now: Instant) {
        let mut content = self.lock();
        content.sweep(now);
        let entry = content.entries.entry((namespace.to_owned(), reference.clone())).or_insert_with(|| {
            Entry { read: now, asked: now, state: State::Failed, versions: VecDeque::new() }
        });
        entry.read = now;
        match read {
            Read::Failed => entry.state = State::Failed,
            Read::Absent => entry.state = State::Absent,
            Read::Found(config) => {
                entry.state = State::Found;
                entry.add(config);
            }
        }
    }

    /// What is known of an object, as far as `reading` is concerned.
    pub fn look(&self, namespace: &str, reference: &ConfigRef, reading: &Reading, now: Instant) -> Look {
        let mut content = self.lock();
        let Some(entry) = content.entries.get_mut(&(namespace.to_owned(), reference.clone())) else {
            return Look::Unknown;
        };
        entry.asked = now;
        match (entry.state, entry.versions.back()) {
            (State::Found, Some(newest)) => {
                let Some(fields) = read_fields(newest, reading) else { return Look::Missing };
                let older = entry
                    .versions
                    .iter()
                    .filter(|older| read_fields(older, reading).as_ref() == Some(&fields));
                let same_as: BTreeSet<String> = older.map(|older| older.version.clone()).collect();
                let is_as_created = newest.is_as_created;
                Look::Present { version: newest.version.clone(), same_as, is_as_created }
            }
            (State::Absent, _) => Look::Missing,
            _ => Look::Unknown,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The fields that are read; `None` when one that is needed is missing.
fn read_fields<'c>(config: &'c Config, reading: &Reading) -> Option<BTreeMap<&'c str, &'c [u8; 32]>> {
    let all = config.fields.iter().map(|(key, digest)| (key.as_str(), digest));
    match &reading.keys {
        Keys::All => Some(all.collect()),
        Keys::Some(keys) => {
            let found: BTreeMap<_, _> = all.filter(|(key, _)| keys.contains(*key)).collect();
            (reading.optional || found.len() == keys.len()).then_some(found)
        }
    }
}

impl Entry {
    /// Adds a version. An older one comes from an API server that lags behind the one that was asked before.
    fn add(&mut self, config: Config) {
        let number = |version: &str| version.parse::<u64>().unwrap_or_default();
        let newest = self.versions.back();
        if newest.is_some_and(|newest| number(&newest.version) >= number(&config.version)) {
            return;
        }
        if self.versions.len() == VERSIONS {
            self.versions.pop_front();
        }
        self.versions.push_back(config);
    }
}

impl Content {
    fn sweep(&mut self, now: Instant) {
        let is_due = self.swept.is_none_or(|swept| now.saturating_duration_since(swept) > IDLE);
        if is_due {
            self.entries.retain(|_, entry| now.saturating_duration_since(entry.asked) <= IDLE);
            self.swept = Some(now);
        }
    }
}

/// Counts instead of digests.
impl fmt::Debug for ConfigIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigIndex").field("objects", &self.lock().entries.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::ConfigKind;

    fn found(version: &str, fields: &[(&str, u8)]) -> Read {
        let fields = fields.iter().map(|&(key, digest)| (key.to_owned(), [digest; 32])).collect();
        Read::Found(Config { version: version.to_owned(), fields, is_as_created: true })
    }

    struct Story(ConfigIndex, Instant);

    impl Story {
        fn reference() -> ConfigRef {
            (ConfigKind::Secret, "broker".to_owned())
        }

        fn note(&self, read: Read) {
            self.0.note("web", &Self::reference(), read, self.1);
        }

        fn look(&self, keys: &[&str], optional: bool) -> (String, Vec<String>) {
            let keys = match keys {
                [] => Keys::All,
                keys => Keys::Some(keys.iter().map(|&key| key.to_owned()).collect()),
            };
            match self.0.look("web", &Self::reference(), &Reading { keys, optional }, self.1) {
                Look::Present { version, same_as, .. } => (version, same_as.into_iter().collect()),
                Look::Missing => is("missing", &[]),
                Look::Unknown => is("?", &[]),
            }
        }
    }

    fn is(version: &str, same_as: &[&str]) -> (String, Vec<String>) {
        (version.to_owned(), same_as.iter().map(|&version| version.to_owned()).collect())
    }

    #[test]
    fn versions_with_the_same_fields_are_told_from_others() {
        let story = Story(ConfigIndex::default(), Instant::now());
        assert_eq!(story.look(&["url"], false), is("?", &[]));
        story.note(found("5", &[("url", 1), ("other", 1)]));
        story.note(found("6", &[("url", 1), ("other", 2)]));
        assert_eq!(story.look(&["url"], false), is("6", &["5", "6"]));
        assert_eq!(story.look(&[], false), is("6", &["6"]));
        story.note(found("9", &[("url", 2)]));
        assert_eq!(story.look(&["url"], false), is("9", &["9"]));
        assert_eq!(story.look(&["other"], false), is("missing", &[]));
        assert_eq!(story.look(&["other"], true), is("9", &["9"]));
        story.note(Read::Absent);
        assert_eq!(story.look(&[], false), is("missing", &[]));
        story.note(Read::Failed);
        assert_eq!(story.look(&[], false), is("?", &[]));
    }

    #[test]
    fn an_api_server_that_lags_behind_turns_nothing_back() {
        let story = Story(ConfigIndex::default(), Instant::now());
        story.note(found("10", &[("url", 2)]));
        story.note(found("9", &[("url", 1)]));
        assert_eq!(story.look(&["url"], false), is("10", &["10"]));
    }

    #[test]
    fn what_is_read_is_fresh_for_a_while_and_forgotten_when_nobody_asks() {
        let mut story = Story(ConfigIndex::default(), Instant::now());
        let fresh = |story: &Story| story.0.is_fresh("web", &Story::reference(), story.1);
        assert!(!fresh(&story));
        story.note(found("5", &[("url", 1)]));
        assert!(fresh(&story));
        story.1 += FRESH;
        assert!(!fresh(&story));
        story.1 += IDLE + Duration::from_secs(1);
        story.0.note("web", &(ConfigKind::Secret, "else".to_owned()), Read::Absent, story.1);
        assert_eq!(story.look(&["url"], false), is("?", &[]));
        assert!(format!("{:?}", story.0).contains("objects: 1"));
    }

    #[test]
    fn few_versions_are_remembered() {
        let story = Story(ConfigIndex::default(), Instant::now());
        for version in 1..=10 {
            story.note(found(&version.to_string(), &[("url", 1)]));
        }
        assert_eq!(story.look(&["url"], false).1.len(), VERSIONS);
    }
}
