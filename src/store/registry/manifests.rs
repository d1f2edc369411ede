//! Pulls and pushes of manifests. Distribution specification, "Pulling manifests" and "Pushing Manifests".

use reqwest::Method;
use reqwest::StatusCode;
use serde::Deserialize;

use super::repository::Repository;
use super::request::ApiRequest;
use super::request::BodyMode;
use super::response::ApiResponse;
use super::scope::RepositoryAccess;
use crate::digest::Digest;
use crate::json;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::store::Pushed;
use crate::store::Source as _;
use crate::store::StoreError;
use crate::store::error::MissingContent;
use crate::store::error::ProtocolFault;
use crate::store::error::ReadBackFault;
use crate::store::error::ReadOnlyFault;
use crate::text::Untrusted;

/// Fetches the manifest at `tag_or_digest`; a digest is checked. By tag the digest is that of the body, whatever the
/// headers say (threats: digest-header-mismatch).
pub(super) async fn resolve(repository: &Repository, tag_or_digest: &TagOrDigest) -> Result<Content, StoreError> {
    if let TagOrDigest::Tag(tag) = tag_or_digest
        && tag.len() > TAG_LENGTH
    {
        // The cosign tags of SHA-512 digests are too long for a tag, so no registry has them.
        return Err(no_tag(repository, tag));
    }
    let limit = repository.limits().oci.manifest_bytes;
    let body_mode = match tag_or_digest {
        TagOrDigest::Tag(_) => BodyMode::AtMost(limit),
        TagOrDigest::Digest(_) => BodyMode::AtMostRaw(limit),
    };
    let response = get(repository, tag_or_digest, body_mode).await?;
    let media_type = media_type(&response)?;
    let digest_header = digest_header(&response);
    let bytes = response.into_bytes();
    let content = match tag_or_digest {
        TagOrDigest::Tag(_) => Content::from_bytes(&media_type, bytes),
        TagOrDigest::Digest(digest) => Content::check_digest(*digest, &media_type, bytes)
            .map_err(|error| StoreError::Content { place: repository.shown().to_owned(), error })?,
    };
    record_header_mismatch(repository, &content, digest_header);
    Ok(content)
}

/// Fetches the manifest of `descriptor` and checks its size and digest.
pub(super) async fn fetch(repository: &Repository, descriptor: &Descriptor) -> Result<Content, StoreError> {
    let limit = repository.limits().oci.manifest_bytes;
    if descriptor.size > limit {
        return Err(StoreError::TooLarge { what: repository.place_of(&descriptor.digest), limit });
    }
    let tag_or_digest = TagOrDigest::Digest(descriptor.digest);
    let response = get(repository, &tag_or_digest, BodyMode::Prefix(descriptor.size.saturating_add(1))).await?;
    response.refuse_html()?;
    let digest_header = digest_header(&response);
    let content = Content::check(descriptor, response.into_bytes())
        .map_err(|error| StoreError::Content { place: repository.shown().to_owned(), error })?;
    record_header_mismatch(repository, &content, digest_header);
    Ok(content)
}

/// The `Docker-Content-Digest` header of a response.
fn digest_header(response: &ApiResponse) -> Option<String> {
    response.header(DIGEST_HEADER).map(str::to_owned)
}

/// Remembers a `Docker-Content-Digest` header with another digest than `content` (threats: digest-header-mismatch).
fn record_header_mismatch(repository: &Repository, content: &Content, digest_header: Option<String>) {
    let is = |digest: Digest| digest == Digest::of(digest.algorithm(), content.bytes());
    match digest_header {
        Some(said) if said != content.digest().to_string() && !said.parse().is_ok_and(is) => {
            // Only a digest is repeated: another text may contain a secret that was sent
            // (threats: error-echoes-secret).
            let said = said.parse::<Digest>().map_or_else(|_| "what is no digest".to_owned(), |said| said.to_string());
            repository.keep_header_mismatch(*content.digest(), said);
        }
        _ => {}
    }
}

/// Whether the registry has the manifest of `descriptor` (HEAD).
pub(super) async fn is_there(repository: &Repository, descriptor: &Descriptor) -> Result<bool, StoreError> {
    let url = repository.url(&format!("manifests/{}", descriptor.digest));
    let what = repository.place_of(&descriptor.digest);
    let request = ApiRequest::new(Method::HEAD, url, repository.name(), RepositoryAccess::Push, what).accept(ACCEPTED);
    let response = repository.client.send(&request).await?;
    match response.status {
        StatusCode::OK => Ok(true),
        _ => match response.error() {
            StoreError::NotFound { .. } => Ok(false),
            error => Err(error),
        },
    }
}

