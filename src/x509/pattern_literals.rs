//! The literal ends of a pattern: the text with which every match begins, and the one with which it ends.

/// The literal ends of one alternative of a pattern. Where the syntax is not understood they are shorter, never longer.
pub(super) struct Literals {
    /// Whether the alternative is a literal as a whole, and matches nothing else.
    pub(super) is_whole: bool,
    pub(super) prefix: String,
    pub(super) suffix: String,
}

enum Token {
    /// A group that stands there once, without what makes it a group.
    Group(String),
    Literal(char),
    Other,
}

impl Literals {
    /// Those of a text with wildcards.
    pub(super) fn of_wildcard(text: &str) -> Self {
        let prefix = text.split('*').next().unwrap_or_default();
        let suffix = text.rsplit('*').next().unwrap_or_default();
        Self { is_whole: false, prefix: prefix.to_owned(), suffix: suffix.to_owned() }
    }

    /// Those of each alternative of an anchored regular expression, also of alternatives in a group around all of it.
    pub(super) fn of_regexp(text: &str) -> Vec<Self> {
        let mut all = Vec::new();
        Self::add_alternatives(text.strip_prefix("(?i)").unwrap_or(text), &mut all);
        all
    }

    /// Groups inside each other are as deep as the compiled expression may be.
    fn add_alternatives(expression: &str, all: &mut Vec<Self>) {
        for branch in branches(expression) {
            let tokens = tokens(without_anchors(branch));
            match tokens.as_slice() {
                [Token::Group(inner)] => Self::add_alternatives(inner, all),
                tokens => all.push(Self::of_tokens(tokens)),
            }
        }
    }

    fn of_tokens(tokens: &[Token]) -> Self {
        let literal = |token: &Token| match token {
            Token::Literal(c) => Some(*c),
            Token::Group(_) | Token::Other => None,
        };
        let prefix: String = tokens.iter().map_while(literal).collect();
        let mut suffix: Vec<char> = tokens.iter().rev().map_while(literal).collect();
        suffix.reverse();
        Self { is_whole: tokens.iter().all(|token| literal(token).is_some()), prefix, suffix: suffix.iter().collect() }
    }
}

/// The alternatives of a regular expression that stand in no group.
pub(super) fn branches(expression: &str) -> Vec<&str> {
    let mut branches = Vec::new();
    let (mut start, mut groups, mut class) = (0, 0_u32, None::<usize>);
    let mut escaped = false;
    for (at, c) in expression.char_indices() {
        match (c, class) {
            _ if escaped => escaped = false,
            ('\\', _) => escaped = true,
            // A `]` at the start of a class, or after `^` there, is a character of it.
            (']', Some(begin)) if !matches!(expression.get(begin..at), Some("[" | "[^")) => class = None,
            (_, Some(_)) => {}
            ('[', None) => class = Some(at),
            ('(', None) => groups += 1,
            (')', None) => groups = groups.saturating_sub(1),
            ('|', None) if groups == 0 => {
                branches.extend(expression.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    branches.extend(expression.get(start..));
    branches
}

/// Whether the last character is a `$` that no `\` makes a character.
pub(super) fn ends(branch: &str) -> bool {
    let Some(before) = branch.strip_suffix('$') else { return false };
    (before.len() - before.trim_end_matches('\\').len()).is_multiple_of(2)
}

/// The alternative without `^` and `$` at its ends.
pub(super) fn without_anchors(branch: &str) -> &str {
    let inner = branch.strip_prefix('^').unwrap_or(branch);
    if ends(inner) { inner.strip_suffix('$').unwrap_or(inner) } else { inner }
}

/// The parts of an expression without alternatives.
fn tokens(expression: &str) -> Vec<Token> {
    let chars: Vec<char> = expression.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(c) = chars.get(at) {
        at += 1;
        match c {
            '\\' => match chars.get(at) {
                Some('<' | '>' | 'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'b' | 'B') => {
                    tokens.push(Token::Other);
                    at += 1;
                }
                Some(c) if c.is_ascii_punctuation() => {
                    tokens.push(Token::Literal(*c));
                    at += 1;
                }
                // How long another escape is, is not known: nothing after it is a literal.
                _ => {
                    tokens.push(Token::Other);
                    return tokens;
                }
            },
            '[' => {
                let end = class_end(&chars, at);
                tokens.push(match chars.get(at..end) {
                    // A class of one character is that character: `[.]`.
                    Some([c, ']']) if !matches!(c, '\\' | '^') => Token::Literal(*c),
                    _ => Token::Other,
                });
                at = end;
            }
            '(' => {
                let end = group_end(&chars, at);
                let inner: String = chars.get(at..end).unwrap_or_default().iter().collect();
                tokens.push(Token::Group(without_name(&inner).to_owned()));
                at = end + 1;
            }
            '*' | '+' | '?' | '{' => {
                tokens.pop();
                tokens.push(Token::Other);
                if *c == '{' {
                    let rest = chars.get(at..).unwrap_or_default();
                    at += rest.iter().position(|c| *c == '}').map_or(rest.len(), |end| end + 1);
                }
            }
            '.' | '^' | '$' | '|' | ')' => tokens.push(Token::Other),
            c => tokens.push(Token::Literal(*c)),
        }
    }
    tokens
}

/// Where a class ends that begins before `at`.
fn class_end(chars: &[char], mut at: usize) -> usize {
    if chars.get(at) == Some(&'^') {
        at += 1;
    }
    // A `]` at the start is a character of the class.
    if chars.get(at) == Some(&']') {
        at += 1;
    }
    while let Some(c) = chars.get(at) {
        at += 1;
        match (c, chars.get(at)) {
            ('\\', _) => at += 1,
            ('[', Some(':')) => {
                let rest = chars.get(at..).unwrap_or_default();
                at += rest.windows(2).position(|two| two == [':', ']']).map_or(0, |end| end + 2);
            }
            (']', _) => return at,
            _ => {}
        }
    }
    at
}

/// Where the `)` of a group is that begins before `at`.
fn group_end(chars: &[char], mut at: usize) -> usize {
    let mut open = 1_u32;
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => at += 1,
            '[' => {
                at = class_end(chars, at + 1);
                continue;
            }
            '(' => open += 1,
            ')' if open == 1 => return at,
            ')' => open -= 1,
            _ => {}
        }
        at += 1;
    }
    chars.len()
}

/// What is in a group after `?:`, `?i:` or `?P<name>`.
fn without_name(group: &str) -> &str {
    match group.strip_prefix('?') {
        Some(rest) => rest.split_once([':', '>']).map_or("", |(_, inner)| inner),
        None => group,
    }
}
