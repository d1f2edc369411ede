//! Signing the payloads of a request with one key: by the scheme that each format prescribes, in the encoding of the format.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::ItemPayload;
use crate::envelope::PayloadKind;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::Signature;
use crate::key::Signer;
use crate::key::SignerError;
use crate::request::CheckedFiles;
use crate::request::RequestError;
use crate::request::SigningRequest;

/// A signature in the encoding of its format, and the SHA-256 of its canonical form.
type MadeSignature = (Vec<u8>, Digest);

/// The new signature over each payload of each item.
type MadeSignatures = BTreeMap<(usize, PayloadKind), MadeSignature>;

/// Signs these payloads, until the signer stops: first those that any scheme of the key signs, then those whose format
/// prescribes one. Every returned signature was verified over its payload.
pub(super) fn sign_all(
    signer: &dyn Signer,
    todo: &[(usize, &ItemPayload)],
) -> Result<(MadeSignatures, Option<SignerError>), EnvelopeError> {
    let key = signer.public_key();
    let mut by_scheme: BTreeMap<Option<Scheme>, Vec<PayloadToSign<'_>>> = BTreeMap::new();
    for (item, payload) in todo {
        let one = PayloadToSign { item: *item, message: payload.to_sign(key)?, payload };
        by_scheme.entry(payload.prescribed_scheme(key)?).or_default().push(one);
    }
    let (mut made, mut stopped) = (MadeSignatures::new(), None);
    for (scheme, asked) in by_scheme {
        if stopped.is_some() {
            break;
        }
        let messages: Vec<&[u8]> = asked.iter().map(|one| &*one.message).collect();
        let batch = match scheme {
            None => signer.sign_all(&messages),
            Some(scheme) => signer.sign_all_with(scheme, &messages),
        };
        stopped = batch.stopped;
        for (place, signature) in batch.made {
            match asked.get(place).and_then(|one| one.keep(key, &signature)) {
                Some((place, kept)) => drop(made.insert(place, kept)),
                None => drop(stopped.get_or_insert(faulty(signer))),
            }
        }
    }
    Ok((made, stopped))
}

/// A payload of an item, and the message that a signature over it covers.
struct PayloadToSign<'a> {
    item: usize,
    message: Cow<'a, [u8]>,
    payload: &'a ItemPayload,
}

impl PayloadToSign<'_> {
    /// A signature over this payload in the encoding of its format; `None` if it is over something else.
    fn keep(&self, key: &PublicKey, signature: &Signature) -> Option<((usize, PayloadKind), MadeSignature)> {
        let bytes = self.payload.encoded(key, &self.message, signature)?;
        let canonical = self.payload.canonical_digest(key, &bytes);
        Some(((self.item, self.payload.kind()), (bytes, canonical)))
    }
}

/// The scheme of a countersignature by `key` over the signatures for `request`: the one that all of them have, if their formats
/// prescribe it, since some keys sign by one scheme alone; else `None` for the default scheme.
///
/// # Errors
/// [`EnvelopeError`] for a key that a format does not allow.
pub(super) fn common_scheme(key: &PublicKey, request: &SigningRequest) -> Result<Option<Scheme>, EnvelopeError> {
    let mut common = None;
    // Files are signed by the default scheme.
    if !request.files().is_empty() {
        return Ok(None);
    }
    for payload in request.payloads().iter().flatten() {
        match payload.prescribed_scheme(key)? {
            None => return Ok(None),
            prescribed => common = prescribed,
        }
    }
    Ok(common)
}

/// Signs the file at this index of `request`. The inner error is that of the signer.
///
/// # Errors
/// [`RequestError::File`] if the content of the file is not known.
pub(super) fn sign_file(
    signer: &dyn Signer,
    request: &SigningRequest,
    files: &CheckedFiles,
    file: usize,
) -> Result<Result<Vec<u8>, SignerError>, RequestError> {
    let signable = files.file(request, file)?;
    let (key, asked) = (signer.public_key(), request.files().get(file));
    Ok(signable.sign(signer).and_then(|(signature, scheme)| {
        // A plugin may have chosen a scheme over another hash, and nobody could verify that by the request.
        match asked.is_some_and(|asked| asked.is_signed_by(key, &signature)) {
            true => Ok(signature),
            false => Err(SignerError::Unverifiable { key: key.id(), scheme }),
        }
    }))
}

/// Signs a message with a scheme, `None` for the default one; the signature was verified over exactly this message.
pub(super) fn sign_one(signer: &dyn Signer, scheme: Option<Scheme>, message: &[u8]) -> Result<Vec<u8>, SignerError> {
    let signature = match scheme {
        None => signer.sign(message)?,
        Some(scheme) => signer.sign_with(scheme, message)?,
    };
    match signature.is_over(signer.public_key(), message) {
        true => Ok(signature.as_bytes().to_vec()),
        false => Err(faulty(signer)),
    }
}

fn faulty(signer: &dyn Signer) -> SignerError {
    let key = signer.public_key();
    SignerError::Faulty { key: key.id(), scheme: key.default_scheme() }
}
