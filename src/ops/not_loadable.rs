//! `NotLoadable`: why `docker load` could not load a manifest.

use crate::text::Untrusted;

/// Why `docker load` could not load a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotLoadable {
    /// It is not the manifest of an image.
    #[error("its config is `{0}`, not that of an image")]
    Config(Untrusted),
    /// A layer is no tar archive, or one that the registry need not hold (a foreign layer).
    #[error("it has a layer of the type `{0}`")]
    Layer(Untrusted),
    /// The config does not have one unpacked layer (`diff_ids`) for each layer.
    #[error("it has {layers} layers, and its config has {diff_ids}")]
    LayerCount {
        /// How many `diff_ids` the config has.
        diff_ids: usize,
        /// How many layers the manifest has.
        layers: usize,
    },
}
