//! How memory grows for a body whose length is only declared: twice as large each time, and never beyond what is allowed.

/// Makes room in `bytes` for `more` bytes. The capacity doubles, so that few bytes are copied, but it is larger than `most`
/// only where `more` bytes need it. A vector that grows by itself may reserve twice that.
pub(in crate::store) fn make_room(bytes: &mut Vec<u8>, more: usize, most: u64) {
    let length = bytes.len();
    if bytes.capacity().saturating_sub(length) >= more {
        return;
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let wanted = length.saturating_mul(2).min(most).max(length.saturating_add(more));
    bytes.reserve_exact(wanted.saturating_sub(length));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_reserved_than_is_allowed() {
        for (pieces, most, want) in [(1_000, 1_000_000, 1_000_000), (1_000, 600_001, 1_000_000), (7, u64::MAX, 8_000)] {
            let mut bytes = Vec::new();
            let mut grown = 0;
            for _ in 0..pieces {
                let before = bytes.capacity();
                make_room(&mut bytes, 1_000, most);
                grown += usize::from(bytes.capacity() != before);
                bytes.extend_from_slice(&[0; 1_000]);
            }
            assert!(bytes.capacity() <= want, "{} of {want}", bytes.capacity());
            assert!(most != 1_000_000 || grown < 12, "{grown} times");
        }
    }
}
