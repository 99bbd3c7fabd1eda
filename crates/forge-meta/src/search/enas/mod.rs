//! A controller that learns which cells to try, and a child that shares its weights among all of them.
//!
//! Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", arXiv 1802.03268.

mod baseline;
mod child;
mod controller;
mod walk;

pub use baseline::{Advantage, MovingBaseline};
pub use child::{ChildNode, ChildSide, EnasChild, EnasChildConfig};
pub use controller::{EnasController, EnasControllerConfig};
pub use walk::ScoredArcs;
