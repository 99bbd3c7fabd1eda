//! A per-parameter optimiser over a whole module, its state by parameter name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use burn::module::{Module, Param, ParamId};
use burn::optim::{DynState, GradientsParams, Optimizer, StateSink, StateSource};
use burn::tensor::Tensor;
use forge_nn::ForgeError;
use forge_nn::parameters::{
    Floats, ParameterMapper, ParameterPath, ParameterVisitor, map_parameters, names, replace_value,
    visit_parameters,
};

use super::optimizer_state::{from_json, to_json};
use super::parameter_groups::Kinds;
use super::parameter_groups::{ParameterGroups, Setting};
use super::{
    DecayRule, LayerDecay, Memory, OptimizerState, PathPattern, ScheduleFreeAdamW,
    ScheduleFreeAdamWConfig, StepRates,
};

/// Any of Burn's per-parameter optimisers (or [`AdamW`](super::AdamW)) over a module, in
/// groups of parameters with their own learning rates and weight decay.
///
/// What it does that Burn's `ModuleOptimizer` does not: groups by path, rank and type, and state
/// that is saved under the parameters' names and loaded to the parameters' own devices. Burn saves under
/// random ids, and its loading goes through the process's default device, which need not exist.
#[derive(Clone)]
pub struct NamedOptimizer {
    groups: ParameterGroups,
    params: HashMap<ParamId, Entry>,
    layers: Option<Layers>,
    /// What the weights in training are turned into for evaluation, where they are.
    average: Option<ScheduleFreeAdamWConfig>,
}

/// Factors on rates by layer, once a module was seen.
#[derive(Clone)]
struct Layers {
    decay: LayerDecay,
    factors: Option<HashMap<ParamId, f64>>,
}

#[derive(Clone)]
struct Entry {
    setting: Setting,
    state: DynState,
}

impl fmt::Debug for NamedOptimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedOptimizer")
            .field("groups", &self.groups)
            .field("params", &self.params.len())
            .finish()
    }
}

impl NamedOptimizer {
    /// An optimiser without state: `decaying` for the parameters that `rule` picks, `plain` for
    /// the others. Both must keep the same kind of state.
    pub fn new<O: Optimizer>(decaying: O, plain: O, rule: DecayRule) -> Self {
        let kinds = (Kinds::of(decaying), Kinds::of(plain));
        Self::of_groups(ParameterGroups::new(kinds.0, kinds.1, rule))
    }

    pub(crate) fn of_groups(groups: ParameterGroups) -> Self {
        Self {
            groups,
            params: HashMap::new(),
            layers: None,
            average: None,
        }
    }

    /// With lower rates towards the input.
    #[must_use]
    pub fn with_layer_decay(mut self, decay: Option<LayerDecay>) -> Self {
        self.layers = decay.map(|decay| Layers {
            decay,
            factors: None,
        });
        self
    }

    /// Whose state is that of [`ScheduleFreeAdamW`].
    pub(super) fn with_average(mut self, config: ScheduleFreeAdamWConfig) -> Self {
        self.average = Some(config);
        self
    }

    /// Whether the weights to evaluate are others than those in training.
    #[must_use]
    pub fn averages(&self) -> bool {
        self.average.is_some()
    }

    /// The weights to evaluate: those of `module` as they are, unless the optimiser
    /// [averages](Self::averages). Batch statistics stay, which belong to the weights in training.
    #[must_use]
    pub fn to_evaluate<M: Module>(&self, module: M) -> M {
        match &self.average {
            None => module,
            Some(config) => map_parameters(
                module,
                &mut Average {
                    optimizer: self,
                    config,
                },
            ),
        }
    }

    /// Other settings for the same groups in the same order; what is remembered of parameters stays.
    pub(crate) fn regroup(&mut self, groups: ParameterGroups) {
        self.groups = groups;
    }

    /// With a group for the parameters that one of `patterns` fits and no earlier group wants:
    /// they move at `rate` times the learning rate, by `optimizer`, or where there is none by those
    /// of [`new`](Self::new). Every optimiser must keep the same kind of state.
    #[must_use]
    pub fn with_group<O: Optimizer>(
        mut self,
        patterns: Vec<PathPattern>,
        rate: f64,
        optimizer: Option<O>,
    ) -> Self {
        self.groups
            .push(patterns, false, rate, optimizer.map(Kinds::of));
        self
    }

