//! `Pkcs11Token`: one PKCS#11 token with its slot.

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::MechanismType;
use cryptoki::slot::Slot;
use cryptoki::slot::TokenInfo;

use crate::key::pkcs11::TokenError;
use crate::key::pkcs11::TokenName;
use crate::key::pkcs11::Uri;

/// A token with its slot.
#[derive(Clone, Debug)]
pub struct Pkcs11Token {
    context: Pkcs11,
    name: TokenName,
    slot: Slot,
}

impl Pkcs11Token {
    pub(super) const fn new(context: Pkcs11, name: TokenName, slot: Slot) -> Self {
        Self { context, name, slot }
    }

    /// The name, which distinguishes it from other tokens.
    pub const fn name(&self) -> &TokenName {
        &self.name
    }

    pub(super) const fn context(&self) -> &Pkcs11 {
        &self.context
    }

    pub(super) const fn slot(&self) -> Slot {
        self.slot
    }

    /// The current state of the token.
    pub(super) fn info(&self) -> Result<TokenInfo, TokenError> {
        self.context.get_token_info(self.slot).map_err(|error| TokenError::of(&error))
    }

    /// The mechanisms that the token supports.
    pub(super) fn mechanisms(&self) -> Result<Vec<MechanismType>, TokenError> {
        self.context.get_mechanism_list(self.slot).map_err(|error| TokenError::of(&error))
    }

    /// Whether every attribute of the URI matches the token. RFC 7512 section 2.5.
    pub(super) fn matches(&self, uri: &Uri) -> Result<bool, TokenError> {
        let name = &self.name;
        let of_token = [
            ("manufacturer", &name.manufacturer),
            ("model", &name.model),
            ("serial", &name.serial),
            ("token", &name.label),
        ];
        let same = |(attribute, found): (&str, &String)| uri.text(attribute).is_none_or(|wanted| wanted == found);
        if !of_token.into_iter().all(same) || uri.slot().is_some_and(|slot| slot != name.slot) {
            return Ok(false);
        }
        if uri.text("slot-description").is_none() && uri.text("slot-manufacturer").is_none() {
            return Ok(true);
        }
        let slot = self.context.get_slot_info(self.slot).map_err(|error| TokenError::of(&error))?;
        let of_slot = [("slot-description", slot.slot_description()), ("slot-manufacturer", slot.manufacturer_id())];
        Ok(of_slot.iter().all(|(attribute, found)| uri.text(attribute).is_none_or(|wanted| wanted == *found)))
    }
}
