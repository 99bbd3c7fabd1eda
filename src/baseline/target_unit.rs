//! The target as baselines see it.

/// Centre and spread of a target. Baselines see it standardised, so that what they do does not hang on
/// the unit that it is measured in: `iv`, `1e20 iv` and `1e-20 iv` give the same predictions, each in
/// its unit.
///
/// All is kept as parts of the largest value, whose square need not be a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct TargetUnit {
    largest: f64,
    mean: f64,
    std: f64,
}

impl TargetUnit {
    /// Of finite values. A target without spread has the spread 1 here.
    pub(super) fn of(values: &[f64]) -> Self {
        let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let n = values.len().max(1) as f64;
        let mean = values.iter().map(|v| v / largest).sum::<f64>() / n;
        let squares = values.iter().map(|v| (v / largest - mean).powi(2));
        let std = (squares.sum::<f64>() / n).sqrt();
        Self {
            largest,
            mean,
            std: if std > 0.0 { std } else { 1.0 },
        }
    }

    /// Mean 0 and standard deviation 1.
    pub(super) fn standardised(&self, values: &[f64]) -> Vec<f64> {
        let one = |v: &f64| (v / self.largest - self.mean) / self.std;
        values.iter().map(one).collect()
    }

    /// A standardised value in the target's unit.
    pub(super) fn value(&self, standardised: f64) -> f64 {
        (standardised * self.std + self.mean) * self.largest
    }

    /// A difference of standardised values in the target's unit.
    pub(super) fn difference(&self, standardised: f64) -> f64 {
        standardised * self.std * self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_whatever_the_unit() {
        let values = [0.2, 0.25, -0.1, 0.4];
        for unit in [1e-300, 1e-20, 1.0, 1e20, 1e200, 1e307] {
            let scaled = values.map(|v| v * unit);
            let of = TargetUnit::of(&scaled);
            let z = of.standardised(&scaled);
            let square = z.iter().map(|z| z * z).sum::<f64>() / 4.0;
            assert!((square - 1.0).abs() < 1e-12, "{unit:e}: {z:?}");
            for (z, v) in z.iter().zip(scaled) {
                assert!((of.value(*z) / v - 1.0).abs() < 1e-14, "{unit:e}: {v:e}");
            }
            let step = of.difference(z[1] - z[0]) / unit;
            assert!((step - 0.05).abs() < 1e-14, "{unit:e}: {step}");
        }
    }

    #[test]
    fn a_constant_is_its_own_mean() {
        for constant in [0.0, 0.2, -3e200] {
            let of = TargetUnit::of(&[constant; 7]);
            assert_eq!(of.standardised(&[constant; 7]), [0.0; 7]);
            assert_eq!(of.value(0.0), constant);
        }
    }
}
