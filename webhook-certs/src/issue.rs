// SPDX-License-Identifier: Apache-2.0
//! Issuing: a CA of its own and leaves signed by it.
//!
//! Pure given a moment and a source of keys, so that tests decide both. ECDSA P-256 throughout: every API server
//! accepts it, signing takes microseconds, and a bundle of several CAs stays small.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber,
};
use ring::rand::SecureRandom as _;
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;

use crate::inspect::{self, Certificate, Identity, Key};
use crate::names::{Name, Names};

/// How far a certificate's start lies before its issue at most, so that API servers whose clock is behind accept it.
const BACK_DATE: Duration = Duration::from_mins(5);

/// Why nothing could be issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system's random source failed.
    #[error("the system's source of randomness failed: keys cannot be made on this machine")]
    Randomness,
    /// The certificate could not be encoded or signed.
    #[error("the certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// What was made could not be read back.
    #[error("the certificate that was made cannot be read back: {0}")]
    Unreadable(#[from] inspect::Error),
    /// The clock or a lifetime lies outside what a certificate can express.
    #[error(
        "the validity lies outside the years a certificate can express: check the clock and the lifetimes"
    )]
    Dates,
    /// The CA's validity is over before the leaf's would begin.
    #[error("the CA expires before the leaf would become valid: issue a new CA first")]
    CaExpired,
}

/// Where keys and serial numbers come from.
pub trait KeySource: Send + Sync {
    /// A new ECDSA P-256 private key.
    ///
    /// # Errors
    /// [`Error::Randomness`] or [`Error::Certificate`] when none can be made.
    fn key(&self) -> Result<Key, Error>;

    /// The bytes of a serial number; the topmost bit is cleared by the issuer.
    ///
    /// # Errors
    /// [`Error::Randomness`] when none can be made.
    fn serial(&self) -> Result<[u8; 16], Error>;
}

/// Keys and serial numbers from the operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemKeys;

impl KeySource for SystemKeys {
    fn key(&self) -> Result<Key, Error> {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        Ok(Key::from_pem(pair.serialize_pem().as_bytes())?)
    }

    fn serial(&self) -> Result<[u8; 16], Error> {
        let mut bytes = [0; 16];
        ring::rand::SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Randomness)?;
        Ok(bytes)
    }
}

/// From when until when a certificate is valid; certificates count whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: SystemTime,
    /// Last moment.
    pub not_after: SystemTime,
}

impl Validity {
    /// Valid for `lifetime` after `now`, and back-dated by [`back_date`].
    ///
    /// # Errors
    /// [`Error::Dates`] when the end overflows the clock.
    pub fn starting(now: SystemTime, lifetime: Duration) -> Result<Self, Error> {
        let not_before = now.checked_sub(back_date(lifetime)).ok_or(Error::Dates)?;
        let not_after = now.checked_add(lifetime).ok_or(Error::Dates)?;
        Ok(Self { not_before, not_after })
    }

    /// The part of this validity that lies inside the CA's.
    ///
    /// # Errors
    /// [`Error::CaExpired`] when nothing is left.
    fn within(self, ca: &Certificate) -> Result<Self, Error> {
        let not_after = self.not_after.min(ca.not_after);
        if not_after <= self.not_before {
            return Err(Error::CaExpired);
        }
        Ok(Self { not_before: self.not_before, not_after })
    }
}

/// How far the start of a certificate with this lifetime is dated back: a tenth of it, 5 minutes at most. A fixed
/// span would make a certificate of a few seconds look old at birth.
#[must_use]
pub fn back_date(lifetime: Duration) -> Duration {
    (lifetime / 10).min(BACK_DATE)
}

/// What the name of every CA of this crate begins with.
const CA_NAME: &str = "webhook-ca-";

/// Whether `certificate` calls itself a CA of this crate. Anybody may write that: it tells what is worth keeping from
/// what is not, and not what can be trusted.
pub(crate) fn is_called_ours(certificate: &Certificate) -> bool {
    certificate.is_ca && certificate.subject.strip_prefix("CN=").is_some_and(|name| name.starts_with(CA_NAME))
}

