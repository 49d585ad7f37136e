//! A certificate authority that lives as long as one run: it makes the registries of the sandbox's network trustworthy
//! under the names of the real ones. Its key never leaves the tool's memory.

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// The authority of one run.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, PEM.
    pub(crate) certificate: String,
}

/// A registry's certificate and key, PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    /// Makes a new one.
    pub(crate) fn new() -> Result<Authority> {
        let key = KeyPair::generate().context("failed to make a key")?;
        let mut params =
            CertificateParams::new(Vec::new()).context("failed to describe a certificate")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "mdbook-rehearse sandbox");
        let certificate = params
            .self_signed(&key)
            .context("failed to sign a certificate")?
            .pem();
        Ok(Authority {
            issuer: Issuer::new(params, key),
            certificate,
        })
    }

    /// Makes a registry's identity under these host names.
    pub(crate) fn identify(&self, hosts: &[&str]) -> Result<Identity> {
        let key = KeyPair::generate().context("failed to make a key")?;
        let params =
            CertificateParams::new(hosts.iter().map(|it| it.to_string()).collect::<Vec<_>>())
                .context("failed to describe a certificate")?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .context("failed to sign a certificate")?
            .pem();
        Ok(Identity {
            certificate,
            key: key.serialize_pem(),
        })
    }
}
