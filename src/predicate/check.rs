//! The check of a predicate before it is attested: the mistakes that matter, each with its JSON Pointer.
//! `docs/attestations.md` lists them.

use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateKind;
use crate::predicate::PredicateProblem;
use crate::predicate::Sbom;
use crate::predicate::ScanReport;
use crate::predicate::Scanner;
use crate::predicate::VexDocument;
use crate::predicate::VexFormat;
use crate::predicate::check_build;
use crate::predicate::vex::is_justification;
use crate::text::Untrusted;

/// Checks that `predicate` is a document of the kind that `predicate_type` names, and does not have a mistake with which
/// no policy could accept it. Documents of other types are only checked to be a JSON object, and no statement, envelope
/// or bundle.
///
/// # Errors
/// All mistakes that were found, each a [`PredicateError`].
pub fn check(predicate_type: &str, predicate: &[u8], limits: &Limits) -> Result<(), NonEmpty<PredicateError>> {
    let mut mistakes = Mistakes(Vec::new());
    if let Err(error) = find(predicate_type, predicate, limits, &mut mistakes) {
        mistakes.0.push(error);
    }
    match NonEmpty::collect(mistakes.0) {
        Some(mistakes) => Err(mistakes),
        None => Ok(()),
    }
}

/// The mistakes that were found, beside which the search could go on.
struct Mistakes(Vec<PredicateError>);

impl Mistakes {
    fn add(&mut self, path: &str, problem: PredicateProblem) {
        if self.0.len() < MOST_MISTAKES {
            self.0.push(PredicateError::at(path, problem));
        }
    }

    fn wants(&mut self, object: &JsonObject<'_>, field: &str) -> Result<(), PredicateError> {
        if object.optional_text(field)?.is_none() {
            self.add(&object.path_of(field), PredicateProblem::Missing);
        }
        Ok(())
    }
}

fn find(
    predicate_type: &str,
    predicate: &[u8],
    limits: &Limits,
    mistakes: &mut Mistakes,
) -> Result<(), PredicateError> {
    let node = JsonNode::parse(predicate, limits)?;
    let kind = PredicateKind::of(predicate_type);
    let object = node.object()?;
    kind_of_document(&object, kind)?;
    match kind {
        PredicateKind::Sbom(format) => {
            let sbom = Sbom::read(predicate, format, limits)?;
            sbom_mistakes(&object, &sbom, mistakes)
        }
        PredicateKind::Scan(_) => {
            let scan = ScanReport::read(predicate, predicate_type, limits)?;
            scan_mistakes(&object, &scan, mistakes)
        }
        PredicateKind::Vex => {
            let vex = VexDocument::read(predicate, limits)?;
            vex_mistakes(&object, &vex, mistakes)
        }
        PredicateKind::Provenance | PredicateKind::TestResult | PredicateKind::VerificationSummary => {
            let found = check_build::mistakes(kind, predicate_type, predicate, limits)?;
            found.into_iter().for_each(|(path, problem)| mistakes.add(path, problem));
            Ok(())
        }
        PredicateKind::Other => Ok(()),
    }
}

/// The fields that only such documents have, and what they are: whole documents around a predicate.
const WHOLE_DOCUMENTS: [(&[&str], &str); 3] = [
    (&["_type", "predicateType"], "an in-toto statement"),
    (&["payload", "payloadType"], "a DSSE envelope"),
    (&["dsseEnvelope"], "a Sigstore bundle"),
];

/// The fields that only such documents have, what they are, and the kinds of predicates that they may be.
const DOCUMENTS: [(&[&str], &str, &[&str]); 11] = [
    (&["bomFormat"], "a CycloneDX document", &["sbom", "vex"]),
    (&["spdxVersion"], "an SPDX document", &["sbom"]),
    (&["@context", "@graph"], "an SPDX 3 document", &["sbom"]),
    (&["runs", "version"], "a SARIF log", &[]),
    (&["document", "product_tree"], "a CSAF document", &["vex"]),
    (&["@context", "statements"], "an OpenVEX document", &["vex"]),
    (&["buildDefinition", "runDetails"], "SLSA provenance", &["provenance"]),
    (&["builder", "buildType"], "SLSA provenance", &["provenance"]),
    (&["verificationResult", "verifier"], "a verification summary", &["vsa"]),
    (&["scanner", "metadata"], "a vulnerability scan", &["scan"]),
    (&["result", "configuration"], "a test result", &["test-result"]),
];

