//! What a signature is made with and checked with.
