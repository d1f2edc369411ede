//! `Making`: how a new signature is stored, and who is asked about it before.

use crate::envelope::Form;
use crate::envelope::SignedItem;
use crate::envelope::StorageOptions;
use crate::envelope::StoredSignature;
use crate::limits::Limits;
use crate::oci::Subject;
use crate::ops::OpsError;
use crate::ops::signed::Witnessed;
use crate::ops::timestamp::Timestamping;
use crate::ops::witness::Witnessing;

/// How new signatures are stored, and who is asked about them before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Making<'a> {
    pub(super) storage: StorageOptions,
    pub(super) timestamping: Option<Timestamping<'a>>,
    pub(super) witnessing: Option<Witnessing<'a>>,
}

impl Making<'_> {
    /// The signature in `form`, with its timestamps and log entries, as it is stored.
    pub(super) async fn stored(
        &self,
        form: &Form,
        made: SignedItem<'_>,
        subject: &Subject,
        limits: &Limits,
    ) -> Result<(StoredSignature, Witnessed), OpsError> {
        let mut witnessed = Witnessed::default();
        let made = match self.witnessing {
            None => made,
            Some(witnessing) => {
                let (witnesses, log_entries) = witnessing.witness(form, &made, subject, limits).await?;
                witnessed.timestamps.extend(witnesses.timestamps.iter().map(|response| response.proof().at()));
                witnessed.log_entries = log_entries;
                made.with_witnesses(witnesses)
            }
        };
        let mut stored = form.write(&made, subject, self.storage, limits)?;
        if let (Some(timestamping), false, StoredSignature::Referrer(attachment)) =
            (self.timestamping, form.takes_witnesses(), &mut stored)
        {
            let timestamped = timestamping.timestamped(attachment, subject, limits).await?;
            witnessed.timestamps.push(timestamped.proof().at());
            *attachment = timestamped.attachment().clone();
        }
        Ok((stored, witnessed))
    }
}
