//! The files of a signing request in a report.

use serde::Serialize;

use crate::digest::Digest;
use crate::request::CheckedFiles;
use crate::request::RequestFile;
use crate::request::SignaturesByKey;
use crate::request::SigningRequest;
use crate::request::SigningResponse;

/// A file of the request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedFile<'a> {
    carried: bool,
    copy: Option<String>,
    digest: &'a Digest,
    name: &'a str,
    previous_digest: Option<&'a Digest>,
    signed_by: Vec<&'a str>,
    size: u64,
    text: Option<&'a str>,
}

impl<'a> ReportedFile<'a> {
    /// The files of `request`. `own` is the reader's own copy of the previous request.
    pub(super) fn all(
        request: &'a SigningRequest,
        response: &'a SigningResponse,
        own: Option<&'a SigningRequest>,
    ) -> Vec<Self> {
        let signed_by =
            || response.signers().filter(|signed| signed.is_finished()).map(SignaturesByKey::owner).collect();
        let previous = |file: &RequestFile| own?.files().iter().find(|other| other.name() == file.name());
        let one = |file: &'a RequestFile| Self {
            carried: file.content().is_some(),
            copy: None,
            digest: file.digest(),
            name: file.name(),
            previous_digest: previous(file).map(RequestFile::digest),
            signed_by: signed_by(),
            size: file.size(),
            text: file.content().and_then(|content| std::str::from_utf8(content).ok()),
        };
        request.files().iter().map(one).collect()
    }

    /// The same file at this index, with the copy that was compared with it.
    pub(super) fn with_copy(self, place: usize, checked: &CheckedFiles) -> Self {
        Self { copy: checked.copy_of(place).map(str::to_owned), ..self }
    }
}
