//! `Reading`: takes fields and values from the YAML tree, and collects what is wrong with them.

use crate::nonempty::NonEmpty;
use crate::policy_file::PolicyFileError;
use crate::policy_file::PolicyProblem;
use crate::policy_file::WantedValue;
use crate::policy_file::document::Located;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::parse::fields::MappingFields;
use crate::policy_file::parse::nearest::nearest;
use crate::text::Untrusted;
use crate::yaml::Position;
use crate::yaml::ScalarLook;
use crate::yaml::YamlKey;
use crate::yaml::YamlNode;
use crate::yaml::YamlValue;

/// Collects the errors of a file. A method that returns `None` has reported why, or the YAML reader has.
pub(super) struct Reading {
    errors: Vec<PolicyFileError>,
}

/// A mapping whose keys were compared with its fields.
#[derive(Clone, Copy)]
pub(super) struct ReadMapping<'a> {
    entries: &'a [(YamlKey, YamlNode)],
    pub(super) of: &'static MappingFields,
    pub(super) position: Position,
}

/// A pair of texts of a mapping whose keys the operator chooses.
pub(super) type Pair = (Located<String>, Located<String>);

impl<'a> ReadMapping<'a> {
    /// The value of a field that is there.
    pub(super) fn get(&self, field: &'static str) -> Option<&'a YamlNode> {
        debug_assert!(self.of.fields.contains(&field), "{field} is in the table of {}", self.of.name);
        self.entries.iter().find(|(key, _)| key.text == field).map(|(_, node)| node)
    }

    /// The fields among `of` that are there, with where they stand.
    pub(super) fn present(&self, of: &'static [&'static str]) -> Vec<(&'static str, Position)> {
        let at = |field: &&'static str| {
            let entry = self.entries.iter().find(|(key, _)| key.text == **field)?;
            Some((*field, entry.0.position))
        };
        of.iter().filter_map(at).collect()
    }
}

impl Reading {
    pub(super) const fn new() -> Self {
        Self { errors: Vec::new() }
    }

    /// The first errors in the order of their positions; `None` if there are none.
    pub(super) fn into_errors(mut self) -> Option<NonEmpty<PolicyFileError>> {
        self.errors.sort_by_key(|error| error.position);
        NonEmpty::collect(self.errors.into_iter().take(PolicyDocument::MOST_ERRORS))
    }

    /// Collects an error. After many, nobody reads further ones.
    pub(super) fn report(&mut self, position: Position, problem: PolicyProblem) {
        if self.errors.len() < MOST_COLLECTED {
            self.errors.push(PolicyFileError { position, problem });
        }
    }

    /// The fields of a mapping: unknown ones are errors.
    pub(super) fn mapping<'a>(&mut self, node: &'a YamlNode, of: &'static MappingFields) -> Option<ReadMapping<'a>> {
        let entries = self.entries(node)?;
        for (key, _) in entries.iter().filter(|(key, _)| !of.fields.contains(&key.text.as_str())) {
            if self.errors.len() < MOST_COLLECTED {
                let (found, nearest) = (Untrusted::within(&key.text, SHOWN), nearest(&key.text, of.fields));
                let problem = PolicyProblem::UnknownField { found, known: of.fields, mapping: of.name, nearest };
                self.report(key.position, problem);
            }
        }
        Some(ReadMapping { entries, of, position: node.position })
    }

