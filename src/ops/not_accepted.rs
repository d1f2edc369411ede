//! `NotAccepted`: why a policy does not accept an image, a no or could-not-tell.

use std::sync::Arc;

use crate::nonempty::NonEmpty;
use crate::ops::OpsError;
use crate::ops::outcome::UndeterminedCause;
use crate::store::StoreError;
use crate::verify::ImageRefusal;

/// Why a policy does not accept an image. It must not be moved or run.
#[derive(Debug, thiserror::Error)]
#[must_use]
#[non_exhaustive]
pub enum NotAccepted {
    /// No: the image contradicts itself, so no signature could make it acceptable.
    #[error(transparent)]
    Contradiction(OpsError),
    /// No: the policy is not met.
    #[error("refused: {0}")]
    Refused(Box<ImageRefusal>),
    /// Could not tell: something that may decide the verdict could not be read.
    #[error("could not tell: {}", causes.first())]
    Undetermined {
        /// What could not be read.
        causes: NonEmpty<UndeterminedCause>,
        /// The verdicts on the requirements; none if the image could not be read at all.
        refusal: Option<Box<ImageRefusal>>,
    },
}

impl NotAccepted {
    /// Whether it is a no. Otherwise it could not be decided.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Contradiction(_) | Self::Refused(_))
    }

    /// The verdicts on the requirements; `None` if the image could not be read at all.
    pub fn refusal(&self) -> Option<&ImageRefusal> {
        match self {
            Self::Refused(refusal) | Self::Undetermined { refusal: Some(refusal), .. } => Some(refusal),
            Self::Contradiction(_) | Self::Undetermined { refusal: None, .. } => None,
        }
    }
}

impl From<OpsError> for NotAccepted {
    fn from(error: OpsError) -> Self {
        match error.is_refusal() {
            true => Self::Contradiction(error),
            false => {
                let causes = NonEmpty::one(UndeterminedCause::Content(Arc::new(error)));
                Self::Undetermined { causes, refusal: None }
            }
        }
    }
}

impl From<StoreError> for NotAccepted {
    fn from(error: StoreError) -> Self {
        OpsError::from(error).into()
    }
}
