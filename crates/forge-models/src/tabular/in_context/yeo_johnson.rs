//! A power transform towards a normal distribution.

/// Where the exponent is looked for.
const RANGE: (f64, f64) = (-20.0, 20.0);
/// Steps of the search; each keeps 62 % of what is left.
const STEPS: usize = 100;

/// Yeo and Johnson 2000, with the exponent of the largest likelihood, then standardised: as
/// scikit-learn's `PowerTransformer`. NaN does not count and stays.
#[derive(Debug, Clone, Copy)]
pub(in crate::tabular) struct YeoJohnson {
    exponent: f64,
    mean: f64,
    scale: f64,
}

impl YeoJohnson {
    pub(in crate::tabular) fn fit(values: &[f64]) -> Self {
        let values: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        let exponent = largest(|exponent| likelihood(&values, exponent));
        let powers: Vec<f64> = values.iter().map(|x| power(*x, exponent)).collect();
        let (mean, variance) = moments(&powers);
        Self {
            exponent,
            mean,
            // A column that is constant now is left as it is.
            scale: if variance > 0.0 { variance.sqrt() } else { 1.0 },
        }
    }

    pub(in crate::tabular) fn apply(&self, x: f64) -> f64 {
        (power(x, self.exponent) - self.mean) / self.scale
    }

    /// What [`apply`](Self::apply) makes `y`; NaN or infinity where nothing does.
    pub(in crate::tabular) fn invert(&self, y: f64) -> f64 {
        let y = y.mul_add(self.scale, self.mean);
        // `e z + 1 = (|x| + 1)^e` by its logarithm.
        let of = |z: f64, e: f64| {
            if e == 0.0 {
                z.exp_m1()
            } else {
                ((e * z).ln_1p() / e).exp_m1()
            }
        };
        if y >= 0.0 {
            of(y, self.exponent)
        } else {
            -of(-y, 2.0 - self.exponent)
        }
    }
}

fn power(x: f64, exponent: f64) -> f64 {
    // `(y^e - 1) / e` by its logarithm, which stays exact where e is next to 0.
    let of = |log: f64, e: f64| {
        if e == 0.0 {
            log
        } else {
            (e * log).exp_m1() / e
        }
    };
    if x >= 0.0 {
        of(x.ln_1p(), exponent)
    } else {
        -of((-x).ln_1p(), 2.0 - exponent)
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|x| (x - mean).powi(2));
    (mean, squares.sum::<f64>() / count)
}

fn likelihood(values: &[f64], exponent: f64) -> f64 {
    let powers: Vec<f64> = values.iter().map(|x| power(*x, exponent)).collect();
    let (_, variance) = moments(&powers);
    let logs = values.iter().map(|x| x.signum() * x.abs().ln_1p());
    let likelihood =
        (exponent - 1.0) * logs.sum::<f64>() - values.len() as f64 / 2.0 * variance.ln();
    // A transform to a constant is not a transform.
    if likelihood.is_finite() {
        likelihood
    } else {
        f64::NEG_INFINITY
    }
}

/// Golden-section search.
fn largest(of: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = RANGE;
    let mut left = high - ratio * (high - low);
    let mut right = low + ratio * (high - low);
    let (mut at_left, mut at_right) = (of(left), of(right));
    for _ in 0..STEPS {
        if at_left > at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = of(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = of(right);
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverting_leads_back() {
        for shape in [1.0, 3.0, -2.0] {
            let values: Vec<f64> = (0..30)
                .map(|i| (f64::from(i * 7 % 30) / 10.0 - 1.0).exp() * shape)
                .collect();
            let fitted = YeoJohnson::fit(&values);
            for x in values {
                let back = fitted.invert(fitted.apply(x));
                assert!((back - x).abs() < 1e-9 * x.abs().max(1.0), "{x} {back}");
            }
            assert!(fitted.apply(f64::NAN).is_nan());
        }
    }
}
