//! The module tree as its `use` items and paths draw it: which file takes a name from which, and which types are public.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::source::Source;

/// The modules of the crate by their path, each with what it defines, imports and names.
pub struct Modules {
    modules: BTreeMap<Path, Module>,
    files: Vec<String>,
}

/// For each file, the files that it takes names from, and the names.
pub type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

type Path = Vec<String>;

#[derive(Default)]
struct Module {
    file: usize,
    /// Items that this module defines itself.
    items: BTreeSet<String>,
    /// Types among them that are not private.
    public_types: BTreeSet<String>,
    uses: Vec<Use>,
    /// Paths in its code, outside of `use` items.
    paths: Vec<Path>,
}

struct Use {
    alias: String,
    path: Path,
    public: bool,
}

/// The target of a path: an item and the file that defines it, a module, or an item of another crate.
#[derive(PartialEq)]
enum Target {
    Item(usize),
    Module,
    Outside,
}

impl Modules {
    pub fn new(sources: &[Source]) -> Self {
        let mut tree = Self { modules: BTreeMap::from([(Path::new(), Module::default())]), files: Vec::new() };
        for source in sources.iter().filter(|source| source.path != PROGRAM) {
            tree.files.push(source.path.clone());
            tree.read(source);
        }
        tree
    }

    /// Who imports whom. What is only handed on by `pub use` is not imported; a module is imported by the names used of it.
    ///
    /// The error lists paths into the crate that lead nowhere, so that no import escapes unread.
    pub fn imports(&self) -> Result<Imports, String> {
        let mut imports = Imports::new();
        let mut lost = Vec::new();
        for (at, module) in &self.modules {
            let private = module.uses.iter().filter(|import| !import.public).map(|import| &import.path);
            for path in private.chain(&module.paths) {
                let targets = self.resolve(at, path);
                if targets.is_empty() && self.is_ours(at, path) {
                    lost.push(format!("{}: `{}` leads nowhere", self.files[module.file], path.join("::")));
                }
                for target in targets {
                    let Target::Item(file) = target else { continue };
                    if file != module.file {
                        let of = imports.entry(self.files[module.file].clone()).or_default();
                        of.entry(self.files[file].clone()).or_default().insert(path.last().unwrap().clone());
                    }
                }
            }
        }
        if lost.is_empty() { Ok(imports) } else { Err(lost.join("\n")) }
    }

    /// Every name that more than one public type has, with the files that define them.
    pub fn shared_names(&self) -> BTreeMap<String, Vec<String>> {
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for module in self.modules.values() {
            for name in &module.public_types {
                names.entry(name.clone()).or_default().push(self.files[module.file].clone());
            }
        }
        names.retain(|_, files| files.len() > 1);
        names
    }

    fn read(&mut self, source: &Source) {
        let file = self.files.len() - 1;
        let tokens = tokens(&source.code);
        let mut at: Path = source.path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        at.pop_if(|last| last == "mod" || last == "lib");
        // The depth of braces at which the module of each level is written: inline modules nest.
        let (mut depth, mut levels) = (0, vec![0]);
        self.modules.entry(at.clone()).or_default().file = file;
        let mut next = 0;
        while let Some(token) = tokens.get(next) {
            let module = self.modules.entry(at.clone()).or_default();
            module.file = file;
            let after = tokens.get(next + 1).map_or("", String::as_str);
            next += 1;
            match token.as_str() {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if levels.len() > 1 && levels.last() == Some(&(depth + 1)) {
                        levels.pop();
                        at.pop();
                    }
                }
                "use" if is_item(&tokens, next - 1) => {
                    let public = is_public(&tokens, next - 1);
                    next = use_tree(&tokens, next, &mut Vec::new(), public, &mut module.uses);
                }
                "mod" if tokens.get(next + 1).is_some_and(|brace| brace == "{") => {
                    at.push(after.to_owned());
                    (depth, next) = (depth + 1, next + 2);
                    levels.push(depth);
                }
                "mod" => next += 2,
                "const" if after == "fn" => {}
                keyword if ITEMS.contains(&keyword) && depth == *levels.last().unwrap() && is_name(after) => {
                    module.items.insert(after.to_owned());
                    if TYPES.contains(&keyword) && is_public(&tokens, next - 1) {
                        module.public_types.insert(after.to_owned());
                    }
                    next += 1;
                }
                name if is_name(name) => {
                    let (path, end) = path(&tokens, next - 1);
                    let field = next > 1 && tokens[next - 2] == "." && !(next > 2 && tokens[next - 3] == ".");
                    let declared = path.len() == 1 && tokens.get(end).is_some_and(|token| token == ":");
                    if !field && !declared {
                        module.paths.push(path);
                    }
                    next = end;
                }
                _ => {}
            }
        }
    }

    /// Everything that `path`, written in the module `from`, may stand for; nothing for what is not of this crate.
    fn resolve(&self, from: &Path, path: &[String]) -> Vec<Target> {
        self.resolve_within(from, path, 16)
    }

    fn resolve_within(&self, from: &[String], path: &[String], steps: usize) -> Vec<Target> {
        let Some(steps) = steps.checked_sub(1) else { return Vec::new() };
        match path.first().map(String::as_str) {
            Some("crate") => self.walk(&[], &path[1..], steps),
            Some("self") => self.walk(from, &path[1..], steps),
            Some("super") if !from.is_empty() => {
                let parent = &from[..from.len() - 1];
                if path.get(1).is_some_and(|next| next == "super") {
                    self.resolve_within(parent, &path[1..], steps)
                } else {
                    self.walk(parent, &path[1..], steps)
                }
            }
            _ => self.walk(from, path, steps),
        }
    }

    fn walk(&self, at: &[String], path: &[String], steps: usize) -> Vec<Target> {
        let Some(name) = path.first() else { return vec![Target::Module] };
        let Some(module) = self.modules.get(at) else { return Vec::new() };
        let mut found = Vec::new();
        let child: Path = at.iter().chain([name]).cloned().collect();
        if self.modules.contains_key(&child) {
            found.extend(self.walk(&child, &path[1..], steps));
        }
        if module.items.contains(name) {
            found.push(Target::Item(module.file));
        }
        for import in module.uses.iter().filter(|import| import.alias == *name && import.path != path) {
            let whole: Path = import.path.iter().chain(&path[1..]).cloned().collect();
            let mut through = self.resolve_within(at, &whole, steps);
            if through.is_empty() {
                // An associated item: `Name::new`, where `Name` is an item that was imported.
                through = self.resolve_within(at, &import.path, steps);
            }
            if through.is_empty() {
                through.push(Target::Outside);
            }
            found.extend(through);
        }
        if path.len() > 1 && found.iter().any(|target| matches!(target, Target::Item(_))) {
            found.retain(|target| *target != Target::Module);
        }
        found
    }

    /// Whether a path starts in this crate for sure, so that it must lead somewhere.
    fn is_ours(&self, at: &Path, path: &[String]) -> bool {
        let child = || at.iter().chain(path.first()).cloned().collect::<Path>();
        matches!(path[0].as_str(), "crate" | "super") || path.len() > 1 && self.modules.contains_key(&child())
    }
}

