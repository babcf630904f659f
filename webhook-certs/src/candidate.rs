// SPDX-License-Identifier: Apache-2.0
//! What could be served: a leaf with its key, and who vouches for it.
//!
//! It comes from a Secret that this crate keeps, or from files that somebody else keeps; from here on nothing asks
//! which. Files are trusted in nothing: they may be half written, of two generations, or of no use at all.

use std::time::SystemTime;

use crate::inspect::{Certificate, Identity, bundle_pem};
use crate::names::{Name, Names};
use crate::state::{self, CA, Entries, Fault, Pair};
use crate::trust::{Trusted, answers_to, vouches};

/// A certificate with all that is needed to serve and to publish it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// What is shown first, and what proves it.
    pub(crate) leaf: Identity,
    /// What is shown behind it.
    pub(crate) intermediates: Vec<Certificate>,
    /// The CA by which the leaf is verified; `None` when others publish it and it is not known here.
    pub(crate) anchor: Option<Certificate>,
    /// All CAs to be published, the anchor among them; empty where there is no anchor.
    pub(crate) cas: Vec<Certificate>,
}

impl Candidate {
    /// What files named like the keys of a TLS Secret hold: `tls.crt` (the leaf first), `tls.key` and, where the CA is
    /// to be published from here, `ca.crt`.
    ///
    /// A certificate out of date is no fault: what to do with it depends on what else there is.
    ///
    /// # Errors
    /// The [`Fault`] that makes them useless.
    pub(crate) fn of_files(entries: &Entries, now: SystemTime) -> Result<Self, Fault> {
        let (leaf, intermediates) = state::presented(entries)?;
        let held = match state::bundle(entries) {
            Err(Fault::Missing(CA)) => {
                return Ok(Self { leaf, intermediates, anchor: None, cas: Vec::new() });
            }
            other => other?,
        };
        let mut found = Self { leaf, intermediates, anchor: None, cas: held };
        found.anchor = found.voucher(&found.cas, now).cloned();
        if found.anchor.is_none() {
            return Err(Fault::Untrusted);
        }
        Ok(found)
    }

    /// Who of these vouches for the leaf while it is valid.
    fn voucher<'a>(&self, cas: &'a [Certificate], now: SystemTime) -> Option<&'a Certificate> {
        let shown = &self.leaf.certificate;
        let then = now.clamp(shown.not_before, shown.not_after.max(shown.not_before));
        cas.iter().find(|ca| vouches(ca, shown, &self.intermediates, then))
    }

    /// Whether an API server that trusts these accepts what this shows, as far as the issuer goes.
    pub(crate) fn is_accepted_by(&self, trusted: &Trusted, now: SystemTime) -> bool {
        match (&self.anchor, trusted) {
            (Some(anchor), Trusted::Only(cas)) => cas.contains(anchor),
            (Some(_), Trusted::System { .. }) => false,
            (None, Trusted::Only(cas)) => self.voucher(cas, now).is_some(),
            (None, Trusted::System { by_url }) => *by_url,
        }
    }

    /// The names of these by which nobody can call it.
    pub(crate) fn lacks<'a>(&self, names: &'a Names) -> Vec<&'a Name> {
        names.iter().filter(|name| !answers_to(&self.leaf.certificate, name)).collect()
    }

    /// The CAs in PEM form: the value of `caBundle`. Empty where the CA is not known here.
    pub(crate) fn bundle(&self) -> String {
        bundle_pem(&self.cas)
    }

    /// Whether a client that trusts the bundle accepts what `other` shows.
    pub(crate) fn trusts(&self, other: &Self) -> bool {
        other.anchor.as_ref().is_none_or(|anchor| self.cas.contains(anchor))
    }

    /// Whether `now` is within the leaf's validity.
    pub(crate) fn is_current(&self, now: SystemTime) -> bool {
        (self.leaf.certificate.not_before..self.leaf.certificate.not_after).contains(&now)
    }
}

