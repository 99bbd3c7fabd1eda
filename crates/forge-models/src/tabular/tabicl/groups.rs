//! Which columns are read together.

use burn::tensor::{Int, Tensor, TensorData};
use forge_nn::ops::Axes;
use serde::{Deserialize, Serialize};

use super::switch::Switch;

/// Which columns are read together as one token. In a file `false`, `"same"` (or `true`) or
/// `"valid"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Switch", into = "Switch")]
pub enum ColumnGroups {
    /// Each column alone: the first version's.
    Alone,
    /// As many groups as columns: group `g` of `H` has columns `(g + 2^i) mod H`.
    Same,
    /// Consecutive columns, each in one group; the last group is filled up with zeros.
    Valid,
}

impl TryFrom<Switch> for ColumnGroups {
    type Error = String;

    fn try_from(switch: Switch) -> Result<Self, String> {
        match switch {
            Switch::On(false) => Ok(Self::Alone),
            Switch::On(true) => Ok(Self::Same),
            Switch::Word(word) => match word.as_str() {
                "same" => Ok(Self::Same),
                "valid" => Ok(Self::Valid),
                word => Err(format!(
                    "unknown column groups '{word}', expected false, \"same\" or \"valid\""
                )),
            },
        }
    }
}

impl From<ColumnGroups> for Switch {
    fn from(groups: ColumnGroups) -> Self {
        match groups {
            ColumnGroups::Alone => Self::On(false),
            ColumnGroups::Same => Self::word("same"),
            ColumnGroups::Valid => Self::word("valid"),
        }
    }
}

impl ColumnGroups {
    /// Columns of a group that is `size` wide at most.
    pub(super) fn width(self, size: usize) -> usize {
        match self {
            Self::Alone => 1,
            Self::Same | Self::Valid => size,
        }
    }

    /// The groups of the columns.
    ///
    /// # Shapes
    /// - x: `[N, H]`
    /// - output: `[G, N, width]`
    pub(super) fn of(self, x: Tensor<2>, size: usize) -> Tensor<3> {
        let [rows, columns] = x.dims();
        match self {
            Self::Alone => x.swapped(0, 1).unsqueeze_dim(2),
            Self::Same => {
                let member = |i: usize| {
                    // 2^i mod columns without the power, which would not fit any integer.
                    let shift = (0..i).fold(1 % columns, |shift, _| 2 * shift % columns);
                    let order = (0..columns).map(|group| ((group + shift) % columns) as i64);
                    let order = TensorData::new(order.collect::<Vec<_>>(), [columns]);
                    let order = Tensor::<1, Int>::from_data(order, &x.device());
                    x.clone().select(1, order).swapped(0, 1)
                };
                Tensor::stack((0..size).map(member).collect(), 2)
            }
            Self::Valid => {
                let groups = columns.div_ceil(size);
                let x = match groups * size - columns {
                    0 => x,
                    missing => x.pad((0, missing, 0, 0), 0.0),
                };
                x.reshape([rows, groups, size]).swapped(0, 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn groups(kind: ColumnGroups, size: usize) -> Vec<Vec<i64>> {
        let x = Tensor::<2>::from_data([[0.0, 1.0, 2.0, 3.0, 4.0]], &Device::flex());
        let groups = kind.of(x, size);
        let width = groups.dims()[2];
        let values: Vec<i64> = groups.into_data().iter::<i64>().collect();
        values.chunks(width).map(<[i64]>::to_vec).collect()
    }

    #[test]
    fn groups_are_those_of_the_reference() {
        assert_eq!(
            groups(ColumnGroups::Alone, 3),
            [[0], [1], [2], [3], [4]].map(|g| g.to_vec())
        );
        // Shifts of 1, 2 and 4, then 8, which is 3 columns on.
        let same = [
            [1, 2, 4, 3],
            [2, 3, 0, 4],
            [3, 4, 1, 0],
            [4, 0, 2, 1],
            [0, 1, 3, 2],
        ];
        assert_eq!(groups(ColumnGroups::Same, 4), same.map(|g| g.to_vec()));
        let valid = [[0, 1, 2], [3, 4, 0]].map(|g| g.to_vec());
        assert_eq!(groups(ColumnGroups::Valid, 3), valid);
        // One column is its own neighbour.
        let one = Tensor::<2>::from_data([[7.0]], &Device::flex());
        let alone = ColumnGroups::Same.of(one, 70);
        assert_eq!(alone.into_data().iter::<i64>().sum::<i64>(), 7 * 70);
    }
}
