//! Gradients against finite differences.

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_nn::parameters::{Floats, names};
use forge_nn::{ForgeError, StateDict};

use crate::{Noise, gradients_by_name};

/// Compares gradients with central differences in f64.
///
/// The function's output `y` becomes a scalar `Σ y · c` with a random `c`, so that no error can
/// cancel. Along a unit direction `d` of a tensor, `∇·d` is compared with the five-point formula
/// `(8[φ(h) − φ(−h)] − [φ(2h) − φ(−2h)]) / 12h`, whose own error is of order `h⁴`. The error is
/// relative to the larger of the two, and to no less than a thousandth of the whole gradient's
/// norm, below which a difference is rounding.
///
/// ```
/// use burn::tensor::Device;
/// use forge_testkit::{GradientCheck, Noise};
///
/// let x = Noise::new(1).tensor(&[3, 5]);
/// let check = GradientCheck::new(&Device::flex());
/// let report = check.function::<2, 2>(&[x.clone()], |x| x[0].clone().square());
/// assert!(report.is_ok());
/// // Half of this gradient is lost.
/// let wrong = check.function::<2, 2>(&[x], |x| x[0].clone() * x[0].clone().detach());
/// assert!(wrong.is_err());
/// ```
#[derive(Debug, Clone)]
pub struct GradientCheck {
    device: Device,
    directions: usize,
    every_element: bool,
    step: f64,
    tolerance: f64,
    seed: u64,
}

/// A check that passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientReport {
    /// Directions compared, over all tensors.
    pub checked: usize,
    /// The largest relative error.
    pub worst: f64,
}

/// Why a check did not pass.
#[derive(Debug, thiserror::Error)]
pub enum GradientMismatch {
    /// The gradient is wrong.
    #[error(
        "gradient of {name} along direction {direction}: {analytic:e}, by differences {numeric:e} \
         (relative error {error:.1e})"
    )]
    Wrong {
        /// The tensor: `input 0`, or a parameter's name.
        name: String,
        /// Which direction, or element.
        direction: usize,
        /// What backward gave.
        analytic: f64,
        /// What the differences gave.
        numeric: f64,
        /// Their relative error.
        error: f64,
    },
    /// The function's value is not a number somewhere near the point.
    #[error("the function is not finite near the point")]
    NotFinite,
    /// The module's state cannot be read or set.
    #[error(transparent)]
    State(#[from] ForgeError),
}

/// A tensor to vary.
struct Variable {
    name: String,
    value: TensorData,
    gradient: Option<TensorData>,
}

