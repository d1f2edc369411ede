//! Parsing of references, with hints for those that are mistyped.

use std::str::FromStr;

use crate::oci::Reference;
use crate::oci::ReferenceError;
use crate::oci::reference::mistyped;
use crate::oci::reference::syntax;

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if let Some(meant) = mistyped::obvious_mistake(text) {
            return Err(meant);
        }
        let registry = |text| syntax::registry(text).map_err(|error| mistyped::registry_mistake(text).unwrap_or(error));
        if let Some(rest) = text.strip_prefix("docker://") {
            return registry(rest).map(Self::Registry);
        }
        match text.split_once(':') {
            Some(("oci", rest)) => syntax::local(text, rest).map(Self::Layout),
            Some(("oci-archive", rest)) => syntax::local(text, rest).map(Self::LayoutArchive),
            Some(("docker-archive", rest)) => syntax::local(text, rest).map(Self::DockerArchive),
            _ => registry(text).map(Self::Registry),
        }
    }
}
