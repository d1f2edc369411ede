//! The OIDC issuers of the command line: one for all identities that name none, and those of owners.

use bulla::x509::PatternError;
use bulla::x509::TextPattern;

use crate::cli::args::KeylessArgs;
use crate::cli::exit::Failure;
use crate::cli::keyless::failure::failure;

/// The OIDC issuers.
#[derive(Default)]
pub(super) struct Issuers {
    all: Option<TextPattern>,
    of_owners: Vec<(String, TextPattern)>,
}

impl Issuers {
    pub(super) fn read(args: &KeylessArgs) -> Result<Self, Failure> {
        let mut issuers = Self::default();
        for text in &args.certificate_oidc_issuer {
            let (owner, url) = split(text);
            issuers.add(
                "--certificate-oidc-issuer",
                text,
                owner,
                TextPattern::parse(url).and_then(TextPattern::check_narrow_issuer),
            )?;
        }
        for text in &args.certificate_oidc_issuer_regexp {
            let (owner, expression) = split(text);
            let issuer = TextPattern::regexp(expression).and_then(TextPattern::check_narrow_issuer);
            issuers.add("--certificate-oidc-issuer-regexp", text, owner, issuer)?;
        }
        if args.certificate_oidc_issuer_any {
            issuers.add("--certificate-oidc-issuer-any", "", None, Ok(TextPattern::any()))?;
        }
        Ok(issuers)
    }

    fn add(
        &mut self,
        option: &str,
        text: &str,
        owner: Option<&str>,
        issuer: Result<TextPattern, PatternError>,
    ) -> Result<(), Failure> {
        let issuer = issuer.map_err(|error| failure(option, text, &error))?;
        let again = |whose: &str| {
            let refused = Failure::unknown(format!("{option} {text}: {whose} has an issuer already"));
            refused.hint("--certificate-oidc-issuer OWNER=URL   for each owner")
        };
        match owner {
            Some(owner) if self.of_owners.iter().any(|(known, _)| known == owner) => {
                Err(again(&format!("the owner `{owner}`")))
            }
            Some(owner) => {
                self.of_owners.push((owner.to_owned(), issuer));
                Ok(())
            }
            None if self.all.is_some() => Err(again("every identity without an owner's issuer")),
            None => {
                self.all = Some(issuer);
                Ok(())
            }
        }
    }

    /// The issuer for the identities of `owner`.
    pub(super) fn of(&self, owner: Option<&str>) -> Option<&TextPattern> {
        let own = self.of_owners.iter().find(|(known, _)| owner == Some(known.as_str()));
        own.map(|(_, issuer)| issuer).or(self.all.as_ref())
    }

    /// An owner with an issuer, and without an identity.
    pub(super) fn check_owners(&self, owners: &[Option<&str>]) -> Result<(), Failure> {
        match self.of_owners.iter().find(|(owner, _)| !owners.contains(&Some(owner.as_str()))) {
            Some((owner, _)) => {
                let failure =
                    Failure::unknown(format!("--certificate-oidc-issuer: no keyless identity is of `{owner}`"));
                Err(failure.hint(format!("--certificate-identity {owner}=NAME")))
            }
            None => Ok(()),
        }
    }
}

/// The owner that an issuer is for; `None` if it is for all.
pub(super) fn owner_of(text: &str) -> Option<&str> {
    split(text).0
}

/// `OWNER=…`: a URL has a `:` before any `=`, and an anchored expression begins with `^`.
fn split(text: &str) -> (Option<&str>, &str) {
    let plain = |owner: &str| !owner.is_empty() && !owner.contains([':', '/']) && !owner.starts_with(['^', '(']);
    match text.split_once('=').filter(|(owner, _)| plain(owner)) {
        Some((owner, rest)) => (Some(owner), rest),
        None => (None, text),
    }
}
