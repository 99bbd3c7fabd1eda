//! A module and a function of it, as one function of parameters and tensors.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use forge_graph::{AnyTensor, Graph, Slot, Tensors, capture};
use forge_nn::ForgeError;

use super::bind::{Bound, draw};
use super::derivative::{Found, Samples, backward, evaluate, forward, hessian};
use super::params::{ParamTensor, Params};

/// A module and a function of it (its outputs, a loss, both), as one function of the module's
/// trainable parameters and of tensors, with its derivatives.
///
/// `I` is what the function takes and `O` what it gives: tensors or tuples of tensors
/// ([`Tensors`]). Where one number is differentiated it is the first output, with one element;
/// further outputs come along.
///
/// - **How.** The function is recorded at the first call for each combination of shapes and element
///   types, and replayed afterwards. Whatever in it depends on values read back to the host, and
///   whatever the module does to itself (running statistics), happens at the recording only.
/// - **Mode.** Layers are in the mode that the module was in, whatever its device: put it into
///   training or evaluation by [`forge_nn::set_mode`] before. Burn's own dropout and batch norm look
///   at the device besides and therefore evaluate.
/// - **Draws** (dropout masks) are new at each call, and the same in all passes of one call;
///   [`hold_draws`](Self::hold_draws) keeps those of the first.
/// - **Constants.** Frozen parameters and buffers are those of the module when it was handed in.
/// - **Threads.** Several may call it at once.
/// - **Memory.** It holds a clone of the module (which shares the weights) and no tape after a call.
///
/// Derivatives of an operation at a kink (ReLU at 0, ties of a maximum) are those of Burn's
/// gradient; where the first is piecewise constant the second is zero.
pub struct Functional<I, O> {
    recordings: Mutex<Recordings>,
    hold_draws: bool,
    types: PhantomData<fn(I) -> O>,
}

/// What records, and what was recorded.
struct Recordings {
    record: Record,
    made: Vec<(Key, Arc<Recorded>)>,
}

type Record = Box<dyn Fn(Vec<AnyTensor>, DType, &Device) -> Result<Graph, ForgeError> + Send>;

/// How many recordings are kept: shapes that change at every call must not fill the memory.
const MOST_GRAPHS: usize = 64;

/// What a recording is for.
#[derive(PartialEq)]
struct Key {
    inputs: Vec<(Vec<usize>, DType)>,
    float: DType,
    device: Device,
}

/// A graph with what it reads at each call.
struct Recorded {
    graph: Graph,
    constants: Vec<(Slot, AnyTensor)>,
    draws: Mutex<Option<Vec<(Slot, AnyTensor)>>>,
}

impl<I, O> fmt::Debug for Functional<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functional")
            .field("recordings", &self.recordings().made.len())
            .field("hold_draws", &self.hold_draws)
            .finish_non_exhaustive()
    }
}

impl<I, O> Functional<I, O> {
    fn recordings(&self) -> MutexGuard<'_, Recordings> {
        // A function that panicked while it was recorded has left nothing behind.
        self.recordings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: Tensors + 'static, O: Tensors + 'static> Functional<I, O> {
    /// `function` of `module`.
    #[must_use]
    pub fn capture<M: Module + 'static>(
        module: &M,
        function: impl Fn(&M, I) -> O + Send + 'static,
    ) -> Self {
        let module = module.clone();
        let record: Record = Box::new(move |inputs, float, device| {
            capture(&module, inputs, float, device, &function)
        });
        let made = Vec::new();
        Self {
            recordings: Mutex::new(Recordings { record, made }),
            hold_draws: false,
            types: PhantomData,
        }
    }

    /// The same function with the draws of its first call (for each combination of shapes) at all
    /// further ones.
    #[must_use]
    pub fn hold_draws(mut self) -> Self {
        self.hold_draws = true;
        self
    }

    /// What the function gives at `params`.
    ///
    /// # Errors
    /// - a weights error if `params` are not those of the module (names, shapes)
    /// - a shape error if `inputs` are of another rank than the function takes, or of another
    ///   element type than `params`
    /// - an unsupported error that names an operation that cannot be replayed and where it is
    /// - a device error if tensors are on several backends, or on one that cannot replay
    ///
    /// # Panics
    /// As the module does, if the inputs do not fit it.
    pub fn call(&self, params: &Params, inputs: I) -> Result<O, ForgeError> {
        let call = self.bind(params, inputs)?;
        let found = evaluate(call.bound())?;
        O::restore(&mut found.outputs.into_iter())
    }

