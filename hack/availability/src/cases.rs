// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with certificates.

use std::time::{Duration, SystemTime};

use webhook_certs::Names;
use webhook_certs::inspect::{Identity, bundle_pem};
use webhook_certs::issue::{self, SystemKeys, Validity};
use webhook_certs::state::{CA, CA_KEY, Entries, LEAF, LEAF_KEY, Pair};

use crate::Error;
use crate::published::NAMES;

const DAY: Duration = Duration::from_hours(24);

/// One thing that is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// In words.
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
}

/// What is done.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// The Secret of replicas that run holds something else.
    Held(fn(&Parts) -> Entries),
    /// The Secret of replicas that run is deleted.
    Deleted,
    /// The Secret is deleted and comes back with something else.
    Remade(fn(&Parts) -> Entries),
    /// Configurations carry another bundle: the validating one, or both.
    Carried(fn(&Parts) -> Vec<u8>, Reach),
    /// The configurations are deleted and come back without a bundle.
    Reinstalled,
    /// What the Secret holds when the replicas start; nothing when there is no Secret.
    AtStart(fn(&Parts) -> Option<Entries>),
}

/// How many configurations are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The validating one.
    One,
    /// Both.
    Both,
}

/// What faults are made of.
pub(crate) struct Parts {
    /// What is served.
    pub(crate) sound: Pair,
    /// A pair of another authority.
    other: Pair,
    /// Leaves of the authority that is served: expired, of the future, for other names.
    expired: Identity,
    future: Identity,
    misnamed: Identity,
    /// Pairs whose authority is over, or has not begun.
    over: Pair,
    early: Pair,
}

impl Parts {
    /// Parts around what is served.
    ///
    /// # Errors
    /// When they cannot be made.
    pub(crate) fn around(sound: Pair) -> Result<Self, Error> {
        let now = SystemTime::now();
        // Long enough for what is from the future: it may become what is served.
        let present = Validity::starting(now, 3650 * DAY)?;
        let past = Validity { not_before: now - 20 * DAY, not_after: now - DAY };
        let future = Validity { not_before: now + DAY, not_after: now + 20 * DAY };
        // The authority's own days must not cut those of its leaves.
        let pair = |validity: Validity| -> Result<Pair, Error> {
            let ca = issue::ca(&SystemKeys, validity)?;
            let leaf = issue::leaf(&SystemKeys, &ca, &Names::parse(NAMES)?, validity)?;
            Ok(Pair { ca, older: Vec::new(), leaf })
        };
        let leaf = |names: &[&str], validity: Validity| {
            issue::leaf(&SystemKeys, &sound.ca, &Names::parse(names)?, validity).map_err(Error::from)
        };
        Ok(Self {
            other: pair(present)?,
            expired: leaf(&NAMES, past)?,
            future: leaf(&NAMES, future)?,
            misnamed: leaf(&["elsewhere.example.com"], present)?,
            over: pair(past)?,
            early: pair(future)?,
            sound,
        })
    }

    /// What is held, but for this.
    fn with<const N: usize>(&self, changes: [(&str, Vec<u8>); N]) -> Entries {
        let mut entries = self.sound.entries();
        entries.extend(changes.map(|(name, value)| (name.to_owned(), value)));
        entries
    }

    /// What is held, but for another leaf.
    fn with_leaf(&self, leaf: &Identity) -> Entries {
        self.with([(LEAF, shown(leaf)), (LEAF_KEY, key(leaf))])
    }
}

fn shown(identity: &Identity) -> Vec<u8> {
    identity.certificate.pem().into_bytes()
}

fn key(identity: &Identity) -> Vec<u8> {
    identity.key.pem().as_bytes().to_vec()
}

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn bytes() -> Vec<u8> {
    (0..=255).collect()
}

fn nonsense() -> Entries {
    [LEAF, LEAF_KEY, CA, CA_KEY].map(|name| (name.to_owned(), text("nonsense"))).into()
}

fn half(whole: &[u8]) -> Vec<u8> {
    whole[..whole.len() / 2].to_vec()
}

const fn held(name: &'static str, made: fn(&Parts) -> Entries) -> Case {
    Case { name, fault: Fault::Held(made) }
}

const fn at_start(name: &'static str, made: fn(&Parts) -> Option<Entries>) -> Case {
    Case { name, fault: Fault::AtStart(made) }
}

const fn carried(name: &'static str, made: fn(&Parts) -> Vec<u8>, reach: Reach) -> Case {
    Case { name, fault: Fault::Carried(made, reach) }
}