    /// Checks that every pattern of the groups fits a parameter of `module`. Call it before the
    /// first step: a pattern with a slip in it would be silently without effect. Also that there are
    /// the layers of a [`LayerDecay`].
    ///
    /// # Errors
    /// A config error that names the pattern or the layers.
    pub fn check<M: Module>(&self, module: &M) -> Result<(), ForgeError> {
        if let Some(layers) = &self.layers {
            layers.decay.factors(module)?;
        }
        self.groups.check(module)
    }

    /// One step: every parameter that has a gradient moves.
    pub fn step<M: Module>(&mut self, lr: f64, module: M, grads: GradientsParams) -> M {
        self.step_at(&lr.into(), module, grads)
    }

    /// [`step`](Self::step) with a learning rate of their own for some groups.
    pub fn step_at<M: Module>(
        &mut self,
        rates: &StepRates,
        module: M,
        grads: GradientsParams,
    ) -> M {
        if let Some(layers) = &mut self.layers
            && layers.factors.is_none()
        {
            // Of a module that `check` refuses, all layers move alike.
            layers.factors = Some(layers.decay.factors(&module).unwrap_or_default());
        }
        let mut step = Step {
            rates,
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
    /// `module`; and what [`check`](Self::check) finds.
    pub fn load<M: Module>(&mut self, module: &M, state: OptimizerState) -> Result<(), ForgeError> {
        self.check(module)?;
        let OptimizerState { tensors, scalars } = state;
        let left = tensors.keys().chain(scalars.keys()).cloned().collect();
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
            names: names(module, Floats::All).into_iter().collect(),
            left,
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
}

struct Step<'a> {
    rates: &'a StepRates,
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
        let groups = &self.optimizer.groups;
        let (setting, state) = match self.optimizer.params.remove(&id) {
            Some(entry) => (entry.setting, Some(entry.state)),
            None => (groups.of(D, path), None),
        };
        let factors = self.optimizer.layers.as_ref();
        let factors = factors.and_then(|layers| layers.factors.as_ref());
        let of_layer = factors.and_then(|f| f.get(&id)).copied().unwrap_or(1.0);
        let lr = groups.rate(setting, self.rates) * of_layer;
        replace_value(param, |value| {
            let (value, grad) = (value.into_bridge(), grad.into_bridge());
            let optimizer = groups.optimizer(setting);
            let (value, state) = optimizer.step_dyn(D, lr, value, grad, state);
            if let Some(state) = state {
                self.optimizer.params.insert(id, Entry { setting, state });
            }
            Tensor::from_bridge(value)
        })
    }
}

struct Average<'a> {
    optimizer: &'a NamedOptimizer,
    config: &'a ScheduleFreeAdamWConfig,
}

impl ParameterMapper for Average<'_> {
    fn map<const D: usize>(
        &mut self,
        _: &ParameterPath,
        param: Param<Tensor<D>>,
    ) -> Param<Tensor<D>> {
        let Some(entry) = self.optimizer.params.get(&param.id) else {
            return param;
        };
        let memory = entry.state.downcast_ref::<Memory<ScheduleFreeAdamW, D>>();
        replace_value(param, |value| {
            ScheduleFreeAdamW::average(self.config, value, memory)
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
            let optimizer = self.optimizer.groups.optimizer(entry.setting);
            optimizer.state_flatten(&path.join(), &entry.state, &mut self.sink);
        }
    }
}

struct Load<'a> {
    source: StateSource,
    shapes: BTreeMap<String, Vec<usize>>,
    /// All parameters of the module: one may stand below another, as adapters do.
    names: BTreeSet<String>,
    left: BTreeSet<String>,
    problems: Vec<String>,
    optimizer: &'a NamedOptimizer,
    params: HashMap<ParamId, Entry>,
}

impl ParameterVisitor for Load<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        let name = path.join();
        let under = format!("{name}.");
        let below = |names: &BTreeSet<String>| -> Vec<String> {
            let names = names.range(under.clone()..);
            names
                .take_while(|n| n.starts_with(&under))
                .cloned()
                .collect()
        };
        let others: Vec<String> = below(&self.names).iter().map(|n| format!("{n}.")).collect();
        let is_others = |key: &String| others.iter().any(|other| key.starts_with(other));
        let mut mine = below(&self.left);
        mine.retain(|key| !is_others(key));
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
        let setting = self.optimizer.groups.of(D, path);
        let device = param.lazy_device().inner();
        let optimizer = self.optimizer.groups.optimizer(setting);
        match optimizer.state_unflatten(D, &name, &mut self.source, &device) {
            Some(state) => {
                self.params.insert(param.id, Entry { setting, state });
            }
            None => self.problems.push(format!("that of {name} is incomplete")),
        }
    }
}
