//! Policy files: what an operator wants to be true of images before they are accepted, written in one file.

mod pattern;
mod signed_name;

pub use pattern::ImagePattern;
pub use pattern::ImagePatternError;
pub use signed_name::SignedNameError;
pub use signed_name::SignedNameMapping;
