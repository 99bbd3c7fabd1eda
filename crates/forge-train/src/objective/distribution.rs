//! A distribution per target.

use std::str::FromStr;

use burn::tensor::{Tensor, TensorData};
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::evidential_head::{evidence, said};
use super::outputs::{Outputs, check_scales, softplus};
use super::slot_scores::{check_rows, slot_scores, wrong_kind};
use super::taught::{self, POINTS};
use super::{EvidenceWeight, Objective, Predictions, RowLosses, Scale, Targets, view};
use crate::distribution::{Normal, StudentT};
use crate::is_default::is_default;
use crate::loss::{
    DistributionLoss, beta_nll, gaussian_crps, gaussian_nll, softplus as tensor_softplus,
    student_t_nll,
};
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
    /// Student's t as what evidence for a mean and a variance says of the target, so that the spread is
    /// told apart into the mean's own and the target's: mean, evidence `ν`, `α`, `β`.
    Evidential,
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
/// Evidential regression (Amini et al. 2020) has four outputs, `γ`, and softplus of the others as `ν`,
/// `α - 1`, `β`, with floors of ours (1e-4, 0.005, 1e-8). Its loss is [`Evidence::nll`] plus `λ` times
/// [`Evidence::regulariser`]; predictions have Student's t of the evidence, and their spread in two
/// parts ([`Predictions::aleatoric`], [`Predictions::epistemic`]).
///
/// [`Evidence::nll`]: crate::loss::Evidence::nll
/// [`Evidence::regulariser`]: crate::loss::Evidence::regulariser
///
/// Scores: `nll` (negative log likelihood, with `ln` of the units), `crps` (continuous ranked
/// probability score, closed form for both families), `rmse`, `mae`, `r2` of the mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Distribution {
    /// Which. Default: Gaussian.
    pub family: Family,
    /// What training minimises. Default: the negative log likelihood. The others are for the normal
    /// distribution.
    #[serde(skip_serializing_if = "is_default")]
    pub loss: DistributionLoss,
    /// The factor `λ` of evidential regression; absent: 0.01. Absent for the other families.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_weight: Option<EvidenceWeight>,
    /// Number of target columns, `S`; set by [`fit`](Objective::fit). Default 1.
    pub targets: usize,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            family: Family::default(),
            loss: DistributionLoss::default(),
            evidence_weight: None,
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
            Self::Evidential => 4,
        }
    }

    /// The quantile `q` of the distribution with this mean and standard deviation.
    pub(super) fn quantile(self, q: f64, mean: f64, std: f64, df: Option<f64>) -> f64 {
        match df {
            Some(df) => StudentT { df }.quantile(q).mul_add(t_scale(std, df), mean),
            None => Normal.quantile(q).mul_add(std, mean),
        }
    }

    /// The probability of at most `y`.
    pub(super) fn cumulative(self, y: f64, mean: f64, std: f64, df: Option<f64>) -> f64 {
        match df {
            Some(df) => StudentT { df }.cdf((y - mean) / t_scale(std, df)),
            None => Normal.cdf((y - mean) / std),
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

impl Distribution {
    /// Mean and scale of the normal distribution.
    fn normal(y: &Tensor<3>) -> [Tensor<2>; 2] {
        [view::output(y, 0), Self::scale(y)]
    }

    fn scale(y: &Tensor<3>) -> Tensor<2> {
        tensor_softplus(view::output(y, 1).add_scalar(SCALE_START)).add_scalar(SCALE_FLOOR)
    }

    /// The losses of evidential regression without the regulariser, and that, `[B]` each.
    fn evidential(&self, y: Tensor<2>, target: Tensor<2>) -> [Tensor<1>; 2] {
        let (y, target) = view::slots(y, target, self.targets, self.width());
        let evidence = evidence(&y);
        let (nll, wrong) = (evidence.nll(target.clone()), evidence.regulariser(target));
        [nll, wrong].map(view::mean_over_slots)
    }

    fn evidence_weight(&self) -> EvidenceWeight {
        self.evidence_weight.unwrap_or_default()
    }

    /// `KL(teacher ‖ student)`, `[B]`, of a teacher's means and standard deviations `[B, S·2]`.
    fn divergence_of_normals(&self, y: Tensor<2>, teacher: Tensor<2>) -> Tensor<1> {
        let [rows, _] = y.dims();
        let teacher = teacher.reshape([rows, self.targets, 2]);
        let (y, mean) = view::slots(y, view::output(&teacher, 0), self.targets, self.width());
        let std = view::output(&teacher, 1).cast(y.dtype());
        let [student, scale] = Self::normal(&y);
        let away = student.sub(mean).div(scale.clone());
        let ratio = std.div(scale);
        let squares = ratio.clone().mul(ratio.clone()).add(away.clone().mul(away));
        let divergence = squares.sub_scalar(1.0).mul_scalar(0.5).sub(ratio.log());
        view::mean_over_slots(divergence)
    }

    /// `E[row_losses]`, `[B]`, over a teacher's points `[B, K·S]`, all in one pass.
    fn expected_losses(&self, y: Tensor<2>, points: Tensor<2>) -> Tensor<1> {
        let rows = y.dims()[0];
        let points = points.reshape([rows * POINTS, self.targets]);
        let losses = self.row_losses(view::for_members(y, Some(POINTS)), points);
        let losses = losses.reshape([rows, POINTS]);
        let place = (&losses.device(), losses.dtype());
        let weights = TensorData::from(taught::weights()).convert_dtype(place.1);
        let weights = Tensor::<1>::from_data(weights, place).unsqueeze::<2>();
        losses.mul(weights).sum_dim(1).squeeze_dim(1)
    }
}

impl Objective for Distribution {
    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("objective.targets", self.targets)?;
        if self.family != Family::Gaussian && self.loss != DistributionLoss::Nll {
            let allowed = "nll: this loss is one of the family gaussian";
            return Err(ForgeError::config("objective.loss", self.loss, allowed));
        }
        self.loss.validate()?;
        match (&self.evidence_weight, self.family) {
            (None, _) => Ok(()),
            (Some(weight), Family::Evidential) => weight.validate(),
            (Some(_), _) => Err(ForgeError::config(
                "objective.evidence_weight",
                "given",
                "absent: it belongs to the family evidential",
            )),
        }
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
        if self.family == Family::Evidential {
            let [nll, wrong] = self.evidential(y, target);
            return match self.evidence_weight() {
                EvidenceWeight::Fixed(weight) => nll.add(wrong.mul_scalar(weight)),
                EvidenceWeight::Dual(_) => nll,
            };
        }
        let (y, target) = view::slots(y, target, self.targets, self.width());
        let [mean, scale] = Self::normal(&y);
        view::mean_over_slots(match (self.family, self.loss) {
            (Family::Gaussian, DistributionLoss::BetaNll(loss)) => {
                beta_nll(mean, scale, target, loss.beta)
            }
            (Family::Gaussian, DistributionLoss::Crps) => gaussian_crps(mean, scale, target),
            (Family::Gaussian, DistributionLoss::Nll) => gaussian_nll(mean, scale, target),
            (Family::StudentT | Family::Evidential, _) => {
                let df = tensor_softplus(view::output(&y, 2).add_scalar(DF_START));
                student_t_nll(mean, scale, df.add_scalar(DF_FLOOR), target)
            }
        })
    }

    fn moving(&self) -> Vec<f64> {
        match self.evidence_weight {
            Some(EvidenceWeight::Dual(_)) => vec![0.0],
            _ => Vec::new(),
        }
    }

    fn moving_row_losses(&self, y: Tensor<2>, target: Tensor<2>, moving: Tensor<1>) -> RowLosses {
        let EvidenceWeight::Dual(_) = self.evidence_weight() else {
            return self.row_losses(y, target).into();
        };
        let [rows, _] = y.dims();
        let [nll, wrong] = self.evidential(y, target);
        let weight = moving.cast(nll.dtype()).expand([rows]);
        RowLosses {
            losses: nll.add(wrong.clone().mul(weight)),
            statistics: Some(wrong.unsqueeze_dim(1)),
        }
    }

    fn moved(&self, moving: Tensor<1>, statistics: Tensor<1>) -> Tensor<1> {
        let EvidenceWeight::Dual(dual) = self.evidence_weight() else {
            return moving;
        };
        let step = statistics.sub_scalar(dual.allowed).mul_scalar(dual.rate);
        moving.add(step).clamp_min(0.0)
    }

    /// Means and standard deviations on the model's scale, `[N, S·2]`, for the normal distribution;
    /// quantiles `[N, K·S]` for the others.
    fn teacher_values(
        &self,
        teacher: &Predictions,
        scales: &[Scale],
    ) -> Result<Vec<f64>, ForgeError> {
        check_scales(scales, self.targets)?;
        match self.family {
            Family::Gaussian => taught::moments(teacher, scales),
            Family::StudentT | Family::Evidential => taught::points(teacher, scales),
        }
    }

    /// `KL(teacher ‖ student)` of normal distributions; for the others the student's own loss, expected
    /// over what the teacher thinks may happen.
    fn teacher_losses(&self, y: Tensor<2>, teacher: Tensor<2>, _: f64) -> Tensor<1> {
        match self.family {
            Family::Gaussian => self.divergence_of_normals(y, teacher),
            Family::StudentT | Family::Evidential => self.expected_losses(y, teacher),
        }
    }

    fn decode(&self, outputs: &[f64], scales: &[Scale]) -> Result<Predictions, ForgeError> {
        check_scales(scales, self.targets)?;
        let outputs = Outputs::new(outputs, self.targets, self.width())?;
        let (mut mean, mut std, mut df) = (Vec::new(), Vec::new(), Vec::new());
        let mut epistemic = Vec::new();
        for (slot, y) in outputs.slots() {
            if self.family == Family::Evidential {
                let said = said(y);
                let unit = scales[slot].scale;
                mean.push(scales[slot].restore(said.mean));
                std.push(unit * (said.aleatoric() + said.epistemic()).sqrt());
                epistemic.push(unit * said.epistemic().sqrt());
                df.push(said.df());
                continue;
            }
            mean.push(scales[slot].restore(y[0]));
            let scale = scales[slot].scale * (softplus(y[1] + SCALE_START) + SCALE_FLOOR);
            match self.family {
                Family::Gaussian => std.push(scale),
                Family::StudentT | Family::Evidential => {
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
            epistemic,
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
            "evidential" => Ok(Self::Evidential),
            _ => {
                let allowed = "gaussian, student_t or evidential";
                Err(ForgeError::config("objective.family", text, allowed))
            }
        }
    }
}
