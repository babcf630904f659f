// SPDX-License-Identifier: Apache-2.0
//! What the Secret holds, judged.
//!
//! The Secret carries `tls.crt` and `tls.key` (the leaf, as type `kubernetes.io/tls` wants them), `ca.crt` (the
//! bundle: first the CA that signs, then older ones that API servers may still have to trust) and `ca.key` (key of
//! the signing CA). Judging asks everything but the time of day and the wanted names; those belong to
//! [`crate::plan`].

use std::collections::BTreeMap;

use crate::inspect::{self, Certificate, Identity, Key, bundle_pem};
use crate::names::{self, Name};

/// The Secret's key of the leaf.
pub const LEAF: &str = "tls.crt";
/// The Secret's key of the leaf's private key.
pub const LEAF_KEY: &str = "tls.key";
/// The Secret's key of the CA bundle.
pub const CA: &str = "ca.crt";
/// The Secret's key of the signing CA's private key.
pub const CA_KEY: &str = "ca.key";

/// The data of a Secret.
pub type Entries = BTreeMap<String, Vec<u8>>;

/// Why a part of the Secret is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The key is absent or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The value cannot be read.
    #[error("{0}: {1}")]
    Garbage(&'static str, inspect::Error),
    /// The signing CA's certificate is not allowed to sign.
    #[error("the certificate in ca.crt is not a CA")]
    NotACa,
    /// A CA lies where the leaf belongs.
    #[error("the certificate in tls.crt is a CA, not a leaf")]
    CaInPlaceOfLeaf,
    /// The leaf's extended key usage forbids a TLS server.
    #[error("the certificate in tls.crt is not for TLS servers")]
    NotForServers,
    /// A key does not belong to its certificate.
    #[error("{0} is not the key of its certificate")]
    KeyMismatch(&'static str),
    /// The leaf was issued by somebody else.
    #[error("the certificate in tls.crt is not signed by the first CA of ca.crt")]
    ForeignLeaf,
    /// No CA of the bundle verifies the leaf.
    #[error("the certificate in tls.crt is verified by no CA in ca.crt")]
    Untrusted,
    /// The leaf is expired or not valid yet, and there is a better one.
    #[error("the certificate in tls.crt is not valid at present")]
    OutOfDate,
    /// The leaf does not answer to names by which it is called, and there is one that does.
    #[error("the certificate in tls.crt lacks names: {}", names::list(.0))]
    Names(Vec<Name>),
    /// A file cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(&'static str, std::io::ErrorKind),
}

impl Fault {
    /// A stable word for events and metrics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "Missing",
            Self::Garbage(..) => "Garbage",
            Self::NotACa => "NotACa",
            Self::CaInPlaceOfLeaf => "CaInPlaceOfLeaf",
            Self::NotForServers => "NotForServers",
            Self::KeyMismatch(_) => "KeyMismatch",
            Self::ForeignLeaf => "ForeignLeaf",
            Self::Untrusted => "Untrusted",
            Self::OutOfDate => "OutOfDate",
            Self::Names(_) => "Names",
            Self::Unreadable(..) => "Unreadable",
        }
    }
}

/// A CA and a leaf that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The CA that signs.
    pub ca: Identity,
    /// Former CAs that stay in the bundle until no leaf of theirs can be served any more.
    pub older: Vec<Certificate>,
    /// What is served.
    pub leaf: Identity,
}

impl Pair {
    /// All trusted CAs in PEM form, the signing one first: the value of `caBundle`.
    #[must_use]
    pub fn bundle(&self) -> String {
        bundle_pem(std::iter::once(&self.ca.certificate).chain(&self.older))
    }

    /// Whether `certificate` is among the trusted CAs.
    #[must_use]
    pub fn trusts(&self, certificate: &Certificate) -> bool {
        self.ca.certificate == *certificate || self.older.contains(certificate)
    }

