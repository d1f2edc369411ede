//! Scalars of the policy language: texts, words, numbers, dates, ages, digests, paths and patterns.

use std::net::IpAddr;

use crate::digest::Digest;
use crate::policy_file::PolicyProblem;
use crate::policy_file::WantedValue;
use crate::policy_file::document::Date;
use crate::policy_file::document::Located;
use crate::policy_file::document::MaxAge;
use crate::policy_file::document::PatternOrAny;
use crate::policy_file::document::Word;
use crate::policy_file::parse::nearest::nearest;
use crate::policy_file::parse::reading::Reading;
use crate::policy_file::parse::reading::SHOWN;
use crate::predicate::SegmentPattern;
use crate::text::Untrusted;
use crate::time::Time;
use crate::x509::NamePattern;
use crate::x509::Oid;
use crate::x509::Profile;
use crate::yaml::ScalarLook;
use crate::yaml::YamlNode;

impl Reading {
    /// Any text on one line.
    pub(super) fn text(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.parsed(node, WantedValue::Text, None, |text| Some(text.to_owned()))
    }

    /// A text that `parse` accepts; `allowed` is what it may look like without quotes.
    fn parsed<T>(
        &mut self,
        node: &YamlNode,
        wanted: WantedValue,
        allowed: Option<ScalarLook>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Located<T>> {
        let (text, plain) = self.scalar(node, wanted)?;
        let text = self.one_line(node.position, text)?;
        let Some(value) = parse(text) else {
            self.unexpected(node.position, text, wanted);
            return None;
        };
        self.quoted_if_needed(node.position, text, plain, allowed)?;
        Some(Located { position: node.position, value })
    }

    /// A text for which `holds`.
    fn checked(
        &mut self,
        node: &YamlNode,
        wanted: WantedValue,
        holds: impl FnOnce(&str) -> bool,
    ) -> Option<Located<String>> {
        self.parsed(node, wanted, None, |text| holds(text).then(|| text.to_owned()))
    }

    /// One of the words of a closed set.
    pub(super) fn word<T: Word>(&mut self, node: &YamlNode) -> Option<Located<T>> {
        let (text, _) = self.scalar(node, WantedValue::Text)?;
        let text = self.one_line(node.position, text)?;
        let value = T::ALL.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if value.is_none() {
            let known: Vec<&'static str> = T::ALL.iter().map(|(word, _)| *word).collect();
            let nearest = nearest(text, &known);
            let found = Untrusted::within(text, SHOWN);
            self.report(node.position, PolicyProblem::UnknownWord { found, known, nearest });
        }
        value.map(|value| Located { position: node.position, value })
    }

    /// A whole number in decimal digits, without quotes.
    pub(super) fn integer(&mut self, node: &YamlNode, least: u64, most: u64) -> Option<Located<u64>> {
        let (text, plain) = self.scalar(node, WantedValue::Integer)?;
        let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let problem = match digits.then(|| text.parse::<u64>()) {
            Some(_) if !plain => {
                let text = Untrusted::within(text, SHOWN);
                PolicyProblem::Quoted { text, wanted: WantedValue::Integer }
            }
            // 0755 is 493 in YAML 1.1 and 755 in YAML 1.2.
            Some(Ok(value)) if text == "0" || !text.starts_with('0') => {
                if (least..=most).contains(&value) {
                    return Some(Located { position: node.position, value });
                }
                PolicyProblem::OutOfRange { found: Untrusted::within(text, SHOWN), least, most }
            }
            Some(Err(_)) => PolicyProblem::OutOfRange { found: Untrusted::within(text, SHOWN), least, most },
            _ => {
                let found = Untrusted::within(text, SHOWN);
                PolicyProblem::Unexpected { found, wanted: WantedValue::Integer }
            }
        };
        self.report(node.position, problem);
        None
    }

    /// A whole number that fits into 32 bits.
    pub(super) fn small(&mut self, node: &YamlNode, least: u32, most: u32) -> Option<Located<u32>> {
        let Located { position, value } = self.integer(node, least.into(), most.into())?;
        u32::try_from(value).into_iter().next().map(|value| Located { position, value })
    }

    /// An SLSA build level, 1 to 3.
    pub(super) fn slsa_level(&mut self, node: &YamlNode) -> Option<Located<u8>> {
        let Located { position, value } = self.integer(node, 1, 3)?;
        u8::try_from(value).into_iter().next().map(|value| Located { position, value })
    }

    pub(super) fn date(&mut self, node: &YamlNode) -> Option<Located<Date>> {
        self.parsed(node, WantedValue::Date, Some(ScalarLook::Date), Date::parse)
    }

    /// A time in RFC 3339, whole seconds.
    pub(super) fn instant(&mut self, node: &YamlNode) -> Option<Located<Time>> {
        self.parsed(node, WantedValue::Time, Some(ScalarLook::Date), Time::parse)
    }

    pub(super) fn age(&mut self, node: &YamlNode) -> Option<Located<MaxAge>> {
        self.parsed(node, WantedValue::Age, None, MaxAge::parse)
    }

    pub(super) fn digest(&mut self, node: &YamlNode) -> Option<Located<Digest>> {
        self.parsed(node, WantedValue::Digest, None, |text| text.parse::<Digest>().into_iter().next())
    }

    /// The hexadecimal digits of a SHA-256 digest.
    pub(super) fn hex(&mut self, node: &YamlNode) -> Option<Located<Digest>> {
        self.parsed(node, WantedValue::Hex, None, |text| format!("sha256:{text}").parse::<Digest>().into_iter().next())
    }

    /// The name of an identity or builder.
    pub(super) fn name(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Name, is_name)
    }

