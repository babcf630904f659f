// SPDX-License-Identifier: Apache-2.0
//! Who vouches for a certificate and for which names, by the same verification that a TLS client does.

use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

use crate::inspect::Certificate;
use crate::names::Name;

/// Whom an API server trusts when it calls one webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    /// These CAs alone; nobody where a bundle cannot be read.
    Only(Vec<Certificate>),
    /// There is no bundle, so whomever its machine trusts. No public CA issues for the names of Services.
    System {
        /// Whether it calls a URL rather than a Service.
        by_url: bool,
    },
}

impl Trusted {
    /// The CAs of the bundle; none where there is no bundle.
    pub(crate) fn cas(&self) -> &[Certificate] {
        match self {
            Self::Only(cas) => cas,
            Self::System { .. } => &[],
        }
    }
}

/// The certificates that can be trusted as roots, of those given.
pub(crate) fn roots<'a>(cas: impl IntoIterator<Item = &'a Certificate>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // What cannot be a root verifies nothing: leaving it out says the same.
    roots.add_parsable_certificates(cas.into_iter().map(|ca| CertificateDer::from(ca.der())));
    roots
}

/// Whether a client that trusts `ca` alone accepts a server that shows `leaf` and `intermediates` at `now`, under
/// whichever of the leaf's names.
pub(crate) fn vouches(
    ca: &Certificate,
    leaf: &Certificate,
    intermediates: &[Certificate],
    now: SystemTime,
) -> bool {
    let der = CertificateDer::from(leaf.der());
    let Ok(parsed) = ParsedCertificate::try_from(&der) else {
        return false;
    };
    let between: Vec<_> = intermediates.iter().map(|found| CertificateDer::from(found.der())).collect();
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &roots([ca]),
        &between,
        UnixTime::since_unix_epoch(now),
        algorithms.all,
    )
    .is_ok()
}

/// Whether a client that calls by this name accepts `leaf` as its bearer; a pattern stands for any name it covers.
pub(crate) fn answers_to(leaf: &Certificate, name: &Name) -> bool {
    let der = CertificateDer::from(leaf.der());
    let Ok(parsed) = ParsedCertificate::try_from(&der) else {
        return false;
    };
    let called = name.to_string().replacen("*.", "any.", 1);
    ServerName::try_from(called).is_ok_and(|called| verify_server_name(&parsed, &called).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixtures::{DAY, noon, pair};

    #[test]
    fn only_the_issuer_vouches_and_only_in_time() {
        let (ours, theirs) = (pair(noon()), pair(noon()));
        let (ca, leaf) = (&ours.ca.certificate, &ours.leaf.certificate);
        assert!(vouches(ca, leaf, &[], noon()));
        assert!(!vouches(&theirs.ca.certificate, leaf, &[], noon()));
        assert!(!vouches(ca, leaf, &[], noon() + 91 * DAY), "expired");
        assert!(!vouches(ca, ca, &[], noon()), "a CA is no server");
    }

    #[test]
    fn a_certificate_answers_to_its_names_and_to_what_its_patterns_cover() {
        let ca = crate::fixtures::ca(noon(), DAY);
        let validity = crate::issue::Validity::starting(noon(), DAY).unwrap();
        let names = crate::names::Names::parse(["a.b.svc", "*.c.svc", "127.0.0.1"]).unwrap();
        let leaf = crate::issue::leaf(&crate::issue::SystemKeys, &ca, &names, validity).unwrap().certificate;
        for (name, answers) in [
            ("a.b.svc", true),
            ("b.b.svc", false),
            ("x.c.svc", true),
            ("*.c.svc", true),
            ("x.y.c.svc", false),
            ("c.svc", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
        ] {
            assert_eq!(answers_to(&leaf, &name.parse().unwrap()), answers, "{name}");
        }
    }
}
