//! The text report of verdicts: what was verified, what was refused, what could not be decided, and why.

use std::collections::BTreeSet;

use bulla::digest::Digest;
use bulla::envelope::EnvelopeError;
use bulla::oci::Reference;
use bulla::ops::copy::MissingForeignLayer;
use bulla::ops::layers::Layers;
use bulla::ops::layers::LayersRead;
use bulla::ops::verify::Outcome;
use bulla::ops::verify::Verdict;
use bulla::policy::StatementKind;
use bulla::trust::CertificateFault;
use bulla::trust::CertifiedSigner;
use bulla::trust::KeylessSigner;
use bulla::trust::PassedBy;
use bulla::trust::RevocationCoverage;
use bulla::trust::VerifiedSigner;
use bulla::verify::Finding;
use bulla::verify::Reason;
use bulla::verify::Refusal;
use bulla::verify::UnmetRequirement;

use super::args::RequirementArgs;
use super::hints;
use super::line::Foreign;
use super::line::Lines;
use super::line::shortened;
use super::quantity::amount;
use super::quantity::count;
use super::render;
use super::render::line;
use super::render::note;
use super::render::text;
use super::signatures::accepted_line;
use super::signatures::accepted_lines;

pub(super) fn outcome(reference: &str, outcome: &Outcome, required: &RequirementArgs) {
    let chosen = outcome.chosen.unwrap_or(outcome.subject);
    verdict(reference, reference, &chosen, &outcome.verdict, required);
    match (&outcome.verdict, &outcome.layers) {
        (Verdict::Accepted(_), layers) => layers_line(layers),
        (_, Layers::Partly(_, faults)) if faults.len() > 1 => {
            for fault in faults.iter().take(SHOWN) {
                note(format_args!("  fault     {}", shortened(&fault.to_string())));
            }
            and_more(faults.len());
        }
        _ => {}
    }
    for (platform, digest, child) in &outcome.children {
        let platform =
            platform.as_ref().map_or_else(|| "no platform".to_owned(), |platform| Foreign(platform).to_string());
        verdict(&format!("{reference} ({platform})"), reference, digest, child, required);
        if matches!(child, Verdict::Accepted(_)) {
            line(if matches!(outcome.layers, Layers::NotRead) { NOT_READ } else { READ });
        }
    }
}

/// Prints whether the layers of an accepted image were read.
pub(super) fn layers_line(layers: &Layers) {
    match layers {
        Layers::NotRead => line(NOT_READ),
        Layers::Partly(..) => line(READ),
        Layers::Read(read) => line(layers_read(read)),
    }
}

/// Prints the verified predicates, each once. Prints none if any manifest of the reference was not verified.
pub(super) fn predicates(reference: &str, outcome: &Outcome, required: &RequirementArgs) {
    let chosen = outcome.chosen.unwrap_or(outcome.subject);
    let children = outcome.children.iter().map(|(_, digest, verdict)| (digest, verdict));
    let mut accepted = Vec::new();
    for (digest, verdict) in [(&chosen, &outcome.verdict)].into_iter().chain(children) {
        match verdict {
            Verdict::Accepted(verified) => accepted.push(verified),
            Verdict::NotRequired => {}
            _ => self::verdict(reference, reference, digest, verdict, required),
        }
    }
    if outcome.is_accepted() {
        let mut printed = BTreeSet::new();
        let counted = accepted.iter().flat_map(|verified| verified.accepted().iter());
        for predicate in counted.filter_map(|counted| counted.predicate.as_ref()) {
            if printed.insert(predicate) {
                render::predicate(predicate);
            }
        }
    }
}

/// The line about the configs and layers that were read.
pub(super) fn layers_read(read: &LayersRead) -> String {
    format!("{READ}: {} ({})", count(read.blobs, "blob"), amount(read.bytes))
}

/// Notes the foreign layers that were not read, for every output format.
pub(super) fn unread_foreign_layers(reference: &str, layers: &Layers) {
    let (Layers::Read(read) | Layers::Partly(read, _)) = layers else { return };
    for left in &read.missing_foreign_layers {
        let (layer, urls) = (left.layer.digest, Foreign(urls_of(left)));
        note(format_args!("note: not read: the foreign layer {layer}, which `{reference}` does not hold; {urls}"));
    }
}

