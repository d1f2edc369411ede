//! Whom we trust, for what, and when.
