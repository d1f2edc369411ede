//! What hangs on an image, for whoever asks which of it a key has signed: all of it, or what could not be read.

use crate::digest::Digest;
use crate::envelope::Claim;
use crate::envelope::Payload;
use crate::envelope::Sealed;
use crate::envelope::Statement;
use crate::flow::FlowError;
use crate::flow::carrier;
use crate::flow::carrier::Budget;
use crate::flow::graph;
use crate::flow::pinned;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Selector;
use crate::oci::media_type;
use crate::store::Source;
use crate::verify::Evidence;
use crate::verify::Finding;
use crate::verify::Place;

/// Everything that hangs on an image and may hold signatures.
#[derive(Clone, Debug, Default)]
pub struct Hanging {
    /// The signed documents, whatever they say.
    pub documents: Vec<Document>,
    /// What could not be read, each with its digest: as long as there is any, nobody can say that these are all.
    pub unread: Vec<String>,
}

/// A signed document that hangs on an image.
#[derive(Clone, Debug)]
pub struct Document(Sealed);

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The SHA-256 of its one form, see [`PublicKey::one_form`].
    pub digest: Digest,
    /// What was signed.
    pub about: About,
}

/// What a signed document says that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// These digests.
    Digests(Vec<Digest>),
    /// Nothing that we can read.
    Unreadable(String),
}

impl Document {
    /// Every signature in it that `key` made over it. Others that stand there are not among them.
    pub fn signatures_by(&self, key: &PublicKey, limits: &Limits) -> Vec<Signature> {
        let Ok(payload) = self.0.open(key) else { return Vec::new() };
        let about = about(&payload, limits);
        let signature = |bytes: &[u8]| Signature { digest: Digest::sha256(&key.one_form(bytes)), about: about.clone() };
        self.0.signatures_by(key).into_iter().map(signature).collect()
    }
}

fn about(payload: &Payload, limits: &Limits) -> About {
    let read = match payload.payload_type() {
        media_type::SIMPLE_SIGNING => Claim::parse(payload, limits).map(|claim| vec![*claim.digest()]),
        _ => Statement::parse(payload, limits).map(|statement| {
            let digests = statement.subjects().iter().flat_map(|subject| subject.digests());
            digests.filter_map(|(algorithm, hex)| format!("{algorithm}:{hex}").parse().ok()).collect()
        }),
    };
    read.map_or_else(|error| About::Unreadable(error.to_string()), About::Digests)
}

/// Every signed document that hangs on what `selector` stands for. A manifest counts as hanging there if any list names
/// it, whatever its own `subject` field says; one that by its type holds no signature that we read is passed over.
///
/// # Errors
/// [`FlowError`] where the image or a list could not be read.
pub async fn hanging(source: &dyn Source, selector: &Selector, limits: &Limits) -> Result<Hanging, FlowError> {
    let subject = *pinned::resolve(source, selector).await?.digest();
    let mut found = Hanging::default();
    let budget = Budget::of(limits);
    for entry in graph::listed(source, &subject, limits).await? {
        match pinned::manifest(source, &entry).await {
            Ok(content) => found.read(source, &content, Place::Referrers, (&budget, limits)).await,
            Err(error) => found.unread.push(format!("{}@{}: {error}", source.origin(), entry.digest)),
        }
    }
    for (tag, content) in graph::tagged(source, &subject).await? {
        found.read(source, &content, Place::Tag(tag), (&budget, limits)).await;
    }
    Ok(found)
}

impl Hanging {
    async fn read(&mut self, source: &dyn Source, content: &Content, place: Place, bounds: (&Budget, &Limits)) {
        let documents = &mut self.documents;
        let keep = |evidence: &Evidence| documents.push(Document(evidence.sealed().clone()));
        let findings = carrier::documents_in(source, content, place, None, bounds, keep).await;
        let unread = findings.iter().map(|finding| {
            let Finding { digest, reason, .. } = finding;
            format!("{}@{}: {reason}", source.origin(), digest.as_ref().unwrap_or(content.digest()))
        });
        self.unread.extend(unread);
    }
}
