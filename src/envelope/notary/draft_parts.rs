//! The parts of an envelope to be signed that a caller hands in, or that either format writes.

/// What an envelope carries beside what is signed.
#[derive(Clone, Copy, Debug)]
pub struct UnsignedAttributes<'a> {
    /// The certificates of the signer in DER, its own first, up to and with the root.
    pub chain: &'a [&'a [u8]],
    /// The name and version of the program that makes the envelope.
    pub signing_agent: Option<&'a str>,
    /// A timestamp token about the signature.
    pub timestamp: Option<&'a [u8]>,
}

/// An extended attribute that is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextAttribute<'a> {
    pub(super) critical: bool,
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}