/// Pushes a manifest by its digest, or to `tag`. `Ok` only if the registry confirmed exactly this digest, by the header
/// or when read back.
///
/// # Errors
/// [`StoreError::ReadBack`] if it stored something else; [`StoreError::MissingBlob`] if it lacks a blob of the
/// manifest.
pub(super) async fn push(repository: &Repository, content: &Content, tag: Option<&str>) -> Result<Pushed, StoreError> {
    let tag_or_digest = match tag {
        Some(tag) => TagOrDigest::Tag(tag.to_owned()),
        None => TagOrDigest::Digest(*content.digest()),
    };
    let what = repository.place(&tag_or_digest);
    let url = repository.url(&format!("manifests/{}", path(repository, &tag_or_digest)?));
    let body = content.shared();
    let media_type = &content.descriptor().media_type;
    let request =
        ApiRequest::new(Method::PUT, url, repository.name(), RepositoryAccess::Push, what).body(media_type, body);
    let response = repository.client.send(&request).await?;
    if !matches!(response.status.as_u16(), 200..=202) {
        return refused(repository, content, &tag_or_digest, &response).await;
    }
    // Read back unless the response contains exactly this digest (threats: manifest-stored-changed).
    let digest = content.digest().to_string();
    if response.header(DIGEST_HEADER) != Some(digest.as_str()) {
        read_back(repository, &tag_or_digest, content).await?;
    }
    let subject = subject(content);
    let listed = subject.is_some_and(|subject| response.header("oci-subject") == Some(subject.to_string().as_str()));
    Ok(Pushed { listed })
}

async fn get(
    repository: &Repository,
    tag_or_digest: &TagOrDigest,
    body_mode: BodyMode,
) -> Result<ApiResponse, StoreError> {
    let url = repository.url(&format!("manifests/{}", path(repository, tag_or_digest)?));
    let mut request =
        ApiRequest::get(url, repository.name(), body_mode, repository.place(tag_or_digest)).accept(ACCEPTED);
    request.scope.access = repository.reading();
    let response = repository.client.send(&request).await?.expect(&[StatusCode::OK]);
    response.map_err(|error| match tag_or_digest {
        TagOrDigest::Tag(tag) if error.is_not_found() => no_tag(repository, tag),
        _ => error,
    })
}

/// The error for a tag that the registry does not have.
fn no_tag(repository: &Repository, tag: &str) -> StoreError {
    StoreError::NotFound { content: MissingContent::Name { name: tag.to_owned(), origin: repository.origin() } }
}

/// The path segment for `tag_or_digest`, with the tag checked (threats: name-steers-request).
fn path(repository: &Repository, tag_or_digest: &TagOrDigest) -> Result<String, StoreError> {
    match tag_or_digest {
        TagOrDigest::Tag(tag) => check_tag(repository, tag).map(|()| tag.clone()),
        TagOrDigest::Digest(digest) => Ok(digest.to_string()),
    }
}

/// Checks that `tag` is a valid tag. OCI distribution specification, "Pulling manifests".
pub(super) fn check_tag(repository: &Repository, tag: &str) -> Result<(), StoreError> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let all = tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-');
    match all && tag.len() <= TAG_LENGTH && tag.bytes().next().is_some_and(word) {
        true => Ok(()),
        false => Err(StoreError::ReadOnly {
            place: repository.shown().to_owned(),
            reason: ReadOnlyFault::Tag(Untrusted::within(tag, TAG_LENGTH)),
        }),
    }
}

/// Handles a refused push: an immutable tag that already has this digest counts as pushed.
async fn refused(
    repository: &Repository,
    content: &Content,
    tag_or_digest: &TagOrDigest,
    response: &ApiResponse,
) -> Result<Pushed, StoreError> {
    let place = response.what.clone();
    if response.has_code(MISSING) {
        repository.client.capabilities.validates.store(true, std::sync::atomic::Ordering::Relaxed);
        return Err(StoreError::MissingBlob { place, response: response.error_response() });
    }
    match tag_or_digest {
        // The immutable tag may already have the right digest (threats: immutable-tag).
        TagOrDigest::Tag(tag) if is_immutable(response) => match resolve(repository, tag_or_digest).await {
            Ok(there) if there.digest() == content.digest() => Ok(Pushed { listed: false }),
            Ok(there) => Err(StoreError::ReadOnly {
                place,
                reason: ReadOnlyFault::ImmutableTag { held: *there.digest(), tag: tag.clone() },
            }),
            Err(_) => Err(response.error()),
        },
        _ => match response.error() {
            // A 404 is an error here: a push does not ask whether something exists.
            StoreError::NotFound { .. } => {
                Err(response.protocol_error(ProtocolFault::ErrorStatus(response.error_response())))
            }
            error => Err(error),
        },
    }
}

