//! Numbers as vectors: what stands before a network so that it can tell values apart that a linear
//! map cannot.
//!
//! Gorishniy, Rubachev and Babenko 2022, "On Embeddings for Numerical Features in Tabular Deep
//! Learning" (arXiv 2203.05556 v4), as in `rtdl_num_embeddings` 0.0.12, whose parameters they read.
//!
//! | `kind` | a number `x_j` becomes |
//! |---|---|
//! | `linear` | `x_j w_j + b_j` |
//! | `linear_relu` | `ReLU(x_j w_j + b_j)` |
//! | `periodic` | `ReLU(W_j [cos 2π c_j x_j, sin 2π c_j x_j] + b_j)` with frequencies `c_j` learnt |
//! | `piecewise_linear_encoding` | how far it has come through each bin, nothing learnt |
//! | `piecewise_linear` | a linear map of that encoding, one per feature |
//!
//! [`NumEmbeddings`] is the field of a model's config, [`NumEmbedder`] the layer. Bins are found in
//! training data by a [`Binning`].

mod binning;
mod embedder;
mod embeddings;
mod periodic;
mod piecewise;
mod piecewise_linear;

pub use binning::{BinTargets, Binning};
pub use embedder::{LinearRelu, NumEmbedder, NumEmbedderConfig};
pub use embeddings::{LinearEmbeddingsConfig, NumEmbeddings};
pub use periodic::{Mix, PeriodicEmbeddings, PeriodicEmbeddingsConfig};
pub use piecewise::{PiecewiseLinearEncoding, PiecewiseLinearEncodingConfig};
pub use piecewise_linear::{
    PiecewiseLinearEmbeddings, PiecewiseLinearEmbeddingsConfig, PiecewiseVersion,
};
