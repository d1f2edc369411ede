//! `Secrets`: redaction. The secrets in use are replaced by `***` in text from registries and programs, in every common
//! encoding; those that a server chose in no other text.

mod view;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use view::View;
use view::decoded;
use view::is_letter;

/// The secrets in use, to be redacted. Clones share them.
///
/// A server that was sent a secret may echo it in an error, a warning or a name, which is then shown. [`hide`] finds a
/// secret as it is, in any case, in base64 (either alphabet, at any of the three positions, with line breaks), in
/// hexadecimal digits, percent-encoded, escaped as in JSON, HTML or a quoted string, in any nesting of these encodings,
/// and truncated. The time is proportional to the length of the text, whatever the number of secrets.
///
/// A secret that a server chose, such as a token that it issued, is hidden only in text that a server chose too: a server
/// that issues the token `findings` would otherwise choose which of bulla's own words are not shown
/// (threats: report-rewritten-by-a-registry).
///
/// The invariant: text and secrets are compared by their letters and digits alone, in lower case, in up to `MAX_VIEWS`
/// views of the text; each view decodes one more layer of escapes. Secrets are found by n-grams (substrings of a
/// fixed length) of their encoded forms. Any seventeen letters and digits in a row of a form contain an indexed n-gram,
/// so a part of a secret is found too.
///
/// [`hide`]: Secrets::hide
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<KnownSecret>>);

#[derive(Default)]
struct KnownSecret {
    /// The command line in lower case: a secret that occurs in it is not hidden in bulla's own output.
    typed: Vec<String>,
    /// Whether a secret of a server was longer than the part of it that is indexed.
    cut: bool,
    operator_secrets: VecDeque<Zeroizing<String>>,
    /// The secrets of servers, each up to [`MAX_INDEXED`] bytes.
    server_secrets: VecDeque<Zeroizing<String>>,
    index: SecretIndex,
}

/// The index of n-grams by which secrets are found in a text.
#[derive(Default)]
struct SecretIndex {
    /// The lengths of the indexed n-grams.
    lengths: BTreeSet<usize>,
    /// The hash of each indexed n-gram, and the texts in which it is hidden.
    ngrams: HashMap<u64, RedactionScope>,
    /// Secrets that have too few letters and digits for an n-gram, and the texts in which they are hidden.
    short: Vec<(Zeroizing<Vec<u8>>, RedactionScope)>,
}

/// In which texts a secret is hidden; each scope contains the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RedactionScope {
    /// Only in text that a server chose: a server chose the secret.
    ForeignText,
    /// Also in messages of our own that quote other text. In other output of bulla it may occur by chance.
    Messages,
    /// In all texts.
    AllText,
}

impl Secrets {
    /// No secrets yet. [`Secrets::hide_in_output`] will not hide text that the operator `typed`.
    pub fn except_typed(typed: impl IntoIterator<Item = String>) -> Self {
        let typed = typed.into_iter().map(|text| text.to_lowercase()).collect();
        Self(Arc::new(Mutex::new(KnownSecret { typed, ..KnownSecret::default() })))
    }

    /// Adds a secret of the operator, such as a password. The oldest are forgotten when there are more than
    /// `MAX_OPERATOR_SECRETS`.
    pub fn add(&self, secret: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.is_empty() || kept.operator_secrets.iter().any(|other| **other == secret) {
            return;
        }
        kept.index(secret, SecretSource::Operator);
        kept.operator_secrets.push_back(Zeroizing::new(secret.to_owned()));
        if kept.operator_secrets.len() > MAX_OPERATOR_SECRETS {
            kept.operator_secrets.drain(..MAX_OPERATOR_SECRETS / 2);
            kept.index_again();
        }
    }

