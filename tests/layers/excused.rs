//! What still breaks a rule of the whole tree. Both lists only shrink: an entry that is out of date fails its test.

/// Files that import each other in a circle.
pub const CIRCLES: &[&[&str]] = &[
    &["store/archive/mod.rs", "store/archive/scan.rs", "store/archive/write.rs"],
    &[
        "store/blob.rs",
        "store/local/graph.rs",
        "store/local/mod.rs",
        "store/local/place.rs",
        "store/local/source.rs",
        "store/mod.rs",
        "store/parallel.rs",
    ],
    &["store/layout/mod.rs", "store/layout/write.rs"],
];

/// Names that several public types share, and how many types do.
pub const SHARED_NAMES: &[(&str, usize)] = &[("Graph", 2), ("Node", 2), ("Staged", 2)];
