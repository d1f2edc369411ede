//! The digests that a signing request asks to sign, and those that a signer expects.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::request::Action;
use crate::request::RequestError;
use crate::request::RequestItem;
use crate::request::SigningRequest;

impl SigningRequest {
    /// The digest of everything that is to be signed, with a name for people: of the manifest or index of each item, of
    /// its predicate or finished statement as [`Attestation::given`](crate::request::Attestation::given) has it, and of
    /// each file. A digest occurs as often as the request asks for it.
    pub fn digests(&self) -> impl Iterator<Item = (Digest, String)> {
        let files = self.files().iter().map(|file| (*file.digest(), file.name().to_owned()));
        self.items().iter().flat_map(of_item).chain(files)
    }

    /// Checks that the request asks to sign each of the `expected` digests and no other. It protects a signer who knows
    /// them from elsewhere against a request for something else, which people who compare by eye may overlook. What is done
    /// with a digest is not compared: whether an image is signed or attested, predicate types, which predicate is about which
    /// image, names, annotations, and the subjects of a finished statement beside the image.
    ///
    /// # Errors
    /// [`RequestError::UnexpectedDigest`], [`RequestError::MissingDigest`].
    pub fn check_digests(&self, expected: &[Digest]) -> Result<(), RequestError> {
        let mut missing: BTreeSet<&Digest> = expected.iter().collect();
        let expected = missing.clone();
        for (digest, name) in self.digests() {
            if !expected.contains(&digest) {
                return Err(RequestError::UnexpectedDigest { digest: Box::new(digest), name });
            }
            missing.remove(&digest);
        }
        match missing.first() {
            None => Ok(()),
            Some(digest) => Err(RequestError::MissingDigest { digest: Box::new(**digest) }),
        }
    }
}

fn of_item(item: &RequestItem) -> impl Iterator<Item = (Digest, String)> {
    let given = match &item.action {
        Action::Attest(attest) => {
            let what = if attest.finished().is_some() { "statement" } else { "predicate" };
            let name = format!("the {what} of type {} about {}", attest.predicate_type(), item.reference);
            Some((Digest::sha256(attest.given().get().as_bytes()), name))
        }
        Action::Sign(_) => None,
    };
    std::iter::once((item.digest, item.reference.to_string())).chain(given)
}
