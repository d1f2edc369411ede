//! The verification material of a signature in `inspect` and `tree`. Nothing in it was verified, and each text says so.

use bulla::envelope::FormName;
use bulla::ops::inspect::InspectedLayer;
use bulla::transparency::InspectedCertificate;
use bulla::transparency::InspectedMaterial;
use bulla::transparency::TransparencyLogEntry;

use super::line::Foreign;
use super::notary::token_text;
use super::render::Rows;

/// The rows of a layer: its format and its material.
pub(super) fn layer_rows(layer: &InspectedLayer) -> Rows {
    let what = match layer.format {
        FormName::Dsse => "a DSSE envelope",
        FormName::SimpleSigning => "simple signing",
        _ => "a Sigstore bundle",
    };
    let mut rows = vec![("signature".to_owned(), format!("{what}  {} (nothing in it was verified)", layer.digest))];
    match &layer.material {
        Ok(material) => rows.extend(material_rows(material)),
        Err(why) => rows.push(("material".to_owned(), format!("not readable: {}", Foreign(why)))),
    }
    rows
}

/// The rows of the material: certificates, log entries, timestamps.
pub(super) fn material_rows(material: &InspectedMaterial) -> Rows {
    let row = |label: &str, read: Result<String, String>| {
        let text = read.unwrap_or_else(|why| format!("not readable: {}", Foreign(why)));
        (label.to_owned(), text)
    };
    let certificates = material.certificates.iter().map(|read| {
        let read = read.as_ref().map(certificate_text).map_err(ToString::to_string);
        row("certificate", read)
    });
    let entries = material.log_entries.iter().map(|read| {
        let read = read.as_ref().map(entry_text).map_err(ToString::to_string);
        row("log entry", read)
    });
    let timestamps = material.timestamps.iter().map(|read| {
        let read = read.as_ref().map(token_text).map_err(ToString::to_string);
        row("timestamp", read)
    });
    certificates.chain(entries).chain(timestamps).collect()
}

/// The lines of the material below a document of a tree: of the certificates, that of the signer.
pub(super) fn tree_lines(material: &InspectedMaterial) -> Vec<String> {
    let others = material.certificates.len().saturating_sub(1);
    let rows = material_rows(material).into_iter().enumerate();
    let shown = rows.filter(|(position, _)| *position == 0 || *position > others);
    shown.map(|(_, (label, text))| format!("{label} (not verified): {text}")).collect()
}

/// Names, issuer and validity of a certificate.
fn certificate_text(inspected: &InspectedCertificate) -> String {
    let InspectedCertificate { certificate, names, oidc_issuer, .. } = inspected;
    let names = names.iter().map(|name| format!("`{}`", Foreign(name))).collect::<Vec<_>>().join(", ");
    let whose = match names.is_empty() {
        true => format!("`{}`", Foreign(certificate.subject())),
        false => names,
    };
    let token = oidc_issuer.as_ref().map_or_else(String::new, |issuer| format!(", identity by `{}`", Foreign(issuer)));
    format!(
        "{whose}{token}, issued by `{}`, from {} to {}, SHA-256 {}",
        Foreign(certificate.issuer()),
        certificate.not_before(),
        certificate.not_after(),
        certificate.digest().hex()
    )
}

/// Log, kind, index and integrated time of a log entry.
fn entry_text(entry: &TransparencyLogEntry) -> String {
    let index = entry.claimed_index().map_or_else(String::new, |index| format!(", index {index}"));
    let time = match entry.claimed_time() {
        Some(time) => format!("integrated {time}"),
        None => "without a time".to_owned(),
    };
    format!("{}{index}, {time}, in the log {}", entry.kind(), entry.log_id())
}
