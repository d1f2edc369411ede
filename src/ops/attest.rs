//! attest: signs a predicate about an image, and attaches the attestation.

use tracing::Instrument as _;
use tracing::info_span;

use crate::envelope::SigningIdentity;
use crate::envelope::SigningItem;
use crate::envelope::StorageOptions;
use crate::limits::Limits;
use crate::oci::NotaryManifest;
use crate::oci::Subject;
use crate::ops::OpsError;
use crate::ops::present::SignWhen;
use crate::ops::sign;
use crate::ops::sign::Signed;
use crate::ops::sign::SigningPlan;
use crate::request::Attestation;
use crate::store::Sink;
use crate::time::Time;

/// Signs `attestation` about `subject` with every identity and attaches it beside the image. All formats of it hold the
/// same envelope.
///
/// # Errors
/// [`OpsError`]; an attestation is attached completely or not at all. With [`SignWhen::IfMissing`] also if the existing
/// attestations cannot be read: then nothing is signed.
pub async fn attest(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[SigningIdentity<'_>],
    attestation: &Attestation,
    (created, when): (Time, SignWhen),
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    let span = info_span!("attest", subject = %subject.digest(), place = %sink.origin());
    let item = SigningItem { digest: subject.digest(), statement: attestation.statement() };
    let attest = async {
        let payloads = attestation.forms.payloads(&item)?;
        sign::check_payloads(&payloads, item.statement, limits)?;
        let plan = SigningPlan::find(sink, subject, signers, &payloads, (when, None), limits).await?;
        let storage = StorageOptions { created, notary_manifest: NotaryManifest::default() };
        plan.sign(sink, subject, item, (storage, None), limits).await
    };
    attest.instrument(span).await
}
