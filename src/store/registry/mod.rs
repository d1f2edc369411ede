//! The registry client: the OCI distribution API as a source and a sink.
//!
//! The first request is anonymous; authentication follows a challenge. Every timeout and every body is bounded, and a
//! credential is sent only to the registry that it is for.

mod address;
mod authenticate;
mod authenticator;
mod blob_download;
mod certificate;
mod challenge;
mod chunked_upload;
mod client;
mod diagnose;
mod exchange;
#[doc(hidden)]
pub mod fuzzing;
mod link;
mod location;
mod manifests;
mod network_error;
mod observer;
mod pagination;
mod proxy;
mod realm;
mod referrers;
mod referrers_tag;
mod repository;
mod request;
mod resolver;
mod response;
mod retry;
mod scope;
mod send;
mod settings;
mod source_sink;
mod tag_locks;
mod tags;
mod text;
mod tls;
mod token;
mod trace;
mod transport;
mod upload;
mod upload_body;
mod upload_session;
mod verifier;
mod warning;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::oci::RegistryReference;
use crate::store::StoreError;
use crate::store::error::ConnectionFault;

pub use certificate::certificates;
pub use certificate::private_key;
pub use observer::RequestEvent;
pub use observer::RequestObserver;
pub use proxy::Proxies;
pub use proxy::ProxyRules;
pub use repository::Repository;
pub use settings::ClientCertificate;
pub use settings::HttpScheme;
pub use settings::RetryPolicy;
pub use settings::Settings;
pub use settings::Timeouts;

pub(super) use network_error::network_error;
pub(super) use proxy::Proxy;
pub(super) use resolver::Resolver;
pub(super) use tls::trusts_nobody;
pub(super) use tls::verified;
pub(super) use transport::IncomingBody;
pub(super) use transport::is_encoded;
pub(super) use transport::tls_error;
pub(super) use transport::tls_fault;

use client::RegistryClient;
use tag_locks::TagLocks;
use transport::Transport;

/// The registry clients of a process, with their connections and learned capabilities. Clones share all of it.
#[derive(Clone)]
pub struct Registries(Arc<RegistriesState>);

struct RegistriesState {
    hosts: Mutex<BTreeMap<String, Arc<RegistryClient>>>,
    tag_locks: Arc<TagLocks>,
    transport: Arc<Transport>,
}

impl Registries {
    /// Registry clients with these `settings`. No connection is made, and no file is read, before the first request.
    pub fn new(settings: Settings) -> Self {
        let transport = Arc::new(Transport::new(Arc::new(settings)));
        Self(Arc::new(RegistriesState { hosts: Mutex::default(), tag_locks: Arc::default(), transport }))
    }

    /// The repository of `reference`. No request is made.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] if the host of `reference` is not a host.
    pub fn repository(&self, reference: &RegistryReference) -> Result<Repository, StoreError> {
        let host = self.host(reference.host())?;
        Ok(Repository::new(Arc::clone(&self.0.tag_locks), host, reference))
    }

    /// The warnings of registries, each once, with the host.
    pub fn warnings(&self) -> Vec<(String, String)> {
        let hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(name, host): (&String, &Arc<RegistryClient>)| {
            let said = host.capabilities.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            said.iter().map(|text| (name.clone(), text.clone())).collect::<Vec<_>>()
        };
        hosts.iter().flat_map(of).collect()
    }

    fn host(&self, name: &str) -> Result<Arc<RegistryClient>, StoreError> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(name) {
            return Ok(Arc::clone(host));
        }
        let unreachable = |fault| {
            let reason = ConnectionFault::Host(fault);
            StoreError::Unreachable { place: name.to_owned(), reason, what: String::new() }
        };
        let base = location::base(name, &self.0.transport.settings).map_err(unreachable)?;
        let host = Arc::new(RegistryClient::new(name, base, Arc::clone(&self.0.transport)));
        hosts.insert(name.to_owned(), Arc::clone(&host));
        Ok(host)
    }
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registries").finish_non_exhaustive()
    }
}
