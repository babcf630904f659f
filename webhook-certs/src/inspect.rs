// SPDX-License-Identifier: Apache-2.0
//! Certificates and keys as typed facts.
//!
//! Whatever a Secret holds was possibly written by somebody else, so everything is read here from bytes that are
//! trusted in nothing: no input makes this module panic, and a signature counts only after it was verified.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::names::Name;

/// Why bytes are not what they should be. Never holds the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No PEM block `CERTIFICATE`, or a broken one.
    #[error("no certificate in PEM form")]
    Pem,
    /// The PEM block holds no X.509 certificate.
    #[error("the PEM block is no X.509 certificate")]
    X509,
    /// A validity date lies outside what this machine's clock can express.
    #[error("the validity dates are out of range")]
    Dates,
    /// The private key is not in PEM form, or of a kind that cannot sign in a handshake.
    #[error("the private key is none of ECDSA P-256, P-384, RSA or Ed25519 in PEM form")]
    Key,
}

/// One X.509 certificate and what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    public_key: Vec<u8>,
    /// First moment of validity.
    pub not_before: SystemTime,
    /// Last moment of validity.
    pub not_after: SystemTime,
    /// Whether it may sign other certificates: basicConstraints CA:TRUE, and keyCertSign unless keyUsage is absent.
    pub is_ca: bool,
    /// Whether it may identify a TLS server: EKU serverAuth or any, or no EKU at all.
    pub is_server: bool,
    /// DNS names and addresses of the subjectAltName extension.
    pub names: BTreeSet<Name>,
    /// Subject as text, for messages.
    pub subject: String,
}

impl Certificate {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// [`Error::X509`] or [`Error::Dates`]; trailing bytes are an error.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| Error::X509)?;
        if !rest.is_empty() {
            return Err(Error::X509);
        }
        let validity = parsed.validity();
        Ok(Self {
            der: der.to_vec(),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            not_before: moment(validity.not_before)?,
            not_after: moment(validity.not_after)?,
            is_ca: may_sign(&parsed)?,
            is_server: may_serve(&parsed)?,
            names: alternative_names(&parsed)?,
            subject: parsed.subject().to_string(),
        })
    }

    /// Reads every certificate of a PEM bundle, in order; at least one.
    ///
    /// # Errors
    /// [`Error::Pem`] when there is none or a block is broken, otherwise as [`Certificate::from_der`].
    pub fn bundle(pem: &[u8]) -> Result<Vec<Self>, Error> {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .map(|der| Self::from_der(&der.map_err(|_| Error::Pem)?))
            .collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() { Err(Error::Pem) } else { Ok(certificates) }
    }

    /// The certificates of a PEM bundle that can be read, in order. API servers pass over the others as well.
    #[must_use]
    pub fn readable(pem: &[u8]) -> Vec<Self> {
        let blocks = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
        blocks.filter_map(|der| Self::from_der(&der).ok()).collect()
    }

    /// The certificate in DER form.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM form, ending in a newline.
    #[must_use]
    pub fn pem(&self) -> String {
        pem_block("CERTIFICATE", &self.der)
    }

    /// Whether `ca` issued this certificate: names chain up and the signature verifies.
    #[must_use]
    pub fn is_signed_by(&self, ca: &Self) -> bool {
        let (Ok((_, own)), Ok((_, issuer))) =
            (X509Certificate::from_der(&self.der), X509Certificate::from_der(&ca.der))
        else {
            return false;
        };
        own.issuer().as_raw() == issuer.subject().as_raw()
            && own.verify_signature(Some(issuer.public_key())).is_ok()
    }

    /// Whether `key` is the private half of this certificate's public key.
    #[must_use]
    pub fn matches(&self, key: &Key) -> bool {
        self.public_key == key.public_key
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .field("is_ca", &self.is_ca)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// A private key. Its text leaves only through [`Key::pem`]; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    pem: String,
    public_key: Vec<u8>,
}

