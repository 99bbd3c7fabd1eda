//! A distribution per target.

use std::str::FromStr;

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::outputs::{Outputs, check_scales, softplus};
use super::slot_scores::{check_rows, slot_scores, wrong_kind};
use super::{Objective, Predictions, Scale, Targets, view};
use crate::distribution::{Normal, StudentT};
use crate::loss::{gaussian_nll, softplus as tensor_softplus, student_t_nll};
use crate::metric::{RegressionMetrics, Scores};

/// The smallest scale that can be predicted, in standardised units: without it, rows that a model
/// knows by heart would pull the likelihood to infinity.
const SCALE_FLOOR: f64 = 1e-4;

/// `softplus` of this is 1: an output of 0 is the scale 1, the spread of a standardised target.
const SCALE_START: f64 = 0.541_324_854_612_918;

/// The fewest degrees of freedom: at 2 the variance is infinite, here it is 201 times the scale's
/// square.
const DF_FLOOR: f64 = 2.01;

/// An output of 0 is about 5 degrees of freedom.
const DF_START: f64 = 3.0;

/// Which distribution is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Normal: mean and scale.
    #[default]
    Gaussian,
    /// Student's t: location, scale and degrees of freedom above 2. For targets with outliers.
    StudentT,
}

/// Predicts a distribution for every target column by maximum likelihood.
///
/// Of the outputs of a slot, the first is the mean `m`; the second gives the scale,
/// `s = softplus(o₁ + 0.5413) + 10⁻⁴` (1 at an output of 0); for Student's t the third gives the
/// degrees of freedom, `ν = softplus(o₂ + 3) + 2.01` (about 5 at 0). Softplus for scale and degrees
/// is what DeepAR does (Salinas et al. 2020); offsets and floors are ours. `m` and `s` are on the
/// standardised scale, on which the loss is the negative log likelihood; [`decode`](Objective::decode)
/// brings them to the target's units, where scores are computed.
///
/// Scores: `nll` (negative log likelihood, with `ln` of the units), `crps` (continuous ranked
/// probability score, closed form for both families), `rmse`, `mae`, `r2` of the mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Distribution {
    /// Which. Default: Gaussian.
    pub family: Family,
    /// Number of target columns, `S`; set by [`fit`](Objective::fit). Default 1.
    pub targets: usize,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            family: Family::default(),
            targets: 1,
        }
    }
}

impl Family {
    /// Outputs per target.
    fn width(self) -> usize {
        match self {
            Self::Gaussian => 2,
            Self::StudentT => 3,
        }
    }

    /// The quantile `q` of the distribution with this mean and standard deviation.
    pub(super) fn quantile(self, q: f64, mean: f64, std: f64, df: Option<f64>) -> f64 {
        match df {
            Some(df) => StudentT { df }.quantile(q).mul_add(t_scale(std, df), mean),
            None => Normal.quantile(q).mul_add(std, mean),
        }
    }

    /// Negative log likelihood and CRPS of `y`.
    fn scores(self, y: f64, mean: f64, std: f64, df: Option<f64>) -> (f64, f64) {
        match df {
            Some(df) => {
                let (t, s) = (StudentT { df }, t_scale(std, df));
                let z = (y - mean) / s;
                (s.ln() - t.ln_density(z), s * t.crps(z))
            }
            None => {
                let z = (y - mean) / std;
                (std.ln() - Normal.ln_density(z), std * Normal.crps(z))
            }
        }
    }
}

/// The scale of Student's t with this standard deviation.
fn t_scale(std: f64, df: f64) -> f64 {
    std * ((df - 2.0) / df).sqrt()
}

impl Objective for Distribution {
    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("objective.targets", self.targets)
    }

    fn slots(&self) -> usize {
        self.targets
    }

    fn width(&self) -> usize {
        self.family.width()
    }

    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError> {
        self.targets = target.slots();
        self.validate()
    }

    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let (y, target) = view::slots(y, target, self.targets, self.width());
        let mean = view::output(&y, 0);
        let scale = tensor_softplus(view::output(&y, 1).add_scalar(SCALE_START));
        let scale = scale.add_scalar(SCALE_FLOOR);
        view::mean_over_slots(match self.family {
            Family::Gaussian => gaussian_nll(mean, scale, target),
            Family::StudentT => {
                let df = tensor_softplus(view::output(&y, 2).add_scalar(DF_START));
                student_t_nll(mean, scale, df.add_scalar(DF_FLOOR), target)
            }
        })
    }

    fn decode(&self, outputs: &[f64], scales: &[Scale]) -> Result<Predictions, ForgeError> {
        check_scales(scales, self.targets)?;
        let outputs = Outputs::new(outputs, self.targets, self.width())?;
        let (mut mean, mut std, mut df) = (Vec::new(), Vec::new(), Vec::new());
        for (slot, y) in outputs.slots() {
            mean.push(scales[slot].restore(y[0]));
            let scale = scales[slot].scale * (softplus(y[1] + SCALE_START) + SCALE_FLOOR);
            match self.family {
                Family::Gaussian => std.push(scale),
                Family::StudentT => {
                    let n = softplus(y[2] + DF_START) + DF_FLOOR;
                    std.push(scale * (n / (n - 2.0)).sqrt());
                    df.push(n);
                }
            }
        }
        Ok(Predictions::Distribution {
            slots: self.targets,
            family: self.family,
            mean,
            std,
            df,
        })
    }

    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError> {
        let Predictions::Distribution {
            family,
            mean,
            std,
            df,
            ..
        } = pred
        else {
            return Err(wrong_kind(pred, "distributions"));
        };
        check_rows(pred, target, self.targets)?;
        slot_scores(self.targets, |slot| {
            let truth = target.column(slot);
            let point = RegressionMetrics::compute(&pred.point_of(slot), &truth)?;
            let (mut nll, mut crps) = (0.0, 0.0);
            for (row, y) in truth.iter().enumerate() {
                let at = row * self.targets + slot;
                let (l, c) = family.scores(*y, mean[at], std[at], df.get(at).copied());
                nll += l / truth.len() as f64;
                crps += c / truth.len() as f64;
            }
            let scores = Scores::new().minimize("nll", nll).minimize("crps", crps);
            Ok(point.after(scores))
        })
    }
}

impl FromStr for Family {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, ForgeError> {
        match text {
            "gaussian" => Ok(Self::Gaussian),
            "student_t" => Ok(Self::StudentT),
            _ => {
                let allowed = "gaussian or student_t";
                Err(ForgeError::config("objective.family", text, allowed))
            }
        }
    }
}
