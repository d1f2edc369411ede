//! Nonces of timestamp requests: random bytes.

use bulla::x509::TimestampNonce;

/// Draws a nonce of 160 bits.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub(super) fn nonce() -> Result<TimestampNonce, getrandom::Error> {
    let mut random = [0; 20];
    getrandom::fill(&mut random)?;
    Ok(TimestampNonce::from_bytes(&random))
}
