//! Several quantiles per target.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::outputs::{Outputs, check_scales, softplus};
use super::predictions::nearest_to_median;
use super::slot_scores::{check_rows, slot_scores, wrong_kind};
use super::{Objective, Predictions, Scale, Targets, view};
use crate::is_default::is_default;
use crate::loss::{
    Huber, Quantile, RegressionLoss, check_quantiles, level_weights, quantile_crps,
    softplus as tensor_softplus,
};
use crate::metric::{IntervalMetrics, RegressionMetrics, Scores, central_intervals, pinball};

/// What quantiles are trained by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuantileLoss {
    /// The mean of the quantiles' pinball losses.
    #[default]
    Pinball,
    /// The [continuous ranked probability score](quantile_crps): each quantile counts as many levels as
    /// it stands for. With evenly spread quantiles this is twice the pinball loss.
    Crps,
}

/// Predicts quantiles of every target column by the [pinball loss](Quantile), averaged over
/// quantiles and targets.
///
/// Without `non_crossing` output `k` is quantile `k`, and nothing keeps a lower one below a higher.
/// With it, the first output is the lowest quantile and each further one the step to the next:
/// `q₀ = o₀`, `qₖ = qₖ₋₁ + softplus(oₖ)`, in f64 on the host as in training. So quantiles never
/// cross, whatever the model says; they may coincide where a softplus is too small to count. This
/// is the head of MIGT-TVDT (base plus cumulative softplus) less its first step, which the base
/// already has.
///
/// Scores: `pinball` (mean over quantiles), for each central interval `coverage_80` (share of
/// targets between the quantiles 0.1 and 0.9, ends included; to be compared with 0.80, its direction
/// is formal) and `width_80`, and `rmse`, `mae` of the median or the quantile nearest to it; `crps` at
/// the end where that is the loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quantiles {
    /// Which, in `(0, 1)`, strictly rising. Default 0.1, 0.5, 0.9.
    pub quantiles: Vec<f64>,
    /// Make crossing impossible. Default true.
    pub non_crossing: bool,
    /// What they are trained by. Default: the pinball loss.
    #[serde(skip_serializing_if = "is_default")]
    pub loss: QuantileLoss,
    /// Number of target columns, `S`; set by [`fit`](Objective::fit). Default 1.
    pub targets: usize,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self {
            quantiles: vec![0.1, 0.5, 0.9],
            non_crossing: true,
            loss: QuantileLoss::Pinball,
            targets: 1,
        }
    }
}

impl Quantiles {
    /// Outputs `[B, S, Q]` as quantiles `[B, S, Q]`.
    fn ordered(&self, y: Tensor<3>) -> Tensor<3> {
        let steps = self.quantiles.len() - 1;
        if !self.non_crossing || steps == 0 {
            return y;
        }
        let base = y.clone().narrow(2, 0, 1);
        let steps = tensor_softplus(y.narrow(2, 1, steps));
        Tensor::cat(vec![base, steps], 2).cumsum(2)
    }

    /// The scores of one slot's `[N x Q]` predictions.
    fn slot(
        &self,
        pred: &Predictions,
        target: &Targets,
        slot: usize,
    ) -> Result<Scores, ForgeError> {
        let truth = target.column(slot);
        let column = |q: f64| -> Result<Vec<f64>, ForgeError> {
            let all = pred.quantile(q)?;
            Ok(all.into_iter().skip(slot).step_by(self.targets).collect())
        };
        let (mut loss, mut crps) = (0.0, 0.0);
        for (q, levels) in self.quantiles.iter().zip(level_weights(&self.quantiles)) {
            let of_level = pinball(&column(*q)?, &truth, *q, None)?;
            loss += of_level / self.quantiles.len() as f64;
            crps += 2.0 * levels * of_level;
        }
        let mut scores = Scores::new().minimize("pinball", loss);
        for (low, high) in central_intervals(&self.quantiles) {
            let (low, high) = (self.quantiles[low], self.quantiles[high]);
            let m = IntervalMetrics::compute(&column(low)?, &column(high)?, &truth, None)?;
            let percent = ((high - low) * 1e8).round() / 1e6;
            scores = scores
                .maximize(format!("coverage_{percent}"), m.coverage)
                .minimize(format!("width_{percent}"), m.width);
        }
        let middle = self.quantiles[nearest_to_median(&self.quantiles)];
        let m = RegressionMetrics::compute(&column(middle)?, &truth)?;
        let scores = scores.minimize("rmse", m.rmse).minimize("mae", m.mae);
        Ok(match self.loss {
            QuantileLoss::Pinball => scores,
            QuantileLoss::Crps => scores.minimize("crps", crps),
        })
    }
}

