//! What a forward pass computes, as data: recorded once from any module, replayed on any backend
//! and at any level of differentiation.
//!
//! - [`capture()`] runs a function of a module and tensors on Burn's recording device and gives a
//!   [`Graph`]: operations in order, with the parameters and inputs that they read and where in the
//!   module each of them is.
//! - [`replay()`] runs a graph on values of one's own, on any backend that is a [`Level`]: one that
//!   computes, or `Autodiff` around one, as deep as wanted. That is what derivatives of any order
//!   stand on (`forge_meta::functional`).
//! - [`replay_many()`] runs a graph of one sample for many at once.
//! - An exporter reads [`Graph::steps`] instead.
//!
//! It is a crate of its own because both derivatives and export need it and neither needs the
//! other.

mod any_tensor;
mod capture;
mod dispatch;
mod graph;
mod joined;
mod kinds;
mod level;
mod recorder;
mod replay;
mod tensors;
mod value;

pub use any_tensor::AnyTensor;
pub use capture::capture;
pub use dispatch::{Base, WithBase, with_base};
pub use graph::{Draw, Graph, Parameter, Slot, Step};
pub use kinds::{KINDS, kind};
pub use level::Level;
pub use replay::{Many, Tap, replay, replay_many, tapped};
pub use tensors::Tensors;
pub use value::Value;
