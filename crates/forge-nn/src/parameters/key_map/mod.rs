//! From the names and layouts of a reference implementation to ours, and back.

mod entry;

use std::collections::{BTreeMap, BTreeSet};

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};

use self::entry::{Entry, Layout, Part};
use super::{ParameterPath, ParameterVisitor, visit_parameters};
use crate::{ForgeError, StateDict};

/// Which tensor of a reference implementation is which of ours, in which layout.
///
/// Complete by construction: every tensor on either side is mapped, or loading fails and names it.
#[derive(Debug, Clone, Default)]
pub struct KeyMap {
    entries: Vec<Entry>,
    ignored: Vec<String>,
    ignored_below: Vec<String>,
}

impl KeyMap {
    /// A map of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The map of a module whose structure is the reference's: `theirs` turns each path of ours
    /// into the reference's name.
    ///
    /// The weight of a `Linear` is the transpose of the reference's. Axes of length 1 that only
    /// one side has are added or dropped (a 1×1 convolution is a linear layer here). Names that
    /// `reference` lacks are found by [`to_module`](Self::to_module). Nothing of the module is
    /// made.
    pub fn by_path<M: Module>(
        module: &M,
        reference: &StateDict,
        theirs: impl Fn(&str) -> String,
    ) -> Self {
        let mut by_path = ByPath {
            reference,
            theirs,
            map: Self::new(),
        };
        visit_parameters(module, &mut by_path);
        by_path.map
    }

    /// `ours` is the reference's `theirs`, as it is.
    #[must_use]
    pub fn same(self, ours: &str, theirs: &str) -> Self {
        self.one(ours, theirs, Layout::Same)
    }

    /// `ours` is the transpose of the reference's matrix `theirs`.
    #[must_use]
    pub fn transposed(self, ours: &str, theirs: &str) -> Self {
        self.one(ours, theirs, Layout::Transposed)
    }

    /// `ours` is several of the reference's tensors one under the other: each with its number of
    /// rows.
    #[must_use]
    pub fn stacked(self, ours: &str, theirs: impl IntoIterator<Item = (String, usize)>) -> Self {
        self.many(ours, theirs, Layout::Same)
    }

    /// `ours` is the transpose of [`stacked`](Self::stacked).
    #[must_use]
    pub fn stacked_transposed(
        self,
        ours: &str,
        theirs: impl IntoIterator<Item = (String, usize)>,
    ) -> Self {
        self.many(ours, theirs, Layout::Transposed)
    }

    /// A linear layer with bias: PyTorch's `nn.Linear` in Burn's `Linear`.
    #[must_use]
    pub fn linear(self, ours: &str, theirs: &str) -> Self {
        self.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight"))
            .same(&format!("{ours}.bias"), &format!("{theirs}.bias"))
    }

    /// Layer `layer` of PyTorch's `nn.LSTM` in an [`Lstm`](crate::recurrent::Lstm).
    #[must_use]
    pub fn lstm(self, ours: &str, theirs: &str, layer: usize) -> Self {
        [("input", "ih"), ("hidden", "hh")]
            .iter()
            .fold(self, |map, (part, name)| {
                let weight = format!("{theirs}.weight_{name}_l{layer}");
                map.transposed(&format!("{ours}.{part}.weight"), &weight)
                    .same(
                        &format!("{ours}.{part}.bias"),
                        &format!("{theirs}.bias_{name}_l{layer}"),
                    )
            })
    }

    /// [`linear`](Self::linear) of `from` features to `to` where the reference has a convolution of
    /// one step, its weight `[to, from, 1]`.
    #[must_use]
    pub fn pointwise(self, ours: &str, theirs: &str, [from, to]: [usize; 2]) -> Self {
        let (weight, shape) = (format!("{theirs}.weight"), vec![to, from, 1]);
        self.shaped(
            &format!("{ours}.weight"),
            &weight,
            Layout::Transposed,
            shape,
        )
        .same(&format!("{ours}.bias"), &format!("{theirs}.bias"))
    }

    /// A normalisation with scale and shift, `weight` and `bias` on both sides.
    #[must_use]
    pub fn norm(self, ours: &str, theirs: &str) -> Self {
        self.same(&format!("{ours}.weight"), &format!("{theirs}.weight"))
            .same(&format!("{ours}.bias"), &format!("{theirs}.bias"))
    }

