//! CSAF documents with the profile VEX. OASIS CSAF 2.0, sections 3.2 and 4.5.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::VexDocument;
use crate::predicate::VexFormat;
use crate::predicate::VexParts;
use crate::predicate::VexProduct;
use crate::predicate::VexStatement;
use crate::predicate::VexStatus;
use crate::predicate::vex::document::Statements;
use crate::predicate::vex::document::is_justification;
use crate::predicate::vex::document::not_known;
use crate::predicate::vex::document::texts;
use crate::text::Untrusted;
use crate::time::Time;

/// The products of a document, by product ID.
#[derive(Default)]
struct Products {
    identifiers: BTreeMap<String, Vec<String>>,
    groups: BTreeMap<String, Vec<String>>,
    /// The IDs of the products in a branch for one architecture.
    of_architecture: BTreeSet<String>,
    /// A component in a product: the IDs of the component and of the product.
    parts: BTreeMap<String, (String, String)>,
}

/// The lists of `product_status`, and what each says. The list `recommended` says nothing about a vulnerability.
const STATUSES: [(&str, VexStatus); 7] = [
    ("first_affected", VexStatus::Affected),
    ("first_fixed", VexStatus::Fixed),
    ("fixed", VexStatus::Fixed),
    ("known_affected", VexStatus::Affected),
    ("known_not_affected", VexStatus::NotAffectedUnjustified),
    ("last_affected", VexStatus::Affected),
    ("under_investigation", VexStatus::UnderInvestigation),
];

pub(super) fn read(root: &JsonObject<'_>, limits: &Limits) -> Result<VexDocument, PredicateError> {
    let document = root.required_object("document")?;
    let version = document.required("csaf_version")?;
    if !matches!(version.text()?.as_ref(), "2.0" | "2.1") {
        return Err(version.error(PredicateProblem::UnknownVersion(Untrusted::within(&version.text()?, 40))));
    }
    let category = document.required("category")?;
    if category.text()? != "csaf_vex" {
        let wanted = "a CSAF document of the category csaf_vex";
        return Err(
            category.error(PredicateProblem::WrongDocument { found: "a CSAF document of another category", wanted })
        );
    }
    let tracking = document.required_object("tracking")?;
    let state = tracking.required("status")?;
    let is_final = match state.text()?.as_ref() {
        "final" => true,
        "draft" | "interim" => false,
        other => return Err(not_known(&state, "a status of a CSAF document", other)),
    };
    let time = tracking.optional_time("current_release_date")?;
    let mut products = Products::default();
    if let Some(tree) = root.optional_object("product_tree")? {
        products.read(&tree, limits)?;
    }
    let mut statements = Statements::new(limits);
    if let Some(list) = root.optional("vulnerabilities")? {
        list.each(&mut |node| vulnerability(&node, &products, is_final, time, &mut statements))?;
    }
    Ok(VexDocument { format: VexFormat::Csaf, statements: statements.all, time })
}

/// Adds the statements about one vulnerability.
fn vulnerability(
    node: &JsonNode<'_>,
    products: &Products,
    is_final: bool,
    time: Option<Time>,
    statements: &mut Statements,
) -> Result<(), PredicateError> {
    let entry = node.object()?;
    let mut names: Vec<String> = entry.optional_text("cve")?.into_iter().collect();
    if let Some(list) = entry.optional("ids")? {
        list.each(&mut |node| {
            names.push(node.object()?.required_text("text")?);
            Ok(())
        })?;
    }
    let Some((vulnerability, aliases)) = names.split_first() else {
        return Err(PredicateError::at(&entry.path_of("cve"), PredicateProblem::Missing));
    };
    let justified = justified(&entry, products)?;
    let Some(lists) = entry.optional_object("product_status")? else { return Ok(()) };
    for (name, stated) in STATUSES {
        for id in texts(lists.optional(name)?)? {
            let status = match stated {
                VexStatus::NotAffectedUnjustified if justified.contains(&id) => VexStatus::NotAffected,
                stated => stated,
            };
            let status = if is_final { status } else { status.in_draft() };
            let statement = VexStatement {
                aliases: aliases.to_vec(),
                products: vec![products.product(&id)],
                status,
                time,
                vulnerability: vulnerability.clone(),
            };
            statements.add(node, statement)?;
        }
    }
    Ok(())
}

