// SPDX-License-Identifier: Apache-2.0
//! What it means that a field came with a release.

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
