//! `Members`: the members of a JSON object, taken by name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::rule::NotaryRule;
use crate::json;
use crate::limits::Limits;

/// The members of a JSON object that are not taken yet.
pub(super) struct Members<'a> {
    members: Vec<Member<'a>>,
    part: &'static str,
}

struct Member<'a> {
    /// The name as readers that ignore case compare it.
    folded: String,
    name: String,
    value: &'a RawValue,
}

/// Whether a name may differ from the wanted one in case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameCase {
    Ignored,
    Sensitive,
}

impl<'a> Members<'a> {
    /// Reads `text`, one JSON document, which every reader must understand alike.
    pub(super) fn read(part: &'static str, text: &'a [u8], limits: &Limits) -> Result<Self, NotaryError> {
        let json = |error| NotaryError::Json { part, error };
        json::check(text, limits).map_err(json)?;
        Self::of_checked(part, text)
    }

    /// Reads `text`, a part of a document that was checked.
    pub(super) fn of_checked(part: &'static str, text: &'a [u8]) -> Result<Self, NotaryError> {
        let json = |error| NotaryError::Json { part, error };
        let read: BTreeMap<String, &'a RawValue> = json::read(text).map_err(json)?;
        let members = read.into_iter().map(|(name, value)| Member { folded: json::fold_case(&name), name, value });
        Ok(Self { members: members.collect(), part })
    }

    /// Takes the value of the member `name`. Two members whose names differ in case only have no reading.
    pub(super) fn take_raw(&mut self, name: &str, case: NameCase) -> Result<Option<&'a RawValue>, NotaryError> {
        let folded = json::fold_case(name);
        let mut alike = self.members.extract_if(.., |member| member.folded == folded);
        let (first, second) = (alike.next(), alike.next());
        match (first, second) {
            (None, _) => Ok(None),
            (Some(_), Some(second)) => Err(NotaryError::found(NotaryRule::NameAmbiguous, &second.name)),
            (Some(only), None) if only.name != name && case == NameCase::Sensitive => {
                Err(NotaryError::found(NotaryRule::NameCase, &only.name))
            }
            (Some(only), None) => Ok(Some(only.value)),
        }
    }

    /// Takes the value of the member `name` as a `T`.
    pub(super) fn take<T: Deserialize<'a>>(&mut self, name: &str, case: NameCase) -> Result<Option<T>, NotaryError> {
        let Some(raw) = self.take_raw(name, case)? else { return Ok(None) };
        let read = json::read(raw.get().as_bytes());
        read.map(Some).map_err(|error| NotaryError::Json { part: self.part, error })
    }

    /// The names of the members that were not taken.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// The members that were not taken, sorted by name.
    pub(super) fn rest(self) -> impl Iterator<Item = (String, &'a RawValue)> {
        self.members.into_iter().map(|member| (member.name, member.value))
    }
}