    /// A batch normalisation: [`norm`](Self::norm), the running statistics, and the batch counter,
    /// which nothing reads.
    #[must_use]
    pub fn batch_norm(self, ours: &str, theirs: &str) -> Self {
        self.norm(ours, theirs)
            .same(
                &format!("{ours}.running_mean"),
                &format!("{theirs}.running_mean"),
            )
            .same(
                &format!("{ours}.running_var"),
                &format!("{theirs}.running_var"),
            )
            .ignore(&format!("{theirs}.num_batches_tracked"))
    }

    /// `alias` is another name of the reference's tensor `theirs` (a shared weight): it must hold
    /// the same values.
    ///
    /// # Panics
    /// If `theirs` has not been mapped before.
    #[must_use]
    pub fn alias(mut self, theirs: &str, alias: &str) -> Self {
        let part = self
            .entries
            .iter_mut()
            .flat_map(|entry| &mut entry.parts)
            .find(|part| part.names[0] == theirs);
        let Some(part) = part else {
            panic!("'{alias}' is an alias of '{theirs}', which is not mapped");
        };
        part.names.push(alias.into());
        self
    }

    /// The reference's `theirs` may be there and is left out.
    #[must_use]
    pub fn ignore(mut self, theirs: &str) -> Self {
        self.ignored.push(theirs.into());
        self
    }

    /// The same map for a module that is the field `field` (with a point at its end) of another.
    #[must_use]
    pub fn below(mut self, field: &str) -> Self {
        for entry in &mut self.entries {
            entry.ours.insert_str(0, field);
        }
        self
    }

    /// Whatever the reference has under names that begin with `prefix` may be there and is left out:
    /// layers that its code makes and never calls.
    #[must_use]
    pub fn ignore_below(mut self, prefix: &str) -> Self {
        self.ignored_below.push(prefix.into());
        self
    }

    /// `ours` has the values of the reference's `theirs` in their order, but there in another `shape`.
    #[must_use]
    pub fn reshaped(self, ours: &str, theirs: &str, shape: impl Into<Vec<usize>>) -> Self {
        self.shaped(ours, theirs, Layout::Same, shape.into())
    }

    /// `ours`, the weight `[G, D_in, D_out]` of a [`GroupedLinear`](crate::GroupedLinear), is the
    /// reference's `theirs`: transposed group by group, and there in another `shape` (that of a
    /// convolution with groups, `[G·D_out, D_in, 1]`, say).
    #[must_use]
    pub fn transposed_groups(self, ours: &str, theirs: &str, shape: impl Into<Vec<usize>>) -> Self {
        self.shaped(ours, theirs, Layout::TransposedGroups, shape.into())
    }

    /// `ours` has one row for each of the reference's tensors, which have this `shape` there: that of
    /// a row, but for axes of length 1.
    #[must_use]
    pub fn rows(
        self,
        ours: &str,
        theirs: impl IntoIterator<Item = String>,
        shape: impl Into<Vec<usize>>,
    ) -> Self {
        self.each(ours, theirs, Layout::Same, shape.into())
    }

    /// A [`GroupedLinear`](crate::GroupedLinear) from `[D_in, D_out]` each, whose groups are linear
    /// layers of their own in the reference.
    #[must_use]
    pub fn grouped_linear(
        self,
        ours: &str,
        theirs: impl IntoIterator<Item = String>,
        [from, to]: [usize; 2],
    ) -> Self {
        let theirs: Vec<String> = theirs.into_iter().collect();
        let names = |kind: &str| -> Vec<String> {
            let names = theirs.iter().map(|name| format!("{name}.{kind}"));
            names.collect()
        };
        let (weights, biases) = (names("weight"), names("bias"));
        let weight = format!("{ours}.weight");
        self.each(&weight, weights, Layout::TransposedGroups, vec![to, from])
            .rows(&format!("{ours}.bias"), biases, [to])
    }

    fn each(
        mut self,
        ours: &str,
        theirs: impl IntoIterator<Item = String>,
        layout: Layout,
        shape: Vec<usize>,
    ) -> Self {
        let parts = theirs.into_iter();
        let parts = parts.map(|name| Part::row(name, shape.clone())).collect();
        self.entries.push(Entry {
            ours: ours.into(),
            layout,
            parts,
        });
        self
    }

