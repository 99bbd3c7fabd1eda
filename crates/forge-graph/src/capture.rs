//! From a function to a graph.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Capture, Dispatch};
use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};
use burn_ir::{FloatOperationIr, IrVisitorMut, OperationIr, TensorId, TensorIr, TensorStatus};
use forge_nn::ForgeError;
use forge_nn::parameters::{Floats, ParameterPath, ParameterVisitor, names, visit_parameters};

use crate::joined::joined;
use crate::kinds::{KINDS, kind};
use crate::recorder::Recorder;
use crate::{AnyTensor, Draw, Graph, Parameter, Slot, Step, Tensors};

/// Records what `function` computes of `module` and `inputs`.
///
/// Everything that depends on shapes and on values read back to the host is decided now, with
/// these shapes and values: record again for others. Layers are in the mode that the module is in
/// ([`forge_nn::set_mode`]); Burn's own layers that ask for an autodiff device evaluate. Outputs
/// are of floats.
///
/// `device` is where the graph will be replayed, `float` in which element type: parameters and
/// float inputs are recorded in it.
///
/// # Errors
/// - an unsupported error that names an operation which cannot be replayed, and where in the
///   module it is, or says that the function reads computed values back
/// - a device error if the element type cannot be recorded
///
/// # Panics
/// As `function` does, if the inputs do not fit.
pub fn capture<M: Module, I: Tensors, O: Tensors>(
    module: &M,
    inputs: Vec<AnyTensor>,
    float: DType,
    device: &Device,
    function: impl FnOnce(&M, I) -> O,
) -> Result<Graph, ForgeError> {
    let recorder = Recorder::new(float, device)?;
    let trainable: BTreeSet<_> = names(module, Floats::Trainable).into_iter().collect();
    let module = without_autodiff(module);
    let mut told = Told::default();
    let mut outcome = Ok(());
    let captured = recorder.device.capture_scope(|scope| {
        let module = module.to_device(&recorder.device);
        visit_parameters(&module, &mut Ids(&mut told.floats));
        let inputs: Vec<_> = inputs
            .into_iter()
            .map(|input| recorded(input, float, &recorder.device))
            .collect();
        told.inputs = inputs.iter().map(id).collect();
        match I::restore(&mut inputs.into_iter()) {
            Ok(inputs) => {
                let mut outputs = vec![];
                match without_reading(|| function(&module, inputs)) {
                    Ok(given) => given.list(&mut outputs),
                    Err(error) => {
                        outcome = Err(error);
                        return scope.complete([], []);
                    }
                }
                let outputs: Vec<_> = outputs.into_iter().map(result).collect();
                told.outputs = outputs.iter().map(id).collect();
                // Held until the scope ends: what nobody holds is no output.
                let all = scope.complete(told.inputs.clone(), told.outputs.clone());
                drop(outputs);
                all
            }
            Err(error) => {
                outcome = Err(error);
                scope.complete([], [])
            }
        }
    });
    outcome?;
    let captured = captured.map_err(|error| {
        ForgeError::unsupported(format!("the function cannot be recorded: {error}"))
    })?;
    told.decode(captured.graph.operations, captured.values, &trainable)
}

/// Runs what must not read values back to the host: there are none yet.
fn without_reading<T>(run: impl FnOnce() -> T) -> Result<T, ForgeError> {
    catch_unwind(AssertUnwindSafe(run)).or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        match said {
            // What Burn says of a recorded tensor that is read.
            Some(said) if said.contains("no concrete value") => Err(ForgeError::unsupported(
                "the function reads computed values back to the host, which cannot be recorded; \
                 compute what depends on them before, and hand it in",
            )),
            _ => resume_unwind(panic),
        }
    })
}

/// An input on the recording device.
fn recorded(input: AnyTensor, float: DType, device: &Device) -> AnyTensor {
    match input.without_autodiff() {
        AnyTensor::Float(tensor) => {
            let tensor = Tensor::<1>::from_dispatch(tensor).cast(float);
            AnyTensor::float(tensor.to_device(device))
        }
        other => other.to_device(device),
    }
}

