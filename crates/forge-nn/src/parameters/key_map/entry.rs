//! One tensor of ours, and the reference's that it is made of.

use std::collections::BTreeMap;

use burn::tensor::{DType, TensorData};

use crate::{ForgeError, StateDict};

/// How a tensor of the reference lies in ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// The same.
    Same,
    /// PyTorch's `[out, in]` against Burn's `[in, out]`.
    Transposed,
    /// `[G, out, in]` against `[G, in, out]`.
    TransposedGroups,
}

/// A tensor of the reference, and how much of ours it fills.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Its name, then other names of the same tensor.
    pub(super) names: Vec<String>,
    /// Rows of it; `None` where it is alone and so fills all of ours.
    rows: Option<usize>,
    /// Its shape, where it may have other axes of length 1 than ours.
    pub(super) squeezed_from: Option<Vec<usize>>,
    /// Its shape, where that is another one of as many elements.
    reshaped_from: Option<Vec<usize>>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) ours: String,
    pub(super) layout: Layout,
    pub(super) parts: Vec<Part>,
}

impl Entry {
    /// Our tensor of `shape`, out of the reference's.
    pub(super) fn gather(
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
    pub(super) fn scatter(
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
    /// All of a tensor of ours.
    pub(super) fn whole(name: &str) -> Self {
        Self {
            names: vec![name.into()],
            rows: None,
            squeezed_from: None,
            reshaped_from: None,
        }
    }

    /// All of a tensor of ours, in another shape.
    pub(super) fn shaped(name: &str, shape: Vec<usize>) -> Self {
        Self {
            reshaped_from: Some(shape),
            ..Self::whole(name)
        }
    }

    /// That many rows of a tensor of ours.
    pub(super) fn rows(name: String, rows: usize) -> Self {
        Self {
            names: vec![name],
            rows: Some(rows),
            squeezed_from: None,
            reshaped_from: None,
        }
    }

    /// One row of a tensor of ours, in another shape.
    pub(super) fn row(name: String, shape: Vec<usize>) -> Self {
        Self {
            squeezed_from: Some(shape),
            ..Self::rows(name, 1)
        }
    }

    /// Its shape, where all parts together have the shape `stacked`.
    fn shape(&self, stacked: &[usize]) -> Vec<usize> {
        let mut shape = stacked.to_vec();
        if let (Some(rows), Some(first)) = (self.rows, shape.first_mut()) {
            *first = rows;
        }
        if let Some(theirs) = &self.reshaped_from {
            let [found, expected] = [theirs, &shape].map(|shape| shape.iter().product::<usize>());
            // One of another size is reported as it stands here.
            return if found == expected {
                theirs.clone()
            } else {
                shape
            };
        }
        let long = |shape: &[usize]| -> Vec<usize> {
            let lengths = shape.iter().copied();
            lengths.filter(|&length| length != 1).collect()
        };
        match &self.squeezed_from {
            Some(theirs) if long(theirs) == long(&shape) => theirs.clone(),
            _ => shape,
        }
    }
}

impl Layout {
    /// The shape in the reference of a tensor that has `shape` here.
    fn of_reference(self, shape: &[usize]) -> Vec<usize> {
        match self {
            Self::Same => shape.to_vec(),
            Self::Transposed => shape.iter().rev().copied().collect(),
            Self::TransposedGroups => match *shape {
                [groups, rows, columns] => vec![groups, columns, rows],
                _ => shape.to_vec(),
            },
        }
    }

    /// From one side to the other.
    fn swap(self, data: TensorData) -> TensorData {
        let (groups, rows, columns) = match (self, data.shape().as_slice()) {
            (Self::Transposed, &[rows, columns]) => (1, rows, columns),
            (Self::TransposedGroups, &[groups, rows, columns]) => (groups, rows, columns),
            _ => return data,
        };
        let (size, dtype) = (data.dtype().size(), data.dtype());
        let bytes = data.as_bytes();
        let mut swapped = Vec::with_capacity(bytes.len());
        for group in 0..groups {
            for column in 0..columns {
                for row in 0..rows {
                    let start = ((group * rows + row) * columns + column) * size;
                    swapped.extend_from_slice(&bytes[start..start + size]);
                }
            }
        }
        let shape = match self {
            Self::TransposedGroups => vec![groups, columns, rows],
            _ => vec![columns, rows],
        };
        TensorData::from_bytes_vec(swapped, shape, dtype)
    }
}
