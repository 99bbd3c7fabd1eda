//! Loading a part of a state: pre-training, transfer, warm starts.

use std::collections::{BTreeMap, BTreeSet};

use burn::module::{Module, ModuleMapper, Param, Parameter};
use burn::tensor::{Bool, DType, Int, Tensor, TensorData};

use super::StateDict;
use super::finite::not_finite;
use crate::ForgeError;
use crate::parameters::ParameterPath;

/// Which tensors of a state go where in a module that has other ones too.
///
/// Prefixes are whole parts of names: `encoder` means `encoder` and `encoder.…`, not `encoder_2.…`;
/// the empty prefix means everything.
///
/// ```
/// use forge_nn::Subset;
///
/// // The encoder of a pre-training module, which was its `online` part there.
/// let subset = Subset::all().rename("online", "encoder").only("encoder");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Subset {
    only: Vec<String>,
    renames: Vec<(String, String)>,
    skips_misshapen: bool,
}

/// What [`StateDict::load_subset`] did, in name order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubsetReport {
    /// The module's tensors that were loaded, by the module's names.
    pub loaded: Vec<String>,
    /// The module's tensors that stayed as they were.
    pub kept: Vec<String>,
    /// The state's tensors that went nowhere, by the state's names.
    pub unused: Vec<String>,
}

impl Subset {
    /// Every tensor that both sides have under the same name.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Loads only what is under `prefix` in the module. Called again, under one of the prefixes.
    #[must_use]
    pub fn only(mut self, prefix: &str) -> Self {
        self.only.push(prefix.into());
        self
    }

    /// What the state has under `from` is under `to` in the module. The first rule that fits
    /// counts; names that none fits stay.
    #[must_use]
    pub fn rename(mut self, from: &str, to: &str) -> Self {
        self.renames.push((from.into(), to.into()));
        self
    }

    /// Leaves out tensors whose shape is another in the module, as a head for other outputs has;
    /// without this they are an error.
    #[must_use]
    pub fn skip_misshapen(mut self) -> Self {
        self.skips_misshapen = true;
        self
    }

    /// The module's name of the state's `name`.
    fn renamed(&self, name: &str) -> String {
        let mut renames = self.renames.iter();
        let renamed = renames.find_map(|(from, to)| {
            let rest = under(name, from)?;
            let parts = [to.as_str(), rest]
                .into_iter()
                .filter(|part| !part.is_empty());
            Some(parts.collect::<Vec<_>>().join("."))
        });
        renamed.unwrap_or_else(|| name.into())
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|prefix| under(name, prefix).is_some())
    }
}

/// The rest of `name` under `prefix`.
fn under<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    if prefix.is_empty() {
        return Some(name);
    }
    let rest = name.strip_prefix(prefix)?;
    match rest.is_empty() {
        true => Some(rest),
        false => rest.strip_prefix('.'),
    }
}