/// An output as a value of its own: the same tensor may be returned twice, or be an input.
fn result(output: AnyTensor) -> AnyTensor {
    match output {
        AnyTensor::Float(tensor) => {
            AnyTensor::Float(Dispatch::float_mul_scalar(tensor, 1.0.into()))
        }
        AnyTensor::Int(tensor) => {
            AnyTensor::int(Tensor::<1, Int>::from_dispatch(tensor).mul_scalar(1))
        }
        AnyTensor::Bool(tensor) => AnyTensor::bool(
            Tensor::<1, Bool>::from_dispatch(tensor)
                .bool_not()
                .bool_not(),
        ),
    }
}

fn id(tensor: &AnyTensor) -> TensorId {
    let id = match tensor.clone() {
        AnyTensor::Float(tensor) => Tensor::<1>::from_dispatch(tensor)
            .try_into_primitive::<Capture>()
            .map(|tensor| tensor.id()),
        AnyTensor::Int(tensor) => Tensor::<1, Int>::from_dispatch(tensor)
            .try_into_primitive::<Capture>()
            .map(|tensor| tensor.id()),
        AnyTensor::Bool(tensor) => Tensor::<1, Bool>::from_dispatch(tensor)
            .try_into_primitive::<Capture>()
            .map(|tensor| tensor.id()),
    };
    match id {
        Ok(id) => id,
        Err(error) => panic!("the function gives a tensor of another device: {error:?}"),
    }
}

/// A copy outside of any graph, with its layers in the mode that they are in. `valid` makes the
/// copy independent where clones share values (Burn's running statistics).
fn without_autodiff<M: Module>(module: &M) -> M {
    let mut flags = Flags::default();
    module.visit(&mut flags);
    module.valid().map(&mut flags)
}

/// The flags of a module, in the order of its fields.
#[derive(Default)]
struct Flags {
    on: Vec<bool>,
    next: usize,
}

impl ModuleVisitor for Flags {
    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.on.push(flag.is_enabled());
    }
}

impl ModuleMapper for Flags {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        let on = self.on.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        match on {
            true => flag.train(),
            false => flag,
        }
    }
}

/// A float tensor of the module.
struct Held {
    path: String,
    id: TensorId,
    shape: Vec<usize>,
    dtype: DType,
}

struct Ids<'a>(&'a mut Vec<Held>);

impl ParameterVisitor for Ids<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        let tensor = AnyTensor::float(param.base());
        self.0.push(Held {
            path: path.join(),
            id: id(&tensor),
            shape: tensor.shape(),
            dtype: tensor.dtype(),
        });
    }
}

/// What is known of the recording besides its operations.
#[derive(Default)]
struct Told {
    floats: Vec<Held>,
    inputs: Vec<TensorId>,
    outputs: Vec<TensorId>,
}

/// Numbers values as they come.
#[derive(Default)]
struct Slots(HashMap<TensorId, Slot>);

impl Slots {
    fn of(&mut self, id: TensorId) -> Slot {
        let next = self.0.len();
        *self.0.entry(id).or_insert(next)
    }
}

impl IrVisitorMut for Slots {
    fn visit_tensor_mut(&mut self, tensor: &mut TensorIr) {
        tensor.id = TensorId::new(self.of(tensor.id) as u64);
    }
}

impl Told {
    fn decode(
        self,
        operations: Vec<OperationIr>,
        values: BTreeMap<TensorId, TensorData>,
        trainable: &BTreeSet<String>,
    ) -> Result<Graph, ForgeError> {
        let mut slots = Slots::default();
        let (mut holders, mut parameters) = (HashMap::new(), vec![]);
        for held in self.floats {
            let slot = slots.of(held.id);
            let holder = held.path.rsplit_once('.').map_or("", |(holder, _)| holder);
            holders.insert(slot, Arc::<str>::from(holder));
            if trainable.contains(&held.path) {
                parameters.push(Parameter {
                    path: held.path,
                    slot,
                    shape: held.shape,
                    dtype: held.dtype,
                });
            }
        }
        let inputs: Vec<Slot> = self.inputs.into_iter().map(|id| slots.of(id)).collect();
        let (mut steps, mut draws) = (vec![], vec![]);
        let mut paths = Paths {
            holders,
            of: HashMap::new(),
        };
        for mut operation in operations {
            operation.visit_mut(&mut slots);
            let path = paths.of(&operation);
            match operation {
                OperationIr::Drop(_) | OperationIr::Init(_) => {}
                OperationIr::Float(_, FloatOperationIr::Random(random)) => draws.push(Draw {
                    slot: slot(&random.out),
                    shape: random.out.shape.to_vec(),
                    dtype: random.out.dtype,
                    distribution: random.distribution,
                }),
                operation => {
                    supported(&operation, &path)?;
                    steps.push(Step {
                        operation,
                        path,
                        frees: vec![],
                    });
                }
            }
        }
        let outputs: Vec<Slot> = self.outputs.into_iter().map(|id| slots.of(id)).collect();
        let mut steps = joined(steps, &outputs);
        mark_last_uses(&mut steps, &outputs);
        let bound: BTreeSet<Slot> = parameters
            .iter()
            .map(|p| p.slot)
            .chain(inputs.clone())
            .collect();
        let read: BTreeSet<Slot> = steps
            .iter()
            .flat_map(|step| step.operation.inputs().map(slot).collect::<Vec<_>>())
            .collect();
        let constants = values.into_iter().map(|(id, data)| (slots.of(id), data));
        let constants = constants
            .filter(|(slot, _)| read.contains(slot) && !bound.contains(slot))
            .collect();
        Ok(Graph {
            steps,
            slots: slots.0.len(),
            parameters,
            inputs,
            outputs,
            constants,
            draws,
        })
    }
}