/// Where a foreign layer can be downloaded, for a note.
pub(super) fn urls_of(left: &MissingForeignLayer) -> String {
    match left.urls.as_slice() {
        [] => "its manifest names no URL".to_owned(),
        urls => format!("download it from {}", urls.join(", ")),
    }
}

/// Prints one verdict. `name` is the text that is shown for `reference`.
pub(super) fn verdict(name: &str, reference: &str, digest: &Digest, verdict: &Verdict, required: &RequirementArgs) {
    let name = Foreign(name);
    match verdict {
        Verdict::Accepted(verified) => {
            let mut shown = Lines::from_iter([format_args!("verified {digest}  {name}")]);
            for counted in verified.accepted().iter() {
                accepted_lines(counted).iter().for_each(|line| shown.push(format_args!("  {line}")));
            }
            revocation_lines(verified.accepted().iter().map(|one| &one.signer))
                .iter()
                .for_each(|line| shown.push(format_args!("  {line}")));
            if verified.digest() != digest {
                shown.push(format_args!("  as part of the signed index {}", verified.digest()));
            }
            text(&shown);
        }
        Verdict::Incomplete { accepted: counted, why, .. } => {
            let why = why.to_string();
            note(format_args!("error: `{name}` is signed, but could not be read whole: {}", shortened(&why)));
            counted.iter().for_each(|counted| note(format_args!("  counted   {}", accepted_line(counted))));
            note(format_args!("hint: {}", hints::DAMAGED));
        }
        Verdict::NotRequired => text(&Lines::from_iter([
            format_args!("index    {digest}  {name}"),
            format_args!(
                "  the index itself has no attestation that counts, and needs none: --type with --all-platforms is about each platform"
            ),
        ])),
        Verdict::Refused(refusal) => {
            note(format_args!("error: `{name}` refused: {}", refusal_line(refusal, required)));
            details(refusal);
            note(format_args!("hint: {}", refusal_hint(reference, refusal, required)));
        }
        Verdict::Unknown { refusal, unread } => {
            note(format_args!("error: `{name}` undetermined: {}", found_line(refusal, required)));
            unread.iter().for_each(|error| note(format_args!("  not read  {}", shortened(&error.to_string()))));
            details(refusal);
            let hint = match unread.first() {
                Some(error) => Some(hints::unread_hint(error)),
                // Who asks online is told why there was no answer.
                None if required.lookup.revocation_online => None,
                None if lacks_status(refusal) => Some(hints::REVOCATION.to_owned()),
                None => hints::keyless_hint(findings(refusal)).map(str::to_owned),
            };
            hint.iter().for_each(|hint| note(format_args!("hint: {hint}")));
        }
    }
}

/// What is known about the revocation of the certificates by which signatures counted; nothing about pinned keys that count
/// by themselves.
pub(super) fn revocation_lines<'a>(signers: impl Iterator<Item = &'a VerifiedSigner>) -> Vec<String> {
    let signers: Vec<_> = signers.collect();
    let any = |wanted| signers.iter().any(|signer| signer.revocation_coverage() == Some(wanted));
    let mut lines = Vec::new();
    if any(RevocationCoverage::NoCertificate) {
        lines.push("no certificate vouches for a signature by a key: no revocation status checked".to_owned());
    }
    if any(RevocationCoverage::NotChecked) {
        lines.push("revocation of certificates not checked".to_owned());
        return lines;
    }
    let statuses = |signer: &&'a VerifiedSigner| {
        let certified = signer.certified().and_then(CertifiedSigner::statuses);
        certified.or_else(|| signer.keyless().and_then(KeylessSigner::statuses))
    };
    let passed: Vec<_> = signers.iter().filter_map(statuses).flatten().map(|status| status.passed).collect();
    let until = passed.iter().filter_map(|passed| match passed {
        PassedBy::Good { until } => Some(*until),
        _ => None,
    });
    if let Some(until) = until.min() {
        lines.push(format!("certificates not revoked, by evidence that is fresh until {until}"));
    }
    if passed.iter().any(|passed| matches!(passed, PassedBy::Rescued(_))) {
        lines.push("signed before a certificate was revoked, as its timestamp proves".to_owned());
    }
    let unnamed = passed.iter().filter(|passed| matches!(passed, PassedBy::NotNamed)).count();
    if unnamed > 0 {
        lines.push(format!("revocation not known of {}: no source is named", count(unnamed, "certificate")));
    }
    lines
}

fn findings(refusal: &Refusal) -> impl Iterator<Item = &Finding> {
    refusal.findings.iter().map(AsRef::as_ref)
}

