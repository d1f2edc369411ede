//! The distribution API: blobs and how they are uploaded.

use std::sync::PoisonError;

use bulla::digest::Digest;

use super::api::ApiRequest;
use super::http::Response;
use super::quirks::Cap;
use super::quirks::Delete;
use super::quirks::Location;
use super::quirks::Mount;
use super::quirks::Patch;
use super::quirks::Range;
use super::store::Upload;
use super::token::Access;

/// `/v2/NAME/blobs/DIGEST`.
pub fn blob(call: &mut ApiRequest<'_, '_>, name: &str, digest: &str) -> Response {
    let Ok(digest) = digest.parse::<Digest>() else {
        return Response::error(400, "DIGEST_INVALID", "invalid digest");
    };
    match call.request.method.as_str() {
        "GET" | "HEAD" => get(call, name, &digest),
        "DELETE" if call.quirks.delete == Delete::Nothing => call.unsupported(),
        "DELETE" if call.core.store.delete_blob(name, &digest) => Response::new(202),
        "DELETE" => call.not_found("BLOB_UNKNOWN", "blob unknown to registry"),
        _ => call.unsupported(),
    }
}

/// `/storage/DIGEST`: where blobs are redirected to. As the stores of clouds do, it refuses a request that brings
/// credentials of its own.
pub fn storage(call: &ApiRequest<'_, '_>, digest: &str) -> Response {
    if call.request.header("Authorization").is_some() {
        return Response::text(400, "only one auth mechanism allowed\n");
    }
    let Some(body) = digest.parse().ok().and_then(|digest| call.core.store.any_blob(&digest)) else {
        return Response::text(404, "NoSuchKey\n");
    };
    ranged(call, Response::new(200).with("Content-Type", "application/octet-stream").body(body))
}

/// `POST /v2/NAME/blobs/uploads/`.
pub fn open(call: &mut ApiRequest<'_, '_>, name: &str) -> Response {
    if call.request.method != "POST" {
        return call.unsupported();
    }
    let mount = call.request.parameter("mount");
    if let Some(response) = mount.and_then(|mount| try_mount(call, name, &mount)) {
        return response;
    }
    let Ok(id) = call.core.store.open_upload(name) else {
        return Response::error(507, "UNKNOWN", "no space left on device");
    };
    match call.request.parameter("digest").filter(|_| call.quirks.post_digest) {
        Some(_) => put(call, name, &id),
        None => {
            let location = location(call, name, &id, 0);
            let response = Response::new(202).with("Location", location).with("Range", "0-0");
            min_length(call, response.with("Docker-Upload-UUID", id))
        }
    }
}

/// `/v2/NAME/blobs/uploads/ID`.
pub fn upload(call: &mut ApiRequest<'_, '_>, name: &str, id: &str) -> Response {
    let Some(upload) = call.core.store.upload(name, id) else {
        return upload_unknown(call);
    };
    let generation = upload.lock().unwrap_or_else(PoisonError::into_inner).generation;
    let state = call.request.parameter("_state").and_then(|it| it.parse::<u64>().ok());
    if call.quirks.stale_location && state != Some(generation) {
        return Response::error(404, "BLOB_UPLOAD_INVALID", "blob upload invalid");
    }
    match call.request.method.as_str() {
        "GET" | "HEAD" => {
            let upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
            progress(call, 204, name, id, &upload, upload.received)
        }
        "PATCH" => patch(call, name, id),
        "PUT" => put(call, name, id),
        "DELETE" => {
            call.core.store.cancel_upload(id);
            Response::new(204).with("Docker-Upload-UUID", id)
        }
        _ => call.unsupported(),
    }
}

fn get(call: &ApiRequest<'_, '_>, name: &str, digest: &Digest) -> Response {
    let Some(body) = call.core.store.blob(name, digest) else {
        return call.not_found("BLOB_UNKNOWN", "blob unknown to registry");
    };
    if call.quirks.blob_redirect {
        let to = format!("http://{}/storage/{digest}?signature=quirk", call.core.second_host());
        return Response::new(307).with("Location", to).with("Docker-Content-Digest", digest.to_string());
    }
    let etag = format!("\"{digest}\"");
    if call.request.header("If-None-Match").is_some_and(|it| it.contains(&etag)) {
        return Response::new(304).with("Docker-Content-Digest", digest.to_string()).with("ETag", etag);
    }
    let response = Response::new(200)
        .with("Content-Type", "application/octet-stream")
        .with("Accept-Ranges", "bytes")
        .with("Docker-Content-Digest", digest.to_string())
        .with("ETag", etag)
        .body(body);
    ranged(call, response)
}

