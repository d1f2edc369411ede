//! `VerifyOptions`: what is verified of an image, and how.

use crate::envelope::AttestationFile;
use crate::limits::Limits;
use crate::oci::Platform;
use crate::ops::discover::DiscoverUntil;
use crate::ops::outcome::Verdict;
use crate::ops::revocation::RevocationLookup;
use crate::time::Time;
use crate::verify::Verifier;

/// Whether configs and layers are read for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Manifests, signatures, and all configs and layers.
    Layers,
    /// Manifests and signatures only: the verdict depends on these.
    Manifests,
}

/// Which manifests of a reference are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Platforms {
    /// The index and each manifest in it, each by its own signatures.
    All,
    /// The manifest of each platform, each by its own statements, as [`About::Platforms`](crate::policy::About::Platforms)
    /// in a policy. Of the index itself nothing is required, and what BuildKit puts beside the platforms is left out.
    Each,
    /// The manifest for this platform: signed itself, or a child of a signed index.
    One(Platform),
    /// The manifest or index that the reference resolves to, and nothing below it.
    Root,
}

/// The options of a verification.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions<'a> {
    /// The trust root and the policy.
    pub verifier: &'a Verifier,
    /// How much evidence is discovered.
    pub until: DiscoverUntil,
    /// The verification time: the policy is evaluated as of this time.
    pub now: Time,
    /// Whether configs and layers are read.
    pub depth: Depth,
    /// Where more revocation evidence is looked for, beside what the verifier has; `None` for nowhere.
    pub revocation: Option<&'a RevocationLookup>,
    /// The limits on everything that is read.
    pub limits: &'a Limits,
    /// Attestations of files that the operator named, beside what is attached to the image.
    pub files: &'a [AttestationFile],
}

impl<'a> VerifyOptions<'a> {
    /// The default options: discover evidence until the policy is met, read no layers, use the limits of the verifier.
    pub const fn new(verifier: &'a Verifier, now: Time) -> Self {
        let (until, depth) = (DiscoverUntil::PolicyMet, Depth::Manifests);
        Self { verifier, until, now, depth, revocation: None, limits: verifier.limits(), files: &[] }
    }

    /// Whether a manifest may be verified by itself where the index around it has this verdict, which is no yes. Where only
    /// the newest statement counts, one about the index may take back an older one about the manifest, so nothing may be
    /// known about the index.
    pub(in crate::ops) fn may_stand_alone(&self, index: &Verdict) -> bool {
        let mut requirements = self.verifier.policy().requirements().into_iter();
        index.has_no_evidence() || !requirements.any(|requirement| requirement.needs_newest())
    }
}
