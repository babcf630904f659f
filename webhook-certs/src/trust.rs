// SPDX-License-Identifier: Apache-2.0
//! Who vouches for a certificate, by the same verification that a TLS client does.

use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;

use crate::inspect::Certificate;

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
}
