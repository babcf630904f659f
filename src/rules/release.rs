// SPDX-License-Identifier: Apache-2.0
//! The release of Celery that `spec.common.celeryVersion` names, as far as rules compare it.

use super::finding::Severity;
use super::subject::Subject;

/// The newest release whose options are known.
const NEWEST: (u32, u32) = (5, 7);

/// Major and minor number; `None` when no version is written, or none that can be read.
#[must_use]
pub(super) fn written(subject: &Subject<'_>) -> Option<(u32, u32)> {
    let mut numbers = subject.common().celery_version.as_deref()?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Whether the release is younger than everything that is known of Celery.
#[must_use]
pub(super) fn is_unknown(subject: &Subject<'_>) -> bool {
    written(subject).is_some_and(|release| release > NEWEST)
}

/// What it means that something came with release `since`: nothing for that release and later ones, and for a version
/// that nobody wrote. Of 4.x too little is known to deny anything.
#[must_use]
pub(super) fn lacks(subject: &Subject<'_>, since: (u32, u32)) -> Option<Severity> {
    let release = written(subject).filter(|release| *release < since)?;
    Some(if release.0 < 5 { Severity::Warn } else { Severity::Deny })
}
