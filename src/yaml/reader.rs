//! `read`: from the events of the YAML parser to a tree, strictly.
//!
//! The invariant: nothing that this file reports as an error is in the tree as anything else than
//! [`YamlValue::Invalid`], and there is no recursion: open lists and mappings are on a stack of bounded depth.

use std::collections::HashMap;

use saphyr_parser::Event;
use saphyr_parser::Marker;
use saphyr_parser::Parser;
use saphyr_parser::ScalarStyle;
use saphyr_parser::Span;
use saphyr_parser::StrInput;

use crate::limits::Limits;
use crate::limits::count;
use crate::text::Untrusted;
use crate::yaml::Position;
use crate::yaml::YamlError;
use crate::yaml::YamlKey;
use crate::yaml::YamlNode;
use crate::yaml::YamlProblem;
use crate::yaml::YamlValue;
use crate::yaml::raw;

/// What was read of a YAML document. It is whole if there are no errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlDocument {
    /// What is wrong, in the order of the file, at most [`YamlDocument::MOST_ERRORS`].
    pub errors: Vec<YamlError>,
    /// The document, if it could be read to its end.
    pub root: Option<YamlNode>,
}

impl YamlDocument {
    /// Errors that are collected before reading ends.
    pub const MOST_ERRORS: usize = 50;
}

/// Reads one document.
pub fn read(bytes: &[u8], limits: &Limits) -> YamlDocument {
    match raw::text(bytes, limits, YamlDocument::MOST_ERRORS) {
        Ok(text) => Reader::new(text, limits).read(text),
        Err(errors) => YamlDocument { errors, root: None },
    }
}

struct Reader<'a> {
    errors: Vec<YamlError>,
    last: Position,
    limits: &'a Limits,
    open: Vec<Open>,
    root: Option<YamlNode>,
    text: &'a str,
    values: u64,
}

/// A list or mapping that has not ended yet.
struct Open {
    contents: Contents,
    position: Position,
}

enum Contents {
    Mapping { entries: Vec<(YamlKey, YamlNode)>, key: Option<YamlKey>, seen: HashMap<String, Position> },
    Sequence(Vec<YamlNode>),
}

/// Why reading ends before the end of the file: an error has been reported.
struct Stop;

impl<'a> Reader<'a> {
    fn new(text: &'a str, limits: &'a Limits) -> Self {
        let (errors, last, open, root) = (Vec::new(), raw::end_of(text), Vec::new(), None);
        Self { errors, last, limits, open, root, text, values: 0 }
    }

    fn read(mut self, text: &str) -> YamlDocument {
        let mut parser = Parser::new_from_str(text);
        let whole = self.events(&mut parser).is_ok();
        if whole && self.root.is_none() && self.errors.is_empty() {
            self.errors.push(YamlError { position: Position::START, problem: YamlProblem::Empty });
        }
        self.errors.sort_by_key(|error| error.position);
        YamlDocument { errors: self.errors, root: self.root.filter(|_| whole) }
    }

