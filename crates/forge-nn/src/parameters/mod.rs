//! The one home of a module's parameters: walking them by path, combining those of two modules,
//! loading them in part, and renaming them.
//!
//! Burn's own walk hands over parameters without their names, and its stores, its optimisers and
//! this library must agree on what a parameter is called. [`ParameterPath`] is that rule, written
//! once; [`visit_parameters`] and [`map_parameters`] walk with it.
//!
//! On the walk stand [`zip_map`] and [`zip_visit`], which pair the float tensors of two modules of
//! the same structure, and the arithmetic on whole modules: [`lerp`] (averages of weights,
//! Reptile), [`dot`] and [`norm`] (continual learning, similarity of gradients). [`Floats`] says
//! which tensors take part, [`names`] what they are called.
//!
//! [`Erased`] is the one visitor and the one mapper that a walk over many modules is compiled for.
//!
//! [`drawn`] makes a parameter that starts in a way of its own; [`draw_all`] draws all of a module's
//! from the seed that its device has now.
//!
//! [`KeyMap`] translates the names and layouts of a reference implementation.
//!
//! A parameter may be reparameterised: what is stored (its base) is then something else than what
//! a layer computes with, a shard for example. The walks hand over the stored tensor. Read a
//! layer's sizes from its fields or from `param.val()`, never from the stored tensor.

mod arithmetic;
mod draw_all;
mod drawn;
mod erased;
mod floats;
mod key_map;
mod names;
mod path;
mod replace;
mod walk;
mod zip;

pub use arithmetic::{dot, lerp, norm};
pub use draw_all::draw_all;
pub use drawn::drawn;
pub use erased::{AnyMapper, AnyVisitor, Erased};
pub use floats::Floats;
pub use key_map::KeyMap;
pub use names::names;
pub use path::ParameterPath;
pub use replace::replace_value;
pub use walk::{ParameterMapper, ParameterVisitor, map_parameters, visit_parameters};
pub use zip::{Combine, PairVisitor, zip_map, zip_visit};
