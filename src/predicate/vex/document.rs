//! `VexDocument`: the statements of a VEX document about vulnerabilities in products.

use crate::limits::Limits;
use crate::limits::count;
use crate::predicate::JsonNode;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::VexProduct;
use crate::text::Untrusted;
use crate::time::Time;

/// A VEX document: its statements about vulnerabilities in products.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VexDocument {
    /// Its format.
    pub format: VexFormat,
    /// The statements.
    pub statements: Vec<VexStatement>,
    /// When the document was last changed, if it says so.
    pub time: Option<Time>,
}

/// The format of a VEX document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VexFormat {
    /// OASIS CSAF 2.0 and 2.1, with the profile VEX.
    Csaf,
    /// CycloneDX with analyses of vulnerabilities.
    CycloneDx,
    /// OpenVEX 0.0.1 and 0.2.
    OpenVex,
}

/// A statement about a vulnerability in some products.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VexStatement {
    /// Other identifiers that the document gives the vulnerability.
    pub aliases: Vec<String>,
    /// The products.
    pub products: Vec<VexProduct>,
    /// The status of the products.
    pub status: VexStatus,
    /// When the statement was made, if that is known.
    pub time: Option<Time>,
    /// The identifier of the vulnerability.
    pub vulnerability: String,
}

/// The status of a product with regard to a vulnerability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VexStatus {
    /// The product is affected, or nothing better is said.
    Affected,
    /// The product has a fix.
    Fixed,
    /// The product is not affected, for a reason that the format knows.
    NotAffected,
    /// The product is said not to be affected, without a known justification.
    NotAffectedUnjustified,
    /// The vulnerability is being investigated, or the document is a draft.
    UnderInvestigation,
}

impl VexStatus {
    /// Whether a finding is cleared by a statement with this status: fixed, or not affected with a justification.
    pub const fn clears(self) -> bool {
        matches!(self, Self::Fixed | Self::NotAffected)
    }

    /// The status in a document that is no final version: a draft clears nothing, and may take back what was cleared.
    pub(super) const fn in_draft(self) -> Self {
        if self.clears() { Self::UnderInvestigation } else { self }
    }
}

/// Reasons why a product is not affected. CISA, "Vulnerability Exploitability eXchange (VEX) - Status Justifications";
/// OpenVEX and CSAF have the same names.
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "inline_mitigations_already_exist",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_not_present",
];

/// Whether a label is a justification that OpenVEX and CSAF know.
pub(in crate::predicate) fn is_justification(label: &str) -> bool {
    JUSTIFICATIONS.contains(&label)
}

/// The statements of a document while it is read. Their products, subcomponents and aliases together are at most as many
/// as a document may have values.
pub(super) struct Statements {
    pub(super) all: Vec<VexStatement>,
    limit: u64,
    used: u64,
}

impl Statements {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { all: Vec::new(), limit: limits.json.values, used: 0 }
    }

    /// Checks that `more` things, of which nothing is kept yet, would be within the limit.
    pub(super) fn fits(&self, node: &JsonNode<'_>, more: usize) -> Result<(), PredicateError> {
        match self.used.saturating_add(count(more)) > self.limit {
            true => Err(node.error(PredicateProblem::TooMany { what: "VEX products", limit: self.limit })),
            false => Ok(()),
        }
    }

    pub(super) fn add(&mut self, node: &JsonNode<'_>, statement: VexStatement) -> Result<(), PredicateError> {
        let products: usize = statement.products.iter().map(VexProduct::size).sum();
        let size = products.saturating_add(statement.aliases.len()).saturating_add(1);
        self.fits(node, size)?;
        self.used = self.used.saturating_add(count(size));
        self.all.push(statement);
        Ok(())
    }
}

/// The texts of a list; none if it is missing.
pub(super) fn texts(list: Option<JsonNode<'_>>) -> Result<Vec<String>, PredicateError> {
    let mut texts = Vec::new();
    if let Some(list) = list {
        list.each(&mut |node| {
            texts.push(node.filled_text()?.into_owned());
            Ok(())
        })?;
    }
    Ok(texts)
}

/// The error that a value is not one of those that the format has.
pub(super) fn not_known(node: &JsonNode<'_>, wanted: &'static str, found: &str) -> PredicateError {
    node.error(PredicateProblem::NotA { wanted, found: Untrusted::within(found, 80) })
}
