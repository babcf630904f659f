// SPDX-License-Identifier: Apache-2.0
//! Rules about the arguments of workers.
//!
//! Celery takes silently much that it should refuse: a word with a blank too many becomes the name of a queue, and an
//! option given twice loses its first value. [`crate::celery`] reads the words as Celery does; here stands which of its
//! faults belongs to which rule, and what cannot work in a pod although Celery takes it.

mod container;
mod embedded_beat;
mod faults;
mod node;
mod scaling;
mod shell;
mod twice;
mod words;

pub(super) use faults::told;
pub(super) use twice::field_of;

use super::finding::{Report, Severity};
use super::rule::Rule;
use super::subject::{Pool, Subject};
use crate::celery::reading::Occurrence;
use crate::celery::version::{Release, Target};

/// The tables of this area.
pub(super) const AREAS: &[&[Rule]] = &[
    words::RULES,
    faults::RULES,
    shell::RULES,
    container::RULES,
    embedded_beat::RULES,
    twice::RULES,
    scaling::RULES,
    node::RULES,
];

/// Whether a word holds several.
pub(super) fn is_joined(word: &str) -> bool {
    words::joined(word).is_some()
}

/// What a refusal by Celery's command line means: 4.x is read by its own table but only warned about, and the table of
/// a release that is newer than all of ours is a guess.
fn severity(subject: &Subject<'_>, report: &Report<'_>) -> Severity {
    severity_of(subject, report.severity())
}

/// The same, where the rule knows more than one severity.
pub(super) fn severity_of(subject: &Subject<'_>, known: Severity) -> Severity {
    match subject.celery {
        Target::Known(Release::V4_4) | Target::Newer(_) => Severity::Warn,
        Target::Known(_) | Target::Any => known,
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