    pub(super) fn path(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::FilePath, is_path)
    }

    pub(super) fn uri(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Uri, |text| is_uri(text) && !text.contains('*'))
    }

    /// The builder id of SLSA, in which `*` is a wildcard behind the `@`.
    pub(super) fn builder(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Builder, |text| is_uri(text) && SegmentPattern::builder(text).is_ok())
    }

    pub(super) fn host(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Host, is_host)
    }

    /// A repository with source, on the host of the identity.
    pub(super) fn repository(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Repository, |text| text.contains('/') && text.split('/').all(is_segment))
    }

    /// A repository with source, and its host.
    pub(super) fn source(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Source, |text| {
            let (host, path) = text.split_once('/').unwrap_or_default();
            is_host(host) && !path.is_empty() && path.split('/').all(is_segment) && !path.ends_with(".git")
        })
    }

    /// A ref in which `*` is a wildcard.
    pub(super) fn reference(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Reference, is_ref)
    }

    /// A ref in which `*` is a wildcard, or `any-ref`.
    pub(super) fn reference_or_any(&mut self, node: &YamlNode) -> Option<Located<PatternOrAny>> {
        self.parsed(node, WantedValue::Reference, None, |text| pattern_or(text, "any-ref", is_ref))
    }

    /// The path of a file with build instructions in which `*` is a wildcard, or the word `any` for all.
    pub(super) fn workflow(&mut self, node: &YamlNode, any: &str) -> Option<Located<PatternOrAny>> {
        self.parsed(node, WantedValue::Workflow, None, |text| pattern_or(text, any, is_workflow))
    }

    pub(super) fn pointer(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::JsonPointer, |text| {
            let escapes = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
            text.starts_with('/') && escapes
        })
    }

    /// A decimal number, without quotes.
    pub(super) fn number(&mut self, node: &YamlNode) -> Option<Located<String>> {
        let (text, plain) = self.scalar(node, WantedValue::Number)?;
        if plain && is_number(text) {
            return Some(Located { position: node.position, value: text.to_owned() });
        }
        let shown = Untrusted::within(text, SHOWN);
        let problem = match is_number(text) {
            true => PolicyProblem::Quoted { text: shown, wanted: WantedValue::Number },
            false => PolicyProblem::Unexpected { found: shown, wanted: WantedValue::Number },
        };
        self.report(node.position, problem);
        None
    }

    pub(super) fn purl(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Purl, |text| {
            text.strip_prefix("pkg:").is_some_and(|rest| rest.contains('/')) && !text.contains(' ')
        })
    }

    /// A text without spaces and wildcards.
    pub(super) fn token(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Exact, |text| !text.contains([' ', '*']))
    }

    /// A pattern without spaces.
    pub(super) fn pattern(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Pattern, |text| !text.contains(' '))
    }

    pub(super) fn profile(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::Profile, |text| Profile::named(text).is_some())
    }

    pub(super) fn ip_address(&mut self, node: &YamlNode) -> Option<Located<IpAddr>> {
        self.parsed(node, WantedValue::IpAddress, None, |text| text.parse::<IpAddr>().into_iter().next())
    }

    /// A distinguished name as people write it, RFC 4514.
    pub(super) fn directory_name(&mut self, node: &YamlNode) -> Option<Located<String>> {
        self.checked(node, WantedValue::DirectoryName, |text| NamePattern::directory(text).is_ok())
    }

    pub(super) fn object_identifier(&mut self, node: &YamlNode) -> Option<Located<Oid>> {
        self.parsed(node, WantedValue::ObjectIdentifier, None, Oid::parse)
    }

    /// Texts by object identifier.
    pub(super) fn by_object_identifier(
        &mut self,
        node: &YamlNode,
        field: &'static str,
    ) -> Option<Vec<(Located<String>, Located<String>)>> {
        let pairs = self.pairs(node, field)?;
        for (key, _) in pairs.iter().filter(|(key, _)| Oid::parse(&key.value).is_none()) {
            self.unexpected(key.position, &key.value, WantedValue::ObjectIdentifier);
        }
        Some(pairs)
    }

    /// PEM text in a block.
    pub(super) fn pem(&mut self, node: &YamlNode) -> Option<Located<String>> {
        let (text, _) = self.scalar(node, WantedValue::Pem)?;
        let hidden = |c: char| c != '\n' && crate::text::is_unsafe_to_show(c);
        if text.trim_start().starts_with("-----BEGIN ") && text.contains('\n') && !text.chars().any(hidden) {
            return Some(Located { position: node.position, value: text.to_owned() });
        }
        self.unexpected(node.position, text, WantedValue::Pem);
        None
    }
}

