//! TLS: certificate, key and the clients' certificates from PEM files, read again when they change.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};
use tokio_rustls::TlsAcceptor;

use crate::access::{Look, Scopes, Watched};

/// Where certificates are read from, and what they are good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The agent's certificate, and those between it and its authority, in this order.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// Authorities of client certificates. Given, every client has to show one.
    pub client_ca: Option<PathBuf>,
    /// What a client may do that shows one.
    pub client_scopes: Scopes,
}

/// Shakes hands.
pub(crate) struct Tls {
    /// The whole of it is replaced at a change, sessions that could be resumed included: a client whose authority was
    /// removed cannot go on with an old one.
    config: Arc<Watched<ServerConfig>>,
    pub(super) client_scopes: Scopes,
}

impl Tls {
    /// Reads the files, and what will look whether they change.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or the key is not the certificate's.
    pub(crate) fn open(files: &TlsFiles) -> io::Result<(Self, Arc<dyn Look>)> {
        let paths = [
            Some(&files.certificate),
            Some(&files.key),
            files.client_ca.as_ref(),
        ];
        let paths = paths.into_iter().flatten().cloned().collect();
        let load = {
            let files = files.clone();
            move || {
                crate::access::warn_if_open(&files.key);
                server_config(&files)
            }
        };
        let config = Watched::open("TLS certificates", paths, load)?;
        let tls = Self {
            config: Arc::clone(&config),
            client_scopes: if files.client_ca.is_some() {
                files.client_scopes
            } else {
                Scopes::NONE
            },
        };
        Ok((tls, config))
    }

    /// With the certificate of now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.current_full())
    }
}

fn server_config(files: &TlsFiles) -> io::Result<ServerConfig> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&crate::access::read(&files.key)?)
        .map_err(|_| crate::access::in_file(&files.key, "there is no private key in PEM form in it"))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(io::Error::other)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut authorities = RootCertStore::empty();
            for authority in certificates(file)? {
                authorities
                    .add(authority)
                    .map_err(|error| crate::access::in_file(file, error))?;
            }
            builder.with_client_cert_verifier(
                verifier(authorities, provider).map_err(|error| crate::access::in_file(file, error))?,
            )
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        crate::access::in_file(
            &files.certificate,
            format!("with key {}: {error}", files.key.display()),
        )
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    authorities: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, rustls::server::VerifierBuilderError> {
    WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider).build()
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let pem = crate::access::read(file)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(crate::access::in_file(
            file,
            "there is no certificate in PEM form in it",
        )),
        Err(error) => Err(crate::access::in_file(file, error)),
    }
}
