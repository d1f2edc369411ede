//! `RequestPage`: the page that people read before they sign. It shows every field of the request and nothing else.

use std::path::Path;

use crate::cli::line::Lines;
use crate::cli::quantity::amount;
use crate::cli::request::archive::CheckedArchive;
use crate::cli::request::rows::INDENT;
use crate::cli::request::rows::Spaces;
use crate::cli::request::rows::fact;
use crate::cli::request::rows::label;
use crate::cli::request::rows::pieces;
use crate::cli::request::rows::row;
use crate::cli::request::rows::shown;
use crate::cli::request::rows::title;
use bulla::digest::Digest;
use bulla::envelope::FormName;
use bulla::envelope::ResourceDescriptor;
use bulla::envelope::SignedWith;
use bulla::envelope::UnsignedStatement;
use bulla::limits::Limits;
use bulla::oci::media_type;
use bulla::predicate::PredicateSummary;
use bulla::report::Report;
use bulla::report::RequestResult;
use bulla::request::Action;
use bulla::request::Attestation;
use bulla::request::CheckedFiles;
use bulla::request::NotaryOptions;
use bulla::request::RequestItem;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::CertificateChain;

/// The number of lines of a predicate, or of the text of a file, that are shown without `--full`.
pub(super) const PREDICATE_LINES: usize = 24;

/// A request, and the signatures that answer it.
pub(super) struct RequestPage<'a> {
    pub(super) request: &'a SigningRequest,
    pub(super) response: &'a SigningResponse,
    /// The archive whose images were found in the request.
    pub(super) archive: Option<&'a CheckedArchive>,
    /// The files of the request whose content was checked.
    pub(super) files: Option<&'a CheckedFiles>,
    /// The reader's own copy of the previous request.
    pub(super) previous: Option<&'a SigningRequest>,
    /// Whether predicates and texts are shown in full.
    pub(super) full: bool,
}

impl<'a> RequestPage<'a> {
    /// The request and its answers, with nothing beside them, shortened.
    pub(super) const fn new(request: &'a SigningRequest, response: &'a SigningResponse) -> Self {
        Self { request, response, archive: None, files: None, previous: None, full: false }
    }
}