    fn shaped(mut self, ours: &str, theirs: &str, layout: Layout, shape: Vec<usize>) -> Self {
        self.entries.push(Entry {
            ours: ours.into(),
            layout,
            parts: vec![Part::shaped(theirs, shape)],
        });
        self
    }

    fn one(mut self, ours: &str, theirs: &str, layout: Layout) -> Self {
        let parts = vec![Part::whole(theirs)];
        self.entries.push(Entry {
            ours: ours.into(),
            layout,
            parts,
        });
        self
    }

    fn many(
        mut self,
        ours: &str,
        theirs: impl IntoIterator<Item = (String, usize)>,
        layout: Layout,
    ) -> Self {
        let parts = theirs.into_iter();
        let parts = parts.map(|(name, rows)| Part::rows(name, rows)).collect();
        self.entries.push(Entry {
            ours: ours.into(),
            layout,
            parts,
        });
        self
    }

    /// The reference's names, aliases included, in the order of ours.
    pub fn reference_names(&self) -> impl Iterator<Item = &str> {
        let parts = self.entries.iter().flat_map(|entry| &entry.parts);
        parts.flat_map(|part| part.names.iter().map(String::as_str))
    }

    /// A checkpoint of the reference as a state of ours, whose shapes are those of `like`.
    ///
    /// # Errors
    /// A weights error naming every tensor that is missing, left over or misshapen, by the
    /// reference's names.
    pub fn to_module(
        &self,
        reference: &StateDict,
        like: &StateDict,
    ) -> Result<StateDict, ForgeError> {
        let mut problems = vec![];
        let mut state = StateDict::default();
        for entry in &self.entries {
            let Some(shape) = like
                .tensors
                .get(&entry.ours)
                .map(|data| data.shape().to_vec())
            else {
                problems.push(format!(
                    "{} is mapped but not part of the module",
                    entry.ours
                ));
                continue;
            };
            if let Some(data) = entry.gather(&shape, reference, &mut problems) {
                state.tensors.insert(entry.ours.clone(), data);
            }
        }
        let mapped: BTreeSet<&str> = self.entries.iter().map(|e| e.ours.as_str()).collect();
        for name in like
            .tensors
            .keys()
            .filter(|name| !mapped.contains(name.as_str()))
        {
            problems.push(format!("{name} of the module is not mapped"));
        }
        let known: BTreeSet<&str> = self
            .reference_names()
            .chain(self.ignored.iter().map(String::as_str))
            .collect();
        let below = |name: &str| {
            self.ignored_below
                .iter()
                .any(|above| name.starts_with(above))
        };
        for name in reference
            .tensors
            .keys()
            .filter(|name| !known.contains(name.as_str()) && !below(name))
        {
            problems.push(format!("{name} is not part of the model"));
        }
        if problems.is_empty() {
            Ok(state)
        } else {
            Err(ForgeError::weights(problems.join("; ")))
        }
    }

    /// Tensors of ours under the reference's names and in its layout: a state to export, or
    /// gradients to compare. What is absent from `ours` is absent from the result.
    ///
    /// # Errors
    /// A weights error if a tensor does not have the shape that its parts need.
    pub fn to_reference(
        &self,
        ours: &BTreeMap<String, TensorData>,
    ) -> Result<BTreeMap<String, TensorData>, ForgeError> {
        let mut reference = BTreeMap::new();
        for entry in &self.entries {
            if let Some(data) = ours.get(&entry.ours) {
                entry.scatter(data, &mut reference)?;
            }
        }
        Ok(reference)
    }
}

struct ByPath<'a, F> {
    reference: &'a StateDict,
    theirs: F,
    map: KeyMap,
}

impl<F: Fn(&str) -> String> ParameterVisitor for ByPath<'_, F> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, _: &Param<Tensor<D>>) {
        let ours = path.join();
        let theirs = (self.theirs)(&ours);
        let layout = match D == 2 && path.holder() == "Linear" {
            true => Layout::Transposed,
            false => Layout::Same,
        };
        let mut part = Part::whole(&theirs);
        let found = self.reference.tensors.get(&theirs);
        part.squeezed_from = found.map(|data| data.shape().to_vec());
        self.map.entries.push(Entry {
            ours,
            layout,
            parts: vec![part],
        });
    }
}
