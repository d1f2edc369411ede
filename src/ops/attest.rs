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
use crate::ops::making::Making;
use crate::ops::present::Conditions;
use crate::ops::present::SignWhen;
use crate::ops::sign;
use crate::ops::sign::Signed;
use crate::ops::sign::SigningPlan;
use crate::ops::witness::Witnessing;
use crate::request::Attestation;
use crate::store::Sink;
use crate::time::Time;

/// When an attestation is made, and who is asked about it.
#[derive(Clone, Copy, Debug)]
pub struct AttestOptions<'a> {
    /// The time for an annotation of the signature manifest, which proves nothing.
    pub created: Time,
    /// Whether an existing attestation is made again.
    pub when: SignWhen,
    /// Timestamps (RFC 3161) and log entries (Rekor v2) for the attestation.
    pub witnessing: Option<Witnessing<'a>>,
}

impl AttestOptions<'_> {
    /// Options for attestations made at the time `created`, without timestamps and log entries.
    pub const fn new(created: Time, when: SignWhen) -> Self {
        Self { created, when, witnessing: None }
    }
}

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
    options: &AttestOptions<'_>,
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    let span = info_span!("attest", subject = %subject.digest(), place = %sink.origin());
    let item = SigningItem { digest: subject.digest(), statement: attestation.statement() };
    let attest = async {
        let payloads = attestation.forms.payloads(&item)?;
        sign::check_payloads(&payloads, item.statement, limits)?;
        let AttestOptions { created, when, witnessing } = *options;
        let conditions = Conditions { trust: None, when, witnessing };
        let plan = SigningPlan::find(sink, subject, signers, &payloads, conditions, limits).await?;
        let storage = StorageOptions { created, notary_manifest: NotaryManifest::default() };
        plan.sign(sink, subject, item, Making { storage, timestamping: None, witnessing }, limits).await
    };
    attest.instrument(span).await
}
