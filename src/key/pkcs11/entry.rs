//! The public information about a token: its name, the state of its PIN, and its keys and certificates.

use std::fmt;

use cryptoki::slot::Slot;
use cryptoki::slot::TokenInfo;

use crate::key::PublicKey;
use crate::key::pkcs11::Class;
use crate::key::pkcs11::Uri;

/// A listing entry of a token: one key or certificate, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEntry {
    /// Whether it is a private key, a public key or a certificate.
    pub class: Class,
    /// `CKA_ID`.
    pub id: Vec<u8>,
    /// `CKA_LABEL`.
    pub label: String,
    /// The public key, if it is known.
    pub public: Option<PublicKey>,
    /// The URI that selects exactly this object.
    pub uri: Uri,
    /// The algorithm, as text.
    pub what: String,
}

/// The name of a token, which distinguishes it from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName {
    /// The label that it was initialized with.
    pub label: String,
    /// The manufacturer.
    pub manufacturer: String,
    /// The model.
    pub model: String,
    /// The serial number.
    pub serial: String,
    /// The number of its slot, which may change.
    pub slot: u64,
}

/// The state of the PIN attempts, as the token reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinState {
    /// At least one wrong PIN was entered since the last correct one.
    pub count_low: bool,
    /// One more wrong PIN locks the token.
    pub final_try: bool,
    /// The PIN is locked.
    pub locked: bool,
}

impl TokenName {
    pub(super) fn of(info: &TokenInfo, slot: Slot) -> Self {
        Self {
            label: info.label().to_owned(),
            manufacturer: info.manufacturer_id().to_owned(),
            model: info.model().to_owned(),
            serial: info.serial_number().to_owned(),
            slot: slot.id(),
        }
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, manufacturer, model, serial, slot } = self;
        write!(f, "token `{label}`, {manufacturer} {model}, serial {serial}, slot {slot}")
    }
}

impl PinState {
    pub(super) fn of(info: &TokenInfo) -> Self {
        Self {
            count_low: info.user_pin_count_low(),
            final_try: info.user_pin_final_try(),
            locked: info.user_pin_locked(),
        }
    }
}

impl fmt::Display for PinState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self { locked: true, .. } => ": the token says that it is locked now",
            Self { final_try: true, .. } => ": the token says that one more wrong PIN locks it",
            Self { count_low: true, .. } => ": the token says that attempts are running out",
            Self { .. } => "",
        })
    }
}
