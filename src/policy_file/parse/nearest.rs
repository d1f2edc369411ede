//! The known word that somebody probably meant.

/// The word among `known` that is nearest to `found`: what other tools call it, or at most two letters away.
pub(super) fn nearest(found: &str, known: &[&'static str]) -> Option<&'static str> {
    if found.len() > LONGEST {
        return None;
    }
    let found = spelled(found);
    let meant = SYNONYMS.iter().filter(|(other, _)| *other == found).map(|(_, ours)| *ours);
    if let Some(ours) = meant.into_iter().find_map(|ours| known.iter().find(|word| **word == ours)) {
        return Some(ours);
    }
    let distances = known.iter().map(|word| (distance(&found, word), *word));
    let (least, word) = distances.min_by_key(|(distance, _)| *distance)?;
    if least <= if found.len() > 3 { 2 } else { 1 } {
        return Some(word);
    }
    let typed = SYNONYMS.iter().filter(|(other, _)| found.len() > 5 && distance(&found, other) <= 1);
    typed.into_iter().find_map(|(_, ours)| known.iter().find(|word| *word == ours).copied())
}

/// In the spelling of the language: `maxAge`, `max_age` and `MAX-AGE` are `max-age`.
fn spelled(found: &str) -> String {
    let mut text = String::new();
    let mut before = '-';
    for c in found.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            text.push('-');
        }
        text.push(if c == '_' || c == ' ' { '-' } else { c.to_ascii_lowercase() });
        before = c;
    }
    text
}

/// The number of letters to insert, remove or replace (Levenshtein): both texts are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, from) in a.chars().enumerate() {
        let mut next = vec![index.saturating_add(1)];
        for ((to, above), diagonal) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            let replaced = diagonal.saturating_add(usize::from(from != *to));
            next.push(replaced.min(above.saturating_add(1)).min(left.saturating_add(1)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// What other policy languages call it, in our spelling, and what it is called here.
const SYNONYMS: &[(&str, &str)] = &[
    ("attestation", "statement"),
    ("attestations", "require"),
    ("attestors", "by"),
    ("authorities", "identities"),
    ("certificates", "certificate"),
    ("count", "at-least"),
    ("data", "pem"),
    ("email", "name"),
    ("expires", "until"),
    ("expiry", "until"),
    ("glob", "match"),
    ("globs", "match"),
    ("identity", "by"),
    ("images", "match"),
    ("image-references", "match"),
    ("key", "keys"),
    ("key-data", "pem"),
    ("key-path", "file"),
    ("key-paths", "keys"),
    ("minimum", "at-least"),
    ("oidc-issuer", "issuer"),
    ("path", "file"),
    ("pattern", "match"),
    ("predicate-type", "type"),
    ("public-key", "keys"),
    ("public-keys", "keys"),
    ("regexp", "name"),
    ("required", "at-least"),
    ("requirements", "require"),
    ("rules", "require"),
    ("scope", "match"),
    ("severity", "highest-allowed"),
    ("signatures", "signature"),
    ("signed-identity", "signed-name"),
    ("signers", "by"),
    ("subject", "name"),
    ("threshold", "at-least"),
    ("trust-root", "trusted-root"),
    ("value", "equals"),
    ("verify-images", "images"),
    ("vulnerability", "scan"),
];

/// Longer texts are nobody's typing mistake.
const LONGEST: usize = 40;
