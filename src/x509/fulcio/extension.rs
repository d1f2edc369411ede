//! `FulcioExtension`: the extensions by which Fulcio says whose certificate it is (Fulcio, `docs/oid-info.md`).

use std::fmt;

use crate::x509::Oid;

/// An extension of a certificate of Fulcio: 1.3.6.1.4.1.57264.1 and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FulcioExtension {
    /// 19: the commit or digest of the build configuration.
    BuildConfigDigest,
    /// 18: the build configuration of the top level, at a URI.
    BuildConfigUri,
    /// 10: the commit or digest of the build instructions.
    BuildSignerDigest,
    /// 9: the build instructions that signed, at a URI.
    BuildSignerUri,
    /// 20: the event that started the build.
    BuildTrigger,
    /// 8: the issuer of the OIDC token.
    Issuer,
    /// 1: the issuer of the OIDC token, in the older form.
    IssuerV1,
    /// 21: the run of the build, at a URI.
    RunInvocationUri,
    /// 11: whether the platform or somebody else hosts the machine of the build.
    RunnerEnvironment,
    /// 13: the commit of the source.
    SourceRepositoryDigest,
    /// 15: the identifier of the repository of the source, which stays when it is renamed.
    SourceRepositoryIdentifier,
    /// 17: the identifier of the owner of the repository.
    SourceRepositoryOwnerIdentifier,
    /// 16: the owner of the repository, at a URI.
    SourceRepositoryOwnerUri,
    /// 14: the branch or tag of the source.
    SourceRepositoryRef,
    /// 12: the repository of the source, at a URI.
    SourceRepositoryUri,
    /// 22: whether the repository was public when the signature was made.
    SourceRepositoryVisibility,
    /// 4: the name of the workflow of GitHub, in the older form.
    WorkflowName,
    /// 6: the branch or tag of the source, in the older form.
    WorkflowRef,
    /// 5: the repository of the source as OWNER/REPO, in the older form.
    WorkflowRepository,
    /// 3: the commit of the source, in the older form.
    WorkflowSha,
    /// 2: the event that started the workflow, in the older form.
    WorkflowTrigger,
}

/// How the text of an extension is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextEncoding {
    /// The bytes of the text: 1 to 6.
    Bare,
    /// A DER `UTF8String`: 8 and above.
    Der,
}

impl FulcioExtension {
    /// The extension with this object identifier.
    pub fn of(id: &Oid) -> Option<Self> {
        let [number] = id.as_content().strip_prefix(&PREFIX)? else { return None };
        TABLE.iter().find(|(known, ..)| known == number).map(|(_, extension, _)| *extension)
    }

    /// The extension with this [name](Self::name).
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|(.., known)| *known == name).map(|(_, extension, _)| *extension)
    }

    /// The name in patterns and messages.
    pub fn name(self) -> &'static str {
        self.row().2
    }

    /// The object identifier, in numbers.
    pub fn id(self) -> String {
        format!("1.3.6.1.4.1.57264.1.{}", self.row().0)
    }

    pub(super) fn encoding(self) -> TextEncoding {
        if self.row().0 < 7 { TextEncoding::Bare } else { TextEncoding::Der }
    }

    fn row(self) -> (u8, Self, &'static str) {
        TABLE.iter().find(|(_, extension, _)| *extension == self).copied().unwrap_or((0, self, ""))
    }
}

impl fmt::Display for FulcioExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// 1.3.6.1.4.1.57264.1.
const PREFIX: [u8; 9] = [0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1];

static TABLE: [(u8, FulcioExtension, &str); 21] = [
    (1, FulcioExtension::IssuerV1, "issuer-v1"),
    (2, FulcioExtension::WorkflowTrigger, "workflow-trigger"),
    (3, FulcioExtension::WorkflowSha, "workflow-sha"),
    (4, FulcioExtension::WorkflowName, "workflow-name"),
    (5, FulcioExtension::WorkflowRepository, "workflow-repository"),
    (6, FulcioExtension::WorkflowRef, "workflow-ref"),
    (8, FulcioExtension::Issuer, "issuer"),
    (9, FulcioExtension::BuildSignerUri, "build-signer-uri"),
    (10, FulcioExtension::BuildSignerDigest, "build-signer-digest"),
    (11, FulcioExtension::RunnerEnvironment, "runner-environment"),
    (12, FulcioExtension::SourceRepositoryUri, "source-repository-uri"),
    (13, FulcioExtension::SourceRepositoryDigest, "source-repository-digest"),
    (14, FulcioExtension::SourceRepositoryRef, "source-repository-ref"),
    (15, FulcioExtension::SourceRepositoryIdentifier, "source-repository-identifier"),
    (16, FulcioExtension::SourceRepositoryOwnerUri, "source-repository-owner-uri"),
    (17, FulcioExtension::SourceRepositoryOwnerIdentifier, "source-repository-owner-identifier"),
    (18, FulcioExtension::BuildConfigUri, "build-config-uri"),
    (19, FulcioExtension::BuildConfigDigest, "build-config-digest"),
    (20, FulcioExtension::BuildTrigger, "build-trigger"),
    (21, FulcioExtension::RunInvocationUri, "run-invocation-uri"),
    (22, FulcioExtension::SourceRepositoryVisibility, "source-repository-visibility"),
];
