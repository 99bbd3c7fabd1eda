//! Small categories as numbers.

use burn::tensor::{Bool, DType, Int, Tensor, TensorData};

/// Categories of few codes as columns of 0 and ±1. Code 0, the unknown one, is the zero vector; of
/// three codes the other two are +1 and -1 in one column; two codes are -1 and +1; of more codes each
/// but the first has a column of its own.
///
/// Holzmüller et al. 2024 (arXiv 2407.04491), section 3, as in `pytabkit` 1.7.3.
#[derive(Debug, Clone)]
pub struct OneHot {
    /// For every column: the feature that it is of, the code that is +1, and the one that is -1 or
    /// else -1, which no code is.
    columns: Vec<[i64; 3]>,
}

impl OneHot {
    /// For features at these positions with so many codes.
    pub(super) fn new(features: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let columns = features.into_iter().flat_map(|(at, codes)| {
            let at = at as i64;
            match codes {
                2 => vec![[at, 1, 0]],
                3 => vec![[at, 1, 2]],
                _ => (1..codes as i64).map(|code| [at, code, -1]).collect(),
            }
        });
        Self {
            columns: columns.collect(),
        }
    }

    /// Columns that a feature of so many codes becomes.
    pub(super) fn width_of(codes: usize) -> usize {
        match codes {
            2 | 3 => 1,
            codes => codes.saturating_sub(1),
        }
    }

    /// Number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// # Shapes
    /// - codes: `[B, F]`, all features
    /// - output: `[B, D]`, `D` at least 1
    pub fn forward(&self, codes: Tensor<2, Int>, dtype: DType) -> Tensor<2> {
        let device = codes.device();
        let part = |i: usize| {
            let values: Vec<i64> = self.columns.iter().map(|column| column[i]).collect();
            TensorData::new(values, [self.columns.len()])
        };
        let row = |i| Tensor::<1, Int>::from_data(part(i), &device);
        let codes = codes.select(1, row(0));
        let [rows, width] = codes.dims();
        let is = |i| -> Tensor<2, Bool> {
            let expected = row(i).reshape([1, width]).expand([rows, width]);
            codes.clone().equal(expected)
        };
        let number = |found: Tensor<2, Bool>| found.float().cast(dtype);
        number(is(1)) - number(is(2))
    }
}
