//! Architecture search: cells found by gradients, by rewards or by chance.
//!
//! A [`SearchSpace`] says what may stand where; a [`Search`] runs one of the methods on it and gives a
//! [`Genotype`](forge_nn::cell::Genotype), which is the config of an ordinary model.
//!
//! - [`Darts`]: the gradient of the validation loss for the strengths of operations, through a step of
//!   the weights; [`SuperNet`] has all operations at once.
//! - [`gumbel_softmax()`]: a choice that gradients flow through.
//! - [`GatedPaths`], [`LatencyTable`]: ProxylessNAS's gates, and what operations cost on a device.
//! - [`EnasController`], [`EnasChild`], [`MovingBaseline`]: a controller that learns by rewards, and the
//!   weights that its cells share.
//! - [`strongest_edges`]: what is left of the strengths in the end.

mod darts;
mod enas;
mod gumbel_softmax;
mod latency;
mod proxyless;
mod run;
mod space;
mod strongest;
mod super_net;

pub use darts::{ArchitectureGradient, Darts, DartsConfig, Unrolling};
pub use enas::{
    Advantage, ChildNode, ChildSide, EnasChild, EnasChildConfig, EnasController,
    EnasControllerConfig, MovingBaseline, ScoredArcs,
};
pub use gumbel_softmax::{gumbel_noise, gumbel_softmax};
pub use latency::LatencyTable;
pub use proxyless::{GateMode, GatedPaths, path_probabilities};
pub use run::{Search, SearchConfig, SearchData, SearchLoss, SearchMethod, SearchStep, SearchTask};
pub use space::{CellArc, SearchSpace};
pub use strongest::{Edge, strongest_edges};
pub use super_net::{MixedEdge, SuperNet, SuperNetConfig};