    fn entries<'a>(&mut self, node: &'a YamlNode) -> Option<&'a [(YamlKey, YamlNode)]> {
        match &node.value {
            YamlValue::Mapping(entries) => Some(entries),
            other => {
                self.wrong_type(node.position, other, WantedValue::Mapping);
                None
            }
        }
    }

    /// The entries of a mapping whose keys the operator chooses, at least one. Each key is a text.
    pub(super) fn named<'a>(
        &mut self,
        node: &'a YamlNode,
        field: &'static str,
    ) -> Option<Vec<(Located<String>, &'a YamlNode)>> {
        let entries = self.entries(node)?;
        if entries.is_empty() {
            self.report(node.position, PolicyProblem::Empty { field });
            return None;
        }
        let read = |(key, node): &'a (YamlKey, YamlNode)| {
            self.quoted_if_needed(key.position, &key.text, key.plain, None)?;
            let text = self.one_line(key.position, &key.text)?;
            Some((Located { position: key.position, value: text.to_owned() }, node))
        };
        let keys: Vec<_> = entries.iter().map(read).collect();
        keys.into_iter().collect()
    }

    /// A mapping of texts, at least one.
    pub(super) fn pairs(&mut self, node: &YamlNode, field: &'static str) -> Option<Vec<Pair>> {
        let entries = self.named(node, field)?;
        let pairs: Vec<_> = entries.into_iter().map(|(key, node)| self.text(node).map(|text| (key, text))).collect();
        pairs.into_iter().collect()
    }

    /// A field that must be there.
    pub(super) fn required<'a>(&mut self, fields: &ReadMapping<'a>, field: &'static str) -> Option<&'a YamlNode> {
        let node = fields.get(field);
        if node.is_none() {
            self.report(fields.position, PolicyProblem::MissingField { field, mapping: fields.of.name });
        }
        node
    }

    /// A field that may be there: `Some(None)` if it is not.
    pub(super) fn optional<T>(
        &mut self,
        fields: &ReadMapping<'_>,
        field: &'static str,
        read: impl FnOnce(&mut Self, &YamlNode) -> Option<T>,
    ) -> Option<Option<T>> {
        match fields.get(field) {
            Some(node) => read(self, node).map(Some),
            None => Some(None),
        }
    }

    /// A field that must be there, read.
    pub(super) fn need<T>(
        &mut self,
        fields: &ReadMapping<'_>,
        field: &'static str,
        read: impl FnOnce(&mut Self, &YamlNode) -> Option<T>,
    ) -> Option<T> {
        self.required(fields, field).and_then(|node| read(self, node))
    }

    /// A list that may be there; nothing if it is not.
    pub(super) fn list_of<T>(
        &mut self,
        fields: &ReadMapping<'_>,
        field: &'static str,
        read: impl FnMut(&mut Self, &YamlNode) -> Option<T>,
    ) -> Option<Vec<T>> {
        match fields.get(field) {
            Some(node) => self.elements(node, field, read),
            None => Some(Vec::new()),
        }
    }

    /// A list that must be there.
    pub(super) fn required_list_of<T>(
        &mut self,
        fields: &ReadMapping<'_>,
        field: &'static str,
        read: impl FnMut(&mut Self, &YamlNode) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.required(fields, field).and_then(|node| self.elements(node, field, read))
    }

    /// The elements of a list, at least one. Each is read, also after one with an error.
    pub(super) fn elements<T>(
        &mut self,
        node: &YamlNode,
        field: &'static str,
        mut read: impl FnMut(&mut Self, &YamlNode) -> Option<T>,
    ) -> Option<Vec<T>> {
        match &node.value {
            YamlValue::Sequence(nodes) if nodes.is_empty() => {
                self.report(node.position, PolicyProblem::Empty { field });
                None
            }
            YamlValue::Sequence(nodes) => {
                let elements: Vec<_> = nodes.iter().map(|node| read(self, node)).collect();
                elements.into_iter().collect()
            }
            other => {
                self.wrong_type(node.position, other, WantedValue::List);
                None
            }
        }
    }

    /// Reports the elements of a list that stand in it twice.
    pub(super) fn unique<T: Ord>(
        &mut self,
        elements: Option<Vec<Located<T>>>,
        shown: impl Fn(&T) -> String,
    ) -> Option<Vec<Located<T>>> {
        let elements = elements?;
        let mut seen = std::collections::BTreeSet::new();
        let repeated: Vec<_> = elements.iter().filter(|element| !seen.insert(&element.value)).collect();
        for element in &repeated {
            let shown = Untrusted::within(&shown(&element.value), SHOWN);
            self.report(element.position, PolicyProblem::Repeated(shown));
        }
        repeated.is_empty().then_some(elements)
    }

    /// Exactly one of some fields.
    pub(super) fn exactly_one(
        &mut self,
        fields: &ReadMapping<'_>,
        of: &'static [&'static str],
    ) -> Option<&'static str> {
        let present = fields.present(of);
        match present.as_slice() {
            [(field, _)] => Some(field),
            several => {
                let last = several.iter().skip(1).map(|(_, position)| *position).max();
                let position = several.first().zip(last).map_or(fields.position, |((_, first), last)| last.max(*first));
                let problem = PolicyProblem::ExactlyOne { found: several.len(), mapping: fields.of.name, of };
                self.report(position, problem);
                None
            }
        }
    }

    /// A field that excludes others: reports each of them that is there.
    pub(super) fn excludes(&mut self, fields: &ReadMapping<'_>, other: &'static str, of: &'static [&'static str]) {
        for (field, position) in fields.present(of) {
            self.report(position, PolicyProblem::Conflict { field, other });
        }
    }

    /// Fields that need another one beside them: reports each of them that is there.
    pub(super) fn needs(&mut self, fields: &ReadMapping<'_>, of: &'static [&'static str], needs: &'static str) {
        if fields.get(needs).is_none() {
            for (field, position) in fields.present(of) {
                self.report(position, PolicyProblem::Needs { field, needs });
            }
        }
    }

    /// The text of a scalar, and whether it has no quotes.
    pub(super) fn scalar<'a>(&mut self, node: &'a YamlNode, wanted: WantedValue) -> Option<(&'a str, bool)> {
        match &node.value {
            YamlValue::Text { plain, text } => Some((text, *plain)),
            other => {
                self.wrong_type(node.position, other, wanted);
                None
            }
        }
    }

    /// A text that is a text to all readers of YAML: in quotes, or not like a number or a date, except as `allowed`.
    pub(super) fn quoted_if_needed(
        &mut self,
        position: Position,
        text: &str,
        plain: bool,
        allowed: Option<ScalarLook>,
    ) -> Option<()> {
        let looks = ScalarLook::of(text).filter(|looks| plain && Some(*looks) != allowed);
        let Some(looks) = looks else { return Some(()) };
        let text = Untrusted::within(text, SHOWN);
        self.report(position, PolicyProblem::Quote { looks, text });
        None
    }

    /// A text on one line, without hidden characters.
    pub(super) fn one_line<'a>(&mut self, position: Position, text: &'a str) -> Option<&'a str> {
        // A block ends with a line end.
        let text = text.strip_suffix('\n').unwrap_or(text);
        if text.trim() != text || text.is_empty() || text.chars().any(crate::text::is_unsafe_to_show) {
            self.unexpected(position, text, WantedValue::Text);
            return None;
        }
        Some(text)
    }

    pub(super) fn unexpected(&mut self, position: Position, found: &str, wanted: WantedValue) {
        self.report(position, PolicyProblem::Unexpected { found: Untrusted::within(found, SHOWN), wanted });
    }

    fn wrong_type(&mut self, position: Position, found: &YamlValue, wanted: WantedValue) {
        let found = match found {
            // The YAML reader has reported it.
            YamlValue::Invalid => return,
            YamlValue::Mapping(_) => "a mapping",
            YamlValue::Sequence(_) => "a list",
            YamlValue::Text { .. } => "a text",
        };
        self.report(position, PolicyProblem::WrongType { found, wanted });
    }
}

/// Errors that are collected before they are sorted.
const MOST_COLLECTED: usize = 1_000;

/// Characters of a value that a message shows.
pub(super) const SHOWN: usize = 80;
