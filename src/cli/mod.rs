//! The only part that knows about people.
