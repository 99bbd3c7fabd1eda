//! A per-parameter optimiser over a whole module, its state by parameter name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use burn::module::{Module, Param, ParamId};
use burn::optim::{DynOptimizer, DynState, GradientsParams, Optimizer, StateSink, StateSource};
use burn::tensor::{Tensor, TensorData};
use burn_pack::Scalar;
use forge_nn::ForgeError;
use forge_nn::parameters::{
    ParameterMapper, ParameterPath, ParameterVisitor, map_parameters, replace_value,
    visit_parameters,
};

use super::DecayRule;

/// Any of Burn's per-parameter optimisers (or [`AdamW`](super::AdamW)) over a module, in two
/// groups: with and without weight decay.
///
/// What it does that Burn's `ModuleOptimizer` does not: groups by rank and type, and state that is
/// saved under the parameters' names and loaded to the parameters' own devices. Burn saves under
/// random ids, and its loading goes through the process's default device, which need not exist.
#[derive(Clone)]
pub struct NamedOptimizer {
    decaying: Arc<dyn DynOptimizer>,
    plain: Arc<dyn DynOptimizer>,
    rule: DecayRule,
    params: HashMap<ParamId, Entry>,
}

#[derive(Clone)]
struct Entry {
    decays: bool,
    state: DynState,
}

/// What an optimiser remembers, by `<parameter>.<field>`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizerState {
    /// Moments and the like.
    pub tensors: BTreeMap<String, TensorData>,
    /// Step counts and the like.
    pub scalars: BTreeMap<String, serde_json::Number>,
}

impl fmt::Debug for NamedOptimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedOptimizer")
            .field("rule", &self.rule)
            .field("params", &self.params.len())
            .finish_non_exhaustive()
    }
}

impl NamedOptimizer {
    /// An optimiser without state: `decaying` for the parameters that `rule` picks, `plain` for
    /// the others. Both must keep the same kind of state.
    pub fn new<O: Optimizer>(decaying: O, plain: O, rule: DecayRule) -> Self {
        Self {
            decaying: Arc::new(decaying),
            plain: Arc::new(plain),
            rule,
            params: HashMap::new(),
        }
    }

    /// One step: every parameter that has a gradient moves.
    pub fn step<M: Module>(&mut self, lr: f64, module: M, grads: GradientsParams) -> M {
        let mut step = Step {
            lr,
            grads,
            optimizer: self,
        };
        map_parameters(module, &mut step)
    }

    /// The optimiser's state, read back from the device, under the names of `module`'s parameters.
    pub fn state<M: Module>(&self, module: &M) -> OptimizerState {
        let mut save = Save {
            optimizer: self,
            sink: StateSink::default(),
        };
        visit_parameters(module, &mut save);
        OptimizerState {
            tensors: save.sink.tensors.into_iter().collect(),
            scalars: save
                .sink
                .scalars
                .into_iter()
                .filter_map(|(name, value)| Some((name, to_json(value)?)))
                .collect(),
        }
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// A weights error if a part of it is missing, misshapen, or belongs to no parameter of
    /// `module`.
    pub fn load<M: Module>(&mut self, module: &M, state: OptimizerState) -> Result<(), ForgeError> {
        let OptimizerState { tensors, scalars } = state;
        let names = tensors.keys().chain(scalars.keys()).cloned().collect();
        let scalars = scalars
            .into_iter()
            .filter_map(|(name, value)| Some((name, from_json(&value)?)))
            .collect();
        let mut source = StateSource::new(scalars);
        let shapes = tensors
            .iter()
            .map(|(name, data)| (name.clone(), data.shape().to_vec()))
            .collect();
        for (name, data) in tensors {
            source.insert_tensor(name, data);
        }
        let mut load = Load {
            source,
            shapes,
            left: names,
            problems: Vec::new(),
            optimizer: self,
            params: HashMap::new(),
        };
        visit_parameters(module, &mut load);
        let Load {
            mut problems,
            left,
            params,
            ..
        } = load;
        problems.extend(
            left.iter()
                .map(|name| format!("{name} belongs to no parameter of the module")),
        );
        if !problems.is_empty() {
            let problems = problems.join("; ");
            return Err(ForgeError::weights(format!("optimiser state: {problems}")));
        }
        self.params = params;
        Ok(())
    }

    fn group(&self, decays: bool) -> &Arc<dyn DynOptimizer> {
        if decays { &self.decaying } else { &self.plain }
    }
}

fn to_json(value: Scalar) -> Option<serde_json::Number> {
    match value {
        Scalar::Int(v) => Some(v.into()),
        Scalar::UInt(v) => Some(v.into()),
        Scalar::Float(v) => serde_json::Number::from_f64(v),
        Scalar::Bool(v) => Some(u8::from(v).into()),
    }
}

fn from_json(value: &serde_json::Number) -> Option<Scalar> {
    value
        .as_u64()
        .map(Scalar::UInt)
        .or_else(|| value.as_i64().map(Scalar::Int))
        .or_else(|| value.as_f64().map(Scalar::Float))
}

struct Step<'a> {
    lr: f64,
    grads: GradientsParams,
    optimizer: &'a mut NamedOptimizer,
}