impl GradientCheck {
    /// A check on `device` (its autodiff form; it must have f64): 5 random directions a tensor,
    /// step 1e-5, tolerance 1e-6.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self {
            device: device.clone().autodiff(),
            directions: 5,
            every_element: false,
            step: 1e-5,
            tolerance: 1e-6,
            seed: 0,
        }
    }

    /// Random directions a tensor.
    #[must_use]
    pub fn with_directions(mut self, directions: usize) -> Self {
        self.directions = directions;
        self
    }

    /// Every element by itself instead of random directions.
    #[must_use]
    pub fn with_every_element(mut self) -> Self {
        self.every_element = true;
        self
    }

    /// The step `h`. Take a larger one for functions that are rough at 1e-5.
    #[must_use]
    pub fn with_step(mut self, step: f64) -> Self {
        self.step = step;
        self
    }

    /// The relative error allowed.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The seed of directions and cotangent.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks a function of tensors with respect to each of them. Where their ranks differ, the
    /// function reshapes.
    ///
    /// # Errors
    /// [`GradientMismatch`]: the first direction that is wrong.
    ///
    /// # Panics
    /// If an input does not have rank `D`, or `f` panics.
    pub fn function<const D: usize, const O: usize>(
        &self,
        inputs: &[TensorData],
        f: impl Fn(Vec<Tensor<D>>) -> Tensor<O>,
    ) -> Result<GradientReport, GradientMismatch> {
        let tensor = |data: &TensorData| Tensor::<D>::from_data(data.clone(), self.options());
        let leaves: Vec<_> = inputs
            .iter()
            .map(|data| tensor(data).require_grad())
            .collect();
        let output = f(leaves.clone());
        let cotangent = self.cotangent(&output);
        let loss = (output * cotangent.clone()).sum();
        let gradients = loss.is_tracked().then(|| loss.backward());
        let gradient = |leaf: &Tensor<D>| Some(leaf.grad(gradients.as_ref()?)?.into_data());
        let mut variables: Vec<_> = leaves
            .iter()
            .zip(inputs)
            .enumerate()
            .map(|(i, (leaf, data))| Variable {
                name: format!("input {i}"),
                value: data.clone().convert_dtype(DType::F64),
                gradient: gradient(leaf),
            })
            .collect();
        self.compare(&mut variables, |variables| {
            let inputs = variables
                .iter()
                .map(|variable| tensor(&variable.value))
                .collect();
            Ok(scalar(f(inputs) * cotangent.clone()))
        })
    }

    /// Checks a function of a module with respect to every trainable parameter.
    ///
    /// # Errors
    /// [`GradientMismatch`]: the first direction that is wrong.
    ///
    /// # Panics
    /// If `f` panics: it must take its constants in f64.
    pub fn module<M: Module, const O: usize>(
        &self,
        module: &M,
        f: impl Fn(&M) -> Tensor<O>,
    ) -> Result<GradientReport, GradientMismatch> {
        let mut state = StateDict::from_module(module)?;
        for data in state.tensors.values_mut() {
            if data.dtype().is_float() {
                *data = data.clone().convert_dtype(DType::F64);
            }
        }
        let module = state.clone().load_into(
            module
                .valid()
                .to_device(&self.device.clone().inner())
                .train(),
        )?;
        let output = f(&module);
        let cotangent = self.cotangent(&output);
        let loss = (output * cotangent.clone()).sum();
        let mut gradients = match loss.is_tracked() {
            true => gradients_by_name(&module, &loss.backward()),
            false => Default::default(),
        };
        let mut variables: Vec<_> = names(&module, Floats::Trainable)
            .into_iter()
            .filter_map(|name| {
                let value = state.tensors.get(&name)?.clone();
                let gradient = gradients.remove(&name);
                Some(Variable {
                    name,
                    value,
                    gradient,
                })
            })
            .collect();
        self.compare(&mut variables, |variables| {
            let mut state = state.clone();
            for variable in variables {
                state
                    .tensors
                    .insert(variable.name.clone(), variable.value.clone());
            }
            Ok(scalar(
                f(&state.load_into(module.clone())?) * cotangent.clone(),
            ))
        })
    }

    fn options(&self) -> (&Device, DType) {
        (&self.device, DType::F64)
    }

    fn cotangent<const O: usize>(&self, output: &Tensor<O>) -> Tensor<O> {
        let data = Noise::new(self.seed ^ 0x5EED).tensor(&output.dims());
        Tensor::from_data(data, self.options())
    }

    fn compare(
        &self,
        variables: &mut [Variable],
        value: impl Fn(&[Variable]) -> Result<f64, GradientMismatch>,
    ) -> Result<GradientReport, GradientMismatch> {
        let gradients: Vec<Vec<f64>> = variables.iter().map(Variable::gradient).collect();
        let norm = gradients
            .iter()
            .flatten()
            .map(|g| g * g)
            .sum::<f64>()
            .sqrt();
        let mut noise = Noise::new(self.seed);
        let mut report = GradientReport {
            checked: 0,
            worst: 0.0,
        };
        for i in 0..variables.len() {
            let center: Vec<f64> = variables[i].value.iter::<f64>().collect();
            let shape = variables[i].value.shape().clone();
            let count = if self.every_element {
                center.len()
            } else {
                self.directions
            };
            for number in 0..count {
                let direction = self.direction(number, center.len(), &mut noise);
                let mut at = |step: f64| {
                    let moved = center.iter().zip(&direction).map(|(x, d)| x + step * d);
                    let moved: Vec<f64> = moved.collect();
                    variables[i].value = TensorData::new(moved, shape.clone());
                    value(variables)
                };
                let h = self.step;
                let near = at(h)? - at(-h)?;
                let far = at(2.0 * h)? - at(-2.0 * h)?;
                at(0.0)?;
                let numeric = (8.0 * near - far) / (12.0 * h);
                let analytic: f64 = gradients[i]
                    .iter()
                    .zip(&direction)
                    .map(|(g, d)| g * d)
                    .sum();
                if !(numeric.is_finite() && analytic.is_finite()) {
                    return Err(GradientMismatch::NotFinite);
                }
                let size = numeric.abs().max(analytic.abs()).max(1e-3 * norm);
                let error = if size > 0.0 {
                    (numeric - analytic).abs() / size
                } else {
                    0.0
                };
                report.checked += 1;
                report.worst = report.worst.max(error);
                if error > self.tolerance {
                    let name = variables[i].name.clone();
                    let direction = number;
                    return Err(GradientMismatch::Wrong {
                        name,
                        direction,
                        analytic,
                        numeric,
                        error,
                    });
                }
            }
        }
        Ok(report)
    }

    /// A unit vector: an axis, or a random one.
    fn direction(&self, number: usize, length: usize, noise: &mut Noise) -> Vec<f64> {
        if self.every_element {
            return (0..length)
                .map(|i| f64::from(u8::from(i == number)))
                .collect();
        }
        let direction: Vec<f64> = (0..length).map(|_| noise.uniform()).collect();
        let norm = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
        direction
            .into_iter()
            .map(|d| d / norm.max(f64::MIN_POSITIVE))
            .collect()
    }
}

impl Variable {
    /// Its gradient; zeros where backward gave none.
    fn gradient(&self) -> Vec<f64> {
        match &self.gradient {
            Some(data) => data.iter::<f64>().collect(),
            None => vec![0.0; self.value.num_elements()],
        }
    }
}

fn scalar<const O: usize>(tensor: Tensor<O>) -> f64 {
    tensor.sum().into_data().iter::<f64>().sum()
}
