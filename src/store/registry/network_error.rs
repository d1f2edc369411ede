//! Classifies the errors of the network, the operating system and the HTTP library by the types in the chain of causes.

use std::error::Error;
use std::io;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tower_service::Service;

use super::resolver::NameNotResolved;
use crate::store::error::NetworkError;
use crate::store::error::NetworkErrorKind;

/// Whether a retry of the connection would fail too: the name is not a DNS name, or the proxy requires authentication.
pub(super) fn is_permanent(error: &reqwest::Error) -> bool {
    causes(error).any(|error| {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.is_some_and(|inner| inner.is::<rustls::pki_types::InvalidDnsNameError>())
            || error.is::<rustls::pki_types::InvalidDnsNameError>()
            || is_proxy_authentication(error)
    })
}

/// The error and its causes, without the URL, which may contain a signature.
pub(in crate::store) fn network_error(error: &reqwest::Error) -> NetworkError {
    let mut details = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        // These texts only say that the cause is inside, which does not help the reader.
        let inside = ["client error (", "error resolving DNS", "dns error", "tcp connect error", "connection error"];
        if details.last() != Some(&text) && !inside.iter().any(|inside| text.starts_with(inside)) {
            details.push(text);
        }
    }
    let detail = details.join(": ");
    let io_kind = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
    let kind = match io_kind {
        _ if causes(error).any(|cause| cause.is::<NameNotResolved>()) => Some(NetworkErrorKind::Dns),
        Some(io::ErrorKind::ConnectionRefused) => Some(NetworkErrorKind::Refused),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => Some(NetworkErrorKind::Reset),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => Some(NetworkErrorKind::NoRoute),
        Some(io::ErrorKind::TimedOut) => Some(NetworkErrorKind::TimedOut),
        Some(io::ErrorKind::UnexpectedEof) if error.is_connect() => Some(NetworkErrorKind::EndedInHandshake),
        _ if causes(error).any(is_closed_unanswered) => Some(NetworkErrorKind::ClosedUnanswered),
        _ if detail.is_empty() && error.is_builder() => Some(NetworkErrorKind::RequestNotMade),
        _ if detail.is_empty() => Some(NetworkErrorKind::Broke),
        _ => None,
    };
    NetworkError { kind, detail }
}

/// The chain of causes, without the error itself.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (**cause).source())
}

/// Whether the connection was closed before a response.
fn is_closed_unanswered(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
}

/// Why a proxy opened no tunnel (RFC 9110 section 9.3.6). hyper-util does not export the type by its name; it is that of
/// the errors of `Tunnel`, whatever is inside.
type TunnelError = <Tunnel<HttpConnector> as Service<hyper::Uri>>::Error;

/// Whether a proxy answered CONNECT with 407 (proxy authentication required).
fn is_proxy_authentication(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(TunnelError::ProxyAuthRequired))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::io::Write as _;
    use std::net::TcpListener;

    use super::super::resolver::Resolver;
    use super::*;

    /// The error of a request to a server, a registry or a proxy, that sends `answer` and closes the connection.
    fn reported(answer: &'static str, as_proxy: bool) -> reqwest::Error {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _read = stream.read(&mut [0; 4_096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let tls = crate::store::registry::tls::trusts_nobody().unwrap();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).dns_resolver(Resolver).no_proxy();
        let (client, url) = match as_proxy {
            true => (
                client.proxy(reqwest::Proxy::all(format!("http://{address}")).unwrap()),
                "https://r.invalid/".to_owned(),
            ),
            false => (client, format!("http://{address}/")),
        };
        let error = request(client, &url);
        server.join().unwrap();
        error
    }

    fn request(client: reqwest::ClientBuilder, url: &str) -> reqwest::Error {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(client.build().unwrap().get(url).send()).unwrap_err()
    }

    /// This test fails if a new version of a library changes the type of an error.
    #[test]
    fn a_closed_connection_and_a_proxy_that_requires_authentication_are_told_apart() {
        let closed = reported("", false);
        assert_eq!(network_error(&closed).kind, Some(NetworkErrorKind::ClosedUnanswered), "{closed:?}");
        assert!(!is_permanent(&closed));
        let wants = reported("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", true);
        assert!(is_permanent(&wants), "{wants:?}");
        let refuses = reported("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", true);
        assert!(!is_permanent(&refuses), "{refuses:?}");
    }

    #[test]
    fn a_name_that_is_not_resolved_is_known_by_its_type_and_told_once() {
        let tls = crate::store::registry::tls::trusts_nobody().unwrap();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).dns_resolver(Resolver).no_proxy();
        // A DNS label has at most 63 characters, so the operating system asks no name server.
        let NetworkError { kind, detail } =
            network_error(&request(client, &format!("http://{}.invalid/", "x".repeat(64))));
        assert_eq!(kind, Some(NetworkErrorKind::Dns), "{detail}");
        assert_eq!(detail.matches("lookup").count(), 1, "{detail}");
    }
}
