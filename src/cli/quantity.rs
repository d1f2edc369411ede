//! Numbers as people read them: `1 blob`, `2 blobs`, `1.5 MB`.

/// A count with its noun: `what` gets an `s` unless the number is one.
pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// A number of bytes in B, kB, MB or GB.
pub(super) fn amount(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (unit, size) in UNITS {
        if bytes >= size {
            let tenths = bytes / (size / 10);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_bytes_have_one_decimal() {
        assert_eq!([count(0, "key"), count(1, "key"), count(2, "key")], ["0 keys", "1 key", "2 keys"]);
        let amounts = [amount(999), amount(1_000), amount(1_550_000), amount(2_000_000_000)];
        assert_eq!(amounts, ["999 B", "1.0 kB", "1.5 MB", "2.0 GB"]);
    }
}
