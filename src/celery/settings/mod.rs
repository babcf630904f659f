// SPDX-License-Identifier: Apache-2.0
//! Celery's settings by the names an application gives them, and the words that set them on a command line.
//!
//! [`command_line`] takes a word such as `task.acks_late=true` apart; here are the whole names
//! (`task_acks_late`), the few settings without a namespace, what each value is, and the way back: the [`word()`] for a
//! value of JSON.

pub mod command_line;
pub mod content;
mod extension;
mod names;
mod reading;
mod routes;
mod schedule;
mod undeclared;
mod unfit;
mod word;

use std::sync::LazyLock;

use thiserror::Error;

use super::closest;
use super::version::Release;
use command_line::{Row, Type, rows};
pub use extension::{Extension, extension};
pub use reading::{Fault, Value, reading};
pub use schedule::{Misplanned, misplanned};
pub use undeclared::undeclared;
pub use unfit::{Step, Unfit, fields, unfit};
pub use word::{Refusal, word};

/// One setting, as some releases declare it.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name since Celery 4, such as `task_acks_late`.
    pub name: String,
    /// What its value is.
    pub kind: SettingKind,
    /// First release that has it.
    pub since: Release,
    /// Last release that has it; `None` while it lives.
    pub until: Option<Release>,
    /// Its name in capitals, which an application may still use: `CELERY_ACKS_LATE`.
    pub old: String,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
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
    /// Anything.
    Any,
    /// Bytes, which neither JSON nor a command line can express.
    Bytes,
}

/// Why there is no such setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unknown {
    /// No release has it; [`meant`] may know which one was to be.
    #[error("is not a setting of Celery")]
    Name,
    /// Later releases have it.
    #[error("is a setting of Celery {0} and later")]
    TooNew(Release),
    /// Earlier releases had it.
    #[error("is a setting of Celery until {0}")]
    TooOld(Release),
}

/// Every setting of every release, by name; one that has changed its kind is there twice.
#[must_use]
pub fn settings() -> &'static [Setting] {
    static ALL: LazyLock<Vec<Setting>> = LazyLock::new(|| {
        let mut all: Vec<Setting> = rows().iter().map(Setting::from).chain(names::outside()).collect();
        all.sort_by(|one, other| (&one.name, one.since).cmp(&(&other.name, other.since)));
        all
    });
    &ALL
}

/// The setting of a release.
///
/// # Errors
/// When the release has no setting of that name; names in capitals are only told what they are called today.
pub fn setting(name: &str, release: Release) -> Result<&'static Setting, Unknown> {
    let known = || settings().iter().filter(|setting| setting.name == name);
    if let Some(setting) = known().find(|setting| setting.is_in(release)) {
        return Ok(setting);
    }
    Err(match known().next_back() {
        Some(Setting { until: Some(until), .. }) if *until < release => Unknown::TooOld(*until),
        Some(setting) => Unknown::TooNew(setting.since),
        None => Unknown::Name,
    })
}

/// The option that says what a setting cannot: the command line settles it before it reads the words behind `--`, so that
/// the setting has no effect there. Seen with 5.2 to 5.7.
#[must_use]
pub fn settled_by_option(name: &str) -> Option<&'static str> {
    match name {
        "worker_pool" => Some("--pool"),
        "worker_prefetch_multiplier" => Some("--prefetch-multiplier"),
        "beat_scheduler" => Some("--scheduler"),
        "beat_schedule_filename" => Some("--schedule"),
        _ => None,
    }
}

/// The setting that was meant by a name that is none: another case, dots, the name of Celery 3, a namespace left out, or a
/// typo. To find it the name is compared with all others: it is for whoever shows it.
#[must_use]
pub fn meant(written: &str, release: Release) -> Option<&'static str> {
    let name = written.to_ascii_lowercase().replace(['.', '-'], "_");
    let capitals = name.to_ascii_uppercase();
    let here = || settings().iter().filter(|setting| setting.is_in(release));
    if let Some(extension) = extension(&name) {
        return extension.settings().iter().copied().find(|setting| *setting == name);
    }
    // A Django application writes CELERY_ before every name.
    let own = name.strip_prefix("celery_").unwrap_or(&name);
    let is_meant =
        |setting: &&Setting| setting.name == name || setting.old == capitals || setting.name == own;
    let renamed = here().find(is_meant);
    let bare = || {
        let mut ending = here().filter(|setting| {
            setting.name.strip_suffix(name.as_str()).is_some_and(|namespace| namespace.ends_with('_'))
        });
        ending.next().filter(|_| name.contains('_') && ending.next().is_none())
    };
    let renamed = renamed.or_else(bare).map(|setting| setting.name.as_str());
    if let Some(name) = undeclared::names().find(|known| *known == name || *known == own) {
        return Some(name);
    }
    let beside = || Extension::RedBeat.settings().iter().copied().chain(undeclared::names());
    let all = || here().map(|setting| setting.name.as_str()).chain(beside());
    renamed.or_else(|| closest::of(&name, all()))
}

impl From<&Row> for Setting {
    fn from(row: &Row) -> Self {
        let name = format!("{}_{}", row.namespace, row.key);
        let kind = match row.kind {
            Type::Text => SettingKind::Text,
            Type::Int => SettingKind::Whole,
            Type::Float => SettingKind::Number,
            Type::Bool => SettingKind::Flag,
            Type::Any => SettingKind::Any,
            Type::Empty => SettingKind::Table,
            Type::Castable => names::kind(&name),
        };
        Self { kind, since: row.since, until: row.until, old: names::old(row.namespace, row.key), name }
    }
}

impl Setting {
    fn is_in(&self, release: Release) -> bool {
        release >= self.since && self.until.is_none_or(|until| release <= until)
    }

    /// Whether a value can stand on the command line as it is. Some names only look as if they had a namespace, and
    /// some kinds of Celery's own table are none that it can read.
    fn takes_plain_words(&self) -> bool {
        rows().iter().any(|row| {
            let same = self.name.strip_prefix(row.namespace).and_then(|rest| rest.strip_prefix('_'));
            same == Some(row.key) && row.kind != Type::Castable
        })
    }
}

#[cfg(test)]
mod tests;