pub(super) fn is_name(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    first && text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn is_path(text: &str) -> bool {
    let segment = |segment: &str| !matches!(segment, "" | "." | "..");
    text.len() <= 1_024 && !text.contains(['\\', ':']) && !text.starts_with('~') && text.split('/').all(segment)
}

fn is_uri(text: &str) -> bool {
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    text.split_once(':').is_some_and(|(before, rest)| scheme(before) && !rest.is_empty()) && !text.contains(' ')
}

fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':');
    text.contains('.') && text.chars().all(plain) && text.split('.').all(|label| !label.is_empty())
}

/// A segment of the path of a repository with source.
fn is_segment(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !matches!(text, "" | "." | "..") && text.chars().all(plain)
}

fn is_ref(text: &str) -> bool {
    let rest = ["refs/heads/", "refs/tags/", "refs/pull/"].iter().find_map(|start| text.strip_prefix(start));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['@', ' ', ','])) && SegmentPattern::parse(text).is_ok()
}

fn is_workflow(text: &str) -> bool {
    let (path, reference) = text.split_once('@').map_or((text, None), |(path, at)| (path, Some(at)));
    let segment = |segment: &str| is_segment(&segment.replace('*', "x"));
    let reference = reference.is_none_or(|at| !at.is_empty() && !at.contains(['@', ' ', ',']));
    path.split('/').all(segment) && reference && path.contains('.')
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let length = whole.len().saturating_add(fraction.map_or(0, str::len));
    digits(whole) && fraction.is_none_or(digits) && length <= 15 && (whole == "0" || !whole.starts_with('0'))
}

fn pattern_or(text: &str, any: &str, is_pattern: fn(&str) -> bool) -> Option<PatternOrAny> {
    match text == any {
        true => Some(PatternOrAny::Any),
        false => is_pattern(text).then(|| PatternOrAny::Pattern(text.to_owned())),
    }
}
