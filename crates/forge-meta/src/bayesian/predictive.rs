//! What a model that is unsure of its weights says of some rows.

use forge_nn::{ForgeError, check};
use forge_train::bisect;
use forge_train::distribution::{Normal, NormalInverseGamma, StudentT, log_mean_exp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Answer;

/// What a model says of `N` numbers (rows, or rows times targets), with the two parts of its doubt
/// apart.
///
/// It is an equal mixture of `M` answers. With `mₛ` and `vₛ` the mean and the variance of noise of
/// answer `s`, the law of total variance gives
///
/// - mean `m = 1/M Σ mₛ`;
/// - aleatoric variance `1/M Σ vₛ`, which no data would take away;
/// - epistemic variance `1/M Σ (mₛ - m)²`, which more data would make smaller, plus what answers tell
///   apart of their own (the Laplace approximation and evidential regression have one answer).
///
/// Kendall and Gal, arXiv 1703.04977, section 2.
///
/// ```
/// use forge_meta::bayesian::{Answer, Predictive};
///
/// let answer = |mean, noise| Answer { mean: vec![mean], noise: vec![noise] };
/// let said = Predictive::of_answers(&[answer(1.0, 0.5), answer(3.0, 1.5)])?;
/// assert_eq!((said.mean(), said.aleatoric(), said.epistemic()), (vec![2.0], vec![1.0], vec![1.0]));
/// assert!((said.quantile(0.5)?[0] - 1.7).abs() < 0.1);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Predictive {
    parts: Vec<Part>,
}

/// One answer: a normal distribution, or Student's t where `df` is there, for each number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) mean: Vec<f64>,
    pub(super) aleatoric: Vec<f64>,
    pub(super) epistemic: Vec<f64>,
    pub(super) df: Option<Vec<f64>>,
}

impl Predictive {
    /// From what each member, pass or draw of weights says.
    ///
    /// # Errors
    /// A config error for no answers; a shape error if they are not as long as each other; a training
    /// error for a number that is not finite or a variance below 0.
    pub fn of_answers(answers: &[Answer]) -> Result<Self, ForgeError> {
        check::at_least_one("answers", answers.len())?;
        let part = |answer: &Answer| Part {
            mean: answer.mean.clone(),
            aleatoric: answer.noise.clone(),
            epistemic: vec![0.0; answer.mean.len()],
            df: None,
        };
        Self::new(answers.iter().map(part).collect())
    }

    /// One normal distribution for each number, with its two variances.
    ///
    /// # Errors
    /// As [`of_answers`](Self::of_answers).
    pub fn gaussian(
        mean: Vec<f64>,
        aleatoric: Vec<f64>,
        epistemic: Vec<f64>,
    ) -> Result<Self, ForgeError> {
        Self::new(vec![Part {
            mean,
            aleatoric,
            epistemic,
            df: None,
        }])
    }

    /// Of evidential regression: Student's t with `2α` degrees of freedom, aleatoric variance
    /// `β/(α - 1)` and epistemic variance `β/(ν(α - 1))`, from `[γ, ν, α, β]` of each number. Amini et
    /// al., arXiv 1910.02600, eq. 5 and 9.
    ///
    /// # Errors
    /// A training error for a `ν` or `β` that is not above 0 or an `α` that is not above 1.
    pub fn evidential(evidence: &[[f64; 4]]) -> Result<Self, ForgeError> {
        for (row, [_, nu, alpha, beta]) in evidence.iter().enumerate() {
            if !(*nu > 0.0 && *beta > 0.0 && *alpha > 1.0) {
                return Err(ForgeError::training(format!(
                    "evidence of number {row}: nu = {nu}, alpha = {alpha}, beta = {beta}; nu and \
                     beta must be above 0, alpha above 1"
                )));
            }
        }
        let each = |f: fn(NormalInverseGamma) -> f64| {
            let of = |[mean, nu, alpha, beta]: &[f64; 4]| NormalInverseGamma {
                mean: *mean,
                nu: *nu,
                spare: alpha - 1.0,
                beta: *beta,
            };
            evidence.iter().map(of).map(f).collect::<Vec<_>>()
        };
        Self::new(vec![Part {
            mean: each(|said| said.mean),
            aleatoric: each(NormalInverseGamma::aleatoric),
            epistemic: each(NormalInverseGamma::epistemic),
            df: Some(each(NormalInverseGamma::df)),
        }])
    }

    pub(super) fn new(parts: Vec<Part>) -> Result<Self, ForgeError> {
        let n = parts.first().map_or(0, |part| part.mean.len());
        for (s, part) in parts.iter().enumerate() {
            let lengths = [part.mean.len(), part.aleatoric.len(), part.epistemic.len()];
            if lengths != [n; 3] {
                let what = format!("answer {s}: means and variances");
                return Err(ForgeError::shape(what, format!("{lengths:?}"), n));
            }
            let variances = part.aleatoric.iter().chain(&part.epistemic);
            let bad = variances.copied().find(|v| !(v.is_finite() && *v >= 0.0));
            let bad = bad.or_else(|| part.mean.iter().copied().find(|m| !m.is_finite()));
            if let Some(bad) = bad {
                return Err(ForgeError::training(format!(
                    "answer {s} has {bad}; means must be finite, variances finite and at least 0"
                )));
            }
        }
        Ok(Self { parts })
    }

    /// Whether every answer has a variance for every number, so that quantiles are those of targets
    /// and densities are there; without, they are of the means alone.
    #[must_use]
    pub fn has_noise(&self) -> bool {
        let noisy = |part: &Part| part.aleatoric.iter().all(|v| *v > 0.0);
        self.parts.iter().all(noisy)
    }

