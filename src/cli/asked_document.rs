//! `AskedDocument`: a document to attest, by `attest` or in a signing request: read from its file and checked.

use std::path::Path;

use bulla::digest::Digest;
use bulla::envelope::Forms;
use bulla::limits::Limits;
use bulla::oci::Platform;
use bulla::oci::media_type;
use bulla::ops::scanned;
use bulla::ops::sign::SignedPlatforms;
use bulla::predicate::ImageProduct;
use bulla::predicate::PredicateKind;
use bulla::predicate::ScanTarget;
use bulla::predicate::VexDocument;
use bulla::predicate::scanner::EXTRACTED_PREDICATE_TYPE;
use bulla::request::Attestation;
use bulla::request::AttestationContent;
use bulla::store::Source;

use super::args::ScannerArgs;
use super::exit::Failure;
use super::line::Foreign;
use super::predicate;
use super::render::note;
use super::scanner_report;

/// A document to attest.
pub(super) struct AskedDocument {
    pub(super) attestation: Attestation,
    /// The platform that it is about, if it is about one of several.
    pub(super) platform: Option<Platform>,
    /// The file, as typed.
    file: String,
    /// The image that a scanner looked at.
    target: Option<ScanTarget>,
}

/// How a document becomes a predicate.
#[derive(Clone, Copy)]
pub(super) enum DocumentKind<'a> {
    /// It is the predicate, of this type.
    Predicate(&'a str),
    /// It is the report of a scanner.
    ScannerReport(&'a ScannerArgs),
}

/// What the documents of one command have in common.
#[derive(Clone, Copy)]
pub(super) struct DocumentReading<'a> {
    pub(super) forms: &'a Forms,
    pub(super) limits: &'a Limits,
    /// The name that is signed with the digest, if one was given.
    pub(super) name: Option<&'a String>,
    /// Which manifests they are about, unless a document is about one platform.
    pub(super) platforms: SignedPlatforms,
}

impl DocumentReading<'_> {
    /// Reads the document that was typed as `FILE`, or, where all platforms are attested, as `PLATFORM=FILE`.
    pub(super) fn read(self, typed: &str, kind: DocumentKind<'_>) -> Result<AskedDocument, Failure> {
        match of_platform(typed).filter(|_| self.platforms == SignedPlatforms::All) {
            Some((platform, file)) => self.read_about(Some(platform), file, kind),
            None => self.read_about(None, typed, kind).map_err(|failure| match of_platform(typed) {
                Some((platform, _)) => {
                    failure.hint(format!("a document for {platform} alone is given with --all-platforms"))
                }
                None => failure,
            }),
        }
    }

    /// Reads the document in `file`, about this platform. One about all of them must be true of all.
    pub(super) fn read_about(
        self,
        platform: Option<Platform>,
        file: &str,
        kind: DocumentKind<'_>,
    ) -> Result<AskedDocument, Failure> {
        let predicate_type = match kind {
            DocumentKind::Predicate(predicate_type) => predicate_type,
            DocumentKind::ScannerReport(_) => EXTRACTED_PREDICATE_TYPE,
        };
        predicate::check_same_for_all(predicate_type, platform.is_none() && self.platforms == SignedPlatforms::All)?;
        let path = Path::new(file);
        let (predicate, target) = match kind {
            DocumentKind::Predicate(predicate_type) => (predicate::read(path, predicate_type, self.limits)?, None),
            DocumentKind::ScannerReport(args) => {
                let (predicate, target) = scanner_report::read(path, args, self.limits)?;
                (predicate, Some(target))
            }
        };
        let (name, predicate_type) = (self.name.cloned(), predicate_type.to_owned());
        let content = AttestationContent::Predicate { name, predicate, predicate_type };
        let attestation = Attestation { content, forms: self.forms.clone() };
        Ok(AskedDocument { attestation, file: file.to_owned(), platform, target })
    }

    /// Reads a finished statement.
    pub(super) fn read_statement(self, path: &Path) -> Result<AskedDocument, Failure> {
        let content = AttestationContent::Statement(predicate::statement(path, self.limits)?);
        let attestation = Attestation { content, forms: self.forms.clone() };
        Ok(AskedDocument { attestation, file: path.display().to_string(), platform: None, target: None })
    }
}

impl AskedDocument {
    /// Checks that a scanner report is about the image `subject`.
    pub(super) async fn check_target(
        &self,
        source: &dyn Source,
        subject: &Digest,
        limits: &Limits,
    ) -> Result<(), Failure> {
        let Some(target) = &self.target else { return Ok(()) };
        let checked = scanned::check_target(source, subject, target, limits).await;
        checked.map_err(|error| scanner_report::other_image(&self.file, &error))
    }

    /// Says that a VEX document clears no vulnerability of the image whose manifest is `digest`, because no product of a
    /// statement that clears one is this image. A document about an index may be about its platforms.
    pub(super) fn note_other_products(&self, digest: Digest, media_type: &str, limits: &Limits) {
        let is_vex = PredicateKind::of(self.attestation.predicate_type()) == PredicateKind::Vex;
        if !is_vex || media_type::is_index(media_type) {
            return;
        }
        let predicate = self.attestation.predicate_json().ok();
        let Some(vex) = predicate.and_then(|it| VexDocument::read(it.get().as_bytes(), limits).ok()) else { return };
        let image = ImageProduct { digests: &[digest], manifest: Some(digest), package_urls: &[] };
        let mut clearing = vex.statements.iter().filter(|statement| statement.status.clears()).peekable();
        if clearing.peek().is_some() && !clearing.flat_map(|it| &it.products).any(|product| product.is_image(&image)) {
            let file = Foreign(&self.file);
            note(format_args!(
                "note: {file} clears no vulnerability of {digest}, verified alone: no product of it is this image"
            ));
            note(format_args!("note: an image is named by the digest of its manifest: pkg:oci/NAME@{digest}"));
        }
    }
}

/// `PLATFORM=FILE`, taken apart.
fn of_platform(typed: &str) -> Option<(Platform, &str)> {
    let (platform, file) = typed.split_once('=')?;
    Some((Platform::parse(platform)?, file))
}
