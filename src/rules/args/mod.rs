// SPDX-License-Identifier: Apache-2.0
//! The arguments of workers and beat: one judge of what the command lines of Celery refuse.
//!
//! [`crate::celery`] reads the words as Celery does. Here each fault gets its [`Matter`] and its words; the rules say
//! which matters are theirs, so that the catalogue is the table from fault to rule.

mod fields;
mod joined;
mod repeated;
mod setting;
mod verdict;

use super::finding::{Kind, Report};
use super::shell;
use super::subject::{Beat, Pool, Subject};
use crate::celery::command::Command;
use crate::celery::reading::{Occurrence, Reading};
use crate::celery::version::Target;
pub(super) use fields::{BEAT_FIELDS, WORKER_FIELDS, field_of};
pub(super) use joined::{Joined, is_joined, joined, parted};
pub(super) use repeated::repeated;
pub(super) use verdict::{Shown, Verdict, letters, refused, verdicts};

/// What a fault in an argument list is about. For each command every matter belongs to one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matter {
    /// A name that is no option of the command.
    Unknown,
    /// An option with underscores where it has dashes.
    Underscores,
    /// An option of `celery` itself.
    Global,
    /// An option that makes the command print a text and end.
    Ends,
    /// An option or a value that another release has.
    Release,
    /// A word that is neither an option nor a setting.
    Stray,
    /// A value that is missing, or one too many.
    Form,
    /// A short option with `=` before its value.
    Sign,
    /// A value that the option of this long name does not take.
    Value(&'static str),
    /// A value of an option that no rule names.
    OtherValue,
    /// A setting behind `--`.
    Setting,
}

/// The arguments of a component, read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arguments<'s> {
    /// Who reads them.
    pub(super) command: Command,
    /// Where the component stands.
    pub(super) path: &'s str,
    /// The words.
    pub(super) words: &'s [String],
    /// What Celery makes of them; the faults are those that every release in question finds.
    pub(super) reading: &'s Reading<'s>,
    /// Options that the application adds.
    pub(super) own: &'s [String],
    /// Which Celery reads them.
    pub(super) celery: Target,
}

impl<'s> Arguments<'s> {
    /// Those of a worker pool.
    pub(super) fn of_pool(pool: &'s Pool<'s>, celery: Target) -> Self {
        let (path, words, own) = (pool.path.as_str(), &pool.spec.args, &pool.spec.user_options);
        Self { command: Command::Worker, path, words, reading: &pool.said, own, celery }
    }

    /// Those of beat.
    pub(super) fn of_beat(beat: &'s Beat<'s>, celery: Target) -> Self {
        let (words, own) = (&beat.spec.args, &beat.spec.user_options);
        Self { command: Command::Beat, path: Beat::PATH, words, reading: &beat.said, own, celery }
    }

    /// The word at a position.
    fn word(&self, at: usize) -> &'s str {
        self.words.get(at).map(String::as_str).unwrap_or_default()
    }

    /// The path of a word.
    pub(super) fn at(&self, at: usize) -> String {
        format!("{}.args[{at}]", self.path)
    }
}

/// Every use of one of these options in every pool.
pub(super) fn uses<'s, 'a>(
    subject: &'s Subject<'a>,
    options: &'static [&'static str],
) -> impl Iterator<Item = (&'s Pool<'a>, &'s Occurrence<'a>)> {
    subject.pools.iter().flat_map(move |pool| {
        let named = move |used: &&Occurrence<'a>| options.contains(&used.option.name());
        pool.said.occurrences.iter().filter(named).map(move |used| (pool, used))
    })
}

/// The name that an entry of `userOptions` means: people leave the dashes away, or write the value too.
fn own_name(entry: &str) -> String {
    let name = entry.split('=').next().unwrap_or_default().trim();
    match name.chars().count() {
        _ if name.starts_with('-') => name.to_owned(),
        0 => String::new(),
        1 => format!("-{name}"),
        _ => format!("--{name}"),
    }
}

/// Tells of entries of `userOptions` of a component that are no names of options.
pub(super) fn not_names(component: &str, entries: &[String], report: &mut Report<'_>) {
    for (index, entry) in entries.iter().enumerate() {
        let name = own_name(entry);
        if name != *entry {
            let path = format!("{component}.userOptions[{index}]");
            let fix = if name.is_empty() { "remove it".to_owned() } else { format!("write {name:.40}") };
            report.warn(Kind::Invalid, path, "is not the name of an option", fix);
        }
    }
}

/// How an option goes: without its value alone Celery would take the next word for it.
#[must_use]
pub(super) fn removal(used: &Occurrence<'_>) -> String {
    if used.at == used.value_at {
        "remove it".to_owned()
    } else {
        format!("remove {} and its value", used.name)
    }
}
