//! Which setting of an optimiser a parameter gets.

use std::fmt;
use std::sync::Arc;

use burn::module::{Module, Param};
use burn::optim::{DynOptimizer, Optimizer};
use burn::tensor::Tensor;
use forge_nn::ForgeError;
use forge_nn::parameters::{ParameterPath, ParameterVisitor, visit_parameters};

use super::{DecayRule, PathPattern, StepRates};

/// A group of parameters: what fits one of its patterns moves at its rate.
#[derive(Clone)]
struct Group {
    patterns: Vec<PathPattern>,
    /// May fit no parameter.
    optional: bool,
    /// Times the learning rate of the step.
    rate: f64,
    decaying: Arc<dyn DynOptimizer>,
    plain: Arc<dyn DynOptimizer>,
}

/// Where a parameter belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Setting {
    /// `None` for what no group's pattern fits.
    group: Option<usize>,
    decays: bool,
}

/// Groups in the order in which they are asked, and one for what none of them wants.
#[derive(Clone)]
pub(crate) struct ParameterGroups {
    groups: Vec<Group>,
    others: Group,
    rule: DecayRule,
}

impl ParameterGroups {
    pub(super) fn new<O: Optimizer>(decaying: O, plain: O, rule: DecayRule) -> Self {
        Self {
            groups: vec![],
            others: Group {
                patterns: vec![],
                optional: true,
                rate: 1.0,
                decaying: Arc::new(decaying),
                plain: Arc::new(plain),
            },
            rule,
        }
    }

    pub(super) fn push<O: Optimizer>(
        &mut self,
        patterns: Vec<PathPattern>,
        optional: bool,
        rate: f64,
        optimizer: Option<O>,
    ) {
        let (decaying, plain) = match optimizer {
            Some(optimizer) => {
                let one: Arc<dyn DynOptimizer> = Arc::new(optimizer);
                (one.clone(), one)
            }
            None => (self.others.decaying.clone(), self.others.plain.clone()),
        };
        self.groups.push(Group {
            patterns,
            optional,
            rate,
            decaying,
            plain,
        });
    }

    pub(super) fn of(&self, rank: usize, path: &ParameterPath) -> Setting {
        let name = path.join();
        let fits = |group: &Group| group.patterns.iter().any(|pattern| pattern.fits(&name));
        Setting {
            group: self.groups.iter().position(fits),
            decays: self.rule.decays(rank, path),
        }
    }

    pub(super) fn optimizer(&self, setting: Setting) -> &dyn DynOptimizer {
        let group = self.group(setting);
        match setting.decays {
            true => &*group.decaying,
            false => &*group.plain,
        }
    }

    /// The learning rate of a parameter at these rates.
    pub(super) fn rate(&self, setting: Setting, rates: &StepRates) -> f64 {
        let own = setting.group.and_then(|i| rates.groups.get(i).copied());
        own.flatten().unwrap_or(rates.lr) * self.group(setting).rate
    }

    fn group(&self, setting: Setting) -> &Group {
        let group = setting.group.and_then(|i| self.groups.get(i));
        group.unwrap_or(&self.others)
    }

    fn needed(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.optional)
    }

    /// Names every pattern that fits no parameter of `module`.
    pub(super) fn check<M: Module>(&self, module: &M) -> Result<(), ForgeError> {
        let mut left = Unfit {
            patterns: self.needed().flat_map(|g| &g.patterns).collect(),
            some_name: None,
        };
        visit_parameters(module, &mut left);
        let Some(pattern) = left.patterns.first() else {
            return Ok(());
        };
        let example = left.some_name.unwrap_or_default();
        let allowed = format!("a pattern that fits a parameter of the module, such as '{example}'");
        let field = "optimizer.groups.match";
        Err(ForgeError::config(field, format!("'{pattern}'"), allowed))
    }
}

impl fmt::Debug for ParameterGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns: Vec<_> = self.groups.iter().map(|g| (&g.patterns, g.rate)).collect();
        f.debug_struct("ParameterGroups")
            .field("groups", &patterns)
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

struct Unfit<'a> {
    patterns: Vec<&'a PathPattern>,
    some_name: Option<String>,
}

impl ParameterVisitor for Unfit<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, _: &Param<Tensor<D>>) {
        let name = path.join();
        self.patterns.retain(|pattern| !pattern.fits(&name));
        self.some_name.get_or_insert(name);
    }
}
