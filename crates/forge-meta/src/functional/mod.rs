//! Exact derivatives of what a module computes, as functions: gradients that can be differentiated
//! again, products with Jacobians and Hessians, gradients of single samples.
//!
//! A [`Functional`] is a module and a function of it as one function of [`Params`], the module's
//! trainable parameters by name, and of tensors. Whoever knows `torch.func` knows the rest:
//!
//! | here | `torch.func` |
//! |---|---|
//! | [`Functional::call`] | `functional_call` |
//! | [`Functional::grad`], [`Functional::value_and_grad`] | `grad`, `grad_and_value` |
//! | [`Functional::vjp`], [`Functional::jvp`] | `vjp`, `jvp` |
//! | [`Functional::hvp`] | `jvp` of `grad` |
//! | [`Functional::jacobian`] | `jacrev` |
//! | [`Functional::per_sample_grad`] | `vmap` of `grad` |
//! | [`Functional::gauss_newton`], [`Functional::fisher`] | |
//!
//! Where parameters or inputs are on a graph of derivatives (an autodiff device), the results are
//! too: `backward` of what is computed from a gradient gives second derivatives. Where they are
//! not, nothing is kept.
//!
//! ```
//! use forge_meta::functional::{Functional, Params};
//! use forge_nn::burn::nn::LinearConfig;
//! use forge_nn::burn::tensor::{Device, Tensor};
//!
//! let device = Device::flex();
//! let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
//! let loss = Functional::capture(&model, |model, (x, y): (Tensor<2>, Tensor<2>)| {
//!     (model.forward(x) - y).powi_scalar(2).mean()
//! });
//! let params = Params::of(&model);
//! let x = Tensor::<2>::from_data([[1.0], [2.0]], &device);
//! let y = x.clone() * 3.0;
//! // The loss is 2.5 (w - 3)², so its second derivative is 5.
//! let ones = params.map(|_, w| w.ones_like());
//! let hessian = loss.hvp(&params, &ones, (x, y))?;
//! let hessian = hessian.get::<2>("weight")?.into_scalar::<f32>();
//! assert!((hessian - 5.0).abs() < 1e-5);
//! # Ok::<(), forge_nn::ForgeError>(())
//! ```

mod bind;
mod derivative;
mod function;
mod normals;
mod params;
mod products;
mod saved;

pub use forge_graph::{AnyTensor, Tensors};
pub use function::Functional;
pub(crate) use normals::normals;
pub use params::{ParamTensor, Params};
