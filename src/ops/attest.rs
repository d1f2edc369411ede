//! attest: an attestation of an image: a predicate, signed and attached.

use tracing::Instrument as _;
use tracing::info_span;

use crate::envelope;
use crate::envelope::Envelope;
use crate::envelope::Statement;
use crate::key::Signer;
use crate::limits::Limits;
use crate::oci::Subject;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::attach;
use crate::ops::present::Present;
use crate::ops::present::Repeat;
use crate::ops::present::Wanted;
use crate::ops::sign;
use crate::ops::sign::Making;
use crate::ops::sign::Signed;
use crate::request::Attestation;
use crate::store::Sink;
use crate::time::Time;

/// Signs `attestation` about `subject` with every signer and attaches it beside the image. Both forms of it hold the
/// same envelope.
///
/// # Errors
/// [`OpsError`]; an attestation is attached whole or not at all. With [`Repeat::IfMissing`] also where it cannot be told
/// what is there: then nothing is signed.
pub async fn attest(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[&dyn Signer],
    attestation: &Attestation,
    (created, repeat): (Time, Repeat),
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    let span = info_span!("attest", subject = %subject.digest(), place = %sink.origin());
    attest_and_attach(sink, subject, signers, attestation, (created, repeat), limits).instrument(span).await
}

/// Makes the attestations that are missing, all of them before any is attached.
async fn attest_and_attach(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[&dyn Signer],
    attestation: &Attestation,
    (created, repeat): (Time, Repeat),
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    let Attestation { format, name, predicate, predicate_type } = attestation;
    let tag = referrer::cosign_tag(subject.digest(), "att");
    if format.has_tag() {
        sink.check_tag(&tag)?;
    }
    let payload = Statement::attestation(subject.digest(), name.as_deref(), predicate_type, predicate)?;
    envelope::readable(&payload, limits)?;
    let present = match repeat {
        Repeat::Always => Present::default(),
        Repeat::IfMissing => {
            let at = |tag| Wanted { payload: &payload, payload_type: media_type::IN_TOTO, tag };
            let wanted = sign::wanted(*format, at(None), at(Some(&tag)));
            Present::find(sink, subject, signers, &wanted, limits).await?
        }
    };
    // Everything is signed before anything is pushed: a signer that declines leaves nothing behind.
    let mut made = Making::default();
    for signer in signers {
        let key = signer.public_key().id();
        let mut signed = Signed { subject: *subject.digest(), referrer: None, tag: None, already: true };
        let there = format.has_bundle().then(|| present.bundle(&key)).flatten();
        let needs_tag = format.has_tag() && !present.is_tagged(&key);
        signed.referrer = there;
        signed.tag = format.has_tag().then(|| tag.clone());
        if needs_tag || format.has_bundle() && there.is_none() {
            let envelope = Envelope::sign(media_type::IN_TOTO, &payload, *signer)?;
            if needs_tag {
                let (content, layer) = attach::envelope_layer(&envelope, predicate_type)?;
                made.layer(content, layer, &mut signed);
            }
            if format.has_bundle() && there.is_none() {
                let bundle = attach::bundle(subject, envelope, signer.public_key(), predicate_type, created)?;
                signed.referrer = Some(made.bundle(bundle, &mut signed));
            }
        }
        made.signed.push(signed);
    }
    made.attach(sink, subject, &tag, limits).await
}