/// The circles of a graph of imports: the groups of files each of which reaches every other. Sorted.
pub fn circles(imports: &Imports) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        imports.keys().map(|file| (file, reachable(imports, file))).collect();
    let mut circles = Vec::new();
    for (file, others) in &reached {
        let back = |other: &&&String| reached.get(**other).is_some_and(|theirs| theirs.contains(file));
        let circle: BTreeSet<String> = others.iter().filter(back).map(|&name| name.clone()).collect();
        if !circle.is_empty() && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

fn reachable<'a>(imports: &'a Imports, from: &'a String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        let next = imports.get(file).into_iter().flat_map(BTreeMap::keys);
        open.extend(next.filter(|other| reached.insert(*other)));
    }
    reached
}

/// The tokens of blanked code; `::` is one token, and lifetimes are skipped.
fn tokens(code: &str) -> Vec<String> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => 1 + rest[1..].find(|c| !word(c)).unwrap_or(rest.len() - 1),
            _ if rest.starts_with("::") => 2,
            _ if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        if first != '\'' {
            tokens.push(rest[..length].to_owned());
        }
        rest = rest[length..].trim_start();
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The path that starts at a token, and where it ends.
fn path(tokens: &[String], start: usize) -> (Path, usize) {
    let mut path = vec![tokens[start].clone()];
    let mut end = start + 1;
    while tokens.get(end).is_some_and(|sign| sign == "::") && tokens.get(end + 1).is_some_and(|name| is_name(name)) {
        path.push(tokens[end + 1].clone());
        end += 2;
    }
    (path, end)
}

/// Whether a `use` is the start of an item, and not of `impl Trait + use<'a>`.
fn is_item(tokens: &[String], at: usize) -> bool {
    tokens.get(at + 1).is_some_and(|next| next != "<")
}

fn is_public(tokens: &[String], at: usize) -> bool {
    let before = tokens[..at].split_last().map_or((None, &[][..]), |(last, before)| (Some(last.as_str()), before));
    match before {
        (Some("pub"), _) => true,
        // `pub(crate)`, `pub(in crate::key)`.
        (Some(")"), before) => {
            let open = before.iter().rposition(|token| token == "(");
            open.is_some_and(|open| open > 0 && before[open - 1] == "pub")
        }
        _ => false,
    }
}

/// Reads one tree of a `use` item into `uses` and answers with where it ends.
fn use_tree(tokens: &[String], start: usize, prefix: &mut Path, public: bool, uses: &mut Vec<Use>) -> usize {
    let mut path: Path = prefix.clone();
    let mut alias = None;
    let mut next = start;
    while let Some(token) = tokens.get(next) {
        next += 1;
        match token.as_str() {
            "::" => {}
            "as" => {
                alias = tokens.get(next).cloned();
                next += 1;
            }
            "{" => {
                while tokens.get(next).is_some_and(|token| token != "}") {
                    next = use_tree(tokens, next, &mut path, public, uses);
                }
                next += 1;
                path.clear();
            }
            ";" | "," => break,
            "}" => {
                next -= 1;
                break;
            }
            name => path.push(name.to_owned()),
        }
    }
    if let Some(last) = path.last() {
        let alias = alias.unwrap_or_else(|| last.clone());
        uses.push(Use { alias, path, public });
    }
    next
}

/// The root of the program, which is no module of the library.
const PROGRAM: &str = "main.rs";
const TYPES: &[&str] = &["struct", "enum", "trait", "type", "union"];
const ITEMS: &[&str] = &["struct", "enum", "trait", "type", "union", "fn", "const", "static", "macro_rules"];
