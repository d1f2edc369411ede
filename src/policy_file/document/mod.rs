//! `PolicyDocument`: a policy file as it is written, typed, each value with its position.
//!
//! Nothing here has a meaning yet: names are not looked up, patterns are not compared, and the files that are named are not
//! read. What a field means and which values it takes is in `docs/policy-reference.md`.

mod date;
mod identity;
mod image;
mod located;
mod requirement;
mod words;

pub use date::Date;
pub use date::MaxAge;
pub use identity::CertificateDocument;
pub use identity::IdentityDocument;
pub use identity::KeyDocument;
pub use identity::KeylessDocument;
pub use identity::KeylessName;
pub use identity::KeysDocument;
pub use identity::LogRuleDocument;
pub use identity::MeansDocument;
pub use identity::NamedFile;
pub use identity::NamedFileSource;
pub use identity::PatternOrAny;
pub use image::AcceptUnsigned;
pub use image::BlockedDigest;
pub use image::BuilderDocument;
pub use image::ExceptionDocument;
pub use image::ImageBlock;
pub use image::RefuseDocument;
pub use located::Located;
pub use requirement::AnnotationDocument;
pub use requirement::FieldDocument;
pub use requirement::FieldTest;
pub use requirement::FieldValue;
pub use requirement::IgnoreDocument;
pub use requirement::ProvenanceDocument;
pub use requirement::RequirementDocument;
pub use requirement::RequirementRule;
pub use requirement::SbomDocument;
pub use requirement::ScanDocument;
pub use requirement::SignatureDocument;
pub use requirement::SignersDocument;
pub use requirement::StatementDocument;
pub use requirement::TestDocument;
pub use requirement::VexRuleDocument;
pub use requirement::VsaDocument;
pub use words::AboutWord;
pub use words::AcceptedTestResult;
pub use words::CountedFindings;
pub use words::HighestAllowed;
pub use words::ProvenanceFrom;
pub use words::RequiredWord;
pub use words::RequirementWord;
pub use words::SbomFormatWord;
pub use words::SignedTag;
pub use words::TimeWord;
pub use words::VsaExceptions;
pub(super) use words::Word;

/// A policy file as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDocument {
    /// Requirements for every image (`baseline`); perhaps none.
    pub baseline: Vec<RequirementDocument>,
    /// Digests that are refused in every repository (`blocked`).
    pub blocked: Vec<BlockedDigest>,
    /// The builders that provenance may name (`builders`), in the order of the file.
    pub builders: Vec<BuilderDocument>,
    /// The last day of the policy (`expires`).
    pub expires: Option<Located<Date>>,
    /// The owners, and how they are known (`identities`), in the order of the file, each name once.
    pub identities: Vec<IdentityDocument>,
    /// The blocks (`images`), at least one, in the order of the file.
    pub images: Vec<ImageBlock>,
}
