//! `AskedAttestations`: what `attest` is asked to attest, and about which manifests.

use std::collections::BTreeMap;
use std::path::Path;

use bulla::digest::Digest;
use bulla::envelope::Forms;
use bulla::envelope::ResourceDescriptor;
use bulla::limits::Limits;
use bulla::oci::Platform;
use bulla::ops::attest;
use bulla::ops::scanned;
use bulla::ops::sign::SignedPlatforms;
use bulla::predicate::ScanTarget;
use bulla::predicate::predicate_type;
use bulla::predicate::scanner::EXTRACTED_PREDICATE_TYPE;
use bulla::request::Attestation;
use bulla::request::AttestationContent;

use super::exit::Failure;
use super::line::Foreign;
use super::predicate;
use super::render;
use super::request::args::AttestArgs;
use super::scanner_report;
use super::sign;
use super::sign::Pinned;
use super::stores::Stores;

/// What the command line asks to attest.
pub(super) struct AskedAttestations {
    /// The document about every subject, or about the first platform.
    first: AskedDocument,
    /// The platforms that have a document of their own; none if all subjects have the same.
    platforms: Vec<Platform>,
    /// The documents about the other platforms.
    rest: Vec<AskedDocument>,
}

/// A document to attest.
struct AskedDocument {
    attestation: Attestation,
    /// The file, as typed.
    file: String,
    /// The image that a scanner looked at.
    target: Option<ScanTarget>,
}

/// The subjects, by reference, and the number of the document about each of them, where they differ.
pub(super) struct ResolvedSubjects {
    pub(super) pinned: Vec<Result<Pinned, Failure>>,
    numbers: BTreeMap<Digest, usize>,
}

impl AskedAttestations {
    pub(super) fn read(
        args: &AttestArgs,
        forms: &Forms,
        references: &[String],
        limits: &Limits,
    ) -> Result<Self, Failure> {
        if let Some(path) = &args.statement {
            let content = AttestationContent::Statement(predicate::statement(path, limits)?);
            let attestation = Attestation { content, forms: forms.clone() };
            let document = AskedDocument { attestation, file: path.display().to_string(), target: None };
            return Ok(Self { first: document, platforms: Vec::new(), rest: Vec::new() });
        }
        let kind = match &args.predicate_type {
            Some(typed) => predicate_type(typed)?,
            None => EXTRACTED_PREDICATE_TYPE,
        };
        if !args.scanner_report.is_empty() && kind != EXTRACTED_PREDICATE_TYPE {
            return Err(Failure::unknown(format!("a scanner report is attested as {EXTRACTED_PREDICATE_TYPE}"))
                .hint("--type vulns, or leave it out"));
        }
        let (mut platforms, mut documents) = (Vec::new(), Vec::new());
        for typed in args.predicate.iter().chain(&args.scanner_report) {
            let of_platform = of_platform(typed).filter(|_| args.all_platforms);
            if of_platform.is_none() {
                predicate::check_same_for_all(kind, args.all_platforms)?;
            }
            let file = of_platform.as_ref().map_or(typed.as_str(), |(_, file)| file);
            documents.push(AskedDocument::read(file, kind, args, forms, limits)?);
            platforms.extend(of_platform.map(|(platform, _)| platform));
        }
        match (platforms.len(), documents.len(), references.len()) {
            (0, 1, _) => {}
            (own, all, 1) if own == all => {}
            (own, all, _) if own == all => {
                let message = "documents about platforms are about one image, and several are given";
                return Err(Failure::unknown(message).hint("one command for each image"));
            }
            _ => {
                return Err(Failure::unknown("several documents are for several platforms of an index")
                    .hint("--all-platforms --predicate linux/amd64=FILE --predicate linux/arm64=FILE"));
            }
        }
        let mut documents = documents.into_iter();
        let first = documents.next().ok_or_else(|| Failure::unknown("no document was given"))?;
        Ok(Self { first, platforms, rest: documents.collect() })
    }

    /// Resolves the references to the subjects, each with its document. A scanner report must be about its subject.
    pub(super) async fn resolve(
        &self,
        args: &AttestArgs,
        stores: &Stores,
        references: &[String],
        limits: &Limits,
    ) -> Result<ResolvedSubjects, Failure> {
        let resolved = match references.first().filter(|_| !self.platforms.is_empty()) {
            None => {
                let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
                let pinned = sign::resolve(stores, references, platforms, limits).await;
                ResolvedSubjects { pinned, numbers: BTreeMap::new() }
            }
            Some(reference) => {
                let (sink, tag_or_digest) = stores.existing_sink(reference)?;
                let subjects =
                    attest::platform_subjects(sink.as_ref(), &tag_or_digest, &self.platforms, limits).await?;
                let numbers = subjects.iter().enumerate().map(|(number, subject)| (*subject.digest(), number));
                ResolvedSubjects { numbers: numbers.collect(), pinned: vec![Ok((sink, subjects))] }
            }
        };
        for (sink, subjects) in resolved.pinned.iter().flatten() {
            for subject in subjects {
                let document = self.document(subject.digest(), &resolved);
                if let Some(target) = &document.target {
                    let checked = scanned::check_target(sink.as_ref(), subject, target, limits).await;
                    checked.map_err(|error| scanner_report::other_image(&document.file, &error))?;
                }
            }
        }
        Ok(resolved)
    }

    /// Says what else a finished statement is about, before anything is signed: all of it is.
    pub(super) fn note_other_subjects(&self, resolved: &ResolvedSubjects) {
        let Some(statement) = self.first.attestation.finished() else { return };
        let images: Vec<_> = resolved.pinned.iter().flatten().flat_map(|(_, subjects)| subjects).collect();
        let is_image = |subject: &&ResourceDescriptor| images.iter().any(|image| subject.is(image.digest()));
        for other in statement.subjects().iter().filter(|subject| !is_image(subject)) {
            let digests: Vec<_> = other.digests().map(|(algorithm, digest)| format!("{algorithm}:{digest}")).collect();
            let name = other.name().map_or_else(String::new, |name| format!("{name} "));
            let what = format!("{name}{}", digests.join(" "));
            render::note(format_args!("note: the statement is also about {}", Foreign(what)));
        }
    }

    /// The attestation about this subject.
    pub(super) fn about(&self, digest: &Digest, resolved: &ResolvedSubjects) -> &Attestation {
        &self.document(digest, resolved).attestation
    }

    fn document(&self, digest: &Digest, resolved: &ResolvedSubjects) -> &AskedDocument {
        let number = resolved.numbers.get(digest).and_then(|number| number.checked_sub(1));
        number.and_then(|number| self.rest.get(number)).unwrap_or(&self.first)
    }
}

impl AskedDocument {
    fn read(
        file: &str,
        predicate_type: &str,
        args: &AttestArgs,
        forms: &Forms,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let path = Path::new(file);
        let (predicate, target) = match args.scanner_report.is_empty() {
            true => (predicate::read(path, predicate_type, limits)?, None),
            false => {
                let (predicate, target) = scanner_report::read(path, args, limits)?;
                (predicate, Some(target))
            }
        };
        let (name, predicate_type) = (args.signed_reference.clone(), predicate_type.to_owned());
        let content = AttestationContent::Predicate { name, predicate, predicate_type };
        let attestation = Attestation { content, forms: forms.clone() };
        Ok(Self { attestation, file: file.to_owned(), target })
    }
}

/// `PLATFORM=FILE`, taken apart.
fn of_platform(typed: &str) -> Option<(Platform, &str)> {
    let (platform, file) = typed.split_once('=')?;
    Some((Platform::parse(platform)?, file))
}
