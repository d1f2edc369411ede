//! `Keyholder`: an owner who is asked to sign, with the public keys that sign for them.

use std::collections::BTreeSet;

use crate::envelope::base64;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::request::Duplicate;
use crate::request::FieldFault;
use crate::request::RequestError;
use crate::request::wire::WireKey;
use crate::request::wire::WireOwner;
use crate::text::is_unsafe_to_show;

/// An owner with their keys. A signature by any of the keys counts for the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyholder {
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// The name of the owner.
    pub name: String,
}

impl Keyholder {
    /// The owner in a request, with the certificate chain of each key in base64.
    pub(super) fn to_wire(&self, chain_of: impl Fn(KeyId) -> Option<Vec<String>>) -> WireOwner {
        let key = |key: &PublicKey| WireKey {
            id: key.id().to_string(),
            public_key: base64::encode(key.spki()),
            certificate_chain: chain_of(key.id()),
        };
        WireOwner { name: self.name.clone(), keys: self.keys.iter().map(key).collect() }
    }

    fn of_wire(wire: &WireOwner, limits: &Limits) -> Result<Self, RequestError> {
        const LONGEST: u64 = 128;
        let (name, keys) = (wire.name.clone(), &wire.keys);
        RequestError::bounded("bytes of the name of an owner", name.len(), LONGEST)?;
        if name.trim() != name || name.is_empty() || !name.chars().all(is_plain) {
            return Err(RequestError::field("name", FieldFault::OwnerName(name)));
        }
        if keys.is_empty() {
            return Err(RequestError::field("keys", FieldFault::NoKeys { owner: name }));
        }
        RequestError::bounded("keys of one owner", keys.len(), limits.request.keys)?;
        let keys = keys.iter().map(|key| read_key(&name, key)).collect::<Result<_, _>>()?;
        Ok(Self { keys, name })
    }
}

/// Parses the owners of a request. No name and no key may occur twice: one person under two names could count twice,
/// and a key of two owners is ambiguous.
///
/// # Errors
/// [`RequestError`] with the owner.
pub(super) fn read_all(wire: &[WireOwner], limits: &Limits) -> Result<Vec<Keyholder>, RequestError> {
    let count = wire.iter().map(|owner| owner.keys.len()).fold(wire.len(), usize::saturating_add);
    RequestError::bounded("owners and their keys", count, limits.request.keys.saturating_mul(2))?;
    let owners = wire.iter().map(|owner| Keyholder::of_wire(owner, limits)).collect::<Result<Vec<_>, _>>()?;
    let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for owner in &owners {
        if !names.insert(owner.name.to_lowercase()) {
            return Err(RequestError::Duplicate { what: Duplicate::Owner(owner.name.clone()) });
        }
        if let Some(key) = owner.keys.iter().find(|key| !keys.insert(key.id())) {
            return Err(RequestError::Duplicate { what: Duplicate::Key(key.id()) });
        }
    }
    Ok(owners)
}

/// Letters, digits and the characters of names and addresses: nothing that could look like another part of a page.
fn is_plain(c: char) -> bool {
    (c.is_alphanumeric() && !is_unsafe_to_show(c)) || matches!(c, ' ' | '.' | '-' | '_' | '@' | '+' | '/' | ':' | '\'')
}

fn read_key(owner: &str, wire: &WireKey) -> Result<PublicKey, RequestError> {
    let owner = || owner.to_owned();
    let spki = base64::decode("publicKey", &wire.public_key);
    let spki = spki.map_err(|error| RequestError::field("publicKey", FieldFault::KeyText { error, owner: owner() }))?;
    let key = PublicKey::from_spki(&spki).map_err(|error| RequestError::Key { error, owner: owner() })?;
    match key.id().to_string() == wire.id {
        true => Ok(key),
        false => Err(RequestError::field("id", FieldFault::KeyId { owner: owner() })),
    }
}