    /// The first output, `[1]`, and its gradient for `params`.
    ///
    /// Both can be differentiated again where `params` or `inputs` are on a graph.
    ///
    /// # Errors
    /// As [`call`](Self::call); a shape error if the first output has not one element.
    pub fn value_and_grad(
        &self,
        params: &Params,
        inputs: I,
    ) -> Result<(Tensor<1>, Params), ForgeError> {
        let call = self.bind(params, inputs)?;
        call.one_number()?;
        let found = backward(call.bound(), None)?;
        let value = first(&found)?;
        Ok((value, named(params, found.derivatives)))
    }

    /// The gradient of the first output for `params`.
    ///
    /// # Errors
    /// As [`value_and_grad`](Self::value_and_grad).
    pub fn grad(&self, params: &Params, inputs: I) -> Result<Params, ForgeError> {
        Ok(self.value_and_grad(params, inputs)?.1)
    }

    /// The outputs, and `Σₖ Jₖᵀ uₖ` for the weights `u` of the float outputs.
    ///
    /// # Errors
    /// As [`call`](Self::call); a shape error if a weight has another shape than its output.
    pub fn vjp(&self, params: &Params, inputs: I, weights: O) -> Result<(O, Params), ForgeError> {
        let call = self.bind(params, inputs)?;
        let weights = call.weights(weights)?;
        let found = backward(call.bound(), Some(weights))?;
        let outputs = O::restore(&mut found.outputs.into_iter())?;
        Ok((outputs, named(params, found.derivatives)))
    }

    /// The outputs, and `Jₖ v` for each float output: how they change along `direction`.
    ///
    /// # Errors
    /// As [`call`](Self::call); a weights error if `direction` has not the names and shapes of
    /// `params`; an unsupported error if an output is not of floats.
    pub fn jvp(
        &self,
        params: &Params,
        direction: &Params,
        inputs: I,
    ) -> Result<(O, O), ForgeError> {
        params.same_as(direction, "the direction")?;
        let call = self.bind(params, inputs)?;
        if call
            .recorded
            .graph
            .results()
            .iter()
            .any(|(_, dtype)| !dtype.is_float())
        {
            return Err(ForgeError::unsupported(
                "jvp of a function with outputs that are not of floats; leave them out",
            ));
        }
        let found = forward(call.bound(), tensors(direction))?;
        let outputs = O::restore(&mut found.outputs.into_iter())?;
        Ok((outputs, O::restore(&mut found.derivatives.into_iter())?))
    }

    /// `H v`: the Hessian of the first output times `direction`, exactly, for the price of about
    /// two gradients.
    ///
    /// # Errors
    /// As [`value_and_grad`](Self::value_and_grad); a weights error if `direction` has not the names
    /// and shapes of `params`.
    pub fn hvp(
        &self,
        params: &Params,
        direction: &Params,
        inputs: I,
    ) -> Result<Params, ForgeError> {
        params.same_as(direction, "the direction")?;
        let call = self.bind(params, inputs)?;
        call.one_number()?;
        let found = hessian(call.bound(), tensors(direction))?;
        Ok(named(params, found.derivatives))
    }

    /// Values for all that the graph reads, recording it if it is not there yet.
    pub(super) fn bind(&self, params: &Params, inputs: I) -> Result<Call, ForgeError> {
        let mut list = vec![];
        inputs.list(&mut list);
        self.bind_list(params, list)
    }

