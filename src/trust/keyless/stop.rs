//! `Stop`: why the verification of a signature ended early.

use crate::envelope::EnvelopeError;
use crate::transparency::TransparencyError;
use crate::trust::CertificateFault;
use crate::trust::KeylessFault;
use crate::trust::Unchecked;

/// Why the verification of a signature ended early.
#[derive(Clone, Debug)]
pub(in crate::trust) enum Stop {
    /// A check failed, or could not be made.
    Fault(CertificateFault),
    /// The budget of signature checks is exhausted.
    Unchecked(Unchecked),
}

impl From<CertificateFault> for Stop {
    fn from(fault: CertificateFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<KeylessFault> for Stop {
    fn from(fault: KeylessFault) -> Self {
        Self::Fault(CertificateFault::Keyless(fault))
    }
}

impl From<EnvelopeError> for Stop {
    fn from(error: EnvelopeError) -> Self {
        KeylessFault::Material(error).into()
    }
}

impl From<TransparencyError> for Stop {
    fn from(error: TransparencyError) -> Self {
        KeylessFault::Transparency(error).into()
    }
}

impl From<Unchecked> for Stop {
    fn from(unchecked: Unchecked) -> Self {
        Self::Unchecked(unchecked)
    }
}
