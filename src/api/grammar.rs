// SPDX-License-Identifier: Apache-2.0
//! The grammars of single fields, in the form garde calls: each says what is wrong, the rule catalogue adds the way
//! out. One value, no other field in sight.
#![allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)] // garde hands over `&Option<…>` and `&()`

use crate::celery::app::{self, AppPath};
use crate::celery::expansion::expands;
use crate::celery::flower;
use crate::celery::version::Version;
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

/// An image reference beside the shared one.
pub(super) fn image_of_its_own(value: &str, (): &()) -> Verdict {
    if value.trim().is_empty() {
        return wrong("no container image is set");
    }
    super::image::check(value).or_else(wrong)
}

/// A version of Celery that the tables know or may come to know: 4 or later, without anything that is no label value.
#[allow(clippy::ref_option)]
pub(super) fn celery_version(value: &Option<String>, (): &()) -> Verdict {
    let Some(version) = value else { return Ok(()) };
    let is_ours = version.parse::<Version>().is_ok_and(|version| (4..100).contains(&version.major));
    if is_ours && version.len() <= names::MAX {
        Ok(())
    } else {
        wrong("is not a version of Celery 4 or later")
    }
}

/// A host name or an address, without port, scheme or user.
pub(super) fn host(value: &str, (): &()) -> Verdict {
    if value.is_empty() {
        return wrong("is empty");
    }
    let is_name = value.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if is_name || value.parse::<std::net::Ipv6Addr>().is_ok() { Ok(()) } else { wrong("is not a host name") }
}

/// Name of a Secret.
pub(super) fn object_name(value: &str, (): &()) -> Verdict {
    if is_object_name(value) { Ok(()) } else { wrong("is not a valid Secret name") }
}

/// Name of a TriggerAuthentication.
pub(super) fn trigger_authentication(value: &str, (): &()) -> Verdict {
    if is_object_name(value) { Ok(()) } else { wrong("is not a name of a TriggerAuthentication") }
}

/// Whether Kubernetes takes a text as the name of an object (DNS-1123 subdomain).
#[must_use]
pub(crate) fn is_object_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Lower-case letters, digits and inner dashes: one part of such a name.
#[must_use]
pub(crate) fn is_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether a text is a name with an optional domain in front, as keys of labels are: `example.com/team`.
#[must_use]
pub(crate) fn is_qualified(key: &str) -> bool {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    domain.is_none_or(is_object_name) && !name.is_empty() && is_label_value(name)
}

/// Whether a text is one that a label may have; an empty one is.
#[must_use]
pub(crate) fn is_label_value(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let ends = [text.bytes().next(), text.bytes().last()];
    text.len() <= 63
        && text.bytes().all(inner)
        && ends.into_iter().flatten().all(|byte| byte.is_ascii_alphanumeric())
}

/// The name of a worker pool: a part of the names of its children. That `default` is taken is another rule's matter.
pub(super) fn pool_name(value: &str, (): &()) -> Verdict {
    if is_label(value) && value.len() <= names::MAX { Ok(()) } else { wrong("is not a name of a pool") }
}

/// The path below which Flower answers; Flower itself takes slashes away at both ends.
pub(super) fn url_prefix(value: &Option<String>, (): &()) -> Verdict {
    let Some(prefix) = value else { return Ok(()) };
    let letters = prefix.chars().all(|c| c.is_ascii_alphanumeric() || "._~/-".contains(c));
    if letters && !flower::prefix(prefix).is_empty() { Ok(()) } else { wrong("is not a path") }
}

/// A version of Flower: two or three numbers.
pub(super) fn flower_version(value: &Option<String>, (): &()) -> Verdict {
    let Some(version) = value else { return Ok(()) };
    if version.parse::<Version>().is_ok() { Ok(()) } else { wrong("is not a version of Flower") }
}

/// A host as an Ingress takes it: a name, the first label of which may be `*`; no scheme, port, path or address.
pub(super) fn ingress_host(value: &Option<String>, (): &()) -> Verdict {
    let Some(host) = value else { return Ok(()) };
    let name = host.strip_prefix("*.").unwrap_or(host);
    if is_object_name(name) && host.parse::<std::net::IpAddr>().is_err() {
        Ok(())
    } else {
        wrong("is not a host name that an Ingress takes")
    }
}

/// A key of a Secret.
pub(super) fn secret_key(value: &str, (): &()) -> Verdict {
    let letters = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if letters && (1..=253).contains(&value.len()) && !value.starts_with("..") && value != "." {
        Ok(())
    } else {
        wrong("is not a valid key of a Secret")
    }
}

/// A text that has to be there.
pub(super) fn written(value: &str, (): &()) -> Verdict {
    if value.trim().is_empty() { wrong("is empty") } else { Ok(()) }
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
        Some(text) if expands(text) => wrong("takes no variables: write the module"),
        Some(text) => text.parse::<AppPath>().map(drop).or_else(|error| {
            wrong(app::meant(text).map_or(error.to_string(), |meant| {
                format!("is a path of files, the module is called {meant:?}")
            }))
        }),
    }
}