    pub(super) fn bind_list(
        &self,
        params: &Params,
        inputs: Vec<AnyTensor>,
    ) -> Result<Call, ForgeError> {
        let named = params;
        let params = tensors(params);
        let floats = || {
            let floats = |tensor: &&AnyTensor| matches!(tensor, AnyTensor::Float(_));
            params.iter().chain(inputs.iter().filter(floats))
        };
        let Some(like) = floats().next() else {
            return Err(ForgeError::weights(
                "the module has no trainable parameter and the function no float input",
            ));
        };
        let (float, device) = (like.dtype(), like.device());
        if let Some(other) = floats().find(|tensor| tensor.dtype() != float) {
            let (found, shape) = (other.dtype(), other.shape());
            return Err(ForgeError::shape(
                format!("the element type of a tensor {shape:?}"),
                format!("{found:?}"),
                format!("{float:?} as the other floats of the call; cast it"),
            ));
        }
        let recorded = self.recorded(&inputs, float, &device)?;
        fits(named, &recorded.graph)?;
        let draws = &recorded.graph.draws;
        let draws = match self.hold_draws {
            false => draw(draws, None, &device),
            true => recorded
                .draws
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| draw(draws, None, &device))
                .clone(),
        };
        Ok(Call {
            params,
            inputs,
            draws,
            device,
            recorded,
            held: self.hold_draws,
        })
    }

    fn recorded(
        &self,
        inputs: &[AnyTensor],
        float: DType,
        device: &Device,
    ) -> Result<Arc<Recorded>, ForgeError> {
        let key = Key {
            inputs: inputs
                .iter()
                .map(|input| (input.shape(), input.dtype()))
                .collect(),
            float,
            device: device.clone(),
        };
        let Recordings { record, made } = &mut *self.recordings();
        if let Some((_, recorded)) = made.iter().find(|(known, _)| *known == key) {
            return Ok(recorded.clone());
        }
        let graph = record(inputs.to_vec(), float, device)?;
        let recorded = Arc::new(Recorded {
            constants: graph.constants_on(&key.device),
            graph,
            draws: Mutex::default(),
        });
        if made.len() == MOST_GRAPHS {
            made.remove(0);
        }
        made.push((key, recorded.clone()));
        Ok(recorded)
    }
}

/// A call with all its values.
pub(super) struct Call {
    pub(super) params: Vec<AnyTensor>,
    pub(super) inputs: Vec<AnyTensor>,
    draws: Vec<(Slot, AnyTensor)>,
    pub(super) device: Device,
    recorded: Arc<Recorded>,
    /// Whether draws are those of the first call.
    held: bool,
}

impl Call {
    pub(super) fn graph(&self) -> &Graph {
        &self.recorded.graph
    }

