// SPDX-License-Identifier: Apache-2.0
//! Celery's settings, and how a word behind `--` on the command line of a worker or beat sets one.
//!
//! Such a word is `task.acks_late=true`: the first part of the name is a namespace of Celery's table, and the table
//! says of which kind the value is. `(dict){…}` and other casts say it themselves; a word with a cast is taken for any
//! name, so a typo has no effect there, while it ends the worker otherwise.

mod reading;
mod table;
mod word;

use thiserror::Error;

pub use reading::{Fault, Value, reading};
use table::SETTINGS;
pub use word::{Refusal, word};

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name since Celery 4, such as `task_acks_late`.
    pub name: &'static str,
    /// What its value is, in the newest release.
    kind: Kind,
    /// The first minor of Celery 5 that has it: 0 for all that are older than 5.3.
    pub since: u8,
    /// Its name in capitals, which an application may still use: `CELERY_ACKS_LATE`.
    pub old: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Whole,
    /// A number; seconds, mostly.
    Number,
    /// True or false.
    Flag,
    /// Names with values.
    Table,
    /// A list.
    List,
    /// A list of modules; these are read before the command line is.
    Names,
    /// Anything.
    Any,
    /// Bytes, which neither JSON nor the command line can express.
    Bytes,
}

/// Why there is no such setting.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unknown {
    /// No release has it.
    #[error("is not a setting of Celery")]
    Name {
        /// The nearest one.
        meant: Option<&'static str>,
    },
    /// A later release has it.
    #[error("is a setting of Celery 5.{since} and later")]
    TooNew {
        /// The first minor of Celery 5 that has it.
        since: u8,
    },
}

/// The setting of a release, which is a minor of Celery 5.
///
/// # Errors
/// When the release has no setting of that name; names in capitals are only told what they are called today.
pub fn setting(name: &str, minor: u8) -> Result<&'static Setting, Unknown> {
    match SETTINGS.binary_search_by_key(&name, |setting| setting.name) {
        Ok(at) if SETTINGS[at].since > minor => Err(Unknown::TooNew { since: SETTINGS[at].since }),
        Ok(at) => Ok(&SETTINGS[at]),
        Err(_) => Err(Unknown::Name { meant: nearest(name) }),
    }
}

/// All settings, by name.
#[must_use]
pub fn settings() -> &'static [Setting] {
    SETTINGS
}

/// The setting that was meant: another case, dots, the name of Celery 3, or a typo.
fn nearest(written: &str) -> Option<&'static str> {
    let name = written.to_ascii_lowercase().replace(['.', '-'], "_");
    let capitals = name.to_ascii_uppercase();
    let renamed = SETTINGS.iter().find(|setting| setting.name == name || setting.old == capitals);
    // "acks_late" alone: the namespace is missing.
    let bare = || {
        let mut ending = SETTINGS.iter().filter(|setting| {
            setting.name.strip_suffix(name.as_str()).is_some_and(|namespace| namespace.ends_with('_'))
        });
        ending.next().filter(|_| name.contains('_') && ending.next().is_none())
    };
    let typo = || {
        SETTINGS
            .iter()
            .map(|setting| (strsim::damerau_levenshtein(setting.name, &name), setting))
            .filter(|(distance, _)| *distance <= 3 && distance * 3 < name.len())
            .min_by_key(|(distance, setting)| (*distance, setting.name))
            .map(|(_, setting)| setting)
    };
    renamed.or_else(bare).or_else(typo).map(|setting| setting.name)
}

impl Setting {
    /// What its value is in a release, which is a minor of Celery 5: the number of processes can be a word since 5.7.
    #[must_use]
    pub fn kind_in(&self, minor: u8) -> Kind {
        if self.name == "worker_concurrency" && minor < 7 { Kind::Whole } else { self.kind }
    }

    /// Namespace and rest of the name; `None` for a name of one word, which no word on the command line can say.
    fn halves(&self) -> Option<(&'static str, &'static str)> {
        self.name.split_once('_')
    }

    /// Whether a value can stand on the command line without a cast. Some names only look as if they had a namespace,
    /// and some kinds of Celery's table are none that it can read.
    fn takes_plain_words(&self, minor: u8) -> bool {
        let outside = ["accept_content", "result_accept_content", "enable_utc"].contains(&self.name);
        let unreadable = ["result_compression", "beat_cron_starting_deadline"].contains(&self.name);
        let kind = self.kind_in(minor);
        self.halves().is_some() && !outside && !unreadable && !matches!(kind, Kind::List | Kind::Bytes)
    }
}

#[cfg(test)]
mod tests;
