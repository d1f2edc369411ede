//! The OCI distribution API: a registry as a source and as a sink.
//!
//! The real request goes first; who we are is said when the registry asks. Nothing is asked twice, every wait and
//! every body is bounded, and credentials go to the registry that they are for and to nobody else.

mod answer;
mod auth;
mod authenticate;
mod call;
mod certificate;
mod challenge;
mod chunks;
mod client;
mod download;
mod fallback;
mod fault;
mod feed;
mod link;
mod manifests;
mod place;
mod proxy;
mod referrers;
mod repository;
mod retry;
mod settings;
mod tls;
mod token;
mod transport;
mod upload;
mod verifier;
mod warning;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::oci::RegistryReference;
use crate::store::StoreError;

pub use certificate::certificates;
pub use certificate::private_key;
pub use proxy::Proxies;
pub use proxy::ProxyRules;
pub use repository::Repository;
pub use settings::ClientCertificate;
pub use settings::Patience;
pub use settings::Scheme;
pub use settings::Settings;
pub use watch::Event;
pub use watch::Watch;

use client::Host;
use transport::Transport;

/// The registries of a process: what was learnt about each, and the connections to them. Clones share all of it.
#[derive(Clone)]
pub struct Registries(Arc<Shared>);

struct Shared {
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
    lists: fallback::Locks,
    transport: Arc<Transport>,
}

impl Registries {
    /// Registries that are spoken to as `settings` say. No connection is made, and no file is read, before the first
    /// request.
    pub fn new(settings: Settings) -> Self {
        let transport = Arc::new(Transport::new(Arc::new(settings)));
        Self(Arc::new(Shared { hosts: Mutex::default(), lists: fallback::Locks::default(), transport }))
    }

    /// The repository that `reference` names. No request is made.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] where the host of `reference` is none.
    pub fn repository(&self, reference: &RegistryReference) -> Result<Repository, StoreError> {
        let host = self.host(reference.host())?;
        Ok(Repository::new(self.clone(), host, reference))
    }

    /// What registries wanted people to know, with the host that said it; each once.
    pub fn warnings(&self) -> Vec<(String, String)> {
        let hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(name, host): (&String, &Arc<Host>)| {
            let said = host.knows.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            said.iter().map(|text| (name.clone(), text.clone())).collect::<Vec<_>>()
        };
        hosts.iter().flat_map(of).collect()
    }

    fn host(&self, name: &str) -> Result<Arc<Host>, StoreError> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(name) {
            return Ok(Arc::clone(host));
        }
        let unreachable = |why| StoreError::Unreachable { place: name.to_owned(), what: String::new(), why };
        let base = place::base(name, &self.0.transport.settings).map_err(unreachable)?;
        let host = Arc::new(Host::new(name, base, Arc::clone(&self.0.transport)));
        hosts.insert(name.to_owned(), Arc::clone(&host));
        Ok(host)
    }
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registries").finish_non_exhaustive()
    }
}
