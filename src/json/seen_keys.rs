//! `SeenKeys`: the keys of one object, to find one that stands twice.

use std::borrow::Cow;
use std::collections::HashSet;

/// The keys of one object that were read so far. The first few are compared one by one, since hashing the keys of many
/// small objects takes longer than reading them; more are hashed, so that the time is linear in their number.
#[derive(Default)]
pub(super) struct SeenKeys<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> SeenKeys<'a> {
    /// Adds `key`. Returns it if it was seen before.
    pub(super) fn add(&mut self, key: Cow<'a, str>) -> Option<Cow<'a, str>> {
        if self.few.contains(&key) {
            return Some(key);
        }
        if self.few.len() < FEW {
            self.few.push(key);
            return None;
        }
        self.many.replace(key)
    }
}

/// How many keys are compared one by one.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::FEW;
    use super::SeenKeys;

    #[test]
    fn finds_each_key_again_and_no_other() {
        let keys: Vec<String> = (0..FEW * 3).map(|number| format!("key {number}")).collect();
        for count in 0..=keys.len() {
            let mut seen = SeenKeys::default();
            for key in &keys[..count] {
                assert_eq!(seen.add(Cow::Borrowed(key)), None, "{key} of {count}");
            }
            for (position, key) in keys.iter().enumerate() {
                let again = seen.add(Cow::Borrowed(key)).is_some();
                assert_eq!(again, position < count, "{key} of {count}");
            }
        }
    }
}
