// SPDX-License-Identifier: Apache-2.0
//! The keys, certificates and tokens of one control plane.
//!
//! Made anew for every instance, so that a client of one instance can never talk to another by mistake: the port
//! may have changed hands, the authority has not.

use std::fs::File;
use std::io::{self, Read as _};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::node::network;

/// Names by which the API server is reached: from this machine, by its Service, and from a node. `10.96.0.1` is the first
/// address of the Service range.
const SERVER_NAMES: [&str; 7] = [
    "127.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "10.96.0.1",
    network::HOST,
];

/// The only client that aggregated API servers take user names from.
pub(crate) const FRONT_PROXY: &str = "front-proxy-client";

/// Who calls a kubelet for logs and commands.
const KUBELET_CLIENT: &str = "kube-apiserver-kubelet-client";

/// Everything in PEM.
pub(crate) struct Pki {
    /// The authority of the serving certificate.
    pub(crate) ca: String,
    pub(crate) serving: Pair,
    /// The authority of the front proxy: another one, or holders of its certificates could pass as users.
    pub(crate) front_proxy_ca: String,
    /// With which the API server calls aggregated API servers.
    pub(crate) front_proxy: Pair,
    /// With which the API server calls a kubelet.
    pub(crate) kubelet_client: Pair,
    /// Signs service account tokens.
    pub(crate) service_account_key: String,
    /// Verifies them. A file of its own: the API server cannot read it out of a PKCS #8 private key.
    pub(crate) service_account_public_key: String,
}

/// The certificate of a program beside the API server, and its authority.
pub(crate) struct Companion {
    pub(crate) ca: String,
    pub(crate) pair: Pair,
}

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pki {
    pub(crate) fn generate() -> Result<Self, rcgen::Error> {
        let ca = authority("testbed-ca")?;
        let front_proxy_ca = authority("testbed-front-proxy-ca")?;
        let as_client = [ExtendedKeyUsagePurpose::ClientAuth];
        let service_account = KeyPair::generate()?;
        let names = SERVER_NAMES.map(str::to_owned).to_vec();
        Ok(Self {
            ca: ca.pem(),
            serving: signed("kube-apiserver", names, &[ExtendedKeyUsagePurpose::ServerAuth], &ca)?,
            front_proxy_ca: front_proxy_ca.pem(),
            front_proxy: signed(FRONT_PROXY, vec![], &as_client, &front_proxy_ca)?,
            kubelet_client: signed(KUBELET_CLIENT, vec![], &as_client, &ca)?,
            service_account_key: service_account.serialize_pem(),
            service_account_public_key: service_account.public_key_pem(),
        })
    }
}

impl Companion {
    /// For a program that is reached by these names, and that proves with the same certificate who it is where it calls
    /// others of its kind.
    pub(crate) fn generate(names: Vec<String>) -> Result<Self, rcgen::Error> {
        let ca = authority("testbed-companion-ca")?;
        let both = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Ok(Self { ca: ca.pem(), pair: signed("companion", names, &both, &ca)? })
    }
}

/// A token that cannot be guessed, in hexadecimal digits.
pub(crate) fn read_random_token() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = named(name, vec![])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn signed(
    name: &str,
    alternative_names: Vec<String>,
    purposes: &[ExtendedKeyUsagePurpose],
    issuer: &CertifiedIssuer<'static, KeyPair>,
) -> Result<Pair, rcgen::Error> {
    let mut params = named(name, alternative_names)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = purposes.to_vec();
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

fn named(name: &str, alternative_names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(alternative_names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Pki, read_random_token};

    #[test]
    fn everything_is_pem_and_every_instance_has_its_own() {
        let (one, two) = (Pki::generate().unwrap(), Pki::generate().unwrap());
        for certificate in [&one.ca, &one.serving.certificate, &one.front_proxy.certificate] {
            assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"), "{certificate}");
        }
        assert!(one.service_account_key.starts_with("-----BEGIN PRIVATE KEY-----"));
        assert_ne!(one.ca, two.ca);
    }

    #[test]
    fn tokens_differ() {
        let (one, two) = (read_random_token().unwrap(), read_random_token().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, two);
    }
}