fn ranged(call: &ApiRequest<'_, '_>, response: Response) -> Response {
    let len = response.body.len();
    let Some(range) = call.request.header("Range").and_then(|it| it.strip_prefix("bytes=")) else {
        return response;
    };
    let current = call.request.header("If-Range").is_none_or(|it| Some(it) == response.header("ETag"));
    let bounds = match range.split_once('-') {
        Some(("", suffix)) => suffix.parse::<u64>().ok().map(|n| (len.saturating_sub(n), len.saturating_sub(1))),
        Some((from, "")) => from.parse().ok().map(|from| (from, len.saturating_sub(1))),
        Some((from, to)) => {
            from.parse().ok().zip(to.parse().ok()).map(|(from, to): (u64, u64)| (from, to.min(len - 1)))
        }
        None => None,
    };
    match bounds {
        Some((from, to)) if current && from <= to && to < len => {
            let body = response.body.part(from, to + 1 - from);
            let mut part = response.with("Content-Range", format!("bytes {from}-{to}/{len}")).body(body);
            part.status = 206;
            part
        }
        Some(_) if current => {
            let mut none = response.body("invalid range: failed to overlap\n").with_type("text/plain; charset=utf-8");
            none.remove("Accept-Ranges");
            none.status = 416;
            none.with("Content-Range", format!("bytes */{len}"))
        }
        _ => response,
    }
}

// Nothing means: open an upload instead.
fn try_mount(call: &ApiRequest<'_, '_>, name: &str, mount: &str) -> Option<Response> {
    let Ok(digest) = mount.parse::<Digest>() else {
        // docker-registry does not mind.
        return (!call.old()).then(|| Response::error(400, "DIGEST_INVALID", "invalid digest"));
    };
    let from = call.request.parameter("from");
    let mounted = || {
        let location = call.place(&format!("/v2/{name}/blobs/{digest}"));
        Response::new(201).with("Location", location).with("Docker-Content-Digest", digest.to_string())
    };
    match call.quirks.mount {
        Mount::ErrorWithoutFrom if from.is_none() => {
            return Some(Response::error(400, "BLOB_UPLOAD_INVALID", "mount without from"));
        }
        Mount::Lie => return Some(mounted()),
        Mount::Status(202) => return None,
        Mount::Status(status) if status != 201 => {
            return Some(Response::error(
                status,
                if status == 401 { "UNAUTHORIZED" } else { "NAME_UNKNOWN" },
                "no mount",
            ));
        }
        Mount::ErrorWithoutFrom | Mount::Polite | Mount::Status(_) => {}
    }
    let from =
        from.filter(|from| call.core.tokens.also(call.quirks, call.request, &Access::repository(from, &["pull"])))?;
    call.core.store.mount(name, &digest, &from).then(mounted)
}

fn patch(call: &mut ApiRequest<'_, '_>, name: &str, id: &str) -> Response {
    let Some(upload) = call.core.store.upload(name, id) else {
        return upload_unknown(call);
    };
    let mut upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
    let before = upload.received;
    match call.quirks.patch {
        Patch::None => return call.unsupported(),
        Patch::Once if upload.generation > 0 => return out_of_range(call, name, id, &upload),
        Patch::Overwrite if upload.restart().is_err() => return Response::new(507),
        Patch::Append | Patch::Once | Patch::Overwrite => {}
    }
    if let Some(refusal) = check_range(call, name, id, &upload, before) {
        return refusal;
    }
    let added = upload.append(call.body);
    upload.generation += 1;
    if added.is_err() {
        return Response::error(499, "UNKNOWN", "the body ended early");
    }
    let shown = match call.quirks.range {
        Range::Right => upload.received,
        Range::Stale => before,
    };
    progress(call, call.quirks.patch_status, name, id, &upload, shown)
}

