//! `AskedAttestations`: what `attest` is asked to attest, and about which manifests.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::envelope::Forms;
use bulla::envelope::ResourceDescriptor;
use bulla::limits::Limits;
use bulla::oci::Platform;
use bulla::ops::attest;
use bulla::ops::sign::SignedPlatforms;
use bulla::predicate::predicate_type;
use bulla::predicate::scanner::EXTRACTED_PREDICATE_TYPE;
use bulla::request::Attestation;

use super::asked_document::AskedDocument;
use super::asked_document::DocumentKind;
use super::asked_document::DocumentReading;
use super::exit::Failure;
use super::line::Foreign;
use super::render;
use super::request::args::AttestArgs;
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
        let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
        let reading = DocumentReading { forms, limits, name: args.signed_reference.as_ref(), platforms };
        if let Some(path) = &args.statement {
            return Ok(Self { first: reading.read_statement(path)?, platforms: Vec::new(), rest: Vec::new() });
        }
        let kind = match &args.predicate_type {
            Some(typed) => predicate_type(typed)?,
            None => EXTRACTED_PREDICATE_TYPE,
        };
        if !args.scanner.scanner_report.is_empty() && kind != EXTRACTED_PREDICATE_TYPE {
            return Err(Failure::unknown(format!("a scanner report is attested as {EXTRACTED_PREDICATE_TYPE}"))
                .hint("--type vulns, or leave it out"));
        }
        let predicates = args.predicate.iter().map(|typed| reading.read(typed, DocumentKind::Predicate(kind)));
        let reports = args.scanner.scanner_report.iter();
        let reports = reports.map(|typed| reading.read(typed, DocumentKind::ScannerReport(&args.scanner)));
        let documents = predicates.chain(reports).collect::<Result<Vec<_>, _>>()?;
        let platforms: Vec<_> = documents.iter().filter_map(|document| document.platform.clone()).collect();
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
                document.check_target(sink.as_ref(), subject.digest(), limits).await?;
                if !args.all_platforms {
                    document.note_other_products(*subject.digest(), &subject.descriptor().media_type, limits);
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
