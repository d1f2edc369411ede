//! The text report of `copy` and `import`, and of their dry runs.

use bulla::digest::Digest;
use bulla::oci::ImageName;
use bulla::ops::copy::Copied;
use bulla::ops::layers::LayersRead;
use bulla::ops::loaded::LoadedManifest;
use bulla::ops::naming::PreviousTarget;
use bulla::report::CopyResult;
use bulla::report::CopySummary;
use bulla::verify::VerifiedSubject;

use super::exit::Failure;
use super::line::Foreign;
use super::quantity::amount;
use super::quantity::count;
use super::render::line;
use super::render::note;
use super::signatures::accepted_lines;
use super::verdict::layers_read;
use super::verdict::revocation_lines;
use super::verdict::urls_of;

/// One image that was copied, or would be by a dry run.
pub(super) struct MovedImage {
    pub(super) copied: Copied,
    pub(super) digest: Digest,
    /// The index that the image was taken out of.
    pub(super) index: Option<Digest>,
    /// What `docker load` loads of the image, if it was copied into a docker-archive.
    pub(super) loaded: Option<LoadedManifest>,
    /// The layout, archive or repository of the destination.
    pub(super) place: String,
    /// The configs and layers that a dry run of an import read from the source.
    pub(super) read: Option<LayersRead>,
    /// The references of the image at the destination.
    pub(super) written: Vec<String>,
}

impl MovedImage {
    /// The same for a JSON report, with the source and the destination as typed.
    pub(super) fn summary<'a>(&'a self, source: &'a str, target: &'a str, dry_run: bool) -> CopySummary<'a> {
        CopySummary { source, target, dry_run, copied: &self.copied, written: &self.written }
    }
}

/// The result of copying one image, for a JSON report.
pub(super) fn copy_result<'a>(
    source: &'a str,
    target: &'a str,
    dry_run: bool,
    result: &'a Result<MovedImage, Failure>,
) -> CopyResult<'a> {
    match result {
        Ok(moved) => CopyResult::of(moved.summary(source, target, dry_run), moved.digest, moved.index),
        Err(failure) => CopyResult::failed(source, target, dry_run, failure.reported()),
    }
}

pub(super) fn copied(source: &str, target: &str, dry_run: bool, moved: &MovedImage) {
    let (verb, blobs) = if dry_run { ("would copy", "to move") } else { ("copied", "moved") };
    self::moved((verb, blobs), source, target, moved);
}

/// Notes that signatures of the index do not cover an image that was taken out of it.
pub(super) fn note_index_signatures(source: &str, moved: &MovedImage) {
    let Some(index) = moved.index else { return };
    let digest = moved.digest;
    let source = Foreign(source);
    note(format_args!("note: of `{source}` ({index}) only {digest} is copied, with what refers to it"));
    note(format_args!("note: signatures of the index do not cover it, and are not copied"));
}

/// Notes that a platform is let in as a part of its index, and its manifest alone is not.
pub(super) fn note_not_alone(source: &str, index: &Digest, manifest: &Digest) {
    let source = Foreign(source);
    note(format_args!("note: of `{source}` ({index}) only {manifest} would be copied, without the index"));
    note(format_args!("note: the policy lets it in as a part of the index, and not alone: copy the whole index"));
}

/// Notes what `docker load` does not load from a docker-archive that was written, or loads without a name.
pub(super) fn note_loaded(source: &str, moved: &MovedImage) {
    let Some(loaded) = &moved.loaded else { return };
    let source = Foreign(source);
    if !loaded.others.is_empty() {
        let others = loaded.others.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (platform, others) = (Foreign(&loaded.platform), Foreign(others));
        note(format_args!("note: `{source}`: `docker load` loads {platform} only; {others} stays in the archive"));
    }
    if loaded.zstd_layers > 0 {
        let layers = count(loaded.zstd_layers, "layer");
        note(format_args!(
            "note: `{source}`: {layers} compressed with zstd, which older versions of Docker do not load"
        ));
    }
    let named = |name: &str| ImageName::new(name).is_some_and(|name| name.is_repo_tag());
    if !moved.copied.named.iter().any(|written| named(&written.name)) {
        note(format_args!("note: `{source}`: `docker load` gives it no name, since it has no name HOST/REPO:TAG here"));
    }
}

/// Notes what was not copied, for every output format.
pub(super) fn note_skipped(source: &str, copied: &Copied) {
    let source = Foreign(source);
    for left in &copied.missing_foreign_layers {
        let (layer, urls) = (left.layer.digest, Foreign(urls_of(left)));
        note(format_args!("note: not copied: the foreign layer {layer}, which `{source}` does not hold; {urls}"));
    }
    for left in &copied.skipped_referrers {
        let (media_type, why) = (Foreign(&left.media_type), Foreign(&left.reason));
        note(format_args!("note: not copied: the referrer {} ({media_type}): {why}", left.digest));
    }
}

pub(super) fn imported(source: &str, target: &str, dry_run: bool, verified: &[VerifiedSubject], moved: &MovedImage) {
    for verified in verified {
        line(format_args!("verified {}  {}", verified.digest(), Foreign(source)));
        for counted in verified.accepted().iter() {
            accepted_lines(counted).iter().for_each(|shown| line(format_args!("  {shown}")));
        }
        let revocation = revocation_lines(verified.accepted().iter().map(|counted| &counted.signer));
        revocation.iter().for_each(|shown| line(format_args!("  {shown}")));
    }
    moved.read.iter().for_each(|read| line(layers_read(read)));
    let (verb, blobs) = if dry_run { ("would import", "to move") } else { ("imported", "moved") };
    self::moved((verb, blobs), source, target, moved);
    for tag in &moved.copied.unsupported_tags {
        note(format_args!("note: not imported: the tag {}, which registries do not support", Foreign(tag)));
    }
}

/// Prints what was moved, the references at the destination, and the previous target of each name.
fn moved((verb, blobs): (&str, &str), source: &str, target: &str, moved: &MovedImage) {
    let MovedImage { copied, digest, written, .. } = moved;
    // With --all the names come from the source, so they are foreign text.
    let (source, first) = (Foreign(source), Foreign(written.first().map_or(target, String::as_str)));
    line(format_args!("{verb} {digest}  {source} -> {first}"));
    written.iter().skip(1).for_each(|reference| line(format_args!("  and {}", Foreign(reference))));
    for (reference, named) in written.iter().zip(&copied.named) {
        match &named.previous {
            PreviousTarget::Unused | PreviousTarget::Same => {}
            PreviousTarget::Other(held) => {
                let held = held.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                line(format_args!("  {} was {held}", Foreign(reference)));
            }
            PreviousTarget::Unknown(error) => {
                line(format_args!("  {} was unknown ({})", Foreign(reference), Foreign(error)));
            }
        }
    }
    line(format_args!("  {}", amounts(copied, blobs)));
}

fn amounts(copied: &Copied, verb: &str) -> String {
    let Copied { blobs, bytes, blobs_present, manifests, referrers, .. } = copied;
    let (manifests, referrers) = (count(*manifests, "manifest"), count(*referrers, "referrer"));
    let (blobs, bytes) = (count(*blobs, "blob"), amount(*bytes));
    format!("{manifests} ({referrers}), {blobs} {verb} ({bytes}), {blobs_present} there already")
}
