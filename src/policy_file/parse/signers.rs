//! Who signs a statement, about what, and how old it may be.

use crate::policy_file::PolicyProblem;
use crate::policy_file::document::Located;
use crate::policy_file::document::MaxAge;
use crate::policy_file::document::SignersDocument;
use crate::policy_file::document::TimeWord;
use crate::policy_file::parse::reading::ReadMapping;
use crate::policy_file::parse::reading::Reading;

/// Whether a requirement must say how old a statement may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AgeRule {
    /// It may.
    Optional,
    /// It must: only the newest statement counts, so a newer one may be withheld.
    Required,
}

/// `max-age` and `time`, if they are written.
type Ages = (Option<Located<MaxAge>>, Option<Located<TimeWord>>);

impl Reading {
    /// `by`, `at-least`, `about`, `max-age` and `time`.
    pub(super) fn signers(&mut self, fields: &ReadMapping<'_>, age: AgeRule) -> Option<SignersDocument> {
        let by = self.required_list_of(fields, "by", Self::name);
        let by = self.unique(by, String::clone);
        let at_least = self.at_least(fields, by.as_deref());
        // VEX statements are about what the scan is about.
        let about = match fields.of.fields.contains(&"about") {
            true => self.optional(fields, "about", Self::word),
            false => Some(None),
        };
        let (max_age, time) = self.ages(fields, age)?;
        Some(SignersDocument { about: about?, at_least: at_least?, by: by?, max_age, time })
    }

    /// `max-age` and `time`.
    pub(super) fn ages(&mut self, fields: &ReadMapping<'_>, rule: AgeRule) -> Option<Ages> {
        let max_age = match rule {
            AgeRule::Optional => self.optional(fields, "max-age", Self::age),
            AgeRule::Required => self.need(fields, "max-age", Self::age).map(Some),
        };
        let time = self.optional(fields, "time", Self::word);
        if rule == AgeRule::Optional {
            self.needs(fields, &["time"], "max-age");
        }
        Some((max_age?, time?))
    }

    fn at_least(&mut self, fields: &ReadMapping<'_>, by: Option<&[Located<String>]>) -> Option<Located<u32>> {
        let written = self.optional(fields, "at-least", |reading, node| reading.small(node, 1, u32::MAX))?;
        let (by, position) = (by?, fields.get("by")?.position);
        let names = by.len();
        match written {
            Some(at_least) if usize::try_from(at_least.value).is_ok_and(|wanted| wanted <= names) => Some(at_least),
            Some(Located { position, value }) => {
                self.report(position, PolicyProblem::AtLeastTooHigh { names, wanted: value.into() });
                None
            }
            None if names > 1 => {
                self.report(position, PolicyProblem::AtLeastMissing { names });
                None
            }
            None => Some(Located { position, value: 1 }),
        }
    }
}
