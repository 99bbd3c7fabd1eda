//! How the values of one column of one series are scaled, and back.

use std::fmt::{self, Display};

use super::{Centre, SeriesTransform};

/// How the values of one column of one series are scaled, and back.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::series) struct ValueScale {
    pub(super) transform: SeriesTransform,
    pub(super) centre: Centre,
}

/// A value that a transform does not take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::series) struct OutOfDomain {
    value: f64,
    transform: SeriesTransform,
}

impl Display for OutOfDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, least, other) = match self.transform {
            SeriesTransform::Log1p => ("log1p", -1, "none"),
            SeriesTransform::Returns => ("a return", 0, "none, or log1p above -1"),
            _ => ("log", 0, "none, or log1p above -1"),
        };
        write!(
            f,
            "is {}, and {name} takes values above {least}: mend the cell, leave it empty, or choose \
             another transform for the column ({other})",
            self.value
        )
    }
}

impl ValueScale {
    /// The transformed value; for returns its logarithm.
    fn transformed(&self, value: f64) -> Result<f64, OutOfDomain> {
        let (argument, found) = match self.transform {
            SeriesTransform::None => return Ok(value),
            SeriesTransform::Log | SeriesTransform::Returns => (value, value.ln()),
            SeriesTransform::Log1p => (1.0 + value, value.ln_1p()),
        };
        // NaN is above nothing either.
        if argument > 0.0 {
            Ok(found)
        } else {
            let transform = self.transform;
            Err(OutOfDomain { value, transform })
        }
    }

    /// An input, scaled. `before` is the last value before it; without one there is no return.
    pub(in crate::series) fn input(
        &self,
        value: f64,
        before: Option<f64>,
    ) -> Result<Option<f64>, OutOfDomain> {
        let mut found = self.transformed(value)?;
        if self.transform == SeriesTransform::Returns {
            let Some(before) = before else {
                return Ok(None);
            };
            found -= self.transformed(before)?;
        }
        Ok(Some(self.centre.scale(found)))
    }

    /// A target `step` steps after `last`, scaled.
    pub(in crate::series) fn target(
        &self,
        value: f64,
        last: Option<f64>,
        step: usize,
    ) -> Result<Option<f64>, OutOfDomain> {
        if self.transform != SeriesTransform::Returns {
            return self.input(value, None);
        }
        let Some(last) = last else { return Ok(None) };
        let change = self.transformed(value)? - self.transformed(last)?;
        let h = step as f64;
        Ok(Some(
            (change - h * self.centre.centre) / (h.sqrt() * self.centre.spread),
        ))
    }

    /// The target that [`target`](Self::target) scales to `scaled`.
    pub(in crate::series) fn restore(&self, scaled: f64, last: f64, step: usize) -> f64 {
        let Centre { centre, spread } = self.centre;
        let value = scaled * spread + centre;
        match self.transform {
            SeriesTransform::None => value,
            SeriesTransform::Log => value.exp(),
            SeriesTransform::Log1p => value.exp_m1(),
            SeriesTransform::Returns => {
                let h = step as f64;
                last * (scaled * h.sqrt() * spread + h * centre).exp()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Centre, SeriesTransform, ValueScale};

    #[test]
    fn targets_come_back_in_their_own_unit() {
        for transform in [
            SeriesTransform::None,
            SeriesTransform::Log,
            SeriesTransform::Log1p,
            SeriesTransform::Returns,
        ] {
            let scale = ValueScale {
                transform,
                centre: Centre {
                    centre: 0.3,
                    spread: 0.7,
                },
            };
            for (value, last, step) in [(3.7, 2.0, 1), (0.02, 5.0, 7)] {
                let Ok(Some(scaled)) = scale.target(value, Some(last), step) else {
                    panic!("{value} is scaled");
                };
                let back = scale.restore(scaled, last, step);
                assert!((back / value - 1.0).abs() < 1e-12, "{transform:?} {back}");
            }
        }
    }

    #[test]
    fn what_a_transform_does_not_take_is_an_error() {
        let scale = |transform| ValueScale {
            transform,
            centre: Centre::default(),
        };
        assert!(scale(SeriesTransform::Log).input(0.0, None).is_err());
        assert!(scale(SeriesTransform::Log1p).input(-1.0, None).is_err());
        let returns = scale(SeriesTransform::Returns);
        assert!(returns.input(1.0, Some(-1.0)).is_err());
        assert_eq!(returns.input(1.0, None), Ok(None));
        assert!(returns.target(1.0, Some(-2.0), 1).is_err());
    }
}
