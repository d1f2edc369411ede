//! Stores of content: registries, layouts, archives. `Source` reads, `Sink` writes; a store moves bytes and decides nothing.

pub mod archive;
pub mod blob;
#[cfg(feature = "registry")]
pub mod credentials;
pub mod deadline;
pub mod docker_archive;
pub mod error;
pub mod images;
mod key_case;
pub mod layout;
pub mod limited;
pub mod local;
pub mod memory;
pub mod parallel;
#[cfg(feature = "registry")]
pub mod registry;
mod sink;
mod source;
mod task;
pub mod transfer_progress;

pub use archive::Archive;
pub use blob::Blob;
pub use blob::Chunks;
pub use deadline::Deadline;
pub use docker_archive::DockerArchive;
pub use error::StoreError;
pub use error::TlsFault;
pub use images::Images;
pub use images::OpenError;
pub use layout::Layout;
pub use limited::LimitedSource;
pub use memory::Memory;
pub use sink::Pushed;
pub use sink::Sink;
pub use source::ListedImage;
pub use source::Listing;
pub use source::Origin;
pub use source::Source;
pub use task::Task;