pub(crate) fn slot(tensor: &TensorIr) -> Slot {
    tensor.id.value() as Slot
}

fn supported(operation: &OperationIr, path: &str) -> Result<(), ForgeError> {
    let kind = kind(operation);
    if KINDS.contains(&kind.as_str()) {
        return Ok(());
    }
    Err(unsupported(&kind, path))
}

pub(crate) fn unsupported(kind: &str, path: &str) -> ForgeError {
    let place = match path {
        "" => "before the first parameter".to_string(),
        path => format!("at or after `{path}`"),
    };
    ForgeError::unsupported(format!(
        "the operation {kind} {place} cannot be replayed; compute it before the function and hand \
         the result in, or write it with the operations of forge_graph::KINDS"
    ))
}

/// Where in the module each value was made.
struct Paths {
    holders: HashMap<Slot, Arc<str>>,
    of: HashMap<Slot, (usize, Arc<str>)>,
}

impl Paths {
    fn of(&mut self, operation: &OperationIr) -> Arc<str> {
        let read: Vec<Slot> = operation.inputs().map(slot).collect();
        let own = read.iter().find_map(|slot| self.holders.get(slot).cloned());
        let path = own.unwrap_or_else(|| {
            let before = read.iter().filter_map(|slot| self.of.get(slot));
            let last = before.max_by_key(|(step, _)| *step);
            last.map_or_else(|| Arc::from(""), |(_, path)| path.clone())
        });
        let step = self.of.len();
        for out in operation.outputs() {
            self.of.insert(slot(out), (step, path.clone()));
        }
        path
    }
}

/// Marks what each step reads for the last time, so that its memory can be used again.
fn mark_last_uses(steps: &mut [Step], outputs: &[Slot]) {
    let mut later: BTreeSet<Slot> = outputs.iter().copied().collect();
    for step in steps.iter_mut().rev() {
        let mut times: BTreeMap<Slot, usize> = BTreeMap::new();
        for input in step.operation.inputs() {
            *times.entry(slot(input)).or_default() += 1;
        }
        let results: BTreeSet<Slot> = step.operation.outputs().map(slot).collect();
        let last = times.iter().filter(|(slot, _)| !later.contains(slot));
        let (once, more): (Vec<_>, Vec<_>) = last.partition(|(_, times)| **times == 1);
        let once: BTreeSet<Slot> = once.into_iter().map(|(slot, _)| *slot).collect();
        step.frees = more.into_iter().map(|(slot, _)| *slot).collect();
        // Results that nobody reads (indices, say).
        step.frees
            .extend(results.iter().filter(|slot| !later.contains(slot)));
        step.operation.visit_mut(&mut Status(&once));
        later.extend(times.keys());
    }
}

struct Status<'a>(&'a BTreeSet<Slot>);

impl IrVisitorMut for Status<'_> {
    fn visit_tensor_mut(&mut self, tensor: &mut TensorIr) {
        tensor.status = match self.0.contains(&slot(tensor)) {
            true => TensorStatus::ReadWrite,
            false => TensorStatus::ReadOnly,
        };
    }
}
