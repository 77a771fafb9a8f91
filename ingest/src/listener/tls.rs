//! The certificate for STARTTLS.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
};
use tierdesk_core::settings::TlsFiles;
use tokio_rustls::TlsAcceptor;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The chain.
    #[error("tls_cert_file {} holds no certificate that can be read", path.display())]
    Chain {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The chain is empty.
    #[error("tls_cert_file {} holds no certificate", path.display())]
    NoChain {
        /// Which file.
        path: PathBuf,
    },
    /// The key.
    #[error("tls_key_file {} holds no key that can be read", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// Both can be read and do not fit.
    #[error("tls_cert_file {} and tls_key_file {} do not fit together", chain.display(), key.display())]
    Pair {
        /// The chain.
        chain: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// Reads the files. They are read once: a renewed certificate needs a restart.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, CertificateError> {
    let TlsFiles { certificates, key } = files;
    let unreadable = |source| CertificateError::Chain {
        path: certificates.clone(),
        source,
    };
    let chain = CertificateDer::pem_file_iter(certificates).map_err(unreadable)?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(unreadable)?;
    if chain.is_empty() {
        return Err(CertificateError::NoChain {
            path: certificates.clone(),
        });
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|source| CertificateError::Key {
        path: key.clone(),
        source,
    })?;
    let mismatch = |source| CertificateError::Pair {
        chain: certificates.clone(),
        key: key.clone(),
        source,
    };
    // Named here, so that no other crate's choice of a provider changes it.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(mismatch)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(mismatch)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