/// A self-signed CA: CA:TRUE with path length 0 (it signs leaves, never another CA), keyCertSign and cRLSign. The
/// subject holds the serial number, so that two CAs of one bundle are never confused by name.
///
/// # Errors
/// See [`Error`].
pub fn ca(keys: &dyn KeySource, validity: Validity) -> Result<Identity, Error> {
    let key = keys.key()?;
    let serial = keys.serial()?;
    let mut params = params(validity, serial)?;
    params
        .distinguished_name
        .push(DnType::CommonName, format!("{CA_NAME}{:032x}", u128::from_be_bytes(serial)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let made = params.self_signed(&KeyPair::from_pem(key.pem())?)?;
    Ok(Identity { certificate: Certificate::from_der(made.der())?, key })
}

/// A serving certificate for `names` signed by `ca`: not a CA, EKU serverAuth. It never outlives its CA.
///
/// # Errors
/// See [`Error`].
pub fn leaf(
    keys: &dyn KeySource,
    ca: &Identity,
    names: &Names,
    validity: Validity,
) -> Result<Identity, Error> {
    let key = keys.key()?;
    let mut params = params(validity.within(&ca.certificate)?, keys.serial()?)?;
    params.distinguished_name.push(DnType::CommonName, "webhook");
    params.subject_alt_names = names.iter().map(alternative_name).collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let issuer = Issuer::from_ca_cert_der(
        &CertificateDer::from(ca.certificate.der()),
        KeyPair::from_pem(ca.key.pem())?,
    )?;
    let made = params.signed_by(&KeyPair::from_pem(key.pem())?, &issuer)?;
    Ok(Identity { certificate: Certificate::from_der(made.der())?, key })
}

/// What both kinds of certificates share.
fn params(validity: Validity, mut serial: [u8; 16]) -> Result<CertificateParams, Error> {
    // A serial number is positive (RFC 5280, 4.1.2.2) and must not begin with a zero byte.
    serial[0] = serial[0] & 0x7f | 0x40;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = date(validity.not_before)?;
    params.not_after = date(validity.not_after)?;
    Ok(params)
}

/// A moment in whole seconds as a certificate writes it.
fn date(moment: SystemTime) -> Result<OffsetDateTime, Error> {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| Error::Dates)?;
    let seconds = i64::try_from(since.as_secs()).map_err(|_| Error::Dates)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| Error::Dates)
}

/// A name as a subjectAltName entry.
fn alternative_name(name: &Name) -> Result<SanType, Error> {
    Ok(match name {
        Name::Dns(text) => SanType::DnsName(text.as_str().try_into()?),
        Name::Ip(address) => SanType::IpAddress(*address),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixtures::{DAY, names, noon};
    use x509_parser::prelude::FromDer as _;

    #[test]
    fn a_ca_signs_leaves_and_nothing_else() {
        let ca = crate::fixtures::ca(noon(), 10 * DAY);
        let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(ca.certificate.der()).unwrap();
        let constraints = parsed.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, Some(0));
        let usage = parsed.key_usage().unwrap().unwrap().value;
        assert!(usage.key_cert_sign() && usage.crl_sign() && !usage.digital_signature());
        assert!(ca.certificate.is_ca && ca.certificate.is_signed_by(&ca.certificate));
        assert!(ca.certificate.matches(&ca.key));
    }

    #[test]
    fn a_leaf_serves_its_names_and_is_no_ca() {
        let ca = crate::fixtures::ca(noon(), 10 * DAY);
        let leaf = crate::fixtures::leaf(&ca, noon(), DAY);
        assert!(!leaf.certificate.is_ca && leaf.certificate.is_server);
        assert_eq!(names().missing_in(&leaf.certificate.names), vec![]);
        assert!(leaf.certificate.is_signed_by(&ca.certificate));
        assert!(leaf.certificate.matches(&leaf.key));
        let (_, parsed) =
            x509_parser::certificate::X509Certificate::from_der(leaf.certificate.der()).unwrap();
        let eku = parsed.extended_key_usage().unwrap().unwrap().value;
        assert!(eku.server_auth && !eku.any && !eku.client_auth);
    }

    #[test]
    fn dates_are_moved_back_and_stay_inside_the_ca() {
        let ca = crate::fixtures::ca(noon(), 10 * DAY);
        assert_eq!(ca.certificate.not_before, noon() - Duration::from_mins(5));
        assert_eq!(ca.certificate.not_after, noon() + 10 * DAY);
        let late = crate::fixtures::leaf(&ca, noon() + 8 * DAY, 90 * DAY);
        assert_eq!(late.certificate.not_after, ca.certificate.not_after);
        assert_eq!(back_date(Duration::from_secs(6)), Duration::from_millis(600));
        let after = Validity::starting(noon() + 11 * DAY, DAY).unwrap();
        assert!(matches!(leaf(&SystemKeys, &ca, &names(), after), Err(Error::CaExpired)));
    }

    #[test]
    fn no_two_serials_or_keys_are_equal_and_extremes_are_errors() {
        let (a, b) = (crate::fixtures::ca(noon(), DAY), crate::fixtures::ca(noon(), DAY));
        assert_ne!(a.certificate.subject, b.certificate.subject);
        assert!(!a.certificate.matches(&b.key));
        assert!(Validity::starting(noon(), Duration::MAX).is_err());
        let far = Validity { not_before: noon(), not_after: noon() + 4_000_000 * DAY };
        assert!(matches!(ca(&SystemKeys, far), Err(Error::Dates)));
        let early = Validity { not_before: SystemTime::UNIX_EPOCH - DAY, not_after: noon() };
        assert!(matches!(ca(&SystemKeys, early), Err(Error::Dates)));
    }
}