    /// What the Secret holds for this pair.
    #[must_use]
    pub fn entries(&self) -> Entries {
        let text = |name: &str, value: String| (name.to_owned(), value.into_bytes());
        Entries::from([
            text(LEAF, self.leaf.certificate.pem()),
            text(LEAF_KEY, self.leaf.key.pem().to_owned()),
            text(CA, self.bundle()),
            text(CA_KEY, self.ca.key.pem().to_owned()),
        ])
    }
}

/// What the Secret holds.
///
/// Room is left for a CA that is published but does not sign yet (rotation with overlap): a further variant with the
/// next CA beside the pair.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// There is no Secret.
    Absent,
    /// The signing CA is of no use, and so is everything else; CAs that can still be read are kept for the bundle.
    Broken {
        /// What is wrong.
        fault: Fault,
        /// CAs found all the same.
        cas: Vec<Certificate>,
    },
    /// The CA is in order, the leaf is not.
    Leafless {
        /// The signing CA.
        ca: Identity,
        /// Former CAs.
        older: Vec<Certificate>,
        /// What is wrong with the leaf.
        fault: Fault,
    },
    /// Both are in order as far as can be said without a clock.
    Pair(Pair),
}

impl State {
    /// Judges the data of a Secret, `None` when it does not exist. Never panics, whatever the bytes.
    #[must_use]
    pub fn of(entries: Option<&Entries>) -> Self {
        let Some(entries) = entries else {
            return Self::Absent;
        };
        let cas = match bundle(entries) {
            Ok(cas) => cas,
            Err(fault) => {
                return Self::Broken { fault, cas: Vec::new() };
            }
        };
        let (ca, older) = match authority(entries, &cas) {
            Ok(found) => found,
            Err(fault) => {
                return Self::Broken { fault, cas: cas.into_iter().filter(|found| found.is_ca).collect() };
            }
        };
        match leaf(entries, &ca.certificate) {
            Ok(leaf) => Self::Pair(Pair { ca, older, leaf }),
            Err(fault) => Self::Leafless { ca, older, fault },
        }
    }
}

/// The certificates of the bundle.
pub(crate) fn bundle(entries: &Entries) -> Result<Vec<Certificate>, Fault> {
    Certificate::bundle(value(entries, CA)?).map_err(|error| Fault::Garbage(CA, error))
}

/// The signing CA with its key, and the other CAs of the bundle.
fn authority(entries: &Entries, cas: &[Certificate]) -> Result<(Identity, Vec<Certificate>), Fault> {
    let (first, rest) = cas.split_first().ok_or(Fault::Missing(CA))?;
    if !first.is_ca {
        return Err(Fault::NotACa);
    }
    let key = key(entries, CA_KEY)?;
    if !first.matches(&key) {
        return Err(Fault::KeyMismatch(CA_KEY));
    }
    let older = rest.iter().filter(|found| found.is_ca).cloned().collect();
    Ok((Identity { certificate: first.clone(), key }, older))
}

/// The leaf with its key, if it can be served and `ca` vouches for it.
fn leaf(entries: &Entries, ca: &Certificate) -> Result<Identity, Fault> {
    let (leaf, _) = presented(entries)?;
    if leaf.certificate.is_signed_by(ca) { Ok(leaf) } else { Err(Fault::ForeignLeaf) }
}

/// The leaf with its key, if it can be served, and the certificates behind it.
pub(crate) fn presented(entries: &Entries) -> Result<(Identity, Vec<Certificate>), Fault> {
    let mut chain =
        Certificate::bundle(value(entries, LEAF)?).map_err(|error| Fault::Garbage(LEAF, error))?;
    let intermediates = chain.split_off(1);
    let certificate = chain.pop().ok_or(Fault::Missing(LEAF))?;
    if certificate.is_ca {
        return Err(Fault::CaInPlaceOfLeaf);
    }
    if !certificate.is_server {
        return Err(Fault::NotForServers);
    }
    let key = key(entries, LEAF_KEY)?;
    if !certificate.matches(&key) {
        return Err(Fault::KeyMismatch(LEAF_KEY));
    }
    Ok((Identity { certificate, key }, intermediates))
}

