//! `CheckedArchive`: the images of a docker-archive, compared with those of a request.

use std::sync::Arc;

use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::ops::saved;
use bulla::ops::saved::ArchiveNotProven;
use bulla::ops::saved::IdentifiedImage;
use bulla::ops::saved::ImageFault as _;
use bulla::ops::saved::ProvenArchive;
use bulla::ops::saved::SavedFault;
use bulla::ops::saved::SavedVerdict;
use bulla::request::RequestItem;
use bulla::request::SigningRequest;
use bulla::store::Source;

use crate::cli::exit::Failure;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::request::rows::INDENT;
use crate::cli::request::rows::fact;
use crate::cli::request::rows::row;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;
use crate::cli::verify_saved;

/// A docker-archive in which every image that `docker load` loads is an image of the request. Nothing in it need be signed.
pub(super) struct CheckedArchive {
    images: ProvenArchive<IdentifiedImage>,
    reference: String,
}

impl CheckedArchive {
    /// Finds the images of the docker-archive `reference` in `request`, by the manifests at the place `evidence`, or else in
    /// the archive itself.
    pub(super) fn check(reference: &str, evidence: Option<&str>, request: &SigningRequest) -> Result<Self, Failure> {
        let (local, stores) = (verify_saved::whole_archive(reference)?, Stores::local());
        let source = match evidence {
            Some(typed) => manifests_at(&stores, &verify_saved::place(typed))?,
            None => stores.open_to_list(reference).map_err(|failure| match failure.hint {
                // It is about `verify`.
                Some(_) => failure.hint(EVIDENCE_HINT),
                None => failure,
            })?,
        };
        let archive = stores.saved(&local)?;
        let digests = request.items().iter().map(|item| item.digest).collect();
        let identified = saved::identify(&archive, source.as_ref(), &digests, &Limits::DEFAULT);
        let reference = reference.to_owned();
        match Runtime::new(Work::Moving)?.block_on(identified) {
            Ok(images) => Ok(Self { images, reference }),
            Err(not_found) => Err(failure(&reference, evidence, not_found)),
        }
    }

    /// The archive in a report.
    pub(super) fn reported(&self) -> (&str, &ProvenArchive<IdentifiedImage>) {
        (&self.reference, &self.images)
    }

    /// The rows of an item: what the archive has of it.
    pub(super) fn rows(&self, item: &RequestItem, page: &mut Lines) {
        let mut images = self.images.images_of(&item.digest).peekable();
        let state = match (images.peek(), self.images.is_known(&item.digest)) {
            (Some(_), _) => format!("in {}", self.reference),
            (None, true) => format!("not in {}", self.reference),
            (None, false) => format!("not known whether in {}: its manifests could not all be read", self.reference),
        };
        row(page, INDENT, "archive", &state);
        for image in images {
            if *image.manifest() != item.digest {
                fact(page, INDENT, "manifest", &image.manifest().to_string());
            }
            fact(page, INDENT, "image id", &image.config().to_string());
            row(page, INDENT, "layers", &format!("{}, read and compared", verify_saved::layers(image)));
            image.names().iter().for_each(|name| row(page, INDENT, "named", &format!("in the archive: {name}")));
        }
    }
}

/// Opens the place of the manifests, which are found by their digests.
fn manifests_at(stores: &Stores, place: &str) -> Result<Arc<dyn Source>, Failure> {
    if let Reference::Registry(_) = place.parse()? {
        let message = format!("`{place}` is in a registry, and `request show` opens no network connection");
        return Err(Failure::unknown(message).hint(format!("bulla copy --evidence {place} oci-archive:FILE")));
    }
    let (source, named) = stores.evidence(place)?;
    match named {
        None => Ok(source),
        Some(_) => {
            let message = format!("`{place}` names one image, and those of the request are found by their digests");
            Err(Failure::unknown(message).hint("leave out the name"))
        }
    }
}

/// Why an archive is not one of the request, with all images in it that are not.
fn failure(
    reference: &str,
    evidence: Option<&str>,
    not_found: ArchiveNotProven<IdentifiedImage, SavedFault>,
) -> Failure {
    let is_refusal = not_found.is_refusal();
    let verdicts = match not_found {
        ArchiveNotProven::Error(error) => return error.into(),
        ArchiveNotProven::Images(verdicts) => verdicts,
        other => return Failure::unknown(other.to_string()),
    };
    let message =
        format!("`{reference}`: `docker load` loads every image in it, and not all are images of the request");
    let failure = if is_refusal { Failure::refused(message) } else { Failure::unknown(message) };
    let mut failure = Failure { code: "contradiction", ..failure };
    for verdict in verdicts {
        let SavedVerdict::NotAccepted { config, names, faults } = verdict else { continue };
        failure.code = faults.first().code();
        let shown = verify_saved::named(&config, &names);
        failure.details.extend(faults.iter().map(|fault| format!("not {shown}: {}", Foreign(fault))));
    }
    match (is_refusal, evidence) {
        (false, None) => failure.hint(EVIDENCE_HINT),
        _ => failure,
    }
}

const EVIDENCE_HINT: &str =
    "--evidence PLACE, with the manifests of the request: docker save keeps none. bulla copy --evidence writes them";
