//! Curvature products and whole Jacobians.

use burn::tensor::{Tensor, TensorData};
use forge_graph::{AnyTensor, Tensors};
use forge_nn::ForgeError;

use super::derivative::{backward, forward, hessian};
use super::function::{Functional, named, tensors};
use super::params::{ParamTensor, Params};

/// Most elements of the outputs of a function whose whole Jacobian is asked for: each costs a
/// backward pass.
const MOST_ROWS: usize = 4_096;

impl<I: Tensors + 'static, O: Tensors + 'static> Functional<I, O> {
    /// `Jᵀ H_L J v`: the generalised Gauss-Newton matrix of `loss` after this function, times
    /// `direction`. Positive semi-definite where `loss` is convex in what this function gives; for
    /// a negative log-likelihood of the exponential family it is the Fisher information.
    ///
    /// `loss` takes this function's outputs and `target`, and has no parameters (capture it with
    /// any frozen module). Schraudolph, Neural Computation 14 (2002).
    ///
    /// # Errors
    /// As [`hvp`](Self::hvp), of either function.
    pub fn gauss_newton<T: Tensors + 'static>(
        &self,
        params: &Params,
        direction: &Params,
        inputs: I,
        loss: &Functional<(O, T), Tensor<1>>,
        target: T,
    ) -> Result<Params, ForgeError> {
        params.same_as(direction, "the direction")?;
        let call = self.bind(params, inputs)?;
        let along = forward(call.bound(), tensors(direction))?;
        let outputs = along.outputs.len();
        let mut given = along.outputs;
        target.list(&mut given);
        let loss = loss.bind_list(&Params::default(), given)?;
        loss.one_number()?;
        let curved = hessian(loss.bound_by_inputs(outputs), along.derivatives)?;
        let found = backward(call.bound(), Some(curved.derivatives))?;
        Ok(named(params, found.derivatives))
    }

    /// `1/N Σᵢ gᵢ gᵢᵀ v`: the empirical Fisher information times `direction`, where `gᵢ` are the
    /// gradients of the `N` elements of the first output, the losses of the samples.
    ///
    /// # Errors
    /// As [`jvp`](Self::jvp); a shape error if the first output is not a vector.
    pub fn fisher(
        &self,
        params: &Params,
        direction: &Params,
        inputs: I,
    ) -> Result<Params, ForgeError> {
        params.same_as(direction, "the direction")?;
        let call = self.bind(params, inputs)?;
        let results = call.graph().results();
        let samples = match results.as_slice() {
            [(shape, dtype)] if shape.len() == 1 && dtype.is_float() => shape[0].max(1),
            other => {
                return Err(ForgeError::shape(
                    "the output of a function whose Fisher information is asked for",
                    format!("{other:?}"),
                    "one vector, the loss of each sample",
                ));
            }
        };
        let along = forward(call.bound(), tensors(direction))?.derivatives;
        let found = backward(call.bound(), Some(along))?;
        Ok(named(params, found.derivatives).scale(1.0 / samples as f64))
    }

    /// The whole Jacobian of the first output, row by row: each parameter has a leading axis over
    /// the output's elements. Each row costs a backward pass.
    ///
    /// # Errors
    /// As [`call`](Self::call); a shape error if the output has more than 4,096 elements, none, or
    /// if there are several outputs.
    pub fn jacobian(&self, params: &Params, inputs: I) -> Result<Params, ForgeError> {
        let call = self.bind(params, inputs)?;
        let results = call.graph().results();
        let (shape, dtype) = match results.as_slice() {
            [(shape, dtype)]
                if dtype.is_float()
                    && (1..=MOST_ROWS).contains(&shape.iter().product::<usize>()) =>
            {
                (shape.clone(), *dtype)
            }
            other => {
                return Err(ForgeError::shape(
                    "the output of a function whose Jacobian is asked for",
                    format!("{other:?}"),
                    format!("one of 1 to {MOST_ROWS} floats; use vjp or jvp for more"),
                ));
            }
        };
        let rows: usize = shape.iter().product();
        let device = match call.params.first().or(call.inputs.first()) {
            Some(tensor) => tensor.clone().without_autodiff().device(),
            None => return Err(ForgeError::weights("there is nothing to differentiate by")),
        };
        let mut parts: Vec<Vec<ParamTensor>> = vec![vec![]; params.len()];
        for row in 0..rows {
            let mut unit = vec![0.0f64; rows];
            unit[row] = 1.0;
            let unit = TensorData::new(unit, shape.clone()).convert_dtype(dtype);
            let weights = vec![AnyTensor::from_data(unit, &device)];
            let found = backward(call.bound(), Some(weights))?;
            let found = named(params, found.derivatives);
            for (part, (_, tensor)) in parts.iter_mut().zip(found.iter()) {
                part.push(tensor.clone().with_leading_axis());
            }
        }
        let mut parts = parts.into_iter();
        Ok(params.map(|_, tensor| match parts.next() {
            Some(rows) => ParamTensor::stacked(rows),
            None => tensor,
        }))
    }
}