/// Everything that is tried.
pub(crate) const CASES: &[Case] = &[
    Case { name: "the Secret is deleted", fault: Fault::Deleted },
    held("tls.crt is empty", |parts| parts.with([(LEAF, Vec::new())])),
    held("tls.crt is no PEM", |parts| parts.with([(LEAF, text("nonsense"))])),
    held("tls.crt is cut in half", |parts| parts.with([(LEAF, half(&shown(&parts.sound.leaf)))])),
    held("tls.crt is bytes", |parts| parts.with([(LEAF, bytes())])),
    held("tls.key is empty", |parts| parts.with([(LEAF_KEY, Vec::new())])),
    held("tls.key is no PEM", |parts| parts.with([(LEAF_KEY, text("nonsense"))])),
    held("tls.key is of another leaf", |parts| parts.with([(LEAF_KEY, key(&parts.other.leaf))])),
    held("ca.crt is empty", |parts| parts.with([(CA, Vec::new())])),
    held("ca.crt is a newline", |parts| parts.with([(CA, text("\n"))])),
    held("ca.crt is no PEM", |parts| parts.with([(CA, text("nonsense"))])),
    held("ca.crt is bytes", |parts| parts.with([(CA, bytes())])),
    held("ca.key is empty", |parts| parts.with([(CA_KEY, Vec::new())])),
    held("ca.key is no PEM", |parts| parts.with([(CA_KEY, text("nonsense"))])),
    held("ca.key is of another authority", |parts| parts.with([(CA_KEY, key(&parts.other.ca))])),
    held("the leaf lies in place of the CA", |parts| parts.with([(CA, shown(&parts.sound.leaf))])),
    held("the CA lies in place of the leaf", |parts| parts.with_leaf(&parts.sound.ca)),
    held("leaf and CA are swapped", |parts| {
        let (ca, leaf) = (&parts.sound.ca, &parts.sound.leaf);
        parts.with([(LEAF, shown(ca)), (LEAF_KEY, key(ca)), (CA, shown(leaf)), (CA_KEY, key(leaf))])
    }),
    held("the leaf is of another authority", |parts| parts.with_leaf(&parts.other.leaf)),
    held("another authority stands first in ca.crt", |parts| {
        let authorities = [&parts.other.ca.certificate, &parts.sound.ca.certificate];
        parts.with([(CA, bundle_pem(authorities).into_bytes())])
    }),
    held("everything is of another authority", |parts| parts.other.entries()),
    held("the leaf has expired", |parts| parts.with_leaf(&parts.expired)),
    held("the leaf is from the future", |parts| parts.with_leaf(&parts.future)),
    held("the leaf has other names", |parts| parts.with_leaf(&parts.misnamed)),
    held("CA and leaf have expired", |parts| parts.over.entries()),
    held("CA and leaf are from the future", |parts| parts.early.entries()),
    held("everything is empty", |parts| {
        parts.with([(LEAF, Vec::new()), (LEAF_KEY, Vec::new()), (CA, Vec::new()), (CA_KEY, Vec::new())])
    }),
    held("everything is nonsense", |_| nonsense()),
    Case { name: "the Secret is remade with nonsense", fault: Fault::Remade(|_| nonsense()) },
    carried("the bundle is empty", |_| Vec::new(), Reach::One),
    carried("both bundles are empty", |_| Vec::new(), Reach::Both),
    carried("both bundles are a newline, Cg==", |_| text("\n"), Reach::Both),
    carried("both bundles are no PEM", |_| text("nonsense"), Reach::Both),
    carried("the leaf is both bundles", |parts| shown(&parts.sound.leaf), Reach::Both),
    carried("another authority is the bundle", |parts| shown(&parts.other.ca), Reach::One),
    carried("another authority is both bundles", |parts| shown(&parts.other.ca), Reach::Both),
    Case { name: "the configurations are installed anew", fault: Fault::Reinstalled },
    at_start("no Secret at the start", |_| None),
    at_start("the leaf has expired at the start", |parts| Some(parts.with_leaf(&parts.expired))),
    at_start("everything has expired at the start", |parts| Some(parts.over.entries())),
    at_start("the leaf lies in place of the CA at the start", |parts| {
        Some(parts.with([(CA, shown(&parts.sound.leaf))]))
    }),
    at_start("the leaf has other names at the start", |parts| Some(parts.with_leaf(&parts.misnamed))),
    at_start("everything is nonsense at the start", |_| Some(nonsense())),
    at_start("all is well at the start", |parts| Some(parts.sound.entries())),
];
