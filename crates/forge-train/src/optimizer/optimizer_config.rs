//! Optimisers as configured.

use burn::optim::Optimizer;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::parameter_groups::{Kinds, ParameterGroups};
use super::shared_settings::Shared;
use super::{
    Adam, AdamConfig, AdamW, AdamWConfig, Adan, AdanConfig, DecayRule, Lamb, LambConfig, Lion,
    LionConfig, Muon, MuonConfig, NamedOptimizer, PathPattern, ScheduleFreeAdamW,
    ScheduleFreeAdamWConfig, Sgd, SgdConfig,
};
use crate::schedule::{FactorConfig, Schedule, ScheduleConfig};

/// The optimiser: `{"name": "adam_w", "weight_decay": 0.01}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum OptimizerConfig {
    /// [`AdamW`].
    AdamW(AdamWConfig),
    /// [`Adam`].
    Adam(AdamConfig),
    /// [`Sgd`].
    Sgd(SgdConfig),
    /// [`Adan`].
    Adan(AdanConfig),
    /// [`Lion`].
    Lion(LionConfig),
    /// [`Lamb`].
    Lamb(LambConfig),
    /// [`Muon`] for hidden matrices, [`AdamW`] for the rest.
    Muon(MuonConfig),
    /// [`ScheduleFreeAdamW`].
    ScheduleFreeAdamW(ScheduleFreeAdamWConfig),
    /// Known only to be refused with the way out: L-BFGS asks for the loss of the same rows many
    /// times per step, and a run gives a step one batch. `burn::optim::LBFGS` in a loop of your own
    /// does it; `docs/optimizers.md` has one.
    Lbfgs,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::AdamW(AdamWConfig::default())
    }
}

/// The same for the config of every optimiser.
macro_rules! each {
    ($config:expr, $c:ident => $do:expr, lbfgs => $else:expr) => {
        match $config {
            OptimizerConfig::AdamW($c) => $do,
            OptimizerConfig::Adam($c) => $do,
            OptimizerConfig::Sgd($c) => $do,
            OptimizerConfig::Adan($c) => $do,
            OptimizerConfig::Lion($c) => $do,
            OptimizerConfig::Lamb($c) => $do,
            OptimizerConfig::Muon($c) => $do,
            OptimizerConfig::ScheduleFreeAdamW($c) => $do,
            OptimizerConfig::Lbfgs => $else,
        }
    };
}

impl OptimizerConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        each!(self, c => {
            c.validate()?;
            c.shared().validate()
        }, lbfgs => {
            let allowed = "any other: L-BFGS asks for the loss of the same rows many times per \
                           step; use burn::optim::LBFGS in a loop of your own, as \
                           docs/optimizers.md shows";
            Err(ForgeError::config("optimizer.name", "lbfgs", allowed))
        })
    }

    /// The optimiser, without state.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds.
    pub fn build(&self) -> Result<NamedOptimizer, ForgeError> {
        self.validate()?;
        let optimizer = NamedOptimizer::of_groups(self.groups(1.0));
        Ok(match self {
            Self::ScheduleFreeAdamW(c) => optimizer.with_average(c.clone()),
            _ => optimizer,
        }
        .with_layer_decay(self.shared().and_then(|shared| shared.layer_decay.cloned())))
    }

    /// Its weight decay, to be changed; absent where it has none.
    pub fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        each!(self, c => Some(c.weight_decay_mut()), lbfgs => None)
    }

    fn shared(&self) -> Option<Shared<'_>> {
        each!(self, c => Some(c.shared()), lbfgs => None)
    }

    /// The groups, every decay times `factor`.
    pub(crate) fn groups(&self, factor: f64) -> ParameterGroups {
        let one = |kinds: &dyn Fn(f64) -> Kinds| match self.shared() {
            Some(shared) => grouped(shared, factor, kinds),
            None => grouped(AdamWConfig::default().shared(), factor, kinds),
        };
        match self {
            Self::AdamW(c) => one(&|decay| kind(AdamW::new(c, decay))),
            Self::Adam(c) => one(&|decay| kind(Adam::new(c, decay))),
            Self::Sgd(c) => one(&|decay| kind(Sgd::new(c, decay))),
            Self::Adan(c) => one(&|decay| kind(Adan::new(c, decay))),
            Self::Lion(c) => one(&|decay| kind(Lion::new(c, decay))),
            Self::Lamb(c) => one(&|decay| kind(Lamb::new(c, decay))),
            Self::ScheduleFreeAdamW(c) => one(&|decay| kind(ScheduleFreeAdamW::new(c, decay))),
            Self::Muon(c) => {
                let of_others = |decay| AdamW::with(c.beta_1, c.beta_2, c.adam_w_epsilon, decay);
                let patterns = c.adam_w.iter().map(PathPattern::new).collect();
                one(&|decay| Kinds::of(Muon::new(c, decay)).with_others(of_others(decay)))
                    .with_matrices_only(patterns, c.adam_w_rate)
            }
            // Never built: `validate` refuses it.
            Self::Lbfgs => one(&|decay| kind(AdamW::new(&AdamWConfig::default(), decay))),
        }
    }

    /// The factor on all decays over a run.
    pub(crate) fn decay_schedule(&self) -> FactorConfig {
        self.shared()
            .map_or(FactorConfig::Constant, |shared| shared.decay_schedule)
    }

    /// The schedules of groups that have one of their own, by position.
    pub(crate) fn group_schedules(&self, steps: u64) -> Result<Vec<Option<Schedule>>, ForgeError> {
        let groups = self.shared().map_or(&[][..], |shared| shared.groups);
        let schedules = groups.iter().map(|group| group.schedule.as_ref());
        let build = |schedule: &ScheduleConfig| schedule.build(steps);
        schedules.map(|s| s.map(build).transpose()).collect()
    }
}

fn kind<O: Optimizer>(optimizer: O) -> Kinds {
    Kinds::of(optimizer)
}

/// `make` gives the optimiser with a decay.
fn grouped(shared: Shared<'_>, factor: f64, make: &dyn Fn(f64) -> Kinds) -> ParameterGroups {
    let mut groups = ParameterGroups::new(
        make(shared.weight_decay * factor),
        make(0.0),
        DecayRule::new(shared.decay_biases, shared.no_decay),
    );
    for group in shared.groups {
        let patterns = group.patterns.iter().map(PathPattern::new).collect();
        let own = group.own_decay(shared.weight_decay);
        let own = own.map(|decay| make(decay * factor));
        groups.push(patterns, group.optional, group.rate, own);
    }
    groups
}
