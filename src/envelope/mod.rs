//! Signed documents, sealed until a key opens them.
