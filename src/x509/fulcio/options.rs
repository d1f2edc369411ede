//! `WrittenIdentity`: an identity as it is written after `github:` or `gitlab:`, in its parts.

use crate::x509::FulcioExtension;
use crate::x509::NamePattern;
use crate::x509::PatternError;
use crate::x509::TextPattern;

/// The parts of `PLACE[@REF][,OPTION…]`.
pub(super) struct WrittenIdentity<'a> {
    pub(super) any_file: bool,
    pub(super) any_ref: bool,
    pub(super) enterprise: Option<&'a str>,
    /// Conditions about extensions.
    pub(super) extensions: Vec<NamePattern>,
    pub(super) host: Option<&'a str>,
    pub(super) place: &'a str,
    pub(super) reference: Option<&'a str>,
    whole: &'a str,
    pub(super) workflow: Option<&'a str>,
}

impl<'a> WrittenIdentity<'a> {
    /// Reads the parts. `any_file` is the word for every file with build instructions.
    pub(super) fn parse(whole: &'a str, rest: &'a str, any_file: &str) -> Result<Self, PatternError> {
        let mut parts = rest.split(',');
        let (place, reference) = at_ref(parts.next().unwrap_or_default());
        let mut written = Self {
            any_file: false,
            any_ref: false,
            enterprise: None,
            extensions: Vec::new(),
            host: None,
            place,
            reference,
            whole,
            workflow: None,
        };
        let mut seen: Vec<&str> = Vec::new();
        for option in parts {
            let (key, value) = option.split_once('=').map_or((option, None), |(key, value)| (key, Some(value)));
            if seen.contains(&key) {
                return Err(written.error("an option is given twice"));
            }
            seen.push(key);
            written.add(key, value.filter(|value| !value.is_empty()), any_file)?;
        }
        if written.any_ref == written.reference.is_some() {
            return Err(written.error("it needs a ref, such as @refs/heads/main or @refs/tags/v*, or the word any-ref"));
        }
        Ok(written)
    }

    fn add(&mut self, key: &str, value: Option<&'a str>, any_file: &str) -> Result<(), PatternError> {
        match (key, value) {
            ("any-ref", None) => self.any_ref = true,
            ("enterprise", Some(slug)) if is_name(slug) => self.enterprise = Some(slug),
            ("host", Some(host)) if is_host(host) => self.host = Some(host),
            ("trigger", Some(event)) => {
                let event = TextPattern::exact(event)?;
                let older = (FulcioExtension::WorkflowTrigger, event.clone());
                self.extensions.push(NamePattern::either((FulcioExtension::BuildTrigger, event), [older]));
            }
            ("workflow", Some(workflow)) => self.workflow = Some(workflow),
            (word, None) if word == any_file => self.any_file = true,
            (name, Some(text)) => {
                let unknown = || self.error("it has an option that is not known");
                let extension = FulcioExtension::named(name).ok_or_else(unknown)?;
                self.extensions.push(NamePattern::either((extension, TextPattern::parse(text)?), []));
            }
            _ => return Err(self.error("it has an option that is not known")),
        }
        Ok(())
    }

    pub(super) fn error(&self, reason: &'static str) -> PatternError {
        PatternError::ReadyMade { found: self.whole.to_owned(), reason }
    }

    /// The ref as a pattern: `refs/heads/…`, `refs/tags/…` or `refs/pull/…`.
    pub(super) fn ref_pattern(&self) -> Result<Option<&'a str>, PatternError> {
        match self.reference {
            Some(reference) if !is_ref(reference) => {
                Err(self.error("a ref begins with refs/heads/, refs/tags/ or refs/pull/"))
            }
            other => Ok(other),
        }
    }
}

/// Splits `PLACE@REF`.
pub(super) fn at_ref(text: &str) -> (&str, Option<&str>) {
    text.split_once('@').map_or((text, None), |(place, reference)| (place, Some(reference)))
}

/// Whether it is a branch, a tag or a pull request, perhaps with wildcards after that.
pub(super) fn is_ref(text: &str) -> bool {
    let rest = ["refs/heads/", "refs/tags/", "refs/pull/"].iter().find_map(|start| text.strip_prefix(start));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['@', ' ']))
}

/// Whether it is the name of an owner, a group or a repository: no wildcard, no segment that leads elsewhere.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.chars().all(plain) && !matches!(text, "." | "..")
}

/// Whether it is the path of a file, perhaps with wildcards.
pub(super) fn is_path(text: &str) -> bool {
    text.split('/').all(|segment| is_name(&segment.replace('*', "x")))
}

fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':');
    text.chars().all(plain) && text.split('.').all(|label| !label.is_empty())
}
