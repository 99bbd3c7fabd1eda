//! How much smaller a student is.

use forge_nn::{ForgeError, check};

/// The rule by which a [student](crate::ModelConfig::student)'s sizes follow from its teacher's.
///
/// Widths are multiplied by the factor and rounded down, depths are multiplied and rounded up;
/// nothing falls below 1. A width that has to be a multiple of something (the number of heads)
/// becomes the multiple below, and that something stays as it is. What depends on the table (columns,
/// codes, outputs) and rates stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrink {
    factor: f64,
}

impl Shrink {
    /// By a factor above 0 and below 1.
    ///
    /// # Errors
    /// A config error for one that is not.
    pub fn by(factor: f64) -> Result<Self, ForgeError> {
        check::positive("factor", factor)?;
        check::in_range("factor", factor, ..1.0)?;
        Ok(Self { factor })
    }

    /// A width.
    #[must_use]
    pub fn width(self, width: usize) -> usize {
        self.width_of(width, 1)
    }

    /// A width that is a multiple of `unit`, and shall stay one.
    #[must_use]
    pub fn width_of(self, width: usize, unit: usize) -> usize {
        let unit = unit.max(1);
        // `as` truncates and saturates.
        let units = (width as f64 * self.factor) as usize / unit;
        units.max(1) * unit
    }

    /// A number of layers; none stay none.
    #[must_use]
    pub fn depth(self, depth: usize) -> usize {
        if depth == 0 {
            return 0;
        }
        ((depth as f64 * self.factor).ceil() as usize).max(1)
    }

    /// The layers of each part of a stack.
    #[must_use]
    pub fn depths(self, depths: &[usize]) -> Vec<usize> {
        depths.iter().map(|depth| self.depth(*depth)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_round_down_to_what_divides_them_and_depths_up() -> Result<(), ForgeError> {
        let half = Shrink::by(0.5)?;
        assert_eq!((half.width(7), half.width(1)), (3, 1));
        assert_eq!((half.width_of(24, 8), half.width_of(8, 8)), (8, 8));
        assert_eq!((half.depth(3), half.depth(1), half.depth(0)), (2, 1, 0));
        assert_eq!(half.depths(&[4, 1]), [2, 1]);
        assert_eq!(Shrink::by(0.9)?.width(3), 2);
        Ok(())
    }

    #[test]
    fn factors_that_do_not_shrink_are_refused() {
        for factor in [0.0, 1.0, -0.5, 2.0, f64::NAN, f64::INFINITY] {
            let error = Shrink::by(factor).err().map(|e| e.to_string());
            assert!(error.is_some_and(|e| e.contains("factor")), "{factor}");
        }
    }
}
