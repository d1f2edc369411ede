//! `VexStatements`: which findings of a scan VEX statements clear.
//!
//! A finding is cleared by the newest statement about it, and only if that statement says *fixed*, or *not affected* with
//! a justification. What clears is compared exactly; what does not clear is compared loosely, so that a doubt never
//! clears anything.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::predicate::ImageProduct;
use crate::predicate::ScanFinding;
use crate::predicate::VexDocument;
use crate::predicate::VexParts;
use crate::predicate::VexProduct;
use crate::predicate::VexStatus;
use crate::time::Time;

/// The statements of some VEX documents that are about one image, by vulnerability.
///
/// The caller decides which documents count, and when they were made: those that accepted signers attested to the image,
/// and that are new enough.
#[derive(Clone, Debug)]
pub struct VexStatements<'a> {
    /// By identifiers in lower case.
    by_vulnerability: BTreeMap<String, Vec<Entry<'a>>>,
}

/// A statement about one product, which is the image, or may be if the statement does not clear.
#[derive(Clone, Debug)]
struct Entry<'a> {
    /// Whether the vulnerability is an alias in the statement, which is no reason to clear anything.
    is_alias: bool,
    /// The identifier of the vulnerability, as the statement has it.
    name: &'a str,
    status: VexStatus,
    subcomponents: Option<&'a VexParts>,
    time: Option<Time>,
}

impl<'a> VexStatements<'a> {
    /// The statements of `documents` that are about `image`, each document with the latest time that its clearing statements
    /// may have: the time of the document, or an earlier one that is proven. Without one it clears nothing.
    ///
    /// A statement without a time of its own has that of its document. One that clears is never newer than its document, nor
    /// than that latest time: an author may date a document ahead. One that does not clear is as new as it states.
    pub fn about(
        documents: impl IntoIterator<Item = (&'a VexDocument, Option<Time>)>,
        image: &ImageProduct<'_>,
    ) -> Self {
        let mut by_vulnerability: BTreeMap<String, Vec<Entry<'a>>> = BTreeMap::new();
        // A denial with a placeholder for its time would be older than everything.
        let known = |time: Option<Time>| time.filter(|time| !time.is_placeholder());
        for (document, latest) in documents {
            for statement in &document.statements {
                let stated = known(statement.time).or(known(document.time));
                let time = match statement.status.clears() {
                    true => stated.zip(latest).map(|(stated, latest)| {
                        let of_document = known(document.time).unwrap_or(latest);
                        stated.min(of_document).min(latest)
                    }),
                    false => stated,
                };
                let aliases = statement.aliases.iter().map(|alias| (alias, true));
                let names = || std::iter::once((&statement.vulnerability, false)).chain(aliases.clone());
                let is_about = |product: &&VexProduct| match statement.status.clears() {
                    true => product.is_image(image),
                    false => product.may_be_image(image),
                };
                for product in statement.products.iter().filter(is_about) {
                    for (name, is_alias) in names() {
                        let entries = by_vulnerability.entry(name.to_ascii_lowercase()).or_default();
                        let (status, subcomponents) = (statement.status, product.subcomponents.as_ref());
                        entries.push(Entry { is_alias, name, status, subcomponents, time });
                    }
                }
            }
        }
        Self { by_vulnerability }
    }

    /// Whether the finding is cleared: the newest statement about it says that it is fixed, or not affected with a
    /// justification, and so do all others of the same time.
    ///
    /// 1. Statements about each identifier of the finding are considered, in all documents: its own, its alias, and the
    ///    related ones.
    /// 2. One that clears must name the vulnerability by its own identifier or its alias, have a time, and be about the
    ///    whole image or name the finding's package with its version.
    /// 3. One that does not clear counts as well if it names the vulnerability by an alias only or in another case, the
    ///    image without any digest, or the package more or less exactly than the report. It counts as the newest if it has
    ///    no time.
    pub fn clears(&self, finding: &ScanFinding) -> bool {
        let names = std::iter::once(&finding.id).chain(&finding.alias).chain(&finding.related);
        let names: BTreeSet<_> = names.map(|name| name.to_ascii_lowercase()).collect();
        let entries = || names.iter().filter_map(|name| self.by_vulnerability.get(name));
        // More statements about one vulnerability than anyone makes: they are not worth the time to compare them.
        if entries().map(Vec::len).sum::<usize>() > MOST_STATEMENTS {
            return false;
        }
        let mut newest: Option<(Time, bool)> = None;
        for entry in entries().flatten().filter(|entry| entry.is_about(finding)) {
            let clears = entry.status.clears();
            let Some(time) = entry.time else {
                match clears {
                    true => continue,
                    false => return false,
                }
            };
            newest = match newest {
                Some((than, _)) if than > time => newest,
                Some((than, all_clear)) if than == time => Some((than, all_clear && clears)),
                _ => Some((time, clears)),
            };
        }
        newest.is_some_and(|(_, clears)| clears)
    }
}

impl Entry<'_> {
    /// Whether the statement is about the finding: exactly, if it clears it; possibly, if it does not.
    fn is_about(&self, finding: &ScanFinding) -> bool {
        if !self.status.clears() {
            return self.subcomponents.is_none_or(|parts| parts.may_name(finding.package.as_ref()));
        }
        let in_package = match (self.subcomponents, &finding.package) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(parts), Some(package)) => parts.name(package),
        };
        in_package && !self.is_alias && finding.is(self.name)
    }
}

/// Statements about one vulnerability in one image that are compared.
const MOST_STATEMENTS: usize = 1_000;
