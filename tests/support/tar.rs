//! Tar archives, written member by member. POSIX.1, "ustar Interchange Format".

/// A regular file.
pub fn file(name: &str, body: &[u8]) -> Vec<u8> {
    member(name, b'0', "", body)
}

/// A member of the type `kind`.
pub fn member(name: &str, kind: u8, link: &str, body: &[u8]) -> Vec<u8> {
    let size = format!("{:011o}\0", body.len());
    let fields: [(usize, &[u8]); 9] = [
        (0, name.as_bytes()),
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, size.as_bytes()),
        (136, b"00000000000\0"),
        (156, &[kind]),
        (157, link.as_bytes()),
        (257, b"ustar\x0000"),
    ];
    with_fields([vec![0; 512], body.to_vec()].concat(), &fields)
}

/// A member with these fields in its header, and a right checksum.
pub fn with_fields(mut member: Vec<u8>, fields: &[(usize, &[u8])]) -> Vec<u8> {
    for (start, bytes) in fields.iter().chain(&[(148, &b"        "[..])]) {
        member[*start..start + bytes.len()].copy_from_slice(bytes);
    }
    let sum: u32 = member[..512].iter().map(|byte| u32::from(*byte)).sum();
    member[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

/// The archive of these members.
pub fn end(mut members: Vec<Vec<u8>>) -> Vec<u8> {
    members.push(vec![0; 1024]);
    members.concat()
}
