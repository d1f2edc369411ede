//! `PolicyCases`: test cases of a policy file: images, and what the policy is expected to say of them.

use std::collections::BTreeMap;

use crate::policy_file::document::Located;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::Word;
use crate::policy_file::required_policy::name_all;
use crate::time::Time;
use crate::yaml::Position;

/// A file of test cases of one policy file (`docs/policy-testing.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyCases {
    /// The cases, at least one, in the order of the file. Each has a title of its own.
    pub cases: Vec<PolicyCase>,
    /// The policy file, relative to the directory of the file of cases.
    pub policy: Located<String>,
}

/// A test case: an image, and what a policy file is expected to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyCase {
    /// The time of the verification (`at`).
    pub at: Located<Time>,
    /// The title (`case`).
    pub case: Located<String>,
    /// The codes of everything that is missing, in any order (`codes`). Empty: they are not compared.
    pub codes: Vec<Located<String>>,
    /// The expected verdict (`expect`).
    pub expect: Located<CaseVerdict>,
    /// The image in a layout or archive, relative to the directory of the file of cases (`image`).
    pub image: Located<String>,
    /// The name by which the image is judged: a repository, perhaps with a tag (`name`).
    pub name: Located<String>,
    /// Where the case begins.
    pub position: Position,
}

/// The verdict of a policy file on the image of a test case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseVerdict {
    /// Every requirement is met.
    Accepted,
    /// The operator lets the image in without a signature.
    AcceptedUnsigned,
    /// Could not tell.
    CouldNotTell,
    /// A requirement is not met, or the policy refuses the image.
    Refused,
}

impl CaseVerdict {
    /// The word in a file of cases.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AcceptedUnsigned => "accepted-unsigned",
            Self::CouldNotTell => "could-not-tell",
            Self::Refused => "refused",
        }
    }
}

impl Word for CaseVerdict {
    const ALL: &'static [(&'static str, Self)] = &[
        (Self::Accepted.word(), Self::Accepted),
        (Self::AcceptedUnsigned.word(), Self::AcceptedUnsigned),
        (Self::CouldNotTell.word(), Self::CouldNotTell),
        (Self::Refused.word(), Self::Refused),
    ];
}

/// A requirement of a policy file, by its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequirementPlace {
    /// Its line, from 1.
    pub line: u32,
    /// Its name in reports: `images[0].require[1].sbom`.
    pub id: String,
}

impl PolicyDocument {
    /// Every requirement, those in `any` and `all` too, in the order of the file.
    pub fn requirement_places(&self) -> Vec<RequirementPlace> {
        let mut names = BTreeMap::new();
        name_all("baseline", &self.baseline, &mut names);
        for (index, block) in self.images.iter().enumerate() {
            name_all(&format!("images[{index}].require"), &block.require, &mut names);
        }
        names.into_iter().map(|((line, _), id)| RequirementPlace { line, id }).collect()
    }
}