    /// Adds a secret that a server chose, such as a bearer token. It is hidden by [`Secrets::hide`] alone. The oldest are
    /// forgotten when there are more than `MAX_SERVER_SECRETS`, or more bytes than `MAX_SERVER_SECRET_BYTES`.
    ///
    /// A server chooses the length too, so only the beginning of a long secret is indexed. The rest is found as a long
    /// word: once there was such a secret, every word of `MIN_LONG_WORD` bytes is hidden.
    pub fn add_from_server(&self, secret: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let indexed = beginning(secret);
        kept.cut |= indexed.len() < secret.len();
        if indexed.is_empty() || kept.server_secrets.iter().any(|other| **other == indexed) {
            return;
        }
        kept.index(indexed, SecretSource::Server);
        kept.server_secrets.push_back(Zeroizing::new(indexed.to_owned()));
        let all = kept.server_secrets.len();
        while kept.server_secrets.len() > MAX_SERVER_SECRETS || kept.server_secret_bytes() > MAX_SERVER_SECRET_BYTES {
            let half = kept.server_secrets.len().div_ceil(2);
            kept.server_secrets.drain(..half);
        }
        if kept.server_secrets.len() < all {
            kept.index_again();
        }
    }

    /// Redacts `text` that comes from elsewhere: every secret in it is replaced by `***`.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redacted(text, RedactionScope::ForeignText)
    }

    /// Redacts a message of bulla that may quote text from elsewhere: every secret of the operator is replaced by `***`.
    /// What it quotes of a server passed [`Secrets::hide`] before.
    pub fn hide_in_message<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redacted(text, RedactionScope::Messages)
    }

    /// Redacts `text` of bulla's own output, which may quote text from elsewhere. Only those secrets of the operator are
    /// replaced that are too long to occur by chance and that the operator did not type.
    pub fn hide_in_output<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redacted(text, RedactionScope::AllText)
    }

    /// `text` with `***` for every secret of this scope, in each of up to [`MAX_VIEWS`] views.
    fn redacted<'a>(&self, text: &'a str, scope: RedactionScope) -> Cow<'a, str> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = &kept.index;
        if index.ngrams.is_empty() && index.short.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut hidden = vec![false; text.len()];
        if kept.cut && scope == RedactionScope::ForeignText {
            mark_long_words(text, &mut hidden);
        }
        let mut view = View::new(text);
        for _ in 0..MAX_VIEWS {
            index.mark(&view, scope, &mut hidden);
            match view.decoded() {
                Some(decoded) => view = decoded,
                None => break,
            }
        }
        match hidden.contains(&true) {
            true => Cow::Owned(masked(text, &hidden)),
            false => Cow::Borrowed(text),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who chose a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SecretSource {
    Operator,
    Server,
}

impl KnownSecret {
    fn index(&mut self, secret: &str, source: SecretSource) {
        let lower = Zeroizing::new(secret.to_lowercase());
        let widest = match source {
            SecretSource::Server => RedactionScope::ForeignText,
            SecretSource::Operator if self.typed.iter().any(|typed| typed.contains(lower.as_str())) => {
                RedactionScope::Messages
            }
            SecretSource::Operator => RedactionScope::AllText,
        };
        self.index.add(secret, widest);
        // A proxy URL contains its password percent-encoded, but the decoded one is sent.
        decoded(secret).iter().for_each(|decoded| self.index.add(decoded, widest));
    }

    fn server_secret_bytes(&self) -> usize {
        self.server_secrets.iter().map(|secret| secret.len()).sum()
    }

    fn index_again(&mut self) {
        self.index = SecretIndex::default();
        let (operator_secrets, server_secrets) = (self.operator_secrets.clone(), self.server_secrets.clone());
        operator_secrets.iter().for_each(|secret| self.index(secret, SecretSource::Operator));
        server_secrets.iter().for_each(|secret| self.index(secret, SecretSource::Server));
    }
}

impl SecretIndex {
    /// Indexes `secret` in all its forms: plain, hexadecimal, and base64 at each of three positions. It is hidden in the
    /// texts of the scope `widest`, or in fewer if it is short.
    fn add(&mut self, secret: &str, widest: RedactionScope) {
        let bytes = secret.as_bytes();
        let plain = normalized(bytes);
        let scope = match plain.len() >= MIN_DISTINCTIVE_LENGTH {
            true => widest,
            false => widest.min(RedactionScope::Messages),
        };
        if plain.len() < MIN_NGRAM_LENGTH {
            self.short.push((Zeroizing::new(bytes.to_ascii_lowercase()), scope));
        }
        let digits: Zeroizing<String> = Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        let base64 = (0..3).map(|before| normalized(in_base64(bytes, before).as_bytes()));
        for form in [plain, normalized(digits.as_bytes())].into_iter().chain(base64) {
            if form.len() >= MIN_NGRAM_LENGTH {
                self.add_ngrams(&form, scope);
            }
        }
    }

    /// Indexes n-grams of a form, one every [`NGRAM_STRIDE`]: a complete form is found whole, and a part of one except
    /// for at most `NGRAM_STRIDE - 1` letters and digits at each end.
    fn add_ngrams(&mut self, form: &[u8], scope: RedactionScope) {
        let length = form.len().min(NGRAM_LENGTH);
        self.lengths.insert(length);
        let last = form.len() - length;
        for (at, ngram) in form.windows(length).enumerate() {
            if at % NGRAM_STRIDE == 0 || at == last {
                let known = self.ngrams.entry(hash(ngram)).or_insert(scope);
                *known = scope.max(*known);
            }
        }
    }

    /// Marks in `hidden` the bytes of the original text that belong to a secret in `view`.
    fn mark(&self, view: &View, scope: RedactionScope, hidden: &mut [bool]) {
        let (at, letters): (Vec<usize>, Vec<u8>) =
            view.bytes.iter().copied().enumerate().filter(|(_, byte)| is_letter(*byte)).unzip();
        for &length in &self.lengths {
            for (ngram, places) in letters.windows(length).zip(at.windows(length)) {
                let found = self.ngrams.get(&hash(ngram)).is_some_and(|known| *known >= scope);
                if let (true, Some(first), Some(last)) = (found, places.first(), places.last()) {
                    view.mark(*first, *last, hidden);
                }
            }
        }
        for (secret, _) in self.short.iter().filter(|(_, known)| *known >= scope) {
            for (first, window) in view.bytes.windows(secret.len()).enumerate() {
                let alone = secret.len() >= MIN_LENGTH_INSIDE_WORD || view.is_alone(first, secret.len());
                if window == secret.as_slice() && alone {
                    view.mark(first, first + secret.len() - 1, hidden);
                }
            }
        }
    }
}

/// The part of a secret that is indexed: at most [`MAX_INDEXED`] bytes.
fn beginning(secret: &str) -> &str {
    let ends = secret.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|end| *end <= MAX_INDEXED).last().unwrap_or(0);
    secret.get(..end).unwrap_or_default()
}

