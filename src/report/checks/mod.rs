//! Reports for other programs: what policies require of each image, as SARIF, JUnit XML and annotations.

mod github;
mod image;
mod junit;
mod sarif;

pub use github::Annotations;
pub use github::annotations;
pub use image::CheckResult;
pub use image::CheckedImage;
pub use image::PolicyPlace;
pub use image::RequirementCheck;
pub use junit::is_junit;
pub use junit::write_junit;
pub use sarif::SARIF_RESULTS;
pub use sarif::is_sarif;
pub use sarif::write_sarif;
