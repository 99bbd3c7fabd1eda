//! Named arrays of what a model looks at.

/// What a forecaster looks at, on average over windows and networks.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Windows that it is the mean of.
    pub windows: usize,
    /// What the model shows, by name: docs/forecasting.md has the list.
    pub arrays: Vec<NamedArray>,
}

/// Numbers whose places have names.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedArray {
    /// What they are.
    pub name: String,
    /// The names of the places along each axis. Steps are counted from the last known one: `-3`, `0`,
    /// `+1`.
    pub axes: Vec<Vec<String>>,
    /// The numbers, the last axis first to change.
    pub values: Vec<f32>,
}

impl Explanation {
    /// The array of this name.
    #[must_use]
    pub fn array(&self, name: &str) -> Option<&NamedArray> {
        self.arrays.iter().find(|array| array.name == name)
    }
}

impl NamedArray {
    /// Places along each axis.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(Vec::len).collect()
    }

    /// The mean over the first axis.
    #[cfg(feature = "experiment")]
    pub(super) fn mean_of_first(&self) -> Self {
        let first = self.axes.first().map_or(1, Vec::len).max(1);
        let size = self.values.len() / first;
        let mut values = vec![0.0; size];
        for part in self.values.chunks_exact(size.max(1)) {
            values
                .iter_mut()
                .zip(part)
                .for_each(|(sum, v)| *sum += v / first as f32);
        }
        Self {
            name: self.name.clone(),
            axes: self.axes.iter().skip(1).cloned().collect(),
            values,
        }
    }
}