/// Marks the words in `text` that are long enough to be a part of a secret that is not indexed.
fn mark_long_words(text: &str, hidden: &mut [bool]) {
    let mut at = 0;
    for word in text.as_bytes().split(u8::is_ascii_whitespace) {
        if word.len() >= MIN_LONG_WORD {
            hidden.get_mut(at..at + word.len()).into_iter().flatten().for_each(|byte| *byte = true);
        }
        at += word.len() + 1;
    }
}

/// `text` with `***` for each hidden range.
fn masked(text: &str, hidden: &[bool]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut before = false;
    for (at, c) in text.char_indices() {
        let now = hidden.get(at..at + c.len_utf8()).is_some_and(|bytes| bytes.contains(&true));
        match now {
            true if before => {}
            true => masked.push_str("***"),
            false => masked.push(c),
        }
        before = now;
    }
    masked
}

/// The base64 characters of `secret` that do not depend on the bytes around it, if it begins `before` bytes after a
/// multiple of three.
fn in_base64(secret: &[u8], before: usize) -> Zeroizing<String> {
    let padded = Zeroizing::new([vec![0; before], secret.to_vec()].concat());
    let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(padded.as_slice()));
    let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
    Zeroizing::new(encoded.get(first..end).unwrap_or_default().to_owned())
}

/// Normalizes `text` for comparison: keeps ASCII letters and digits, in lower case, and all bytes that are not ASCII.
fn normalized(text: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.to_ascii_lowercase().into_iter().filter(|byte| is_letter(*byte)).collect())
}