impl StateDict {
    /// Puts those tensors into `module` that both sides have; the others of the module stay as
    /// they are.
    ///
    /// A loaded tensor takes the element type, the device and the trainability of what it
    /// replaces. Parameters of the module that have not been made yet and are loaded are never
    /// drawn.
    ///
    /// # Errors
    /// A weights error naming every tensor of another shape (unless
    /// [skipped](Subset::skip_misshapen)), of another kind (integers for floats) or with elements
    /// that are not finite, two tensors of the state that go to the same place, prefixes that fit
    /// nothing, or that nothing at all was loaded. What goes nowhere may be anything.
    pub fn load_subset<M: Module>(
        self,
        module: M,
        subset: &Subset,
    ) -> Result<(M, SubsetReport), ForgeError> {
        let mut problems = vec![];
        for (from, _) in &subset.renames {
            if !self.tensors.keys().any(|name| under(name, from).is_some()) {
                problems.push(format!("the state has nothing under '{from}'"));
            }
        }
        let mut given: BTreeMap<String, (String, TensorData)> = BTreeMap::new();
        let mut unused = BTreeSet::new();
        for (theirs, data) in self.tensors {
            let ours = subset.renamed(&theirs);
            if !subset.wants(&ours) {
                unused.insert(theirs);
            } else if let Some((other, _)) = given.get(&ours) {
                problems.push(format!("{other} and {theirs} both become {ours}"));
            } else {
                given.insert(ours, (theirs, data));
            }
        }
        let mut load = Load {
            given,
            skips_misshapen: subset.skips_misshapen,
            path: ParameterPath::default(),
            report: SubsetReport::default(),
            problems,
        };
        let module = module.map(&mut load);
        let Load {
            given,
            mut report,
            mut problems,
            ..
        } = load;
        for prefix in &subset.only {
            let mut names = report.loaded.iter().chain(&report.kept);
            if !names.any(|name| under(name, prefix).is_some()) {
                problems.push(format!("the module has nothing under '{prefix}'"));
            }
        }
        unused.extend(given.into_values().map(|(theirs, _)| theirs));
        report.unused = unused.into_iter().collect();
        if problems.is_empty() && report.loaded.is_empty() {
            let first = |names: &[String]| names.first().cloned().unwrap_or_else(|| "none".into());
            problems.push(format!(
                "nothing was loaded: no name is on both sides (the first of the state is {}, of \
                 the module {}); rename what differs",
                first(&report.unused),
                first(&report.kept)
            ));
        }
        if problems.is_empty() {
            report.loaded.sort();
            report.kept.sort();
            Ok((module, report))
        } else {
            Err(ForgeError::weights(problems.join("; ")))
        }
    }
}

struct Load {
    /// By the module's name: the state's name, and the values.
    given: BTreeMap<String, (String, TensorData)>,
    skips_misshapen: bool,
    path: ParameterPath,
    report: SubsetReport,
    problems: Vec<String>,
}

impl Load {
    /// What to load in the place of `param`, if anything.
    fn take<T: Parameter>(
        &mut self,
        param: &Param<T>,
        fits: fn(DType) -> bool,
    ) -> Option<TensorData> {
        let (name, shape) = (self.path.join(), param.lazy_shape());
        let data = match self.given.get(&name) {
            Some((_, data)) if data.shape() != &shape && self.skips_misshapen => None,
            Some((theirs, data)) if data.shape() != &shape => {
                let (found, expected) = (data.shape().as_slice(), shape.as_slice());
                self.problems.push(format!(
                    "{theirs} is {found:?}, {name} is {expected:?} (skip_misshapen leaves it out)"
                ));
                None
            }
            Some((theirs, data)) if !fits(data.dtype()) => {
                let dtype = data.dtype();
                self.problems
                    .push(format!("{theirs} is {dtype:?}, which {name} cannot hold"));
                None
            }
            Some((theirs, data)) => match not_finite(data) {
                Some(problem) => {
                    self.problems.push(format!("{theirs} {problem}"));
                    None
                }
                None => self.given.remove(&name).map(|(_, data)| data),
            },
            None => None,
        };
        let names = match data {
            Some(_) => &mut self.report.loaded,
            None => &mut self.report.kept,
        };
        names.push(name);
        data
    }
}

impl ModuleMapper for Load {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(data) = self.take(&param, |dtype| dtype.is_float()) else {
            return param;
        };
        let device = param.lazy_device();
        let dtype = match param.is_initialized() {
            true => param.base().dtype(),
            false => device.settings().float_dtype.into(),
        };
        let id = param.id;
        param.transform_for_load(Tensor::from_data(data, (&device, dtype)), id)
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        let Some(data) = self.take(&param, |dtype| dtype.is_int() || dtype.is_uint()) else {
            return param;
        };
        let device = param.lazy_device();
        let dtype = match param.is_initialized() {
            true => param.base().dtype(),
            false => device.settings().int_dtype.into(),
        };
        let id = param.id;
        param.transform_for_load(Tensor::from_data(data, (&device, dtype)), id)
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        // Files have no booleans: they come back as bytes.
        let fits = |dtype: DType| dtype.is_bool() || matches!(dtype, DType::U8 | DType::U32);
        let Some(data) = self.take(&param, fits) else {
            return param;
        };
        let device = param.lazy_device();
        let id = param.id;
        param.transform_for_load(Tensor::from_data(data, &device), id)
    }
}