    fn events(&mut self, parser: &mut Parser<'_, StrInput<'_>>) -> Result<(), Stop> {
        let mut documents = 0_u32;
        while let Some(event) = parser.next_event() {
            match event {
                Ok((Event::DocumentStart(_), span)) => {
                    documents = documents.saturating_add(1);
                    if documents > 1 {
                        return self.stop(span.start, YamlProblem::SecondDocument);
                    }
                }
                Ok((Event::StreamEnd, _)) => return Ok(()),
                Ok((event, span)) => self.event(event, span)?,
                Err(error) => {
                    let problem = self.syntax(*error.marker(), error.info());
                    return self.stop(*error.marker(), problem);
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let position = self.position(span.start);
        match event {
            Event::Alias(_) => {
                self.report(position, YamlProblem::Alias)?;
                self.add(position, YamlValue::Invalid, "")
            }
            Event::MappingStart(anchor, tag) => {
                self.properties(position, anchor, tag.is_some())?;
                let contents = Contents::Mapping { entries: Vec::new(), key: None, seen: HashMap::new() };
                self.open(position, contents)
            }
            Event::SequenceStart(anchor, tag) => {
                self.properties(position, anchor, tag.is_some())?;
                self.open(position, Contents::Sequence(Vec::new()))
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(),
            Event::Scalar(text, style, anchor, tag) => {
                self.properties(position, anchor, tag.is_some())?;
                self.scalar(position, &text, style, span)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn scalar(&mut self, position: Position, text: &str, style: ScalarStyle, span: Span) -> Result<(), Stop> {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let plain = style == ScalarStyle::Plain;
        let problem = match plain.then(|| YamlProblem::of_plain(text)).flatten() {
            None if !block && span.start.line() != span.end.line() => Some(YamlProblem::Lines),
            problem => problem,
        };
        match problem {
            Some(problem) => {
                self.report(position, problem)?;
                self.add(position, YamlValue::Invalid, text)
            }
            None => self.add(position, YamlValue::Text { plain, text: text.to_owned() }, text),
        }
    }

    fn properties(&mut self, position: Position, anchor: usize, tag: bool) -> Result<(), Stop> {
        if anchor > 0 {
            self.report(position, YamlProblem::Anchor)?;
        }
        if tag {
            self.report(position, YamlProblem::Tag)?;
        }
        Ok(())
    }

    fn open(&mut self, position: Position, contents: Contents) -> Result<(), Stop> {
        self.count(position)?;
        if let Some(Open { contents: Contents::Mapping { key: None, .. }, .. }) = self.open.last() {
            return self.end(position, YamlProblem::KeyIsNoText);
        }
        let deepest = self.limits.yaml.depth;
        if count(self.open.len()) >= deepest {
            return self.end(position, YamlProblem::TooDeep(deepest));
        }
        self.open.push(Open { contents, position });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(Open { contents, position }) = self.open.pop() else { return Ok(()) };
        let value = match contents {
            Contents::Mapping { entries, .. } => YamlValue::Mapping(entries),
            Contents::Sequence(nodes) => YamlValue::Sequence(nodes),
        };
        self.place(YamlNode { position, value });
        Ok(())
    }

    /// Adds a scalar, as a key or as a value: `written` is its text.
    fn add(&mut self, position: Position, value: YamlValue, written: &str) -> Result<(), Stop> {
        self.count(position)?;
        let Some(Open { contents: Contents::Mapping { key: key @ None, seen, .. }, .. }) = self.open.last_mut() else {
            self.place(YamlNode { position, value });
            return Ok(());
        };
        let plain = matches!(value, YamlValue::Text { plain: true, .. });
        *key = Some(YamlKey { plain, position, text: written.to_owned() });
        if value == YamlValue::Invalid {
            return Ok(());
        }
        let problem = match seen.get(written) {
            Some(first) => YamlProblem::DuplicateKey { first: *first, key: Untrusted::new(written) },
            None if plain && written == "<<" => YamlProblem::MergeKey,
            None => {
                seen.insert(written.to_owned(), position);
                return Ok(());
            }
        };
        self.report(position, problem)
    }

    /// Puts a whole node where it belongs. The value of a key with an error is left out with it.
    fn place(&mut self, node: YamlNode) {
        match self.open.last_mut().map(|open| &mut open.contents) {
            Some(Contents::Mapping { entries, key, seen }) => {
                if let Some(key) = key.take().filter(|key| seen.get(&key.text) == Some(&key.position)) {
                    entries.push((key, node));
                }
            }
            Some(Contents::Sequence(nodes)) => nodes.push(node),
            None => self.root = Some(node),
        }
    }

    fn count(&mut self, position: Position) -> Result<(), Stop> {
        let most = self.limits.yaml.values;
        self.values = self.values.saturating_add(1);
        if self.values > most { self.end(position, YamlProblem::TooManyValues(most)) } else { Ok(()) }
    }

    fn report(&mut self, position: Position, problem: YamlProblem) -> Result<(), Stop> {
        self.errors.push(YamlError { position, problem });
        if self.errors.len() >= YamlDocument::MOST_ERRORS { Err(Stop) } else { Ok(()) }
    }

    fn stop(&mut self, at: Marker, problem: YamlProblem) -> Result<(), Stop> {
        let position = self.position(at);
        self.end(position, problem)
    }

    fn end(&mut self, position: Position, problem: YamlProblem) -> Result<(), Stop> {
        self.errors.push(YamlError { position, problem });
        Err(Stop)
    }

    /// The position of a marker, which is inside the file: the end of the file is after its last character.
    fn position(&self, at: Marker) -> Position {
        let position = Position { line: raw::number(at.line().saturating_sub(1)), column: raw::number(at.col()) };
        position.min(self.last)
    }

    /// What an error of the parser is about, by the character where it stopped: an alias without its anchor, a text that
    /// begins with a character of YAML. What it says itself is shown for all others.
    fn syntax(&self, at: Marker, said: &str) -> YamlProblem {
        match self.text.chars().nth(at.index()) {
            Some('*') => YamlProblem::Alias,
            Some('&') => YamlProblem::Anchor,
            Some('!') => YamlProblem::Tag,
            _ => YamlProblem::Syntax(Untrusted::new(said)),
        }
    }
}
