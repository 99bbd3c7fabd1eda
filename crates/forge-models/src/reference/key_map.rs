//! From the names and layouts of a reference implementation to ours, and back.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{DType, TensorData};
use forge_nn::{ForgeError, StateDict};

/// How a tensor of the reference lies in ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// The same.
    Same,
    /// PyTorch's `[out, in]` against Burn's `[in, out]`.
    Transposed,
}

/// A tensor of the reference, and how much of ours it fills.
#[derive(Debug, Clone)]
struct Part {
    /// Its name, then other names of the same tensor.
    names: Vec<String>,
    /// Rows of it; `None` where it is alone and so fills all of ours.
    rows: Option<usize>,
}

#[derive(Debug, Clone)]
struct Entry {
    ours: String,
    layout: Layout,
    parts: Vec<Part>,
}

/// Which tensor of a reference implementation is which of ours, in which layout.
///
/// Complete by construction: every tensor on either side is mapped, or loading fails and names it.
#[derive(Debug, Clone, Default)]
pub struct KeyMap {
    entries: Vec<Entry>,
    ignored: Vec<String>,
}

impl KeyMap {
    /// A map of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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

    fn one(mut self, ours: &str, theirs: &str, layout: Layout) -> Self {
        let parts = vec![Part {
            names: vec![theirs.into()],
            rows: None,
        }];
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
        let part = |(name, rows)| Part {
            names: vec![name],
            rows: Some(rows),
        };
        let parts = theirs.into_iter().map(part).collect();
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
        for name in reference
            .tensors
            .keys()
            .filter(|name| !known.contains(name.as_str()))
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

impl Entry {
    /// Our tensor of `shape`, out of the reference's.
    fn gather(
        &self,
        shape: &[usize],
        reference: &StateDict,
        problems: &mut Vec<String>,
    ) -> Option<TensorData> {
        let found_before = problems.len();
        let stacked = self.layout.of_reference(shape);
        let mut bytes = vec![];
        let mut dtype: Option<DType> = None;
        for part in &self.parts {
            let name = &part.names[0];
            let Some(data) = reference.tensors.get(name) else {
                problems.push(format!("{name} is missing"));
                continue;
            };
            let expected = part.shape(&stacked);
            if data.shape().as_slice() != expected {
                let found = data.shape().as_slice();
                problems.push(format!("{name} is {found:?}, expected {expected:?}"));
            }
            if !data.dtype().is_float() {
                problems.push(format!("{name} is {:?}, expected floats", data.dtype()));
            } else if *dtype.get_or_insert(data.dtype()) != data.dtype() {
                problems.push(format!(
                    "{name} is {:?}, its neighbours are not",
                    data.dtype()
                ));
            }
            for alias in &part.names[1..] {
                match reference.tensors.get(alias) {
                    Some(other) if other == data => {}
                    Some(_) => problems.push(format!("{alias} differs from {name}, its alias")),
                    None => problems.push(format!("{alias} is missing")),
                }
            }
            bytes.extend_from_slice(data.as_bytes());
        }
        if problems.len() > found_before {
            return None;
        }
        let data = TensorData::try_from_bytes_vec(bytes, stacked, dtype?);
        match data {
            Ok(data) => Some(self.layout.swap(data)),
            Err(e) => {
                problems.push(format!("{}: {e}", self.ours));
                None
            }
        }
    }

    /// Our tensor's parts, under the reference's names.
    fn scatter(
        &self,
        data: &TensorData,
        reference: &mut BTreeMap<String, TensorData>,
    ) -> Result<(), ForgeError> {
        let data = self.layout.swap(data.clone());
        let stacked = data.shape().to_vec();
        let mut rest = data.as_bytes();
        for part in &self.parts {
            let shape = part.shape(&stacked);
            let length = shape.iter().product::<usize>() * data.dtype().size();
            let wrong = || {
                let what = format!(
                    "{} is {stacked:?}, too small for {}",
                    self.ours, part.names[0]
                );
                ForgeError::weights(what)
            };
            let (bytes, after) = rest.split_at_checked(length).ok_or_else(wrong)?;
            rest = after;
            let data = TensorData::from_bytes_vec(bytes.to_vec(), shape, data.dtype());
            for name in &part.names {
                reference.insert(name.clone(), data.clone());
            }
        }
        if rest.is_empty() {
            Ok(())
        } else {
            let what = format!("{} is {stacked:?}, larger than its parts", self.ours);
            Err(ForgeError::weights(what))
        }
    }
}

impl Part {
    /// Its shape, where all parts together have the shape `stacked`.
    fn shape(&self, stacked: &[usize]) -> Vec<usize> {
        let mut shape = stacked.to_vec();
        if let (Some(rows), Some(first)) = (self.rows, shape.first_mut()) {
            *first = rows;
        }
        shape
    }
}

impl Layout {
    /// The shape in the reference of a tensor that has `shape` here.
    fn of_reference(self, shape: &[usize]) -> Vec<usize> {
        match self {
            Self::Same => shape.to_vec(),
            Self::Transposed => shape.iter().rev().copied().collect(),
        }
    }

    /// From one side to the other.
    fn swap(self, data: TensorData) -> TensorData {
        let &[rows, columns] = data.shape().as_slice() else {
            return data;
        };
        if self == Self::Same {
            return data;
        }
        let (size, dtype) = (data.dtype().size(), data.dtype());
        let bytes = data.as_bytes();
        let mut swapped = Vec::with_capacity(bytes.len());
        for column in 0..columns {
            for row in 0..rows {
                let start = (row * columns + column) * size;
                swapped.extend_from_slice(&bytes[start..start + size]);
            }
        }
        TensorData::from_bytes_vec(swapped, [columns, rows], dtype)
    }
}
