//! A source file as the rules see it: code without comments, texts and tests.

/// The part of a file that ships, in two forms of the same length in lines.
pub struct Source {
    /// Path below `src/`.
    pub path: String,
    /// As written, up to the tests.
    pub lines: Vec<String>,
    /// The same with comments, strings and characters blanked out.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let blank = blank(text);
        let shipped = blank.lines().position(|line| line.starts_with("#[cfg(test)]")).unwrap_or(usize::MAX);
        Self {
            path: path.to_owned(),
            lines: text.lines().take(shipped).map(str::to_owned).collect(),
            code: blank.lines().take(shipped).flat_map(|line| [line, "\n"]).collect(),
        }
    }

    /// The layer: the folder, or for a file at the top its own name.
    pub fn layer(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The lines on which `needle` stands as a word of its own, and not as the end of a longer path where it starts one.
    pub fn lines_with(&self, needle: &str) -> Vec<usize> {
        let found = self.code.match_indices(needle).filter(|(at, _)| self.stands_alone(*at, needle));
        found.map(|(at, _)| self.line_at(at)).collect()
    }

    pub fn line_at(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }

    fn stands_alone(&self, at: usize, needle: &str) -> bool {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let before = self.code[..at].chars().next_back();
        let after = self.code[at + needle.len()..].chars().next();
        let opens = needle.starts_with(word);
        let closes = needle.ends_with(word);
        let goes_on = opens && before.is_some_and(word) || closes && after.is_some_and(word);
        !goes_on
    }
}

/// Replaces what is inside comments, strings and character literals by spaces; lines stay lines.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

/// The end of the comment or literal that starts at `at`; `at` if none starts there.
fn skipped(chars: &[char], at: usize) -> usize {
    let starts = |text: &str| text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    if starts("//") {
        return chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |n| at + n);
    }
    if starts("/*") {
        return block_comment(chars, at);
    }
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if !in_word && let Some(end) = raw_string(chars, at) {
        return end;
    }
    match chars[at] {
        '"' => quoted(chars, at, '"'),
        '\'' if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => quoted(chars, at, '\''),
        _ => at,
    }
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut next) = (0, at);
    while next < chars.len() {
        match (chars[next], chars.get(next + 1)) {
            ('/', Some('*')) => (depth, next) = (depth + 1, next + 2),
            ('*', Some('/')) if depth == 1 => return next + 2,
            ('*', Some('/')) => (depth, next) = (depth - 1, next + 2),
            _ => next += 1,
        }
    }
    next
}

fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    let prefix = match (chars[at], chars.get(at + 1)) {
        ('r', _) => 1,
        ('b' | 'c', Some('r')) => 2,
        _ => return None,
    };
    let hashes = chars[at + prefix..].iter().take_while(|&&c| c == '#').count();
    let open = at + prefix + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |i: &usize| chars[*i] == '"' && (1..=hashes).all(|n| chars.get(i + n) == Some(&'#'));
    Some((open + 1..chars.len()).find(closes).map_or(chars.len(), |i| i + hashes + 1))
}

fn quoted(chars: &[char], at: usize, quote: char) -> usize {
    let mut next = at + 1;
    while next < chars.len() {
        match chars[next] {
            '\\' => next += 2,
            c if c == quote => return next + 1,
            _ => next += 1,
        }
    }
    chars.len()
}
