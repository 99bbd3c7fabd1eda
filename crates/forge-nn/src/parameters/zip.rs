//! The float tensors of two modules, side by side.

use std::any::Any;
use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::{
    Floats, ParameterMapper, ParameterPath, ParameterVisitor, map_parameters, replace_value,
    visit_parameters,
};
use crate::ForgeError;

/// Looks at pairs of tensors of the same name.
pub trait PairVisitor {
    /// Takes one pair: both of the same shape, element type and device.
    fn visit<const D: usize>(&mut self, path: &ParameterPath, a: Tensor<D>, b: Tensor<D>);
}

/// Makes one tensor of two of the same name.
pub trait Combine {
    /// Combines one pair: both, and the result, of the same shape, element type and device, and
    /// without autodiff.
    fn combine<const D: usize>(
        &mut self,
        path: &ParameterPath,
        a: Tensor<D>,
        b: Tensor<D>,
    ) -> Tensor<D>;
}

/// Shows the pairs of float tensors of `a` and `b` to `visitor`, in the order of `a`'s fields.
///
/// A pair takes part if `floats` takes one of its two. Tensors come as they are in the modules, on
/// their graphs if they are on any: what is computed from them is differentiable. Those of `b` are
/// moved to `a`'s device and cast to `a`'s element type.
///
/// # Errors
/// A weights error naming every tensor that only one of the two modules has, or that has different
/// shapes in them; nothing has been visited then.
pub fn zip_visit<M: Module, N: Module, V: PairVisitor>(
    a: &M,
    b: &N,
    floats: Floats,
    visitor: &mut V,
) -> Result<(), ForgeError> {
    let mut zip = Visit {
        others: Others::of(a, b, floats)?,
        floats,
        visitor,
    };
    visit_parameters(a, &mut zip);
    Ok(())
}

/// `a` with each float tensor that takes part replaced by what `combine` makes of it and `b`'s.
///
/// A pair takes part if `floats` takes one of its two. Everything else is as in `a`: tensors that
/// take no part, integers, flags, ids, devices, and which parameters take gradients. The arithmetic
/// is outside of any graph. Neither module is changed, running statistics included.
///
/// # Errors
/// As [`zip_visit`].
pub fn zip_map<M: Module, N: Module, C: Combine>(
    a: M,
    b: &N,
    floats: Floats,
    combine: &mut C,
) -> Result<M, ForgeError> {
    let mut zip = Map {
        others: Others::of(&a, b, floats)?,
        floats,
        combine,
    };
    Ok(map_parameters(a, &mut zip))
}

/// The tensors of one module by name, each at its own rank.
#[derive(Default)]
struct Others(BTreeMap<String, Other>);

struct Other {
    shape: Vec<usize>,
    takes_part: bool,
    /// A `Tensor<D>`.
    tensor: Box<dyn Any>,
}

impl Others {
    /// Those of `b`, checked to be those of `a`.
    fn of<M: Module, N: Module>(a: &M, b: &N, floats: Floats) -> Result<Self, ForgeError> {
        let mut collect = Collect {
            floats,
            found: Self::default(),
        };
        visit_parameters(b, &mut collect);
        let mut check = Check {
            others: &collect.found,
            seen: 0,
            problems: vec![],
        };
        visit_parameters(a, &mut check);
        let Check {
            seen, mut problems, ..
        } = check;
        if seen < collect.found.0.len() {
            let mut left = Left(&mut collect.found.0);
            visit_parameters(a, &mut left);
            let left = left.0.keys();
            problems.extend(left.map(|name| format!("{name} is only in the second module")));
        }
        if problems.is_empty() {
            Ok(collect.found)
        } else {
            Err(ForgeError::weights(problems.join("; ")))
        }
    }

    /// The partner of `param`, if the two take part.
    fn partner<const D: usize>(
        &mut self,
        floats: Floats,
        path: &ParameterPath,
        param: &Param<Tensor<D>>,
    ) -> Option<Tensor<D>> {
        let other = self.0.remove(&path.join())?;
        if !(other.takes_part || floats.take(param)) {
            return None;
        }
        let tensor: Tensor<D> = *other.tensor.downcast().ok()?;
        let like = param.base();
        Some(tensor.to_device(&like.device()).cast(like.dtype()))
    }
}

struct Collect {
    floats: Floats,
    found: Others,
}

impl ParameterVisitor for Collect {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        let other = Other {
            shape: param.lazy_shape().to_vec(),
            takes_part: self.floats.take(param),
            tensor: Box::new(param.base()),
        };
        self.found.0.insert(path.join(), other);
    }
}

struct Check<'a> {
    others: &'a Others,
    seen: usize,
    problems: Vec<String>,
}

impl ParameterVisitor for Check<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        let (name, shape) = (path.join(), param.lazy_shape());
        match self.others.0.get(&name) {
            None => self
                .problems
                .push(format!("{name} is only in the first module")),
            Some(other) => {
                self.seen += 1;
                if other.shape != shape.as_slice() {
                    let (a, b) = (shape.as_slice(), &other.shape);
                    self.problems.push(format!(
                        "{name} is {a:?} in one module and {b:?} in the other"
                    ));
                }
            }
        }
    }
}

/// What is in the map and not in the module that is visited.
struct Left<'a>(&'a mut BTreeMap<String, Other>);

impl ParameterVisitor for Left<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, _: &Param<Tensor<D>>) {
        self.0.remove(&path.join());
    }
}

struct Visit<'a, V> {
    others: Others,
    floats: Floats,
    visitor: &'a mut V,
}

impl<V: PairVisitor> ParameterVisitor for Visit<'_, V> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        if let Some(other) = self.others.partner(self.floats, path, param) {
            self.visitor.visit(path, param.base(), other);
        }
    }
}

struct Map<'a, C> {
    others: Others,
    floats: Floats,
    combine: &'a mut C,
}

impl<C: Combine> ParameterMapper for Map<'_, C> {
    fn map<const D: usize>(
        &mut self,
        path: &ParameterPath,
        param: Param<Tensor<D>>,
    ) -> Param<Tensor<D>> {
        let Some(other) = self.others.partner(self.floats, path, &param) else {
            return param;
        };
        replace_value(param, |value| {
            self.combine.combine(path, value, other.inner())
        })
    }
}
