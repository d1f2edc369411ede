//! What must be true before an image is accepted.
