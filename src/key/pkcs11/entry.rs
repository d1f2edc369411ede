//! What may be shown of a token: its name, the state of its PIN, and the keys and certificates on it.

use std::fmt;

use cryptoki::slot::Slot;
use cryptoki::slot::TokenInfo;

use crate::key::PublicKey;
use crate::key::pkcs11::Class;
use crate::key::pkcs11::Uri;

/// One key or certificate on a token, as it may be shown. There is nothing secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEntry {
    /// Whether it is a private key, a public key or a certificate.
    pub class: Class,
    /// `CKA_ID`.
    pub id: Vec<u8>,
    /// `CKA_LABEL`.
    pub label: String,
    /// The public key, where it can be told.
    pub public: Option<PublicKey>,
    /// The URI that means this object and no other.
    pub uri: Uri,
    /// The algorithm.
    pub what: String,
}

/// What tells one token from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName {
    /// The label that it was initialised with.
    pub label: String,
    /// Who made it.
    pub manufacturer: String,
    /// What it is.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// The number of its slot, which may be another one tomorrow.
    pub slot: u64,
}

/// What a token says of the attempts at its PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinState {
    /// At least one wrong PIN was given since the last right one.
    pub count_low: bool,
    /// One more wrong PIN locks it.
    pub final_try: bool,
    /// It is locked.
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
