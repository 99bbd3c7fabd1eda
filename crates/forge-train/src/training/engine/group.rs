//! Which optimiser moves which parameters, and when.

use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use forge_nn::ForgeError;
use forge_nn::parameters::{ParameterPath, ParameterVisitor, visit_parameters};
use serde_json::{Value, json};

use crate::optimizer::{NamedOptimizer, OptimizerConfig, StepRates};
use crate::schedule::{FactorConfig, Plateau, Schedule, ScheduleConfig};

/// Parameters that have an optimiser and a learning rate of their own.
///
/// Several modules in one run are one module that holds them, a tuple or a struct: `(generator,
/// discriminator)` has the groups `ParameterGroup::under("generator", ["0"])` and
/// `ParameterGroup::under("discriminator", ["1"])`.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterGroup {
    /// Its name in phases and checkpoints.
    pub name: String,
    /// Paths of its parameters, or of modules that hold them (`encoder`, `blocks.0`). Empty: all.
    pub paths: Vec<String>,
    /// Its optimiser. Absent: that of the run.
    pub optimizer: Option<OptimizerConfig>,
    /// Its learning rate. Absent: that of the run.
    pub schedule: Option<ScheduleConfig>,
}

impl ParameterGroup {
    /// All parameters.
    #[must_use]
    pub fn all() -> Self {
        Self::under("all", [""; 0])
    }

    /// The parameters under some paths, with the optimiser of the run.
    #[must_use]
    pub fn under<P: Into<String>>(
        name: impl Into<String>,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        Self {
            name: name.into(),
            paths: paths.into_iter().map(Into::into).collect(),
            optimizer: None,
            schedule: None,
        }
    }

    /// With another optimiser than that of the run.
    #[must_use]
    pub fn with_optimizer(mut self, optimizer: OptimizerConfig) -> Self {
        self.optimizer = Some(optimizer);
        self
    }

    /// With another learning rate than that of the run.
    #[must_use]
    pub fn with_schedule(mut self, schedule: ScheduleConfig) -> Self {
        self.schedule = Some(schedule);
        self
    }

    fn holds(&self, path: &str) -> bool {
        self.paths.is_empty()
            || self.paths.iter().any(|under| {
                path.strip_prefix(under.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
    }
}

/// A part of a step: one loss, one backward pass, and the groups that move by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its name, which the loss is told.
    pub name: String,
    /// The groups that move, by name. Empty: all.
    pub groups: Vec<String>,
}

impl Phase {
    /// The name of the only phase where a task does not say otherwise.
    pub const WHOLE: &'static str = "whole";

    /// One loss that moves all groups.
    #[must_use]
    pub fn whole() -> Self {
        Self::of(Self::WHOLE, [""; 0])
    }

    /// One loss that moves these groups.
    #[must_use]
    pub fn of<G: Into<String>>(
        name: impl Into<String>,
        groups: impl IntoIterator<Item = G>,
    ) -> Self {
        Self {
            name: name.into(),
            groups: groups.into_iter().map(Into::into).collect(),
        }
    }
}

/// How the rates of a step follow from the schedules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rates {
    /// Times a factor, 1 unless a run was rolled back.
    Scheduled(f64),
    /// Times the highest rate of each, whatever the step.
    Swept(f64),
}

impl Rates {
    fn of(self, schedule: &Schedule, step: u64) -> f64 {
        match self {
            // Without a factor the rate is the schedule's to the last bit.
            Self::Scheduled(1.0) => schedule.lr(step),
            Self::Scheduled(factor) => schedule.lr(step) * factor,
            Self::Swept(factor) => schedule.config().peak_lr() * factor,
        }
    }
}

/// A group with its optimiser.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) optimizer: NamedOptimizer,
    pub(super) schedule: Schedule,
    /// The schedule's memory, where it follows scores.
    pub(super) plateau: Option<Plateau>,
    /// Those that parts of the group have instead.
    own_schedules: Vec<Option<Schedule>>,
    /// What the optimiser was made from.
    settings: OptimizerConfig,
    /// Absent: all.
    pub(super) ids: Option<Vec<ParamId>>,
    /// Its settings, with nothing left open.
    pub(super) config: Value,
}

impl Slot {
    /// The name of its section in a checkpoint.
    pub(super) fn section(&self) -> String {
        if self.ids.is_none() {
            "optimizer".into()
        } else {
            format!("optimizer.{}", self.name)
        }
    }

