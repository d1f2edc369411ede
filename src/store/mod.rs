//! Where content lives; moves bytes, never decides.
