//! Cells: small networks that are data, a list of operations and of what each reads.
//!
//! What an architecture search finds is a [`Genotype`]; a [`Cell`] is the layer that it describes.

#[allow(clippy::module_inception, reason = "one file per type")]
mod cell;
mod genotype;
mod operation;
mod operation_layer;
mod window_mean;

pub use cell::{Cell, CellNode};
pub use genotype::{Genotype, GenotypeEdge};
pub use operation::Operation;
pub use operation_layer::OperationLayer;