impl Objective for Quantiles {
    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("objective.targets", self.targets)?;
        check_quantiles("objective.quantiles", &self.quantiles)
    }

    fn slots(&self) -> usize {
        self.targets
    }

    fn width(&self) -> usize {
        self.quantiles.len()
    }

    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError> {
        self.targets = target.slots();
        self.validate()
    }

    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let (y, target) = view::slots(y, target, self.targets, self.width());
        let loss = Quantile {
            quantiles: self.quantiles.clone(),
        };
        let (y, target) = (self.ordered(y), target.unsqueeze_dim(2));
        let losses = match self.loss {
            QuantileLoss::Pinball => loss.elementwise(y, target).mean_dim(2),
            QuantileLoss::Crps => quantile_crps(y, target, &loss),
        };
        view::mean_over_slots(losses.squeeze_dim(2))
    }

    /// Every quantile on the model's scale, `[N, S·Q]`.
    fn teacher_values(
        &self,
        teacher: &Predictions,
        scales: &[Scale],
    ) -> Result<Vec<f64>, ForgeError> {
        check_scales(scales, self.targets)?;
        view::same_slots(teacher.slots(), self.targets)?;
        let of = |q: &f64| teacher.quantile(*q);
        let each = self
            .quantiles
            .iter()
            .map(of)
            .collect::<Result<Vec<_>, _>>()?;
        let places = 0..teacher.rows() * self.targets;
        let place = |at: usize| {
            let scale = &scales[at % self.targets];
            each.iter().map(move |level| scale.standardise(level[at]))
        };
        Ok(places.flat_map(place).collect())
    }

    /// The mean [`Huber`] loss of every quantile against the teacher's.
    fn teacher_losses(&self, y: Tensor<2>, teacher: Tensor<2>, _: f64) -> Tensor<1> {
        let [rows, _] = y.dims();
        let levels = self.quantiles.len();
        let (y, teacher) = view::slots(y, teacher, self.targets * levels, 1);
        let shape = [rows, self.targets, levels];
        let y = self.ordered(y.reshape(shape));
        let losses = Huber::default().elementwise(y, teacher.reshape(shape));
        losses.mean_dim(2).mean_dim(1).reshape([rows])
    }

    fn decode(&self, outputs: &[f64], scales: &[Scale]) -> Result<Predictions, ForgeError> {
        check_scales(scales, self.targets)?;
        let outputs = Outputs::new(outputs, self.targets, self.width())?;
        let mut values = Vec::new();
        for (slot, y) in outputs.slots() {
            let mut level = 0.0;
            for (k, output) in y.iter().enumerate() {
                level = match (self.non_crossing, k) {
                    (true, 1..) => level + softplus(*output),
                    _ => *output,
                };
                values.push(scales[slot].restore(level));
            }
        }
        Ok(Predictions::Quantiles {
            slots: self.targets,
            quantiles: self.quantiles.clone(),
            values,
        })
    }

    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError> {
        if !matches!(pred, Predictions::Quantiles { .. }) {
            return Err(wrong_kind(pred, "quantiles"));
        }
        check_rows(pred, target, self.targets)?;
        slot_scores(self.targets, |slot| self.slot(pred, target, slot))
    }
}