impl RequestPage<'_> {
    /// The whole page.
    pub(super) fn text(&self) -> Lines {
        let mut page = self.summary();
        for (place, item) in self.request.items().iter().enumerate() {
            page.push("");
            self.item(place, item, &mut page);
        }
        for (place, file) in self.request.files().iter().enumerate() {
            page.push("");
            self.file(place, file, &mut page);
        }
        page
    }

    /// The number of predicates and texts that are not shown in full.
    pub(super) fn truncated(&self) -> usize {
        let truncated = |item: &&RequestItem| match &item.action {
            Action::Attest(attest) => !self.full && predicate(attest.given().get()).nth(PREDICATE_LINES).is_some(),
            Action::Sign(_) => false,
        };
        let files = self.request.files().iter().filter(|file| self.is_truncated(file)).count();
        self.request.items().iter().filter(truncated).count().saturating_add(files)
    }

    /// The request without its items, and who has signed.
    pub(super) fn summary(&self) -> Lines {
        let request = self.request;
        let mut page = Lines::default();
        fact(&mut page, "", "request", &request.digest().to_string());
        row(&mut page, "", "created", &request.created().to_string());
        row(&mut page, "", "expires", &request.expires().to_string());
        if let Some(reason) = request.reason() {
            row(&mut page, "", "reason", reason);
        }
        let owners = request.owners().len();
        row(&mut page, "", "asks", &format!("{} of {owners} owners", request.threshold().count()));
        for owner in request.owners() {
            row(&mut page, "", "owner", &owner.name);
            for key in &owner.keys {
                fact(&mut page, "", "key", &key.id().to_string());
                let path = request.chain(key.id()).map(CertificateChain::path);
                path.iter().flat_map(|path| path.iter()).for_each(|one| self.certificate(one, &mut page));
            }
        }
        self.previous_summary(&mut page);
        row(&mut page, "", "items", &self.request.items().len().to_string());
        if !self.request.files().is_empty() {
            row(&mut page, "", "files", &self.request.files().len().to_string());
        }
        for signed in self.response.signers() {
            let (count, all) = (signed.count(), request.signature_count());
            let (owner, key) = (signed.owner(), signed.key().id().short());
            let how = match signed.time() {
                Some(time) => format!("{time}: {count} of {all} signatures"),
                None => format!("not finished: {count} of {all} signatures"),
            };
            row(&mut page, "", "signed", &format!("{owner}, key {key}, {how}"));
        }
        page
    }

    /// One certificate of the chain of a key, with a warning if it ends before a signature that is asked for.
    fn certificate(&self, certificate: &Certificate, page: &mut Lines) {
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        row(page, "", "subject", &certificate.subject().to_string());
        row(page, "", "issuer", &certificate.issuer().to_string());
        fact(page, "", "serial", &certificate.serial().to_string());
        fact(page, "", "valid", &format!("{not_before} to {not_after}"));
        fact(page, "", "sha256", &certificate.digest().hex());
        if let Some(expiry) = self.request.last_expiry().filter(|expiry| not_after < *expiry) {
            let what = "this certificate ends before the expiry of the signature";
            row(page, "", "warning", &format!("{what}, {expiry}"));
        }
    }

    fn item(&self, place: usize, item: &RequestItem, page: &mut Lines) {
        title(page, place.saturating_add(1), &item.reference.to_string());
        fact(page, INDENT, "digest", &item.digest.to_string());
        row(page, INDENT, "kind", &format!("{}, {} bytes", kind_of(&item.media_type), item.size));
        let platforms: Vec<_> = item.platforms.iter().map(ToString::to_string).collect();
        if !platforms.is_empty() {
            row(page, INDENT, "for", &platforms.join(", "));
        }
        if let Some(size) = item.content_size {
            row(page, INDENT, "size", &amount(size));
        }
        for (key, value) in &item.labels {
            label(page, INDENT, "label", key, Some(value));
        }
        if let Some(archive) = self.archive {
            archive.rows(item, page);
        }
        self.previous_item(item, page);
        self.action(item, page);
        for signed in self.response.signers().filter(|signed| signed.is_finished()) {
            row(page, INDENT, "signed by", signed.owner());
        }
    }

    fn action(&self, item: &RequestItem, page: &mut Lines) {
        let sign = match &item.action {
            Action::Attest(attest) => return self.attestation(attest, page),
            Action::Sign(sign) => sign,
        };
        if sign.forms.contains(FormName::SigstoreBundle) {
            row(page, INDENT, "sign", "image signature, Sigstore bundle");
            sign.name.iter().for_each(|name| row(page, INDENT, "as", name));
        }
        if let Some(identity) = &sign.identity {
            row(page, INDENT, "sign", "image signature, .sig tag");
            row(page, INDENT, "as", identity);
        }
        for form in sign.forms.iter().filter(|form| form.signed_with == SignedWith::Certificate) {
            row(page, INDENT, "sign", &format!("image signature, Notary Project envelope, {}", form.name.as_str()));
        }
        if let Some(NotaryOptions { expiry, manifest, signing_time }) = sign.notary {
            // These formats sign the media type of the manifest: an OCI and a Docker image manifest differ.
            row(page, INDENT, "mediaType", &item.media_type);
            fact(page, INDENT, "dated", &format!("{signing_time}, the signing time"));
            fact(page, INDENT, "expiry", &expiry.map_or_else(|| "none".to_owned(), |expiry| expiry.to_string()));
            fact(page, INDENT, "manifest", manifest.as_str());
        }
        for (key, value) in &sign.annotations {
            row(page, INDENT, "signed", &format!("{key}={value}"));
        }
    }

    fn attestation(&self, attest: &Attestation, page: &mut Lines) {
        let forms = match (attest.forms.contains(FormName::SigstoreBundle), attest.forms.has_tag()) {
            (true, true) => "Sigstore bundle and .att tag",
            (true, false) => "Sigstore bundle",
            _ => ".att tag",
        };
        row(page, INDENT, "attest", attest.predicate_type());
        row(page, INDENT, "forms", forms);
        attest.name().iter().for_each(|name| row(page, INDENT, "as", name));
        let text = attest.given().get();
        // Every subject of a finished statement is signed, not the image alone.
        for subject in attest.finished().into_iter().flat_map(UnsignedStatement::subjects) {
            subject_rows(subject, page);
        }
        let what = if attest.finished().is_some() { "statement" } else { "predicate" };
        row(page, INDENT, what, &format!("{} bytes", text.len()));
        fact(page, INDENT, what, &Digest::sha256(text.as_bytes()).to_string());
        let predicate_json = attest.predicate_json().map(|json| json.get().as_bytes());
        let summary =
            predicate_json.ok().map(|json| PredicateSummary::read(attest.predicate_type(), json, &Limits::DEFAULT));
        match &summary {
            None => {}
            Some(Ok(summary)) => {
                summary.facts().for_each(|(name, value)| row(page, INDENT, "says", &format!("{name}: {value}")))
            }
            Some(Err(why)) => row(page, INDENT, "warning", &format!("not a document of its type: {why}")),
        }
        let most = if self.full { usize::MAX } else { PREDICATE_LINES };
        for line in predicate(text).take(most) {
            page.push(format_args!("{INDENT}  | {line}"));
        }
        let left = predicate(text).skip(most).count();
        if left > 0 {
            page.push(format_args!("{INDENT}  … {left} more lines: --full shows them"));
        }
    }

    /// The whole page, for a JSON report.
    pub(super) fn report(&self, now: Time) -> Report<RequestResult<'_>> {
        let archive = self.archive.map(CheckedArchive::reported);
        let result = RequestResult::with_items(self.request, self.response, self.previous, archive, now);
        let result = result.with_files(self.files);
        Report::new("request show", vec![result])
    }

    /// The request and the file that a command wrote, for a JSON report.
    pub(super) fn outcome(&self, command: &'static str, out: &Path) -> Report<RequestResult<'_>> {
        Report::new(command, vec![RequestResult::of(self.request, self.response).written_to(out)])
    }
}

/// A subject of a finished statement: its name, digests and annotations.
fn subject_rows(subject: &ResourceDescriptor, page: &mut Lines) {
    for digest in subject.digests().map(|(algorithm, digest)| format!("{algorithm}:{digest}")) {
        match digest.parse::<Digest>() {
            Ok(known) => fact(page, INDENT, "subject", &known.to_string()),
            Err(_) => row(page, INDENT, "subject", &digest),
        }
    }
    subject.name().iter().for_each(|name| row(page, INDENT, "as", name));
    for (key, value) in subject.annotations() {
        row(page, INDENT, "signed", &format!("{key}={value}"));
    }
}

/// The lines of a predicate, wrapped and escaped. Backslashes are not escaped: JSON has no `\u{`, so an escape that is
/// made here cannot be confused with the text of the predicate.
fn predicate(text: &str) -> impl Iterator<Item = String> {
    text.lines().flat_map(|line| pieces(&shown(line, Spaces::AsTheyAre)))
}

fn kind_of(media_type: &str) -> &'static str {
    match media_type::is_index(media_type) {
        true => "index",
        false => "image manifest",
    }
}
