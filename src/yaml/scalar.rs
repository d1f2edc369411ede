//! What a plain scalar looks like to readers of YAML 1.1 and 1.2: a null, a boolean, a number or a date.

/// What a plain scalar (YAML 1.2.2 section 7.3.3) is to some reader of YAML, if it is not a text to all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScalarLook {
    /// `true`, `no`, `On`, `y`: a boolean of YAML 1.1 or 1.2.
    Boolean,
    /// `2027-01-31`, with or without a time: a timestamp of YAML 1.1.
    Date,
    /// `null`, `~`, or nothing.
    Null,
    /// `12`, `0755`, `0x1f`, `1_000`, `1e10`, `.5`, `.inf`, `12:30`: a number of YAML 1.1 or 1.2.
    Number,
}

impl ScalarLook {
    /// What `text` looks like without quotes; `None` for what every reader takes for a text.
    pub fn of(text: &str) -> Option<Self> {
        if is_one_of(text, &["", "~", "null"]) {
            Some(Self::Null)
        } else if is_one_of(text, &["true", "false", "yes", "no", "on", "off", "y", "n"]) {
            Some(Self::Boolean)
        } else if is_date(text) {
            Some(Self::Date)
        } else if is_number(text) {
            Some(Self::Number)
        } else {
            None
        }
    }

    /// The word for it in messages, with its article.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Date => "a date",
            Self::Null => "a null",
            Self::Number => "a number",
        }
    }
}

/// In every mixture of upper and lower case: YAML accepts three of them, and readers differ.
fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Four digits, a hyphen, a digit: the beginning of a timestamp (YAML 1.1, `timestamp`), of digits and separators alone.
fn is_date(text: &str) -> bool {
    let form = |(at, c): (usize, char)| match at {
        0..=3 | 5 => c.is_ascii_digit(),
        4 => c == '-',
        _ => c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | '+' | 'T' | 't' | 'Z' | 'z' | ' '),
    };
    text.len() >= 8 && text.matches('-').count() >= 2 && text.chars().enumerate().all(form)
}

/// A number of YAML 1.1 (`int`, `float`, with underscores and base 60) or of the core schema of YAML 1.2.2 section 10.3.2.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_one_of(unsigned, &[".inf", ".nan"]) {
        return true;
    }
    let digits = |text: &str, radix: u32| {
        text.contains(|c: char| c.is_digit(radix)) && text.chars().all(|c| c == '_' || c.is_digit(radix))
    };
    let based = |prefix: [&str; 2], radix: u32| {
        prefix.iter().any(|prefix| unsigned.strip_prefix(prefix).is_some_and(|rest| digits(rest, radix)))
    };
    based(["0x", "0X"], 16) || based(["0o", "0O"], 8) || based(["0b", "0B"], 2) || is_base_60(unsigned) || {
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let exponent = exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text), 10));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let part = |text: &str| text.is_empty() || digits(text, 10);
        exponent && part(whole) && part(fraction) && mantissa.contains(|c: char| c.is_ascii_digit())
    }
}

/// `190:20:30`, base 60 in YAML 1.1.
fn is_base_60(text: &str) -> bool {
    text.contains(':')
        && text.split(':').all(|part| part.len() <= 20 && part.chars().all(is_of_base_60) && !part.is_empty())
}

const fn is_of_base_60(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '_' | '.')
}