    /// The name of its schedule's section in a checkpoint, where it has one.
    pub(super) fn plateau_section(&self) -> String {
        if self.ids.is_none() {
            "reduce_on_plateau".into()
        } else {
            format!("reduce_on_plateau.{}", self.name)
        }
    }

    /// The learning rate of a step.
    pub(super) fn lr(&self, step: u64, rates: Rates) -> f64 {
        match (rates, &self.plateau) {
            (Rates::Scheduled(factor), Some(plateau)) => plateau.lr() * factor,
            (rates, _) => rates.of(&self.schedule, step),
        }
    }

    /// The learning rates of a step.
    pub(super) fn rates(&self, step: u64, rates: Rates) -> StepRates {
        let own = self.own_schedules.iter();
        StepRates {
            lr: self.lr(step, rates),
            groups: own.map(|s| s.as_ref().map(|s| rates.of(s, step))).collect(),
        }
    }

    /// Whether its decay, or the rate of a part of it, does.
    pub(super) fn follows_progress(&self) -> bool {
        let decay = self.settings.decay_schedule() != FactorConfig::Constant;
        decay || self.own_schedules.iter().any(Option::is_some)
    }

    /// Sets the decay of a step, where it changes at all.
    pub(super) fn set_decay(&mut self, step: u64, steps: u64) {
        let schedule = self.settings.decay_schedule();
        if schedule != FactorConfig::Constant {
            let groups = self.settings.groups(schedule.at(step, steps));
            self.optimizer.regroup(groups);
        }
    }

    /// One slot per group.
    pub(super) fn build<M: Module>(
        groups: &[ParameterGroup],
        module: &M,
        optimizer: &OptimizerConfig,
        schedule: &ScheduleConfig,
        steps: u64,
    ) -> Result<Vec<Self>, ForgeError> {
        let mut paths = Paths::default();
        visit_parameters(module, &mut paths);
        check(groups, &paths.found)?;
        groups
            .iter()
            .map(|group| {
                let ids = (!group.paths.is_empty()).then(|| {
                    let mine = paths.found.iter().filter(|(path, _)| group.holds(path));
                    mine.map(|(_, id)| *id).collect()
                });
                let optimizer = group.optimizer.as_ref().unwrap_or(optimizer);
                let built = optimizer.build()?;
                built.check(module)?;
                let schedule = group.schedule.as_ref().unwrap_or(schedule).build(steps)?;
                let plateau = match schedule.config() {
                    ScheduleConfig::ReduceOnPlateau(c) => Some(Plateau::new(*c)?),
                    _ => None,
                };
                Ok(Self {
                    plateau,
                    name: group.name.clone(),
                    config: json!({
                        "paths": group.paths,
                        "optimizer": optimizer,
                        "schedule": schedule.config(),
                    }),
                    optimizer: built,
                    own_schedules: optimizer.group_schedules(steps)?,
                    settings: optimizer.clone(),
                    schedule,
                    ids,
                })
            })
            .collect()
    }
}

fn check(groups: &[ParameterGroup], found: &[(String, ParamId)]) -> Result<(), ForgeError> {
    let refuse = |value: &str, allowed: &str| Err(ForgeError::config("groups", value, allowed));
    if groups.is_empty() {
        return refuse("none", "at least one group of parameters");
    }
    for (i, group) in groups.iter().enumerate() {
        if groups[..i].iter().any(|other| other.name == group.name) {
            let value = format!("two called {}", group.name);
            return refuse(&value, "groups with different names");
        }
        if let Some(path) = group.paths.iter().find(|path| {
            let one = ParameterGroup::under("", [path.as_str()]);
            !found.iter().any(|(at, _)| one.holds(at))
        }) {
            let value = format!("{path:?} in group {}", group.name);
            return refuse(&value, "a path that leads to a parameter of the module");
        }
    }
    for (path, _) in found {
        let mut holding = groups.iter().filter(|group| group.holds(path));
        if let (Some(a), Some(b)) = (holding.next(), holding.next()) {
            let value = format!("{path} in {} and in {}", a.name, b.name);
            return refuse(&value, "groups that share no parameter");
        }
    }
    Ok(())
}

/// Float parameters by path.
#[derive(Default)]
struct Paths {
    found: Vec<(String, ParamId)>,
}

impl ParameterVisitor for Paths {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        self.found.push((path.join(), param.id));
    }
}
