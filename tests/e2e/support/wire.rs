//! Connections as bytes: what a well-behaved client would never send, and TLS.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};

/// An answer that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connects.
#[track_caller]
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends `request` and returns all that comes until the agent closes the connection.
#[track_caller]
pub(crate) fn exchange(stream: &mut (impl Read + Write), request: &[u8]) -> String {
    // The agent may refuse before it has read everything.
    let _ = stream.write_all(request);
    rest(stream)
}

/// All that comes until the agent closes the connection.
///
/// # Panics
///
/// If it does not.
#[track_caller]
pub(crate) fn rest(stream: &mut impl Read) -> String {
    let mut answer = Vec::new();
    let mut room = [0; 4096];
    loop {
        match stream.read(&mut room) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&room[..count]),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                panic!("the agent keeps the connection: {error}")
            }
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request that closes its connection.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n").into_bytes()
}

/// The status code of an answer; 0 if there is none.
pub(crate) fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// An authority with certificates for an agent and a client, as files in a directory.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: PathBuf,
}

impl Authority {
    /// Writes its own certificate to `NAME-ca.pem`.
    pub(crate) fn new(directory: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(directory.join(format!("{name}-ca.pem")), issuer.pem()).unwrap();
        Self {
            issuer,
            directory: directory.to_owned(),
        }
    }

    /// Writes a certificate and its key to `NAME.pem` and `NAME.key`.
    pub(crate) fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |ending: &str| self.directory.join(format!("{name}.{ending}"));
        std::fs::write(path("pem"), certificate.pem()).unwrap();
        std::fs::write(path("key"), key.serialize_pem()).unwrap();
        (path("pem"), path("key"))
    }

    /// Connects by TLS, trusting this authority, with a certificate if one is given.
    ///
    /// # Errors
    ///
    /// If the handshake fails, which with TLS 1.3 may show only at the first read.
    pub(crate) fn connect(
        &self,
        address: SocketAddr,
        identity: Option<&(PathBuf, PathBuf)>,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        shake_hands(address, self.config(identity, version))
    }

    /// Connects by TLS for HTTP/2.
    #[track_caller]
    pub(crate) fn connect_http2(&self, address: SocketAddr) -> StreamOwned<ClientConnection, TcpStream> {
        let mut config = self.config(None, &rustls::version::TLS13);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = shake_hands(address, config).unwrap();
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
        stream
    }

    fn config(
        &self,
        identity: Option<&(PathBuf, PathBuf)>,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_file(certificate).unwrap()],
                    PrivateKeyDer::from_pem_file(key).unwrap(),
                )
                .unwrap(),
        }
    }
}

fn shake_hands(
    address: SocketAddr,
    config: ClientConfig,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(session, connect(address));
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}