impl Key {
    /// Reads a private key in PEM form: PKCS#8, PKCS#1 (`RSA PRIVATE KEY`, what cert-manager writes by default) or
    /// SEC1 (`EC PRIVATE KEY`).
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(pem).map_err(|_| Error::Key)?;
        // What cannot sign in a handshake later must be found out now, while it can still be replaced.
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| Error::Key)?;
        let signer = rustls::crypto::ring::sign::any_supported_type(&der).map_err(|_| Error::Key)?;
        let info = signer.public_key().ok_or(Error::Key)?;
        let (_, info) = SubjectPublicKeyInfo::from_der(&info).map_err(|_| Error::Key)?;
        Ok(Self { pem: text.to_owned(), public_key: info.subject_public_key.data.to_vec() })
    }

    /// The key in PEM form: a secret.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// A certificate with its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What is shown to others.
    pub certificate: Certificate,
    /// What proves it.
    pub key: Key,
}

/// The concatenated PEM of several certificates, as `caBundle` takes it.
#[must_use]
pub fn bundle_pem<'a>(certificates: impl IntoIterator<Item = &'a Certificate>) -> String {
    certificates.into_iter().map(Certificate::pem).collect()
}

/// Every certificate once, the newest first; in an order that depends on nothing but what they are, so that everybody
/// writes the same bundle.
pub(crate) fn newest_first(mut certificates: Vec<Certificate>) -> Vec<Certificate> {
    certificates.sort_by(|a, b| b.not_before.cmp(&a.not_before).then_with(|| a.der.cmp(&b.der)));
    certificates.dedup();
    certificates
}

/// Whether basicConstraints and keyUsage allow signing certificates.
fn may_sign(parsed: &X509Certificate<'_>) -> Result<bool, Error> {
    let constraints = parsed.basic_constraints().map_err(|_| Error::X509)?;
    let usage = parsed.key_usage().map_err(|_| Error::X509)?;
    Ok(constraints.is_some_and(|found| found.value.ca)
        && usage.is_none_or(|found| found.value.key_cert_sign()))
}

/// Whether the extended key usage allows a TLS server.
fn may_serve(parsed: &X509Certificate<'_>) -> Result<bool, Error> {
    let usage = parsed.extended_key_usage().map_err(|_| Error::X509)?;
    Ok(usage.is_none_or(|found| found.value.server_auth || found.value.any))
}

/// DNS names and addresses of the subjectAltName extension; other kinds of names are passed over.
fn alternative_names(parsed: &X509Certificate<'_>) -> Result<BTreeSet<Name>, Error> {
    let found = parsed.subject_alternative_name().map_err(|_| Error::X509)?;
    let names = found.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    Ok(names.iter().filter_map(known_name).collect())
}

/// A subjectAltName entry as a [`Name`], if it is one this crate deals in.
fn known_name(name: &GeneralName<'_>) -> Option<Name> {
    match name {
        GeneralName::DNSName(text) => text.parse().ok(),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
            let v6 = || <[u8; 16]>::try_from(*bytes).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
            v4.or_else(|_| v6()).ok().map(Name::Ip)
        }
        _ => None,
    }
}

/// An ASN.1 date as a moment of this machine's clock.
fn moment(date: ASN1Time) -> Result<SystemTime, Error> {
    let seconds = date.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let found = if seconds >= 0 {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    };
    found.ok_or(Error::Dates)
}

