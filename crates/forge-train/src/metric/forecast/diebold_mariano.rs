//! Whether one forecast is better than another.

use forge_nn::ForgeError;

use crate::distribution::StudentT;

/// The test of Diebold and Mariano (1995) that two forecasts are equally good, with the correction
/// for small samples of Harvey, Leybourne and Newbold (1997).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DieboldMariano {
    /// The mean difference of losses, the first's less the second's: below 0 where the first is
    /// better.
    pub difference: f64,
    /// That over its standard error, corrected.
    pub statistic: f64,
    /// The probability of a difference as large if there were none, by Student's t with `n - 1`
    /// degrees of freedom.
    pub p_value: f64,
}

impl DieboldMariano {
    /// Of losses at the same times, for forecasts `horizon` steps ahead: errors of overlapping
    /// horizons are correlated up to `horizon - 1` times, which the standard error takes in
    /// (rectangular weights as in the papers; those of Newey and West where these give no positive
    /// variance).
    ///
    /// # Errors
    /// A shape error for lists of different lengths or fewer than three times; a config error for a
    /// horizon of 0 or more than there are times; a training error if all differences are equal.
    pub fn test(first: &[f64], second: &[f64], horizon: usize) -> Result<Self, ForgeError> {
        let n = first.len();
        if n != second.len() || n < 3 {
            let found = format!("{n} and {} losses", second.len());
            return Err(ForgeError::shape(
                "losses",
                found,
                "as many of both, at least 3",
            ));
        }
        forge_nn::check::in_range("horizon", horizon, 1..=n)?;
        let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        let mean = differences.iter().sum::<f64>() / n as f64;
        let covariance = |lag: usize| -> f64 {
            let pairs = differences.iter().zip(&differences[lag..]);
            pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n as f64
        };
        let sum = |weight: &dyn Fn(usize) -> f64| -> f64 {
            let lags = (1..horizon).map(|lag| 2.0 * weight(lag) * covariance(lag));
            covariance(0) + lags.sum::<f64>()
        };
        let mut variance = sum(&|_| 1.0);
        if variance <= 0.0 {
            variance = sum(&|lag| 1.0 - lag as f64 / horizon as f64);
        }
        if variance <= 0.0 || !variance.is_finite() {
            return Err(ForgeError::training(
                "the losses of both forecasts differ by the same at all times: there is nothing to \
                 test",
            ));
        }
        let (count, h) = (n as f64, horizon as f64);
        let correction = (count + 1.0 - 2.0 * h + h * (h - 1.0) / count) / count;
        let statistic = mean / (variance / count).sqrt() * correction.max(0.0).sqrt();
        let tail = StudentT { df: count - 1.0 }.cdf(-statistic.abs());
        Ok(Self {
            difference: mean,
            statistic,
            p_value: (2.0 * tail).min(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_t_test_of_paired_differences_at_one_step() -> Result<(), ForgeError> {
        let first = [1.0, 2.0, 4.0, 3.0, 5.0, 2.5];
        let second = [1.5, 1.0, 4.5, 3.5, 6.5, 4.0];
        let found = DieboldMariano::test(&first, &second, 1)?;
        // Student's paired test: the correction makes the variance that of n - 1.
        assert!(
            (found.difference + 0.583_333_333_333).abs() < 1e-10,
            "{found:?}"
        );
        assert!(
            (found.statistic + 1.557_479_558_2).abs() < 1e-9,
            "{found:?}"
        );
        assert!((found.p_value - 0.180_090_319_2).abs() < 1e-9, "{found:?}");
        let other = DieboldMariano::test(&second, &first, 1)?;
        assert!((other.statistic + found.statistic).abs() < 1e-12);
        Ok(())
    }

    #[test]
    fn what_cannot_be_tested_is_refused() {
        assert!(DieboldMariano::test(&[1.0, 2.0], &[1.0], 1).is_err());
        assert!(DieboldMariano::test(&[1.0, 2.0, 5.0], &[0.0, 1.0, 4.0], 1).is_err());
        assert!(DieboldMariano::test(&[1.0, 2.0, 5.0], &[0.0, 3.0, 1.0], 4).is_err());
    }
}