    /// How many numbers it is of, `N`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.first().map_or(0, |part| part.mean.len())
    }

    /// Whether it is of none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn average(&self, of: impl Fn(&Part, usize) -> f64) -> Vec<f64> {
        let m = self.parts.len() as f64;
        let at = |i| self.parts.iter().map(|part| of(part, i)).sum::<f64>() / m;
        (0..self.len()).map(at).collect()
    }

    /// Means `[N]`.
    #[must_use]
    pub fn mean(&self) -> Vec<f64> {
        self.average(|part, i| part.mean[i])
    }

    /// Variances of noise `[N]`; 0 where answers give none.
    #[must_use]
    pub fn aleatoric(&self) -> Vec<f64> {
        self.average(|part, i| part.aleatoric[i])
    }

    /// Variances of the means `[N]`.
    #[must_use]
    pub fn epistemic(&self) -> Vec<f64> {
        let mean = self.mean();
        self.average(|part, i| part.epistemic[i] + (part.mean[i] - mean[i]).powi(2))
    }

    /// Both together `[N]`.
    #[must_use]
    pub fn variance(&self) -> Vec<f64> {
        let both = self.aleatoric().into_iter().zip(self.epistemic());
        both.map(|(a, e)| a + e).collect()
    }

    /// Quantiles `q` of the mixture `[N]`, `0 < q < 1`.
    ///
    /// # Errors
    /// A config error for a `q` outside.
    pub fn quantile(&self, q: f64) -> Result<Vec<f64>, ForgeError> {
        if !(q > 0.0 && q < 1.0) {
            return Err(ForgeError::config("quantile", q, "above 0 and below 1"));
        }
        Ok((0..self.len()).map(|i| self.quantile_of(i, q)).collect())
    }

    fn quantile_of(&self, i: usize, q: f64) -> f64 {
        let of_each = self.parts.iter().map(|part| part.quantile(i, q));
        // The mixture's lies between those of its parts.
        let (low, high) = of_each.fold((f64::MAX, f64::MIN), |(low, high), at| {
            (low.min(at), high.max(at))
        });
        let m = self.parts.len() as f64;
        let below = |y: f64| self.parts.iter().map(|part| part.cdf(i, y)).sum::<f64>() / m;
        // A sum of M shares may fall short of q by rounding.
        let enough = q - 1e-12;
        if below(low) >= enough {
            return low;
        }
        let half = |low: f64, high: f64| 0.5 * (low + high);
        bisect(low, high, half, |y| below(y) < enough).1
    }

    /// `count` draws of each number `[count x N]`; the same for the same seed.
    #[must_use]
    pub fn samples(&self, count: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut draws = Vec::with_capacity(count * self.len());
        for _ in 0..count {
            // One answer for the whole draw: numbers of the same draw go together.
            let at = random.random_range(0..self.parts.len());
            for i in 0..self.len() {
                let u = random.random::<f64>().max(f64::MIN_POSITIVE);
                draws.push(self.parts[at].quantile(i, u));
            }
        }
        draws
    }

    /// The logarithm of the density at each of `target`, `[N]`: what likelihoods are compared by.
    ///
    /// # Errors
    /// A shape error for another number of targets; an unsupported error where an answer has no
    /// variance, so no density.
    pub fn ln_density(&self, target: &[f64]) -> Result<Vec<f64>, ForgeError> {
        if target.len() != self.len() {
            return Err(ForgeError::shape("targets", target.len(), self.len()));
        }
        let mut all = Vec::with_capacity(target.len());
        for (i, y) in target.iter().enumerate() {
            if self.parts.iter().any(|part| part.variance(i) <= 0.0) {
                return Err(ForgeError::unsupported(format!(
                    "number {i} has no noise, so no density; give the answers a variance of noise"
                )));
            }
            let each: Vec<f64> = self.parts.iter().map(|p| p.ln_density(i, *y)).collect();
            all.push(log_mean_exp(&each));
        }
        Ok(all)
    }
}

impl Part {
    fn variance(&self, i: usize) -> f64 {
        self.aleatoric[i] + self.epistemic[i]
    }

    fn student(&self, i: usize) -> Option<StudentT> {
        self.df.as_ref().map(|df| StudentT { df: df[i] })
    }

    /// What standard numbers are multiplied by.
    fn scale(&self, i: usize) -> f64 {
        let share = self.df.as_ref().map_or(1.0, |df| (df[i] - 2.0) / df[i]);
        (self.variance(i) * share).sqrt()
    }

    fn quantile(&self, i: usize, q: f64) -> f64 {
        let scale = self.scale(i);
        if scale == 0.0 {
            return self.mean[i];
        }
        let standard = self
            .student(i)
            .map_or_else(|| Normal.quantile(q), |t| t.quantile(q));
        self.mean[i] + scale * standard
    }

    fn cdf(&self, i: usize, y: f64) -> f64 {
        let (away, scale) = (y - self.mean[i], self.scale(i));
        if scale == 0.0 {
            return f64::from(u8::from(away >= 0.0));
        }
        let z = away / scale;
        self.student(i).map_or_else(|| Normal.cdf(z), |t| t.cdf(z))
    }

    fn ln_density(&self, i: usize, y: f64) -> f64 {
        let scale = self.scale(i);
        let z = (y - self.mean[i]) / scale;
        let standard = self
            .student(i)
            .map_or_else(|| Normal.ln_density(z), |t| t.ln_density(z));
        standard - scale.ln()
    }
}
