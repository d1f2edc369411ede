//! Mutated docker-archives: members moved, doubled, left out or added, lists changed, layers and whole files compressed,
//! headers and contents damaged. The same in every run.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// A docker-archive as its members.
#[derive(Clone)]
pub struct Members(Vec<Member>);

#[derive(Clone)]
struct Member {
    header: Vec<u8>,
    content: Vec<u8>,
}

/// A small generator: the same archives in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}

impl Member {
    fn name(&self) -> String {
        let end = self.header[..100].iter().position(|byte| *byte == 0).unwrap_or(100);
        String::from_utf8_lossy(&self.header[..end]).into_owned()
    }

    fn is_file(&self) -> bool {
        matches!(self.header[156], b'0' | 0)
    }

    fn rename(&mut self, name: &str) {
        self.header[..100].fill(0);
        self.header[..name.len()].copy_from_slice(name.as_bytes());
        self.repair();
    }

    /// Writes the size and the checksum.
    fn repair(&mut self) {
        if self.is_file() {
            self.header[124..136].copy_from_slice(format!("{:011o}\0", self.content.len()).as_bytes());
        }
        self.header[148..156].fill(b' ');
        let sum: u32 = self.header.iter().map(|byte| u32::from(*byte)).sum();
        self.header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

impl Members {
    /// The members of an archive whose headers are plain.
    pub fn of(bytes: &[u8]) -> Self {
        let (mut members, mut at) = (Vec::new(), 0);
        while bytes[at..at + 512].iter().any(|byte| *byte != 0) {
            let header = bytes[at..at + 512].to_vec();
            let size = String::from_utf8_lossy(&header[124..135]).trim_matches(['\0', ' ']).to_owned();
            let size = usize::from_str_radix(&size, 8).unwrap();
            members.push(Member { header, content: bytes[at + 512..at + 512 + size].to_vec() });
            at += 512 + size.next_multiple_of(512);
        }
        Self(members)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for member in &self.0 {
            bytes.extend(&member.header);
            bytes.extend(&member.content);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.extend([0; 1024]);
        bytes
    }

    /// The position of a member, if there is one with this name.
    fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|member| member.name() == name)
    }

    /// Changes the JSON in the file `name`.
    fn edit(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let Some(member) = self.find(name).and_then(|at| self.0.get_mut(at)) else { return };
        // An earlier change may have put something else there.
        let Ok(mut value) = serde_json::from_slice(&member.content) else { return };
        change(&mut value);
        member.content = value.to_string().into_bytes();
        member.repair();
    }

    /// The archive with number `number` of those that differ from this one. `unsigned` has an image without a signature.
    pub fn mutated(&self, unsigned: &Self, number: usize) -> Vec<u8> {
        let mut dice = Dice(u64::try_from(number).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut members = self.clone();
        let whole = dice.roll(12);
        for _ in 0..=dice.roll(3) / 2 {
            members.change(unsigned, &mut dice);
        }
        let mut bytes = members.bytes();
        match whole {
            0 => bytes.truncate(dice.roll(bytes.len())),
            1 => bytes = gzip(&bytes),
            2 => {
                let at = dice.roll(bytes.len());
                bytes[at] ^= 1 << dice.roll(8);
            }
            _ => {}
        }
        bytes
    }

    fn change(&mut self, unsigned: &Self, dice: &mut Dice) {
        let at = dice.roll(self.0.len());
        let files: Vec<_> = (0..self.0.len()).filter(|at| self.0[*at].is_file()).collect();
        let file = files[dice.roll(files.len())];
        match dice.roll(12) {
            0 => drop(self.0.remove(at)),
            1 | 2 => {
                let member = self.0.remove(at);
                self.0.insert(dice.roll(self.0.len() + 1), member);
            }
            3 => self.0.insert(dice.roll(self.0.len() + 1), self.0[at].clone()),
            4 => self.add(unsigned),
            // The name of one of ours, with a content of the unsigned archive.
            5 => {
                self.0[file].content = unsigned.0[dice.roll(unsigned.0.len())].content.clone();
                self.0[file].repair();
            }
            6 => {
                self.0[file].content = gzip(&self.0[file].content);
                self.0[file].repair();
            }
            7 => {
                let name = self.0[file].name();
                let other = [name.to_uppercase(), format!("./{name}"), format!("x/{name}")];
                self.0[file].rename(&other[dice.roll(3)]);
            }
            8 => {
                let without: &[&str] =
                    if dice.roll(2) == 0 { &["index.json", "oci-layout"] } else { &["repositories"] };
                self.0.retain(|member| !without.contains(&member.name().as_str()));
            }
            9 => {
                let fields = [0, 100, 108, 116, 135, 136, 156, 157, 265, 297, 329, 345];
                self.0[at].header[fields[dice.roll(fields.len())]] = [b'0', b'a', b'7', b' ', b'2', 0][dice.roll(6)];
                let header = &mut self.0[at].header;
                header[148..156].fill(b' ');
                let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
                header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
            10 => self.edit("index.json", |index| {
                let Some(entries) = index.get_mut("manifests").and_then(Value::as_array_mut) else { return };
                if entries.is_empty() {
                    return;
                }
                match dice.roll(3) {
                    0 => drop(entries.pop()),
                    1 => entries.reverse(),
                    _ => entries[0]["annotations"]["org.opencontainers.image.ref.name"] = "moved:1".into(),
                }
            }),
            _ => {
                let theirs = unsigned.find("manifest.json").map(|at| unsigned.0[at].content.clone()).unwrap();
                let theirs: Value = serde_json::from_slice(&theirs).unwrap();
                let kind = dice.roll(9);
                if kind < 2 {
                    self.add(unsigned);
                }
                self.edit("manifest.json", |list| change_list(list, &theirs[0], kind, dice));
            }
        }
    }

    /// Adds the files of `unsigned` that are not here.
    fn add(&mut self, unsigned: &Self) {
        for member in &unsigned.0 {
            if self.find(&member.name()).is_none() {
                self.0.push(member.clone());
            }
        }
    }
}

/// Changes Docker's list; `theirs` is an entry of another one.
fn change_list(list: &mut Value, theirs: &Value, kind: usize, dice: &mut Dice) {
    let Some(entries) = list.as_array_mut().filter(|entries| !entries.is_empty()) else { return };
    let at = dice.roll(entries.len());
    match kind {
        0 => entries.push(theirs.clone()),
        1 => entries[at]["Config"] = theirs["Config"].clone(),
        2 => entries.reverse(),
        3 => drop(entries.remove(at)),
        4 => entries[at]["RepoTags"] = serde_json::json!(["moved:1"]),
        5 => entries[at]["RepoTags"] = Value::Null,
        kind => {
            let Some(layers) = entries[at]["Layers"].as_array_mut() else { return };
            match kind {
                6 => layers.reverse(),
                7 => drop(layers.pop()),
                _ => layers.extend(layers.first().cloned()),
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
