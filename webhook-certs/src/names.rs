// SPDX-License-Identifier: Apache-2.0
//! The names a serving certificate must carry.
//!
//! An API server verifies a webhook under exactly one name: `service.namespace.svc`, or the host of
//! `clientConfig.url`. A certificate without that name fails every admission, so the set of wanted names is a type
//! that cannot be empty and holds only what an X.509 certificate can express.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Longest DNS name a certificate may carry, in bytes.
const LONGEST_NAME: usize = 253;
/// Longest label between two dots, in bytes.
const LONGEST_LABEL: usize = 63;

/// Why a set of names was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No name at all was given.
    #[error(
        "no name for the serving certificate: give at least the host under which the API server calls the webhook"
    )]
    Empty,
    /// One of the names is neither a DNS name nor an IP address.
    #[error(
        "{0:?} is neither a DNS name nor an IP address: write it like webhook.namespace.svc or 127.0.0.1, without scheme and port"
    )]
    Invalid(String),
}

/// One name: a DNS name in lower case or an IP address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A DNS name, written into the certificate as `dNSName`.
    Dns(String),
    /// An IP address, written as `iPAddress`: clients never match an address against a `dNSName`.
    Ip(IpAddr),
}

impl FromStr for Name {
    type Err = Error;

    /// Reads an IP address (IPv6 with or without brackets) or a DNS name; a leading `*.` is allowed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the text is neither.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Ip(address));
        }
        let lower = text.to_ascii_lowercase();
        if is_dns_name(lower.strip_prefix("*.").unwrap_or(&lower)) {
            Ok(Self::Dns(lower))
        } else {
            Err(Error::Invalid(text.to_owned()))
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// The non-empty set of names a leaf must carry, in a stable order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(BTreeSet<Name>);

impl Names {
    /// The names under which a Service is reached from inside the cluster: `svc.ns.svc` (what API servers use),
    /// `svc.ns`, `svc` and `svc.ns.svc.cluster.local`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when either part is not a DNS label.
    pub fn of_service(service: &str, namespace: &str) -> Result<Self, Error> {
        for part in [service, namespace] {
            if !is_label(part) {
                return Err(Error::Invalid(part.to_owned()));
            }
        }
        Self::parse([
            service.to_owned(),
            format!("{service}.{namespace}"),
            format!("{service}.{namespace}.svc"),
            format!("{service}.{namespace}.svc.cluster.local"),
        ])
    }

    /// Reads every given text as a [`Name`].
    ///
    /// # Errors
    /// [`Error::Empty`] for an empty list, [`Error::Invalid`] for the first text that is no name.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let names =
            texts.into_iter().map(|text| text.as_ref().parse()).collect::<Result<BTreeSet<_>, _>>()?;
        if names.is_empty() { Err(Error::Empty) } else { Ok(Self(names)) }
    }

    /// These names and `more`.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = Name>) -> Self {
        self.0.extend(more);
        self
    }

    /// The names in a stable order; never empty.
    pub fn iter(&self) -> impl Iterator<Item = &Name> {
        self.0.iter()
    }

    /// The wanted names that `held` lacks. Names held beyond the wanted ones do no harm: two releases with different
    /// wishes side by side must not take the certificate from each other in turns.
    #[must_use]
    pub fn missing_in(&self, held: &BTreeSet<Name>) -> Vec<Name> {
        self.0.difference(held).cloned().collect()
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            name.fmt(f)?;
        }
        Ok(())
    }
}

/// Names joined by commas.
pub(crate) fn list(names: &[Name]) -> String {
    names.iter().map(Name::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether `text` is one or more labels joined by dots, as in RFC 1123.
fn is_dns_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && text.split('.').all(is_label)
}

/// Whether `text` is one DNS label in lower case.
fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    !bytes.is_empty()
        && bytes.len() <= LONGEST_LABEL
        && bytes.iter().all(inner)
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_service_is_reached_under_four_names() {
        let names = Names::of_service("webhook", "celery").unwrap();
        assert_eq!(
            names.to_string(),
            "webhook, webhook.celery, webhook.celery.svc, webhook.celery.svc.cluster.local"
        );
    }

    #[test]
    fn addresses_are_addresses_and_names_are_lower_case() {
        let names = Names::parse(["127.0.0.1", "::1", "[fd00::2]", "LocalHost", "*.example.org"]).unwrap();
        let ips = names.iter().filter(|name| matches!(name, Name::Ip(_))).count();
        assert_eq!(ips, 3);
        assert!(names.iter().any(|name| *name == Name::Dns("localhost".into())));
    }

    #[test]
    fn what_a_certificate_cannot_express_is_refused() {
        assert_eq!(Names::parse(Vec::<String>::new()), Err(Error::Empty));
        for text in ["", "a b", "https://x", "x:443", "-a", "a-", "a..b", "ü", "*.", &"a".repeat(64), "a.*"]
        {
            assert_eq!(Names::parse([text]), Err(Error::Invalid(text.to_owned())), "{text}");
        }
        assert!(Names::of_service("a.b", "c").is_err());
        assert!(Names::of_service("a", "").is_err());
        assert!(Names::parse([format!("{}.a", "b.".repeat(130))]).is_err());
    }

    #[test]
    fn only_lacking_names_count_as_missing() {
        let wanted = Names::parse(["a", "b"]).unwrap();
        let held = BTreeSet::from([Name::Dns("a".into()), Name::Dns("z".into())]);
        assert_eq!(wanted.missing_in(&held), vec![Name::Dns("b".into())]);
        let more = wanted.clone().with(held.iter().cloned());
        assert_eq!(more.iter().count(), 3);
    }
}
