//! Registries that speak HTTP/2, well and badly (threats: http2-flood). Frames are those of RFC 9113, made by hand.

use super::tls::Authority;
use super::tls::FOR_EVER;
use super::*;
use crate::support::image::image;
use bulla::store::Source as _;
use bulla::store::registry::HttpScheme;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;

/// How the server misbehaves after the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    /// It answers.
    Polite,
    /// Headers without end.
    Continues,
    /// It resets each stream.
    Resets,
    /// It never lets anybody ask.
    NoStreams,
}

/// The counters of the server.
#[derive(Default)]
struct Tally {
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// Bytes of headers that were taken off our hands.
    written: AtomicUsize,
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

fn write(stream: &mut Stream, kind: u8, flags: u8, id: u32, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[1..], &[kind, flags], &id.to_be_bytes(), payload].concat())?;
    stream.flush()
}

fn read(stream: &mut Stream) -> io::Result<(u8, u8, u32)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    io::copy(&mut stream.take(u64::from(length)), &mut io::sink())?;
    Ok((head[3], head[4], u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]])))
}

/// A header that is no part of any table: RFC 7541, section 6.2.2.
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut coded = vec![0];
    for text in [name, value] {
        let mut length = text.len();
        match length < 127 {
            true => coded.push(u8::try_from(length).unwrap()),
            false => {
                coded.push(127);
                length -= 127;
                while length >= 128 {
                    coded.push(u8::try_from(length % 128).unwrap() | 128);
                    length /= 128;
                }
                coded.push(u8::try_from(length).unwrap());
            }
        }
        coded.extend(text.as_bytes());
    }
    coded
}

fn serve(mut stream: Stream, conduct: Conduct, manifest: &[u8], tally: &Tally) -> io::Result<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface)?;
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    // SETTINGS_MAX_CONCURRENT_STREAMS.
    let none = [0, 3, 0, 0, 0, 0];
    write(&mut stream, SETTINGS, 0, 0, if conduct == Conduct::NoStreams { &none } else { &[] })?;
    loop {
        let (kind, flags, id) = read(&mut stream)?;
        match kind {
            SETTINGS if flags & 1 == 0 => write(&mut stream, SETTINGS, 1, 0, &[])?,
            HEADERS => {
                tally.requests.fetch_add(1, Ordering::SeqCst);
                match conduct {
                    Conduct::Polite => {
                        let length = manifest.len().to_string();
                        let fields = [(":status", "200"), ("content-type", OCI_MANIFEST), ("content-length", &length)];
                        let block: Vec<u8> = fields.iter().flat_map(|(name, value)| header(name, value)).collect();
                        write(&mut stream, HEADERS, 4, id, &block)?;
                        write(&mut stream, DATA, 1, id, manifest)?;
                    }
                    Conduct::Continues => {
                        write(&mut stream, HEADERS, 0, id, &header(":status", "200"))?;
                        let more = header("x", &"a".repeat(16_000));
                        for _ in 0..MOST / more.len() {
                            write(&mut stream, CONTINUATION, 0, id, &more)?;
                            tally.written.fetch_add(more.len(), Ordering::SeqCst);
                        }
                    }
                    Conduct::Resets => write(&mut stream, RST_STREAM, 0, id, &[0, 0, 0, 7])?,
                    Conduct::NoStreams => {}
                }
            }
            _ => {}
        }
    }
}

/// The maximum number of header bytes that are sent. A client that accepts them all has no limit.
const MOST: usize = 64 << 20;

fn start(authority: &Authority, conduct: Conduct, manifest: Vec<u8>) -> (u16, Arc<Tally>) {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(&authority.read("two.pem")).unwrap()],
            PrivateKeyDer::from_pem_slice(&authority.read("two.key")).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let tally = Arc::new(Tally::default());
    let counted = Arc::clone(&tally);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counted.connections.fetch_add(1, Ordering::SeqCst);
            let (config, tally, manifest) = (Arc::clone(&config), Arc::clone(&counted), manifest.clone());
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).map_err(io::Error::other)?;
                serve(StreamOwned::new(connection, stream), conduct, &manifest, &tally)
            });
        }
    });
    (port, tally)
}

#[test]
fn http_2_floods_are_bounded() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("two", "DNS:localhost", FOR_EVER);
    let image = image(1);
    for conduct in [Conduct::Polite, Conduct::Continues, Conduct::Resets, Conduct::NoStreams] {
        let (port, tally) = start(&authority, conduct, image.manifest.clone());
        let host = format!("localhost:{port}");
        // Only where the answer is no answer does anything wait: a busy machine must not make a polite server look slow.
        let mut settings = if matches!(conduct, Conduct::Polite) { settings() } else { hasty() };
        settings.schemes.insert(host.clone(), HttpScheme::Https);
        settings.extra_ca = vec![authority.read("ca.pem")];
        let app = Registries::new(settings).repository(&reference(&host, "app")).unwrap();
        let resolved = run(app.resolve(&tag("v1")));
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        match conduct {
            Conduct::Polite => {
                assert_eq!(resolved.unwrap().bytes(), image.manifest);
                assert_eq!((count(&tally.connections), count(&tally.requests)), (1, 1));
            }
            _ => {
                let error = resolved.unwrap_err();
                assert_eq!(error.code(), "unreachable", "{conduct:?}: {error}");
                assert!(count(&tally.requests) <= 16, "{conduct:?}: {} requests", count(&tally.requests));
                assert!(count(&tally.written) < MOST / 2, "{conduct:?}: {} bytes were taken", count(&tally.written));
            }
        }
    }
}
