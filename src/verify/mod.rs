//! Evidence in, a verified subject or a refusal out.
