//! Where answers come from.

use forge_nn::{ForgeError, check};

use super::{Predictive, Swag, VariationalParams};
use crate::functional::Params;

/// What one member, pass or draw of weights says of `N` numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Means `[N]`.
    pub mean: Vec<f64>,
    /// Variances of noise around them `[N]`, 0 where the model gives none.
    pub noise: Vec<f64>,
}

impl Answer {
    /// Means with the same variance of noise for each.
    #[must_use]
    pub fn with_noise(mean: Vec<f64>, noise: f64) -> Self {
        let noise = vec![noise; mean.len()];
        Self { mean, noise }
    }
}

/// Anything that says how sure it is of what it says of an input `I`.
pub trait Posterior<I: ?Sized> {
    /// Means with both parts of their doubt.
    ///
    /// # Errors
    /// What the model's own pass gives, and as [`Predictive::of_answers`].
    fn predictive(&self, input: &I) -> Result<Predictive, ForgeError>;
}

/// Of at least two answers, `count` of `what`.
fn of_several(
    what: &str,
    count: usize,
    answers: impl Iterator<Item = Result<Answer, ForgeError>>,
) -> Result<Predictive, ForgeError> {
    check::in_range(what, count, 2..)?;
    Predictive::of_answers(&answers.collect::<Result<Vec<_>, _>>()?)
}

/// The same module asked several times, each time with other draws of its own: Monte-Carlo dropout
/// (in [`Mode::Sample`](forge_nn::Mode::Sample)) and networks of
/// [`BayesianLinear`](super::BayesianLinear).
#[derive(Debug, Clone)]
pub struct Passes<F> {
    /// How many, at least 2.
    pub passes: usize,
    /// Of the first pass; each next has the next number.
    pub seed: u64,
    /// One pass, given its seed (for `device.seed`).
    pub forward: F,
}

impl<I: ?Sized, F: Fn(&I, u64) -> Result<Answer, ForgeError>> Posterior<I> for Passes<F> {
    fn predictive(&self, input: &I) -> Result<Predictive, ForgeError> {
        let seeds = (0..self.passes as u64).map(|pass| self.seed.wrapping_add(pass));
        of_several(
            "passes",
            self.passes,
            seeds.map(|seed| (self.forward)(input, seed)),
        )
    }
}

/// Several modules trained apart. Lakshminarayanan et al., arXiv 1612.01474.
#[derive(Debug, Clone)]
pub struct DeepEnsemble<'a, M, F> {
    /// The modules, at least 2.
    pub members: &'a [M],
    /// What one of them says.
    pub forward: F,
}

impl<I: ?Sized, M, F: Fn(&M, &I) -> Result<Answer, ForgeError>> Posterior<I>
    for DeepEnsemble<'_, M, F>
{
    fn predictive(&self, input: &I) -> Result<Predictive, ForgeError> {
        let members = self.members.iter();
        let each = members.map(|member| (self.forward)(member, input));
        of_several("members", self.members.len(), each)
    }
}

/// A distribution of a module's weights that can be drawn from.
pub trait WeightDraws {
    /// Weights; the same for the same seed.
    ///
    /// # Errors
    /// What the distribution gives when it cannot be drawn from yet.
    fn draw(&self, seed: u64) -> Result<Params, ForgeError>;
}

impl WeightDraws for Swag {
    fn draw(&self, seed: u64) -> Result<Params, ForgeError> {
        self.sample(seed)
    }
}

impl WeightDraws for VariationalParams {
    fn draw(&self, seed: u64) -> Result<Params, ForgeError> {
        self.sample(seed)
    }
}

/// Weights drawn from a distribution, [`Swag`] or [`VariationalParams`], and a pass with each draw.
#[derive(Debug, Clone)]
pub struct DrawnWeights<'a, W, F> {
    /// The distribution.
    pub weights: &'a W,
    /// How many draws, at least 2.
    pub draws: usize,
    /// Of the first draw; each next has the next number.
    pub seed: u64,
    /// What the module says with the weights drawn.
    pub forward: F,
}

impl<I: ?Sized, W: WeightDraws, F: Fn(&Params, &I) -> Result<Answer, ForgeError>> Posterior<I>
    for DrawnWeights<'_, W, F>
{
    fn predictive(&self, input: &I) -> Result<Predictive, ForgeError> {
        let seeds = (0..self.draws as u64).map(|draw| self.seed.wrapping_add(draw));
        let each = seeds.map(|seed| (self.forward)(&self.weights.draw(seed)?, input));
        of_several("draws", self.draws, each)
    }
}

/// A network that gives the evidence `[γ, ν, α, β]` of each number.
#[derive(Debug, Clone)]
pub struct EvidentialNetwork<F> {
    /// One pass.
    pub forward: F,
}

impl<I: ?Sized, F: Fn(&I) -> Result<Vec<[f64; 4]>, ForgeError>> Posterior<I>
    for EvidentialNetwork<F>
{
    fn predictive(&self, input: &I) -> Result<Predictive, ForgeError> {
        Predictive::evidential(&(self.forward)(input)?)
    }
}
