//! Which setting of an optimiser a parameter gets.

use std::fmt;
use std::sync::Arc;

use burn::module::Module;
use burn::optim::{DynOptimizer, Optimizer};
use forge_nn::ForgeError;
use forge_nn::parameters::{Floats, ParameterPath, names};

use super::{DecayRule, PathPattern, StepRates};

/// A group of parameters: what fits one of its patterns moves at its rate.
#[derive(Clone)]
struct Group {
    patterns: Vec<PathPattern>,
    /// May fit no parameter.
    optional: bool,
    /// Times the learning rate of the step.
    rate: f64,
    decaying: Kinds,
    plain: Kinds,
}

/// One optimiser, and another for what is not its kind of parameter.
#[derive(Clone)]
pub(crate) struct Kinds {
    main: Arc<dyn DynOptimizer>,
    others: Option<Arc<dyn DynOptimizer>>,
}

impl Kinds {
    pub(super) fn of<O: Optimizer>(optimizer: O) -> Self {
        Self {
            main: Arc::new(optimizer),
            others: None,
        }
    }

    pub(super) fn with_others<O: Optimizer>(mut self, optimizer: O) -> Self {
        self.others = Some(Arc::new(optimizer));
        self
    }

    fn choose(&self, of_others: bool) -> &dyn DynOptimizer {
        match &self.others {
            Some(others) if of_others => &**others,
            _ => &*self.main,
        }
    }
}

/// What an optimiser of matrices leaves to another: other ranks, and what one of the patterns fits.
#[derive(Clone)]
struct MatricesOnly {
    except: Vec<PathPattern>,
    /// Times the learning rate, for the others.
    rate: f64,
}

/// Where a parameter belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Setting {
    /// `None` for what no group's pattern fits.
    group: Option<usize>,
    decays: bool,
    /// Whether another optimiser than that of matrices moves it.
    of_others: bool,
}

/// Groups in the order in which they are asked, and one for what none of them wants.
#[derive(Clone)]
pub(crate) struct ParameterGroups {
    groups: Vec<Group>,
    others: Group,
    rule: DecayRule,
    matrices: Option<MatricesOnly>,
}

impl ParameterGroups {
    pub(super) fn new(decaying: Kinds, plain: Kinds, rule: DecayRule) -> Self {
        Self {
            groups: vec![],
            others: Group {
                patterns: vec![],
                optional: true,
                rate: 1.0,
                decaying,
                plain,
            },
            rule,
            matrices: None,
        }
    }

    /// With the others of [`Kinds`] for what is no matrix, or is one of `except`, at `rate` times the
    /// learning rate.
    pub(super) fn with_matrices_only(mut self, except: Vec<PathPattern>, rate: f64) -> Self {
        self.matrices = Some(MatricesOnly { except, rate });
        self
    }

    pub(super) fn push(
        &mut self,
        patterns: Vec<PathPattern>,
        optional: bool,
        rate: f64,
        optimizer: Option<Kinds>,
    ) {
        let (decaying, plain) = match optimizer {
            Some(optimizer) => (optimizer.clone(), optimizer),
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
        let fit = |patterns: &[PathPattern]| patterns.iter().any(|pattern| pattern.fits(&name));
        let matrices = self.matrices.as_ref();
        Setting {
            group: self.groups.iter().position(|group| fit(&group.patterns)),
            decays: self.rule.decays(rank, path),
            of_others: matrices.is_some_and(|only| rank != 2 || fit(&only.except)),
        }
    }

    pub(super) fn optimizer(&self, setting: Setting) -> &dyn DynOptimizer {
        let group = self.group(setting);
        let kinds = match setting.decays {
            true => &group.decaying,
            false => &group.plain,
        };
        kinds.choose(setting.of_others)
    }

    /// The learning rate of a parameter at these rates.
    pub(super) fn rate(&self, setting: Setting, rates: &StepRates) -> f64 {
        let own = setting.group.and_then(|i| rates.groups.get(i).copied());
        let of_kind = match &self.matrices {
            Some(only) if setting.of_others => only.rate,
            _ => 1.0,
        };
        own.flatten().unwrap_or(rates.lr) * self.group(setting).rate * of_kind
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
        let names = names(module, Floats::All);
        let mut patterns = self.needed().flat_map(|group| &group.patterns);
        let unfit = |pattern: &&PathPattern| !names.iter().any(|name| pattern.fits(name));
        let Some(pattern) = patterns.find(unfit) else {
            return Ok(());
        };
        let example = names.first().map(String::as_str).unwrap_or_default();
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
