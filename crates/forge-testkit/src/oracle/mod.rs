//! Agreement with reference implementations.
//!
//! A case is a safetensors file: the parameters of a reference module under its own names
//! (`param/…`), inputs (`input/…`), outputs (`output/…`), cotangents, and the gradients of
//! `Σ_k Σ output/k · cotangent/k` with respect to parameters (`grad/…`) and inputs
//! (`grad_input/…`), all in f64; model, config (JSON) and mode in its metadata. [`run_case`] makes
//! the same model here, in f64 and in f32, and compares everything that the file has.

mod case;
mod compare;
mod error;
mod forecast;
mod models;
mod report;
mod run;
mod session;
mod switches;

pub use case::{Case, Mode};
pub use error::OracleError;
pub(crate) use forecast::calendar;
pub use report::{CaseReport, Precision, PrecisionReport};
pub use run::{Summary, assert_cases, run_case, run_paths};
pub use session::Session;
pub(crate) use switches::Switches;