/// Whether the response reports an immutable tag. The specification has no code for it: registries report it by the
/// status, by codes of their own, and some of them in the text of the response only.
fn is_immutable(response: &ApiResponse) -> bool {
    let text = response.error_response().body.to_string().to_ascii_lowercase();
    let said = ["immutab", "imagetagalreadyexists", "tag already exists", "cannot be overwritten"];
    matches!(response.status.as_u16(), 400 | 403 | 405 | 409 | 412)
        && (response.has_code(&["TAG_INVALID", "IMMUTABLE_TAG"]) || said.iter().any(|said| text.contains(said)))
}

/// Resolves the pushed manifest again and compares the digests.
///
/// # Errors
/// [`StoreError::ReadBack`] if the digest differs, or nothing is there.
async fn read_back(repository: &Repository, tag_or_digest: &TagOrDigest, content: &Content) -> Result<(), StoreError> {
    let place = repository.place(tag_or_digest);
    let reason = match resolve(repository, tag_or_digest).await {
        Ok(there) if there.digest() == content.digest() => return Ok(()),
        Ok(there) => ReadBackFault::Other { pushed: *content.digest(), found: *there.digest() },
        Err(StoreError::Content { error, .. }) => ReadBackFault::Content(error),
        Err(StoreError::NotFound { .. }) => ReadBackFault::Missing,
        Err(error) => return Err(error),
    };
    Err(StoreError::ReadBack { place, reason })
}

#[derive(Deserialize)]
struct SubjectWire {
    subject: Option<SubjectDescriptorWire>,
}

#[derive(Deserialize)]
struct SubjectDescriptorWire {
    digest: Digest,
}

fn subject(content: &Content) -> Option<Digest> {
    let wire: SubjectWire = json::read(content.bytes()).ok()?;
    wire.subject.map(|subject| subject.digest)
}

/// The media type of a manifest: that of the `Content-Type` header, or, if that is generic, that of the manifest
/// itself.
fn media_type(response: &ApiResponse) -> Result<String, StoreError> {
    response.refuse_html()?;
    let said = response.media_type();
    if !GENERIC.contains(&said.as_str()) {
        return Ok(said);
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ManifestKindWire {
        media_type: Option<String>,
        // Go programs write an empty list as `null`, so `null` counts as present.
        #[serde(default, deserialize_with = "present")]
        manifests: Option<()>,
        config: Option<serde::de::IgnoredAny>,
    }
    let super::response::ResponseBody::Whole(bytes) = &response.body else {
        return Ok(said);
    };
    let wire: ManifestKindWire = json::read(bytes).map_err(|_| response.protocol_error(ProtocolFault::NotAManifest))?;
    match wire {
        ManifestKindWire { media_type: Some(own), .. } => Ok(own),
        ManifestKindWire { manifests: Some(_), .. } => Ok(media_type::OCI_INDEX.to_owned()),
        ManifestKindWire { config: Some(_), .. } => Ok(media_type::OCI_MANIFEST.to_owned()),
        _ => Err(response.protocol_error(ProtocolFault::NotAManifest)),
    }
}

/// Whether a field is present, with any value.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<()>, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| Some(()))
}

/// The media types of the `Accept` header.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                        application/vnd.docker.distribution.manifest.list.v2+json, \
                        application/vnd.docker.distribution.manifest.v2+json, \
                        application/vnd.oci.artifact.manifest.v1+json, \
                        application/vnd.cncf.oras.artifact.manifest.v1+json";
/// The header with the digest of a manifest.
const DIGEST_HEADER: &str = "docker-content-digest";
/// Media types that do not identify a manifest.
const GENERIC: &[&str] = &["", "application/json", "application/octet-stream", "text/plain"];
/// The error codes for a manifest whose blobs or children are missing.
const MISSING: &[&str] = &["BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"];
/// The longest tag, in characters.
pub(super) const TAG_LENGTH: usize = 128;
