//! Many samples, or many members, in one pass.

use forge_graph::{AnyTensor, Tensors};
use forge_nn::{ForgeError, is_host};
use rayon::prelude::*;

use super::derivative::{backward, backward_each, evaluate_each};
use super::function::{Call, Functional, named};
use super::params::{ParamTensor, Params};

impl<I: Tensors + 'static, O: Tensors + 'static> Functional<I, O> {
    /// The gradient of the first output for each row of the inputs alone, in order: what the
    /// function gives for a batch of one.
    ///
    /// # Errors
    /// As [`per_sample_grads`](Self::per_sample_grads).
    pub fn per_sample_grad(&self, params: &Params, inputs: I) -> Result<Vec<Params>, ForgeError> {
        let mut list = vec![];
        inputs.list(&mut list);
        let count = rows(&list)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        match self.all_at_once(params, &list, count) {
            Ok(all) => (0..count).map(|row| all.row(row)).collect(),
            Err(error) if error.is_unsupported() => self.one_by_one(params, &list, count),
            Err(error) => Err(error),
        }
    }

    /// The gradients of the first output for each row of the inputs alone, as parameters with a
    /// leading axis over the rows.
    ///
    /// All rows go through one recording of a batch of one at once. Functions with an operation that
    /// cannot be run so (convolutions, rows placed by computed indices) go row by row.
    ///
    /// # Errors
    /// As [`value_and_grad`](Self::value_and_grad); a shape error if the inputs have not the same
    /// number of rows, a config error if they have none.
    pub fn per_sample_grads(&self, params: &Params, inputs: I) -> Result<Params, ForgeError> {
        let mut list = vec![];
        inputs.list(&mut list);
        let count = rows(&list)?;
        forge_nn::check::at_least_one("rows of inputs", count)?;
        match self.all_at_once(params, &list, count) {
            Err(error) if error.is_unsupported() => {
                Params::stack(&self.one_by_one(params, &list, count)?)
            }
            all => all,
        }
    }

    fn all_at_once(
        &self,
        params: &Params,
        list: &[AnyTensor],
        count: usize,
    ) -> Result<Params, ForgeError> {
        let one = list.iter().map(|input| input.clone().row(0)).collect();
        let call = self.bind_list(params, one)?;
        call.one_number()?;
        let many = list.iter().map(|input| input.clone().each_row_alone());
        let (bound, samples) = call.bound_each(many.collect(), count, false);
        let found = backward_each(bound, samples)?;
        Ok(named(params, found.derivatives))
    }

    fn one_by_one(
        &self,
        params: &Params,
        list: &[AnyTensor],
        count: usize,
    ) -> Result<Vec<Params>, ForgeError> {
        (0..count)
            .map(|row| {
                let one = list.iter().map(|input| input.clone().row(row)).collect();
                let call = self.bind_list(params, one)?;
                call.one_number()?;
                let found = backward(call.bound(), None)?;
                Ok(named(params, found.derivatives))
            })
            .collect()
    }

    /// What the function gives at each of several members' parameters ([`Params::stack`]), with a
    /// leading axis over the members before those of each output: `E` is the tensors with one axis more
    /// than `O`.
    ///
    /// The members go through one recording at once, where its operations can be run so; else one after
    /// the other. On the CPU, members with more to compute than operations cost are shared among the
    /// threads instead, each by itself. Draws are of each member's own.
    ///
    /// # Errors
    /// As [`call`](Self::call); a config error for parameters without members.
    pub fn call_each<E: Tensors>(&self, members: &Params, inputs: I) -> Result<E, ForgeError> {
        let lengths = members
            .iter()
            .map(|(_, tensor)| tensor.shape().first().copied());
        let count = lengths.min().flatten().unwrap_or_default();
        forge_nn::check::at_least_one("members", count)?;
        let mut list = vec![];
        inputs.list(&mut list);
        let one = |member: usize| {
            let mut outputs = vec![];
            let given = I::restore(&mut list.clone().into_iter())?;
            self.call(&members.row(member)?, given)?.list(&mut outputs);
            Ok(outputs)
        };
        let call = self.bind_list(&members.row(0)?, list.clone())?;
        if call.is_for_threads() {
            let each = (0..count).into_par_iter().map(one);
            let outputs = stacked(each.collect::<Result<_, ForgeError>>()?)?;
            return E::restore(&mut outputs.into_iter());
        }
        let many = members.iter().map(|(_, tensor)| tensor.clone().into_any());
        let (bound, samples) = call.bound_each(many.collect(), count, true);
        let outputs = match evaluate_each(bound, samples) {
            Ok(found) => found.outputs,
            Err(error) if error.is_unsupported() => {
                stacked((0..count).map(one).collect::<Result<_, ForgeError>>()?)?
            }
            Err(error) => return Err(error),
        };
        E::restore(&mut outputs.into_iter())
    }
}

/// Multiplications that cost more than what several members save by going through an operation together.
const MUCH: usize = 1 << 20;

impl Call {
    /// Whether members are better computed each by itself, over the threads: nothing is drawn, whose order
    /// would be that of the threads, nothing is put on a graph of derivatives, and what they give is of
    /// floats, which alone are put together afterwards.
    fn is_for_threads(&self) -> bool {
        let graph = self.graph();
        let mut tensors = self.params.iter().chain(&self.inputs);
        graph.draws.is_empty()
            && graph.multiplications() >= MUCH
            && is_host(&self.device)
            && graph.results().iter().all(|(_, dtype)| dtype.is_float())
            && !tensors.any(AnyTensor::is_autodiff)
    }
}

/// Outputs of each member along a new leading axis.
fn stacked(each: Vec<Vec<AnyTensor>>) -> Result<Vec<AnyTensor>, ForgeError> {
    let width = each.first().map_or(0, Vec::len);
    (0..width)
        .map(|at| {
            let parts = each.iter().map(|outputs| match &outputs[at] {
                AnyTensor::Float(tensor) => {
                    Ok(ParamTensor::from_dispatch(tensor.clone()).with_leading_axis())
                }
                other => Err(ForgeError::unsupported(format!(
                    "outputs of {} of several members at once; give floats",
                    other.kind()
                ))),
            });
            Ok(ParamTensor::stacked(parts.collect::<Result<_, _>>()?).into_any())
        })
        .collect()
}

/// The number of rows that all inputs have.
fn rows(list: &[AnyTensor]) -> Result<usize, ForgeError> {
    let rows: Vec<usize> = list
        .iter()
        .map(|input| input.shape().first().copied().unwrap_or_default())
        .collect();
    let count = rows.first().copied().unwrap_or_default();
    if rows.iter().any(|rows| *rows != count) {
        return Err(ForgeError::shape(
            "the numbers of rows of the inputs",
            format!("{rows:?}"),
            "the same for all",
        ));
    }
    Ok(count)
}