/// The IDs of the products that a flag says why they are not affected.
fn justified(entry: &JsonObject<'_>, products: &Products) -> Result<BTreeSet<String>, PredicateError> {
    let mut justified = BTreeSet::new();
    let Some(flags) = entry.optional("flags")? else { return Ok(justified) };
    flags.each(&mut |node| {
        let flag = node.object()?;
        if is_justification(&flag.required_text("label")?) {
            justified.extend(texts(flag.optional("product_ids")?)?);
            for group in texts(flag.optional("group_ids")?)? {
                justified.extend(products.groups.get(&group).into_iter().flatten().cloned());
            }
        }
        Ok(())
    })?;
    Ok(justified)
}

impl Products {
    fn read(&mut self, tree: &JsonObject<'_>, limits: &Limits) -> Result<(), PredicateError> {
        self.branches(tree, (limits.json.depth, false), limits)?;
        if let Some(list) = tree.optional("full_product_names")? {
            list.each(&mut |node| self.add(&node.object()?))?;
        }
        if let Some(list) = tree.optional("relationships")? {
            list.each(&mut |node| self.relationship(&node.object()?))?;
        }
        let Some(list) = tree.optional("product_groups")? else { return Ok(()) };
        list.each(&mut |node| {
            let group = node.object()?;
            self.groups.insert(group.required_text("group_id")?, texts(group.optional("product_ids")?)?);
            Ok(())
        })
    }

    /// Adds the products of the branches, which nest at most `depth` levels more, and are for one architecture or below a
    /// branch that is.
    fn branches(
        &mut self,
        parent: &JsonObject<'_>,
        (depth, is_below_architecture): (u64, bool),
        limits: &Limits,
    ) -> Result<(), PredicateError> {
        let Some(list) = parent.optional("branches")? else { return Ok(()) };
        let Some(below) = depth.checked_sub(1) else {
            let what = "levels of branches";
            return Err(list.error(PredicateProblem::TooMany { what, limit: limits.json.depth }));
        };
        list.each(&mut |node| {
            let branch = node.object()?;
            let category = branch.optional_text("category")?;
            let is_of_architecture =
                is_below_architecture || category.is_some_and(|it| it.eq_ignore_ascii_case("architecture"));
            if let Some(product) = branch.optional_object("product")? {
                self.add(&product)?;
                if is_of_architecture {
                    self.of_architecture.insert(product.required_text("product_id")?);
                }
            }
            self.branches(&branch, (below, is_of_architecture), limits)
        })
    }

    fn add(&mut self, product: &JsonObject<'_>) -> Result<(), PredicateError> {
        let id = product.required("product_id")?;
        let mut identifiers = Vec::new();
        if let Some(helper) = product.optional_object("product_identification_helper")? {
            identifiers.extend(helper.optional_text("purl")?);
            identifiers.extend(texts(helper.optional("purls")?)?);
        }
        match self.identifiers.insert(id.filled_text()?.into_owned(), identifiers) {
            Some(_) => Err(id.error(PredicateProblem::StatedTwice)),
            None => Ok(()),
        }
    }

    /// Adds a product that is a component in another one.
    fn relationship(&mut self, relationship: &JsonObject<'_>) -> Result<(), PredicateError> {
        let name = relationship.required_object("full_product_name")?;
        let id = name.required_text("product_id")?;
        self.add(&name)?;
        let (part, whole) = ("product_reference", "relates_to_product_reference");
        self.parts.insert(id, (relationship.required_text(part)?, relationship.required_text(whole)?));
        Ok(())
    }

    /// The product with the ID `id`: itself, or limited to a component of it. One that the document does not define has
    /// no identifiers.
    fn product(&self, id: &str) -> VexProduct {
        let mut is_of_architecture = self.of_architecture.contains(id);
        let (id, parts) = match self.parts.get(id) {
            None => (id, None),
            Some((part, whole)) => {
                is_of_architecture |= [part, whole].into_iter().any(|id| self.of_architecture.contains(id));
                let mut parts = VexParts::default();
                parts.add(self.identifiers.get(part).into_iter().flatten().map(String::as_str));
                (whole.as_str(), Some(parts))
            }
        };
        let identifiers = self.identifiers.get(id).into_iter().flatten();
        VexProduct { is_of_architecture, ..VexProduct::named(identifiers.map(String::as_str), parts) }
    }
}
