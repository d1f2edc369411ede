//! `Resolver`: DNS by the system resolver, with its own error type. The HTTP library passes that error on unchanged, so
//! an unknown name is recognized without reading the text of an error.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use reqwest::dns::Addrs;
use reqwest::dns::Name;
use reqwest::dns::Resolve;
use reqwest::dns::Resolving;

/// The system resolver.
pub(in crate::store) struct Resolver;

/// The system resolver found no address for a name.
// It has no `source()`, since its message is that of the operating system.
#[derive(Debug)]
pub(super) struct NameNotResolved {
    error: io::Error,
    /// The files of the system resolver that are missing, as in an empty root.
    missing: Vec<&'static str>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The HTTP library replaces port 0 by the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(NameNotResolved::of)?;
            let addresses: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Ok(addresses)
        })
    }
}

impl fmt::Display for NameNotResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        match self.missing.is_empty() {
            true => Ok(()),
            false => write!(f, "; missing here: {}", self.missing.join(", ")),
        }
    }
}

impl NameNotResolved {
    fn of(error: io::Error) -> Self {
        Self { error, missing: missing(Path::new("/")) }
    }
}

/// The files that the system resolver reads and that are missing below `root`. A system without `nsswitch.conf` alone
/// resolves names, so it is not reported alone.
fn missing(root: &Path) -> Vec<&'static str> {
    // A link to nothing is missing too: systemd's `resolv.conf`, copied into a root.
    let is_missing = |file: &&str| root.join(file.trim_start_matches('/')).metadata().is_err();
    let needed: Vec<_> = ["/etc/resolv.conf", "/etc/hosts"].into_iter().filter(is_missing).collect();
    let optional = Some("/etc/nsswitch.conf").filter(|file| !needed.is_empty() && is_missing(file));
    needed.into_iter().chain(optional).collect()
}

impl Error for NameNotResolved {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_files_of_the_system_resolver_are_named() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(missing(root.path()), ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"]);
        let etc = root.path().join("etc");
        std::fs::create_dir(&etc).unwrap();
        std::fs::write(etc.join("hosts"), "").unwrap();
        assert_eq!(missing(root.path()), ["/etc/resolv.conf", "/etc/nsswitch.conf"]);
        std::fs::write(etc.join("resolv.conf"), "").unwrap();
        assert!(missing(root.path()).is_empty());
        std::fs::remove_file(etc.join("resolv.conf")).unwrap();
        std::os::unix::fs::symlink("../run/systemd/resolve/stub-resolv.conf", etc.join("resolv.conf")).unwrap();
        assert_eq!(missing(root.path()), ["/etc/resolv.conf", "/etc/nsswitch.conf"], "the link leads nowhere");
        let error = NameNotResolved { error: io::Error::other("no address"), missing: vec!["/etc/resolv.conf"] };
        assert_eq!(error.to_string(), "no address; missing here: /etc/resolv.conf");
    }
}
