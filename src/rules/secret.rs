// SPDX-License-Identifier: Apache-2.0
//! What a Secret of a URL holds, where the input says it, and what is told of it without a letter of it.

use super::subject::Subject;
use crate::api::SecretKeyRef;

/// What is said of a password in a Secret that has probably ended the host part, without a letter of it.
pub(super) const UNENCODED: &str = "the Secret seems to have a password with \"/\" or \"?\" in it";

/// What to do about it.
pub(super) const ENCODE: &str = "write %2F or %3F";

/// What a key of a known Secret holds, without the line break at its end that a file has.
pub(super) fn text<'s>(subject: &'s Subject<'_>, reference: &SecretKeyRef) -> Option<&'s str> {
    let texts = subject.facts.secrets.get(&reference.name)?;
    texts.0.get(&reference.key).map(|text| text.trim_end_matches('\n'))
}