/// Bytes as a PEM block with Unix line endings, whatever the platform: the text is compared byte for byte.
fn pem_block(label: &str, bytes: &[u8]) -> String {
    let unix = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, bytes), unix)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixtures::{DAY, leaf, noon, pair};
    use ring::rand::SecureRandom as _;

    #[test]
    fn pem_goes_out_and_in_again() {
        let pair = pair(noon());
        let text = bundle_pem([&pair.ca.certificate, &pair.leaf.certificate]);
        let read = Certificate::bundle(text.as_bytes()).unwrap();
        assert_eq!(read, vec![pair.ca.certificate.clone(), pair.leaf.certificate.clone()]);
        let key = Key::from_pem(pair.leaf.key.pem().as_bytes()).unwrap();
        assert!(pair.leaf.certificate.matches(&key) && !pair.ca.certificate.matches(&key));
    }

    #[test]
    fn keys_are_read_in_every_form_that_others_write() {
        let pair = pair(noon());
        let whole = pem::parse(pair.leaf.key.pem()).unwrap();
        // PKCS#8 wraps what SEC1 writes plainly.
        let inner = whole.contents().windows(7).position(|at| at == [0x30, at[1], 2, 1, 1, 4, 32]).unwrap();
        let length = usize::from(whole.contents()[inner + 1]) + 2;
        let plain = pem::Pem::new("EC PRIVATE KEY", &whole.contents()[inner..inner + length]);
        assert!(pair.leaf.certificate.matches(&Key::from_pem(pem::encode(&plain).as_bytes()).unwrap()));
        let rsa = include_bytes!("inspect/rsa.pem");
        assert!(String::from_utf8_lossy(rsa).contains("BEGIN RSA PRIVATE KEY"));
        let certificate = Certificate::bundle(rsa).unwrap().remove(0);
        assert!(certificate.matches(&Key::from_pem(rsa).unwrap()));
        assert!(!certificate.matches(&pair.leaf.key));
    }

    #[test]
    fn a_forged_signature_is_none() {
        let ours = pair(noon());
        let theirs = pair(noon());
        assert!(!ours.leaf.certificate.is_signed_by(&theirs.ca.certificate));
        let mut der = ours.leaf.certificate.der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        let forged = Certificate::from_der(&der).unwrap();
        assert!(!forged.is_signed_by(&ours.ca.certificate));
        // A leaf by a leaf: the signature may verify, the signer is no CA.
        let by_leaf = leaf(&ours.leaf, noon(), DAY);
        assert!(by_leaf.certificate.is_signed_by(&ours.leaf.certificate) && !ours.leaf.certificate.is_ca);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let pair = pair(noon());
        let shown = format!("{pair:?} {:?}", crate::state::State::Pair(pair.clone()));
        let secret: Vec<&str> = pair.leaf.key.pem().lines().chain(pair.ca.key.pem().lines()).collect();
        assert!(secret.iter().filter(|line| !line.starts_with('-')).all(|line| !shown.contains(line)));
        assert!(!shown.contains("PRIVATE"));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let pair = pair(noon());
        let seeds = [
            pair.leaf.certificate.der().to_vec(),
            pair.ca.certificate.der().to_vec(),
            pair.ca.certificate.pem().into_bytes(),
            pair.leaf.key.pem().as_bytes().to_vec(),
            vec![0; 300],
        ];
        let random = ring::rand::SystemRandom::new();
        let mut dice = [0_u8; 8];
        for round in 0..4000 {
            let mut bytes = seeds[round % seeds.len()].clone();
            random.fill(&mut dice).unwrap();
            let at = |pair: [u8; 2], len: usize| usize::from(u16::from_be_bytes(pair)) % len;
            let first = at([dice[0], dice[1]], bytes.len());
            let second = at([dice[2], dice[3]], bytes.len());
            bytes[first] = dice[4];
            bytes[second] ^= dice[5];
            if dice[6] < 64 {
                bytes.truncate(second);
            } else if dice[6] < 96 {
                bytes.splice(first..first, dice);
            }
            let _ = Certificate::bundle(&bytes);
            let _ = Key::from_pem(&bytes);
            let inner = pem::encode(&pem::Pem::new("PRIVATE KEY", bytes.clone()));
            let _ = Key::from_pem(inner.as_bytes());
            if let Ok(found) = Certificate::from_der(&bytes) {
                let _ = found.is_signed_by(&pair.ca.certificate);
                let _ = pair.leaf.certificate.is_signed_by(&found);
            }
        }
    }
}
