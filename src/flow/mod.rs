//! One file per verb, read top to bottom.