    /// For derivatives by the parameters.
    pub(super) fn bound(&self) -> Bound<'_> {
        let parameters = self
            .graph()
            .parameters
            .iter()
            .map(|parameter| parameter.slot);
        let leaves = parameters.zip(self.params.iter().cloned()).collect();
        let inputs = self.graph().inputs.iter().copied();
        let inputs = inputs.zip(self.inputs.iter().cloned()).collect();
        self.bound_of(leaves, inputs)
    }

    /// For derivatives by the first `count` inputs.
    pub(super) fn bound_by_inputs(&self, count: usize) -> Bound<'_> {
        let parameters = self
            .graph()
            .parameters
            .iter()
            .map(|parameter| parameter.slot);
        let mut rest: Vec<_> = parameters.zip(self.params.iter().cloned()).collect();
        let inputs = self.graph().inputs.iter().copied();
        let mut leaves: Vec<_> = inputs.zip(self.inputs.iter().cloned()).collect();
        rest.extend(leaves.split_off(count.min(leaves.len())));
        self.bound_of(leaves, rest)
    }

    fn bound_of(
        &self,
        leaves: Vec<(Slot, AnyTensor)>,
        mut rest: Vec<(Slot, AnyTensor)>,
    ) -> Bound<'_> {
        rest.extend(self.recorded.constants.iter().cloned());
        rest.extend(self.draws.iter().cloned());
        Bound {
            graph: self.graph(),
            leaves,
            rest,
            device: self.device.clone(),
        }
    }

    /// For `count` samples at once, with what has a leading axis over them: the parameters or else the
    /// inputs, in `many`, and draws that are not held.
    pub(super) fn bound_each(
        &self,
        many: Vec<AnyTensor>,
        count: usize,
        of_parameters: bool,
    ) -> (Bound<'_>, Samples) {
        let graph = self.graph();
        let parameters: Vec<Slot> = graph.parameters.iter().map(|p| p.slot).collect();
        let inputs = &graph.inputs;
        let (leaves, rest) = match of_parameters {
            true => (many, self.inputs.clone()),
            false => (self.params.clone(), many),
        };
        let leaves = parameters.iter().copied().zip(leaves).collect();
        let rest = inputs.iter().copied().zip(rest).collect();
        let mut bound = self.bound_of(leaves, rest);
        let mut each: BTreeSet<Slot> = match of_parameters {
            true => parameters.into_iter().collect(),
            false => inputs.iter().copied().collect(),
        };
        if !self.held {
            let draws = draw(&graph.draws, Some(count), &self.device);
            each.extend(draws.iter().map(|(slot, _)| *slot));
            // Later values take the place of earlier ones.
            bound.rest.extend(draws);
        }
        (bound, Samples { each, count })
    }

    pub(super) fn one_number(&self) -> Result<(), ForgeError> {
        let results = self.graph().results();
        let expected = "one number of floats, [1]: sum or average the loss";
        match results.first() {
            Some((shape, dtype)) if dtype.is_float() && shape.iter().product::<usize>() == 1 => {
                Ok(())
            }
            Some((shape, dtype)) => Err(ForgeError::shape(
                "the first output, which is differentiated,",
                format!("{shape:?} of {dtype:?}"),
                expected,
            )),
            None => Err(ForgeError::shape(
                "the function's output",
                "missing",
                expected,
            )),
        }
    }

    /// The weights of the float outputs, checked.
    fn weights(&self, weights: impl Tensors) -> Result<Vec<AnyTensor>, ForgeError> {
        let mut list = vec![];
        weights.list(&mut list);
        let mut floats = vec![];
        for (weight, (shape, dtype)) in list.into_iter().zip(self.graph().results()) {
            if !dtype.is_float() {
                continue;
            }
            if weight.shape() != shape || weight.dtype() != dtype {
                let (found, of) = (weight.shape(), weight.dtype());
                return Err(ForgeError::shape(
                    "the weight of an output",
                    format!("{found:?} of {of:?}"),
                    format!("{shape:?} of {dtype:?} as the output"),
                ));
            }
            floats.push(weight);
        }
        Ok(floats)
    }
}

/// That `params` are those of the module.
fn fits(params: &Params, graph: &Graph) -> Result<(), ForgeError> {
    let wanted = &graph.parameters;
    let same = params.len() == wanted.len()
        && params
            .iter()
            .zip(wanted)
            .all(|((name, tensor), wanted)| name == wanted.path && tensor.has_shape(&wanted.shape));
    if same {
        return Ok(());
    }
    for wanted in wanted {
        let (path, shape) = (&wanted.path, &wanted.shape);
        match params.iter().find(|(name, _)| name == path) {
            None => return Err(ForgeError::weights(format!("{path} is missing"))),
            Some((_, tensor)) if !tensor.has_shape(shape) => {
                let found = tensor.shape();
                return Err(ForgeError::weights(format!(
                    "{path} is {found:?}, the module's {shape:?}"
                )));
            }
            Some(_) => {}
        }
    }
    let left = params
        .names()
        .find(|name| wanted.iter().all(|wanted| wanted.path != *name));
    Err(ForgeError::weights(match left {
        Some(name) => format!("{name} is no trainable parameter of the module"),
        None => "the parameters are not in the module's order".into(),
    }))
}

pub(super) fn tensors(params: &Params) -> Vec<AnyTensor> {
    params
        .iter()
        .map(|(_, tensor)| tensor.clone().into_any())
        .collect()
}

/// Derivatives under the names of `params`.
pub(super) fn named(params: &Params, derivatives: Vec<AnyTensor>) -> Params {
    let mut derivatives = derivatives.into_iter();
    params.map(|_, tensor| match derivatives.next() {
        Some(AnyTensor::Float(derivative)) => ParamTensor::from_dispatch(derivative),
        _ => tensor.zeros_like(),
    })
}

fn first(found: &Found) -> Result<Tensor<1>, ForgeError> {
    match found.outputs.first() {
        Some(AnyTensor::Float(tensor)) => Ok(Tensor::<1>::from_dispatch(
            ParamTensor::from_dispatch(tensor.clone()).flat(),
        )),
        _ => Err(ForgeError::shape("the function's output", "missing", "[1]")),
    }
}
