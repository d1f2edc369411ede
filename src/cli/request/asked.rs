//! `AskedStatements`: the statements that `request new` asks for about each image.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use bulla::digest::Digest;
use bulla::envelope::Forms;
use bulla::limits::Limits;
use bulla::oci::Platform;
use bulla::oci::TagOrDigest;
use bulla::ops::attest;
use bulla::ops::request::SignableImage;
use bulla::ops::sign::SignedPlatforms;
use bulla::predicate::predicate_type;
use bulla::request::Attestation;
use bulla::request::NotaryOptions;
use bulla::request::RequestItem;
use bulla::store::Source;
use bulla::time::Time;

use crate::cli::args::ImageFormat;
use crate::cli::asked_document::AskedDocument;
use crate::cli::asked_document::DocumentKind;
use crate::cli::asked_document::DocumentReading;
use crate::cli::exit::Failure;
use crate::cli::request::args::RequestNewArgs;
use crate::cli::request::chains;

/// The statements to ask for about each image.
pub(super) struct AskedStatements {
    documents: Vec<AskedDocument>,
    /// The formats of an image signature.
    pub(super) forms: Forms,
    pub(super) notary: Option<NotaryOptions>,
}

/// The manifests that the documents about one platform are about, by the position of the document.
#[derive(Default)]
pub(super) struct PlatformSubjects(BTreeMap<usize, Digest>);

impl AskedStatements {
    pub(super) fn read(
        args: &RequestNewArgs,
        forms: Forms,
        references: usize,
        now: Time,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let notary = chains::options(args, &forms, now)?;
        let documents = documents(args, limits)?;
        if references > 1 && documents.iter().any(|document| document.platform.is_some()) {
            let message = "documents about platforms are about one image, and several are given";
            return Err(Failure::unknown(message).hint("one request for each image"));
        }
        Ok(Self { documents, forms, notary })
    }

    /// Finds the manifests that the documents about platforms are about, and checks that the reports of scanners are about
    /// their images. Of each predicate type there is one document for each platform, or one for all.
    pub(super) async fn subjects(
        &self,
        source: &dyn Source,
        found: &[SignableImage],
        limits: &Limits,
    ) -> Result<PlatformSubjects, Failure> {
        let Some(root) = found.first() else { return Ok(PlatformSubjects::default()) };
        let own = || {
            let documents = self.documents.iter().enumerate();
            documents.filter_map(|(position, document)| Some((position, document, document.platform.clone()?)))
        };
        let types: BTreeSet<&str> = own().map(|(_, document, _)| document.attestation.predicate_type()).collect();
        let mut subjects = BTreeMap::new();
        for kind in types {
            let of_kind = || own().filter(move |(_, document, _)| document.attestation.predicate_type() == kind);
            let platforms: Vec<Platform> = of_kind().map(|(.., platform)| platform).collect();
            let root = TagOrDigest::Digest(root.digest);
            let about = attest::platform_subjects(source, &root, &platforms, limits).await?;
            subjects.extend(of_kind().zip(about).map(|((position, ..), subject)| (position, *subject.digest())));
        }
        let subjects = PlatformSubjects(subjects);
        for (position, document) in self.documents.iter().enumerate() {
            for image in found.iter().filter(|image| subjects.is_about((position, document), &image.digest)) {
                document.check_target(source, &image.digest, limits).await?;
                if found.len() == 1 {
                    document.note_other_products(image.digest, &image.media_type, limits);
                }
            }
        }
        Ok(subjects)
    }

    /// The attestations to ask for about the image `digest`.
    pub(super) fn about<'a>(
        &'a self,
        digest: &'a Digest,
        subjects: &'a PlatformSubjects,
    ) -> impl Iterator<Item = &'a Attestation> {
        let asked = self.documents.iter().enumerate().filter(move |asked| subjects.is_about(*asked, digest));
        let finished =
            move |attestation: &&Attestation| attestation.finished().is_none_or(|statement| statement.is_about(digest));
        asked.map(|(_, document)| &document.attestation).filter(finished)
    }

    /// Refuses a finished statement that is about none of the images: nobody would be asked to sign it.
    pub(super) fn check_statements(&self, args: &RequestNewArgs, items: &[RequestItem]) -> Result<(), Failure> {
        let finished = self.documents.iter().filter_map(|document| document.attestation.finished());
        for (statement, path) in finished.zip(&args.statement) {
            if !items.iter().any(|item| statement.is_about(&item.digest)) {
                return Err(Failure::unknown(format!("{}: it is about none of the images", path.display()))
                    .hint("a subject of the statement is the digest of the image: bulla digest REF"));
            }
        }
        Ok(())
    }
}

impl PlatformSubjects {
    /// Whether the document at `position` is about the image `digest`. One about a platform is about no other manifest.
    fn is_about(&self, (position, document): (usize, &AskedDocument), digest: &Digest) -> bool {
        document.platform.is_none() || self.0.get(&position) == Some(digest)
    }
}

/// The documents to attest, in the order of the items: predicates, scanner reports, finished statements.
fn documents(args: &RequestNewArgs, limits: &Limits) -> Result<Vec<AskedDocument>, Failure> {
    if args.attest.is_empty() && args.scanner.scanner_report.is_empty() && args.statement.is_empty() {
        return Ok(Vec::new());
    }
    let forms = ImageFormat::attestation_forms(&args.format).ok_or_else(|| {
        Failure::unknown("an attestation cannot have a notary format")
            .hint("--format bundle,notary-jws asks for attestations as bundles")
    })?;
    let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
    let reading = DocumentReading { forms: &forms, limits, name: None, platforms };
    let predicate = |(kind, path): &(String, std::path::PathBuf)| {
        let (kind, platform) = of_platform(kind);
        if platform.is_some() && !args.all_platforms {
            let message = "a document about one platform is for one of the manifests of an index";
            return Err(Failure::unknown(message).hint("--all-platforms, and one document for each platform"));
        }
        let kind = DocumentKind::Predicate(predicate_type(kind)?);
        reading.read_about(platform, &path.to_string_lossy(), kind)
    };
    let report = |typed: &String| reading.read(typed, DocumentKind::ScannerReport(&args.scanner));
    let finished = |path: &std::path::PathBuf| reading.read_statement(Path::new(path));
    let predicates = args.attest.iter().map(predicate);
    predicates
        .chain(args.scanner.scanner_report.iter().map(report))
        .chain(args.statement.iter().map(finished))
        .collect()
}

/// `TYPE=PLATFORM`, taken apart. A predicate type alone may contain an equals sign.
fn of_platform(typed: &str) -> (&str, Option<Platform>) {
    match typed.rsplit_once('=').map(|(kind, platform)| (kind, Platform::parse(platform))) {
        Some((kind, Some(platform))) if !kind.is_empty() => (kind, Some(platform)),
        _ => (typed, None),
    }
}