fn put(call: &mut ApiRequest<'_, '_>, name: &str, id: &str) -> Response {
    let digest = call.request.parameter("digest").and_then(|it| it.parse::<Digest>().ok());
    let (Some(digest), Some(upload)) = (digest, call.core.store.upload(name, id)) else {
        return Response::error(400, "DIGEST_INVALID", "invalid digest");
    };
    {
        let mut upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
        let before = upload.received;
        if let Some(refusal) = check_range(call, name, id, &upload, before) {
            return refusal;
        }
        if upload.append(call.body).is_err() {
            return Response::error(499, "UNKNOWN", "the body ended early");
        }
    }
    match call.core.store.finish_upload(id, &upload, digest) {
        Ok(true) => Response::new(201)
            .with("Location", call.place(&format!("/v2/{name}/blobs/{digest}")))
            .with("Docker-Content-Digest", digest.to_string()),
        Ok(false) => {
            if !call.old() {
                call.core.store.cancel_upload(id);
            }
            Response::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        }
        Err(_) => Response::error(507, "UNKNOWN", "no space left on device"),
    }
}

// Whether the request may add its body: its place is the end of what is there, and it is not too long.
fn check_range(call: &ApiRequest<'_, '_>, name: &str, id: &str, upload: &Upload, at: u64) -> Option<Response> {
    let len = call.request.header("Content-Length").and_then(|it| it.parse::<u64>().ok());
    let ranged = call.request.header("Content-Range").is_some();
    if let Some(status) = call.quirks.whole_range.filter(|_| ranged && at == 0 && call.request.method == "PUT") {
        return Some(Response::error(status, "BLOB_UPLOAD_INVALID", "a whole upload has no Content-Range"));
    }
    let capped = call.quirks.cap_whole || ranged || at > 0;
    let over = |cap: &Cap| capped && len.is_none_or(|len| len > cap.bytes);
    if let Some(cap) = call.quirks.chunk_cap.filter(over) {
        if cap.status == 416 {
            return Some(out_of_range(call, name, id, upload));
        }
        return Some(Response::error(cap.status, "SIZE_INVALID", "the request is too big"));
    }
    let range = call.request.header("Content-Range").filter(|_| !call.old())?;
    let bounds =
        range.split_once('-').and_then(|(from, to)| Some((from.parse::<u64>().ok()?, to.parse::<u64>().ok()?)));
    match bounds {
        None => Some(Response::error(400, "BLOB_UPLOAD_INVALID", "Content-Range is not understood")),
        Some((from, _)) if from != at && !call.quirks.wrong_offset => Some(out_of_range(call, name, id, upload)),
        Some((from, to)) if len.is_some_and(|len| from + len != to + 1) => {
            Some(Response::error(400, "SIZE_INVALID", "Content-Range and Content-Length differ"))
        }
        Some(_) => None,
    }
}

fn progress(call: &ApiRequest<'_, '_>, status: u16, name: &str, id: &str, upload: &Upload, received: u64) -> Response {
    let location = location(call, name, id, upload.generation);
    let response = Response::new(status).with("Location", location);
    let response = response.with("Range", format!("0-{}", received.saturating_sub(1)));
    min_length(call, response.with("Docker-Upload-UUID", id))
}

fn min_length(call: &ApiRequest<'_, '_>, response: Response) -> Response {
    match call.quirks.chunk_min {
        Some(min) => response.with("OCI-Chunk-Min-Length", min.to_string()),
        None => response,
    }
}

fn location(call: &ApiRequest<'_, '_>, name: &str, id: &str, generation: u64) -> String {
    let path = format!("/v2/{name}/blobs/uploads/{id}?_state={generation}");
    match call.quirks.location {
        Location::Absolute | Location::Path => call.place(&path),
        Location::OtherHost => format!("http://{}{path}", call.core.second_host()),
        Location::Relative => format!("{id}?_state={generation}"),
    }
}

fn out_of_range(call: &ApiRequest<'_, '_>, name: &str, id: &str, upload: &Upload) -> Response {
    progress(call, 416, name, id, upload, upload.received)
}

fn upload_unknown(call: &ApiRequest<'_, '_>) -> Response {
    // docker-registry signs the state of an upload with its repository and name: without a state, or with that of
    // another repository, an upload is not unknown but invalid.
    let elsewhere = call.request.path.rsplit('/').next().is_some_and(|id| call.core.store.has_upload(id));
    if call.old() && (elsewhere || call.request.parameter("_state").is_none()) {
        return Response::error(404, "BLOB_UPLOAD_INVALID", "blob upload invalid");
    }
    Response::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}
