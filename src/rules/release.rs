// SPDX-License-Identifier: Apache-2.0
//! What the release of Celery means for a finding.

use super::finding::Severity;
use super::subject::Subject;
use crate::celery::version::{Release, Target};

/// Whether the release is younger than everything that is known of Celery.
#[must_use]
pub(super) fn is_unknown(subject: &Subject<'_>) -> bool {
    matches!(subject.celery, Target::Newer(_))
}

/// What it means that something came with release `since`: nothing for that release and later ones, and for a version
/// that nobody wrote. Celery 4 is only warned about.
#[must_use]
pub(super) fn lacks(subject: &Subject<'_>, since: Release) -> Option<Severity> {
    match subject.celery {
        Target::Known(Release::V4_4) => Some(Severity::Warn),
        Target::Known(release) if release < since => Some(Severity::Deny),
        _ => None,
    }
}

/// What a refusal by Celery means: 4.x is read by its own table but only warned about, and the table of a release that
/// is newer than all of ours is a guess. `known` is what it means otherwise.
#[must_use]
pub(super) fn refusal(subject: &Subject<'_>, known: Severity) -> Severity {
    match subject.celery {
        Target::Known(Release::V4_4) | Target::Newer(_) => Severity::Warn,
        Target::Known(_) | Target::Any => known,
    }
}
