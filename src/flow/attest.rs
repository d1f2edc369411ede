//! attest: a predicate about an image, sealed and attached.

use crate::envelope;
use crate::envelope::Envelope;
use crate::envelope::Statement;
use crate::flow::FlowError;
use crate::flow::attach;
use crate::flow::attach::Attachment;
use crate::flow::sign::Signed;
use crate::key::Signer;
use crate::limits::Limits;
use crate::oci::Subject;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::round::Attestation;
use crate::store::Sink;
use crate::time::Time;

/// Signs `attestation` about `subject` with every signer and attaches it beside the image. Both forms of it hold the
/// same envelope.
///
/// # Errors
/// [`FlowError`]; an attestation is attached whole or not at all.
pub async fn attest(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[&dyn Signer],
    attestation: &Attestation,
    created: Time,
    limits: &Limits,
) -> Result<Vec<Signed>, FlowError> {
    let Attestation { format, name, predicate, predicate_type } = attestation;
    let tag = referrer::cosign_tag(subject.digest(), "att");
    if format.has_tag() {
        sink.check_tag(&tag)?;
    }
    let payload = Statement::attestation(subject.digest(), name.as_deref(), predicate_type, predicate)?;
    envelope::readable(&payload, limits)?;
    // Everything is signed before anything is pushed: a signer that declines leaves nothing behind.
    let (mut bundles, mut envelopes, mut layers) = (Vec::new(), Vec::new(), Vec::new());
    for signer in signers {
        let envelope = Envelope::seal(media_type::IN_TOTO, &payload, *signer)?;
        if format.has_tag() {
            let (content, layer) = attach::envelope_layer(&envelope, predicate_type)?;
            envelopes.push(content);
            layers.push(layer);
        }
        if format.has_bundle() {
            bundles.push(attach::bundle(subject, envelope, signer.public_key(), predicate_type, created)?);
        }
    }
    attach::attach(sink, subject, &bundles).await?;
    if !layers.is_empty() {
        attach::add_to_tag(sink, &tag, &envelopes, &layers, limits).await?;
    }
    let made = |index| Signed {
        subject: *subject.digest(),
        referrer: bundles.get(index).map(|bundle: &Attachment| *bundle.manifest.digest()),
        tag: layers.get(index).map(|_| tag.clone()),
    };
    Ok((0..signers.len()).map(made).collect())
}
