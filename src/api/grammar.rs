// SPDX-License-Identifier: Apache-2.0
//! The grammars of single fields, in the form garde calls: each says what is wrong, the rule catalogue adds the way
//! out. One value, no other field in sight.
#![allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)] // garde hands over `&Option<…>` and `&()`

use crate::celery::app::AppPath;
use crate::names;

type Verdict = garde::Result;

fn wrong(what: impl Into<String>) -> Verdict {
    Err(garde::Error::new(what.into()))
}

/// An image reference as container runtimes read it; absence is another rule's matter.
pub(super) fn image(value: &Option<String>, (): &()) -> Verdict {
    match value.as_deref() {
        None => wrong("no container image is set"),
        Some(text) if text.trim().is_empty() => wrong("no container image is set"),
        Some(text) => super::image::check(text).or_else(wrong),
    }
}

/// A name that is valid as a Service name on every supported Kubernetes (DNS-1035).
pub(super) fn app_name(value: &Option<String>, (): &()) -> Verdict {
    let Some(name) = value else { return Ok(()) };
    if name.is_empty() {
        return wrong("is empty");
    }
    if name.len() > names::MAX {
        return wrong(format!("has {} characters, at most {} are allowed", name.len(), names::MAX));
    }
    if is_dns_label(name) { Ok(()) } else { wrong("is not a DNS label") }
}

/// Whether a text is lower-case letters, digits and inner dashes, and begins with a letter.
#[must_use]
pub(crate) fn is_dns_label(name: &str) -> bool {
    name.len() <= names::MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// A module path with an optional attribute, as `celery -A` takes it.
pub(super) fn celery_app(value: &Option<String>, (): &()) -> Verdict {
    match value {
        None => Ok(()),
        Some(text) => text.parse::<AppPath>().map(drop).or_else(|error| wrong(error.to_string())),
    }
}