impl ParameterMapper for Step<'_> {
    fn map<const D: usize>(
        &mut self,
        path: &ParameterPath,
        param: Param<Tensor<D>>,
    ) -> Param<Tensor<D>> {
        let id = param.id;
        let Some(grad) = self.grads.remove::<D>(id) else {
            return param;
        };
        let (decays, state) = match self.optimizer.params.remove(&id) {
            Some(entry) => (entry.decays, Some(entry.state)),
            None => (self.optimizer.rule.decays(D, path), None),
        };
        replace_value(param, |value| {
            let (value, grad) = (value.into_bridge(), grad.into_bridge());
            let optimizer = self.optimizer.group(decays);
            let (value, state) = optimizer.step_dyn(D, self.lr, value, grad, state);
            if let Some(state) = state {
                self.optimizer.params.insert(id, Entry { decays, state });
            }
            Tensor::from_bridge(value)
        })
    }
}

struct Save<'a> {
    optimizer: &'a NamedOptimizer,
    sink: StateSink,
}

impl ParameterVisitor for Save<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        if let Some(entry) = self.optimizer.params.get(&param.id) {
            let name = path.join();
            self.optimizer
                .group(entry.decays)
                .state_flatten(&name, &entry.state, &mut self.sink);
        }
    }
}

struct Load<'a> {
    source: StateSource,
    shapes: BTreeMap<String, Vec<usize>>,
    left: BTreeSet<String>,
    problems: Vec<String>,
    optimizer: &'a NamedOptimizer,
    params: HashMap<ParamId, Entry>,
}

impl ParameterVisitor for Load<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        let name = path.join();
        let under = format!("{name}.");
        let mine: Vec<String> = self
            .left
            .range(under.clone()..)
            .take_while(|n| n.starts_with(&under))
            .cloned()
            .collect();
        if mine.is_empty() {
            return;
        }
        let shape = param.lazy_shape().to_vec();
        for key in mine {
            self.left.remove(&key);
            if let Some(found) = self.shapes.get(&key)
                && *found != shape
            {
                self.problems.push(format!(
                    "{key} has shape {found:?}, the parameter {shape:?}"
                ));
                return;
            }
        }
        let decays = self.optimizer.rule.decays(D, path);
        let device = param.lazy_device().inner();
        let state =
            self.optimizer
                .group(decays)
                .state_unflatten(D, &name, &mut self.source, &device);
        match state {
            Some(state) => {
                self.params.insert(param.id, Entry { decays, state });
            }
            None => self.problems.push(format!("that of {name} is incomplete")),
        }
    }
}