/// A private key of the Secret.
fn key(entries: &Entries, name: &'static str) -> Result<Key, Fault> {
    Key::from_pem(value(entries, name)?).map_err(|error| Fault::Garbage(name, error))
}

/// A value of the Secret that is not empty.
fn value<'a>(entries: &'a Entries, name: &'static str) -> Result<&'a [u8], Fault> {
    entries.get(name).map(Vec::as_slice).filter(|bytes| !bytes.is_empty()).ok_or(Fault::Missing(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixtures::{DAY, ca, leaf, noon, pair};

    /// The fault of a Secret made from a good one by `spoil`.
    fn fault(spoil: impl FnOnce(&mut Entries)) -> (Fault, bool) {
        let mut entries = pair(noon()).entries();
        spoil(&mut entries);
        match State::of(Some(&entries)) {
            State::Broken { fault, .. } => (fault, true),
            State::Leafless { fault, .. } => (fault, false),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_pair_survives_the_secret() {
        let mut pair = pair(noon());
        pair.older.push(ca(noon(), DAY).certificate);
        assert_eq!(State::of(Some(&pair.entries())), State::Pair(pair));
        assert_eq!(State::of(None), State::Absent);
    }

    #[test]
    fn a_broken_ca_breaks_everything() {
        let other = pair(noon());
        let garbage = || b"garbage".to_vec();
        assert_eq!(
            State::of(Some(&Entries::new())),
            State::Broken { fault: Fault::Missing(CA), cas: vec![] }
        );
        assert_eq!(fault(|entries| drop(entries.insert(CA.into(), vec![]))), (Fault::Missing(CA), true));
        let (found, all) = fault(|entries| drop(entries.insert(CA.into(), garbage())));
        assert_eq!((found.reason(), all), ("Garbage", true));
        let leaf_pem = other.leaf.certificate.pem().into_bytes();
        assert_eq!(fault(|entries| drop(entries.insert(CA.into(), leaf_pem))), (Fault::NotACa, true));
        assert_eq!(fault(|entries| drop(entries.remove(CA_KEY))), (Fault::Missing(CA_KEY), true));
        let key = other.ca.key.pem().as_bytes().to_vec();
        assert_eq!(
            fault(|entries| drop(entries.insert(CA_KEY.into(), key))),
            (Fault::KeyMismatch(CA_KEY), true)
        );
        // What can still be read is kept for the bundle.
        let mut entries = other.entries();
        entries.insert(CA_KEY.into(), garbage());
        let State::Broken { cas, .. } = State::of(Some(&entries)) else { panic!() };
        assert_eq!(cas, vec![other.ca.certificate]);
    }

    #[test]
    fn a_broken_leaf_leaves_the_ca() {
        let other = pair(noon());
        let ca_pem = other.ca.certificate.pem().into_bytes();
        assert_eq!(
            fault(|entries| drop(entries.insert(LEAF.into(), ca_pem))),
            (Fault::CaInPlaceOfLeaf, false)
        );
        let key = other.leaf.key.pem().as_bytes().to_vec();
        assert_eq!(
            fault(|entries| drop(entries.insert(LEAF_KEY.into(), key))),
            (Fault::KeyMismatch(LEAF_KEY), false)
        );
        let foreign = leaf(&other.ca, noon(), DAY);
        let (found, all) = fault(|entries| {
            entries.insert(LEAF.into(), foreign.certificate.pem().into_bytes());
            entries.insert(LEAF_KEY.into(), foreign.key.pem().as_bytes().to_vec());
        });
        assert_eq!((found, all), (Fault::ForeignLeaf, false));
        assert_eq!(fault(|entries| drop(entries.remove(LEAF))), (Fault::Missing(LEAF), false));
        let (found, all) = fault(|entries| drop(entries.insert(LEAF_KEY.into(), vec![0xff; 40])));
        assert_eq!((found.reason(), all), ("Garbage", false));
        assert!(!found.to_string().is_empty());
    }
}