/// Whether the revocation status of a certificate is not known.
fn lacks_status(refusal: &Refusal) -> bool {
    let mut faults = refusal.findings.iter().flat_map(|finding| finding.reason.certificate_faults());
    faults.any(|fault| matches!(fault, CertificateFault::Revocation { .. }) && fault.is_undetermined())
}

fn refusal_line(refusal: &Refusal, required: &RequirementArgs) -> String {
    let UnmetRequirement { kinds, got, want, .. } = refusal.unmet.first();
    match (got, want, refusal.findings.is_empty()) {
        (0, 1, true) => format!("it has no {kinds}"),
        (0, 1, false) => format!("none of its signed documents is an {kinds} that counts"),
        _ => format!("it has an {kinds} by {got} of {want} {}", signers(required)),
    }
}

/// The word for those who have to sign: keys, or owners of keys and certificates.
fn signers(required: &RequirementArgs) -> &'static str {
    let by_keys = !required.certificates.has_identity() && required.notation.trust_policy.is_none();
    match by_keys {
        true => "keys",
        false => "signers",
    }
}

/// As [`refusal_line`], if something could not be read: the image may have signatures that were not seen.
fn found_line(refusal: &Refusal, required: &RequirementArgs) -> String {
    match (refusal.unmet.first().got, refusal.findings.is_empty()) {
        (0, true) => format!("no {} could be read", refusal.unmet.first().kinds),
        _ => refusal_line(refusal, required),
    }
}

fn details(refusal: &Refusal) {
    for counted in &refusal.accepted {
        note(format_args!("  counted   {}", accepted_line(counted)));
    }
    rejected(&refusal.ranked());
}

/// Prints why each of these pieces of evidence did not count, the first ones.
pub(super) fn rejected(findings: &[&Finding]) {
    for finding in findings.iter().take(SHOWN) {
        let digest = finding.digest.map_or_else(String::new, |digest| format!("{:.19}…  ", digest.to_string()));
        note(format_args!("  rejected  {digest}{}  ({})", Foreign(&finding.reason), Foreign(&finding.place)));
    }
    and_more(findings.len());
}

fn and_more(all: usize) {
    if all > SHOWN {
        note(format_args!("  and {} more; --output json has them all", all - SHOWN));
    }
}

fn refusal_hint(reference: &str, refusal: &Refusal, required: &RequirementArgs) -> String {
    let subject = refusal.subject;
    let is_lenient = |reason: &Reason| matches!(reason, Reason::Envelope(EnvelopeError::OnlyLenient(_)));
    if refusal.findings.iter().any(|finding| is_lenient(&finding.reason)) {
        return hints::ENVELOPE_READER.to_owned();
    }
    let kinds = &refusal.unmet.first().kinds;
    let make = match kinds.single() {
        Some(StatementKind::ImageSignature)
            if required.key.is_empty() && required.certificates.keyless.trusted_root.is_some() =>
        {
            format!("sign it with their identity: cosign sign REPOSITORY@{subject}")
        }
        Some(StatementKind::ImageSignature) if required.key.is_empty() => {
            format!("sign it with a certificate: notation sign REPOSITORY@{subject}")
        }
        Some(StatementKind::ImageSignature) => format!("sign it: bulla sign REPOSITORY@{subject} --key KEY"),
        _ => {
            let what = format!("--type {} --predicate FILE --key KEY", kinds.type_option().unwrap_or("TYPE"));
            format!("attest it: bulla attest REPOSITORY@{subject} {what}")
        }
    };
    match (refusal.accepted.is_empty(), refusal.findings.is_empty()) {
        (true, true) => match reference.parse() {
            Ok(Reference::DockerArchive(local)) => hints::with_evidence(&local.path.display().to_string()),
            _ => format!("ask the publisher to {make}"),
        },
        (true, false) => match hints::keyless_hint(findings(refusal)) {
            Some(hint) => hint.to_owned(),
            None => format!("bulla tree {reference}   # shows what is attached, and by whom"),
        },
        (false, _) if signers(required) != "keys" => format!("ask another trusted signer to {make}"),
        (false, _) => format!("ask the holder of another of the {} keys to {make}", required.key.len()),
    }
}

/// The number of findings that are shown. The JSON report has all of them.
const SHOWN: usize = 12;
const NOT_READ: &str = "  layers not read";

const READ: &str = "  layers read";