/// Refuses a document of another kind than the predicate type wants, also the report of a scanner itself.
fn kind_of_document(object: &JsonObject<'_>, kind: PredicateKind) -> Result<(), PredicateError> {
    let has = |name: &&str| object.keys().any(|key| key == *name);
    let wrong = |found| {
        let problem = PredicateProblem::WrongDocument { found, wanted: wanted(kind) };
        Err(PredicateError::at(object.path(), problem))
    };
    if let Some((_, found)) = WHOLE_DOCUMENTS.iter().find(|(fields, _)| fields.iter().all(has)) {
        return wrong(found);
    }
    if kind == PredicateKind::Other {
        return Ok(());
    }
    if let Some((_, found, kinds)) = DOCUMENTS.iter().find(|(fields, _, _)| fields.iter().all(has)) {
        return if kinds.contains(&kind.name()) { Ok(()) } else { wrong(found) };
    }
    match Scanner::of(object) {
        Some(_) => wrong("the report of a scanner"),
        None => Ok(()),
    }
}

const fn wanted(kind: PredicateKind) -> &'static str {
    match kind {
        PredicateKind::Other => "a predicate alone",
        PredicateKind::Provenance => "SLSA provenance",
        PredicateKind::Sbom(_) => "an SBOM",
        PredicateKind::Scan(_) => "a vulnerability scan",
        PredicateKind::TestResult => "a test result",
        PredicateKind::VerificationSummary => "a verification summary",
        PredicateKind::Vex => "a VEX document",
    }
}

fn sbom_mistakes(document: &JsonObject<'_>, sbom: &Sbom, mistakes: &mut Mistakes) -> Result<(), PredicateError> {
    let has = |name: &str| document.keys().any(|key| key == name);
    let (time, list) = match (has("bomFormat"), has("spdxVersion")) {
        (true, _) => ("/metadata/timestamp", "/components"),
        (_, true) => ("/creationInfo/created", "/packages"),
        _ => ("/@graph", "/@graph"),
    };
    if sbom.time.is_none() {
        mistakes.add(time, PredicateProblem::NoTime);
    }
    if sbom.components == 0 {
        mistakes.add(list, PredicateProblem::EmptySbom);
    }
    if has("spdxVersion") {
        mistakes.wants(document, "name")?;
        mistakes.wants(document, "documentNamespace")?;
    }
    Ok(())
}

fn scan_mistakes(predicate: &JsonObject<'_>, scan: &ScanReport, mistakes: &mut Mistakes) -> Result<(), PredicateError> {
    if scan.finished.is_none() {
        mistakes.add("/metadata/scanFinishedOn", PredicateProblem::NoTime);
    }
    if let Some((database, finished)) = scan.database.zip(scan.finished).filter(|(built, finished)| built > finished) {
        mistakes.add("/scanner/db", PredicateProblem::DatabaseAfterScan { database, finished });
    }
    mistakes.wants(&predicate.required_object("scanner")?, "uri")
}

fn vex_mistakes(document: &JsonObject<'_>, vex: &VexDocument, mistakes: &mut Mistakes) -> Result<(), PredicateError> {
    let (time, list) = match vex.format {
        VexFormat::Csaf => ("/document/tracking/current_release_date", "/vulnerabilities"),
        VexFormat::CycloneDx => ("/metadata/timestamp", "/vulnerabilities"),
        VexFormat::OpenVex => ("/timestamp", "/statements"),
    };
    if vex.time.is_none() {
        mistakes.add(time, PredicateProblem::NoTime);
    }
    if vex.statements.is_empty() {
        mistakes.add(list, PredicateProblem::Empty);
    }
    if vex.format == VexFormat::OpenVex {
        mistakes.wants(document, "@id")?;
        mistakes.wants(document, "author")?;
        if document.optional("version")?.is_none() {
            mistakes.add("/version", PredicateProblem::Missing);
        }
        document.required("statements")?.each(&mut |node| justification(&node, mistakes))?;
    }
    Ok(())
}

/// Checks that a product that is not affected has a justification, or at least an impact statement. OpenVEX
/// specification, "Status Labels". Only a justification clears a finding.
fn justification(node: &JsonNode<'_>, mistakes: &mut Mistakes) -> Result<(), PredicateError> {
    let statement = node.object()?;
    if statement.required("status")?.text()? != "not_affected" {
        return Ok(());
    }
    let path = statement.path_of("justification");
    match statement.optional_text("justification")? {
        Some(label) if !is_justification(&label) => {
            let found = Untrusted::within(&label, 80);
            mistakes.add(&path, PredicateProblem::NotA { wanted: "a justification of OpenVEX", found });
        }
        None if statement.optional_text("impact_statement")?.is_none() => {
            mistakes.add(&path, PredicateProblem::Missing);
        }
        _ => {}
    }
    Ok(())
}

/// Mistakes of one document that are reported.
const MOST_MISTAKES: usize = 20;
