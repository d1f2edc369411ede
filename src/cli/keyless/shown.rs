//! The text report of an accepted keyless signature: the source of the build, logs, and times.

use bulla::trust::KeylessSigner;
use bulla::trust::TransparencyProof;
use bulla::x509::FulcioClaims;

use crate::cli::line::Foreign;
use crate::cli::quantity::count;

/// Whose certificate it is: the name and the OIDC issuer.
pub(in crate::cli) fn who(signer: &KeylessSigner) -> String {
    let name = match FulcioClaims::of(signer.certificate()) {
        Ok(claims) => Foreign(claims.name()).to_string(),
        Err(_) => Foreign(signer.certificate().subject()).to_string(),
    };
    match signer.issuer() {
        Some(issuer) => format!("{name} by {}", Foreign(issuer)),
        None => format!("{name}, no OIDC issuer"),
    }
}

/// The lines below an accepted signature.
pub(in crate::cli) fn lines(signer: Option<&KeylessSigner>, proof: &TransparencyProof) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(signer) = signer {
        lines.extend(source(signer));
    }
    for entry in proof.log_entries().map(|entries| entries.entries()).unwrap_or_default() {
        let time = entry.integrated_time().map_or_else(String::new, |time| format!(" at {time}"));
        lines.push(format!("logged as number {} of the log {:.16}…{time}", entry.index(), entry.log().to_string()));
    }
    for timestamp in proof.timestamps() {
        let authority = timestamp.chain().signer().subject();
        lines.push(format!("timestamp {} by {}", timestamp.token().gen_time().time(), Foreign(authority)));
    }
    if let Some(signer) = signer {
        lines.push(match signer.certificate_timestamps().len() {
            0 => "certificate not in a verified certificate log".to_owned(),
            logs => format!("certificate promised by {}", count(logs, "certificate log")),
        });
    }
    lines
}

fn source(signer: &KeylessSigner) -> Option<String> {
    let Ok(claims) = FulcioClaims::of(signer.certificate()) else { return None };
    let mut line = format!("source {}", Foreign(claims.source_repository()?));
    for part in [claims.source_ref(), claims.source_commit()].into_iter().flatten() {
        line.push_str(&format!(" {}", Foreign(part)));
    }
    Some(line)
}