impl From<Pair> for Candidate {
    fn from(pair: Pair) -> Self {
        let anchor = Some(pair.ca.certificate.clone());
        let cas = std::iter::once(pair.ca.certificate).chain(pair.older).collect();
        Self { leaf: pair.leaf, intermediates: Vec::new(), anchor, cas }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixtures::{DAY, noon, pair};
    use crate::state::{LEAF, LEAF_KEY};

    /// The files of a pair, which hold no key of the CA.
    fn files(pair: &Pair) -> Entries {
        let mut entries = pair.entries();
        entries.remove(state::CA_KEY);
        entries
    }

    fn fault(spoil: impl FnOnce(&mut Entries)) -> Fault {
        let mut entries = files(&pair(noon()));
        spoil(&mut entries);
        Candidate::of_files(&entries, noon()).unwrap_err()
    }

    #[test]
    fn a_whole_folder_is_served_and_published() {
        let pair = pair(noon());
        let found = Candidate::of_files(&files(&pair), noon()).unwrap();
        assert_eq!(found, pair.clone().into());
        assert_eq!(found.bundle(), pair.bundle());
        // Dates do not make it useless.
        for now in [noon() - DAY, noon() + 100 * DAY] {
            let found = Candidate::of_files(&files(&pair), now).unwrap();
            assert!(!found.is_current(now) && found.is_current(noon()));
        }
    }

    #[test]
    fn without_a_ca_nothing_is_published() {
        let pair = pair(noon());
        for nothing in [None, Some(vec![])] {
            let mut entries = files(&pair);
            entries.remove(CA);
            entries.extend(nothing.map(|empty| (CA.to_owned(), empty)));
            let found = Candidate::of_files(&entries, noon()).unwrap();
            assert_eq!((found.anchor.as_ref(), found.bundle().as_str()), (None, ""));
            assert!(Candidate::from(pair.clone()).trusts(&found));
        }
    }

    #[test]
    fn the_anchor_is_the_ca_that_verifies_and_intermediates_are_shown() {
        let (ours, other) = (pair(noon()), pair(noon()));
        let mut entries = files(&ours);
        let bundle = other.ca.certificate.pem() + &ours.ca.certificate.pem();
        entries.insert(CA.into(), bundle.clone().into_bytes());
        let chain = ours.leaf.certificate.pem() + &ours.ca.certificate.pem();
        entries.insert(LEAF.into(), chain.into_bytes());
        let found = Candidate::of_files(&entries, noon()).unwrap();
        assert_eq!(found.anchor, Some(ours.ca.certificate.clone()));
        assert_eq!((found.bundle(), found.intermediates), (bundle, vec![ours.ca.certificate]));
    }

    #[test]
    fn what_does_not_belong_together_is_not_served() {
        let other = pair(noon());
        let bytes = |text: String| text.into_bytes();
        assert_eq!(fault(|files| drop(files.remove(LEAF))), Fault::Missing(LEAF));
        assert_eq!(fault(|files| drop(files.remove(LEAF_KEY))), Fault::Missing(LEAF_KEY));
        let key = bytes(other.leaf.key.pem().to_owned());
        assert_eq!(fault(|files| drop(files.insert(LEAF_KEY.into(), key))), Fault::KeyMismatch(LEAF_KEY));
        let leaf = bytes(other.leaf.certificate.pem());
        assert_eq!(fault(|files| drop(files.insert(LEAF.into(), leaf))), Fault::KeyMismatch(LEAF_KEY));
        let ca = bytes(other.ca.certificate.pem());
        assert_eq!(fault(|files| drop(files.insert(CA.into(), ca.clone()))), Fault::Untrusted);
        assert_eq!(fault(|files| drop(files.insert(LEAF.into(), ca))), Fault::CaInPlaceOfLeaf);
        // Cut off anywhere, as a file that is being written is.
        for name in [LEAF, LEAF_KEY, CA] {
            let whole = files(&other)[name].clone();
            for length in (0..whole.len() - 1).step_by(17) {
                let mut entries = files(&other);
                entries.insert(name.into(), whole[..length].to_vec());
                let found = Candidate::of_files(&entries, noon());
                assert!(found.is_err() || (name == CA && length == 0), "{name} {length}");
            }
        }
    }
}