/// The FNV-1a hash of an n-gram. A collision can only hide text that is no secret.
fn hash(ngram: &[u8]) -> u64 {
    ngram.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The number of views of a text that are searched: the text itself, and the text with one to four layers of escapes
/// decoded.
const MAX_VIEWS: usize = 5;
/// A secret with this many letters and digits does not occur in a text by chance.
const MIN_DISTINCTIVE_LENGTH: usize = 8;
/// The largest number of secrets of the operator that are kept.
const MAX_OPERATOR_SECRETS: usize = 256;
/// How many bytes of a secret that a server chose are indexed.
const MAX_INDEXED: usize = 8 << 10;
/// The largest number of secrets of servers that are kept.
const MAX_SERVER_SECRETS: usize = 64;
/// The largest number of bytes of the secrets of servers that are kept. Their index takes about 30 times as much.
const MAX_SERVER_SECRET_BYTES: usize = 128 << 10;
/// The length of a word that may be a part of a secret that is not indexed.
const MIN_LONG_WORD: usize = 128;
/// The length of an indexed n-gram, in letters and digits.
const NGRAM_LENGTH: usize = 10;
/// A form with fewer letters and digits than this is not indexed by n-grams.
const MIN_NGRAM_LENGTH: usize = 6;
/// The distance between the indexed n-grams of a form.
const NGRAM_STRIDE: usize = 8;
/// A secret with fewer characters is hidden only where no letter or digit is next to it: otherwise most text would be
/// unreadable.
const MIN_LENGTH_INSIDE_WORD: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    use base64::engine::general_purpose::STANDARD;
    use base64::engine::general_purpose::URL_SAFE;

    const PASSWORD: &str = "Hunter2/se+cr?t~pw";

    fn secrets(all: &[&str]) -> Secrets {
        let secrets = Secrets::default();
        all.iter().for_each(|secret| secrets.add(secret));
        secrets
    }

    fn percent(text: &str, upper: bool) -> String {
        let encode = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        text.bytes().map(encode).collect()
    }

    /// Whether `form` is hidden completely inside a sentence.
    fn is_hidden(secrets: &Secrets, form: &str) -> bool {
        let hidden = secrets.hide(&format!("denied: {form}. try again")).into_owned();
        hidden == "denied: ***. try again" || hidden == "denied: *** try again"
    }

    #[test]
    fn every_form_of_a_secret_is_hidden() {
        let secrets = secrets(&[PASSWORD]);
        let reserved = PASSWORD.replace('/', "%2F").replace('+', "%2B").replace('?', "%3f");
        let escaped: String = PASSWORD.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let html: String = PASSWORD.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect();
        let decimal: String = PASSWORD.chars().map(|c| format!("&#{};", u32::from(c))).collect();
        let hexadecimal: String = PASSWORD.bytes().map(|byte| format!("{byte:02X}")).collect();
        let colons: Vec<String> = PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect();
        let broken = STANDARD.encode(PASSWORD).replace("c", "c\r\n ");
        for form in [
            PASSWORD.to_owned(),
            PASSWORD.to_uppercase(),
            PASSWORD.to_lowercase(),
            reserved.clone(),
            reserved.replace('%', "%25"),
            reserved.replace('%', "%2525"),
            percent(PASSWORD, true),
            percent(PASSWORD, false),
            percent(&percent(PASSWORD, true), false),
            PASSWORD.replace('/', "\\/"),
            PASSWORD.replacen('t', "\\u0074", 1),
            escaped.clone(),
            escaped.replace('\\', "\\\\"),
            PASSWORD.chars().map(|c| format!("\\x{:02x}", u32::from(c))).collect(),
            PASSWORD.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c))).collect(),
            html,
            decimal,
            hexadecimal,
            colons.join(":"),
            STANDARD.encode(PASSWORD).trim_end_matches('=').to_owned(),
            URL_SAFE.encode(PASSWORD).trim_end_matches('=').to_owned(),
            percent(&STANDARD.encode(PASSWORD), true),
            broken.trim_end_matches('=').to_owned(),
        ] {
            assert!(is_hidden(&secrets, &form), "{form} -> {}", secrets.hide(&format!("denied: {form}. try again")));
        }
    }

    /// The password of a proxy is percent-encoded in its variable, and in base64 in what the proxy gets.
    #[test]
    fn a_secret_that_is_percent_encoded_is_hidden_as_it_is_sent() {
        let secrets = secrets(&["p%40ss%2Fw0rd%zz9"]);
        let login = STANDARD.encode("joe:p@ss/w0rd%zz9");
        for form in ["p%40ss%2Fw0rd%zz9", "p@ss/w0rd%zz9"] {
            assert!(is_hidden(&secrets, form), "{form} -> {}", secrets.hide(form));
        }
        // The characters that depend on the bytes around the secret stay.
        assert_eq!(secrets.hide(login.trim_end_matches('=')), "am9lOn***k");
    }

    #[test]
    fn base64_is_found_at_any_position_and_inside_itself() {
        for secret in [PASSWORD, "s3cr3t", "correct horse battery staple", "a-bearer-token-of-some-length-0123456789"] {
            let secrets = secrets(&[secret]);
            for before in ["", "u", "us", "user:", "Bearer ", "Authorization: Basic "] {
                for after in ["", "x", "\r\n"] {
                    for encode in [STANDARD, URL_SAFE] {
                        let form = encode.encode(format!("{before}{secret}{after}"));
                        let hidden = secrets.hide(&form).into_owned();
                        // The bytes around the secret remain, and at most the characters that they share with it.
                        let left = encode.encode(before).len() + encode.encode(after).len() + 3 + 4;
                        assert!(hidden.contains("***") && hidden.len() <= left, "{before}{secret}{after}: {hidden}");
                    }
                }
            }
        }
        let sent = STANDARD.encode(format!("user:{PASSWORD}"));
        let again = STANDARD.encode(&sent);
        let hidden = secrets(&[PASSWORD, &sent]).hide(&again).into_owned();
        assert!(hidden.len() < 8, "{hidden}");
    }

    #[test]
    fn what_is_cut_off_is_hidden_too() {
        let token: String = (0..40).map(|n| format!("{:x}", n * 7919)).collect();
        let secrets = secrets(&[&token]);
        for length in 20..token.len() {
            let hidden = secrets.hide(&token[..length]).into_owned();
            assert!(hidden.starts_with("***") && hidden.len() < 3 + NGRAM_STRIDE, "{length}: {hidden}");
        }
    }

    #[test]
    fn short_secrets_are_hidden_where_they_stand_alone() {
        let secrets = secrets(&["1", "abc", "pass", "!?!"]);
        assert_eq!(secrets.hide("user:1 abc,abcd PASSWORD 401 !?! p%61ss"), "user:*** ***,abcd ***WORD 401 *** ***");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let secrets = secrets(&[PASSWORD, "pw", "token-of-the-registry"]);
        for text in [
            "",
            "unauthorized: authentication required",
            "no token for registry.example",
            "100% sure \\ &c; &#; %zz \\u12 \\u{} é 日本語",
            "sha256:4f0c7e2b9a3d5f6871625344a8b9c0d1e2f3a4b5c6d7e8f90123456789abcdef",
        ] {
            assert_eq!(secrets.hide(text), text);
        }
        assert_eq!(Secrets::default().hide("hunter2"), "hunter2");
        assert_eq!(format!("{secrets:?}"), "***");
    }

    #[test]
    fn in_our_own_output_only_what_stands_nowhere_by_chance_is_hidden() {
        let secrets = Secrets::except_typed(["verify".to_owned(), "registry.example/Library/App:v1".to_owned()]);
        ["app", "123456", "library/app", PASSWORD].iter().for_each(|secret| secrets.add(secret));
        let text = format!("registry.example/library/app:v1 sha256:00123456 {PASSWORD}");
        assert_eq!(secrets.hide_in_output(&text), "registry.example/library/app:v1 sha256:00123456 ***");
        assert_eq!(secrets.hide(&text), "registry.example/***:v1 sha256:00*** ***");
        assert_eq!(secrets.hide_in_message(&text), secrets.hide(&text));
    }

    /// (threats: report-rewritten-by-a-registry)
    #[test]
    fn what_a_server_chose_is_hidden_only_in_what_a_server_chose() {
        let digest = "4f0c7e2b9a3d5f6871625344a8b9c0d1e2f3a4b5c6d7e8f90123456789abcdef";
        for issued in ["findings", "no", "a-token-of-the-registry", digest] {
            let secrets = Secrets::default();
            secrets.add_from_server(issued);
            let text = format!("said: {issued}");
            assert_eq!(secrets.hide(&text), "said: ***", "{issued}");
            assert_eq!(secrets.hide_in_message(&text), text, "{issued}");
            assert_eq!(secrets.hide_in_output(&text), text, "{issued}");
            // What the operator gave is hidden everywhere, even if a server chose the same.
            for both in [[true, false], [false, true]] {
                let secrets = Secrets::default();
                for own in both {
                    if own { secrets.add(issued) } else { secrets.add_from_server(issued) }
                }
                assert_eq!(secrets.hide(&text), "said: ***", "{issued}");
                assert_eq!(secrets.hide_in_message(&text), "said: ***", "{issued}");
                let shown = secrets.hide_in_output(&text).into_owned();
                assert_eq!(shown, if issued == "no" { text.as_str() } else { "said: ***" });
            }
        }
    }

    #[test]
    fn of_many_secrets_the_last_are_kept() {
        let secrets = Secrets::default();
        secrets.add(PASSWORD);
        let token = |n: u64| format!("token-{:016x}-{n}", hash(&n.to_be_bytes()));
        (0..1_000).for_each(|n| secrets.add_from_server(&token(n)));
        assert_eq!(secrets.hide(PASSWORD), "***");
        assert!(secrets.hide(&token(999)).starts_with("***") && secrets.hide(&token(970)).starts_with("***"));
        let kept = secrets.0.lock().unwrap();
        assert!(
            kept.server_secrets.len() <= MAX_SERVER_SECRETS && kept.index.ngrams.len() < 10_000,
            "{}",
            kept.index.ngrams.len()
        );
    }

    /// (threats: malformed-token)
    #[test]
    fn long_tokens_cost_little_and_none_of_them_is_shown() {
        let secrets = Secrets::default();
        let token = |number: usize, length: usize| -> String {
            let pieces = (0..).map(|n: usize| format!("{:016x}", hash(format!("{number}-{n}").as_bytes())));
            pieces.flat_map(String::into_bytes).take(length).map(char::from).collect()
        };
        let tokens: Vec<_> = (0..MAX_SERVER_SECRETS).map(|number| token(number, 64 << 10)).collect();
        tokens.iter().for_each(|token| secrets.add_from_server(token));
        let last = tokens.last().unwrap();
        for at in (0..last.len() - 1_000).step_by(911) {
            // Neither neighbour is a hexadecimal digit, so neither can belong to a token.
            let text = format!("you: {} not", &last[at..at + 1_000]);
            assert_eq!(secrets.hide(&text), "you: *** not", "{at}");
            assert_eq!(secrets.hide_in_output(&text), text, "{at}");
        }
        assert_eq!(secrets.hide("unauthorized: authentication required"), "unauthorized: authentication required");
        let kept = secrets.0.lock().unwrap();
        assert!(kept.server_secret_bytes() <= MAX_SERVER_SECRET_BYTES, "{}", kept.server_secret_bytes());
        assert!(kept.index.ngrams.len() < MAX_SERVER_SECRET_BYTES, "{}", kept.index.ngrams.len());
        drop(kept);
        // The tokens that registries issue are shorter, and many of them are kept.
        let secrets = Secrets::default();
        (0..MAX_SERVER_SECRETS).for_each(|number| secrets.add_from_server(&token(number, 2 << 10)));
        assert_eq!(secrets.hide(&token(0, 2 << 10)), "***");
        let word = "x".repeat(MIN_LONG_WORD);
        assert_eq!(secrets.hide(&word), word);
    }

    #[test]
    fn the_time_is_in_proportion_to_the_text() {
        let secrets = secrets(&[PASSWORD]);
        let text = "%25".repeat(100_000);
        assert_eq!(secrets.hide(&text), text.as_str());
    }
}
