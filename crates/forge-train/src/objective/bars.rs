//! Probabilities of buckets per target.

use burn::tensor::Tensor;
use forge_nn::{BarDistribution, ForgeError, check};
use serde::{Deserialize, Serialize};

use super::outputs::{Outputs, check_scales};
use super::slot_scores::{check_rows, slot_scores, wrong_kind};
use super::{Distribution, Objective, Predictions, Scale, Targets, taught, view};
use crate::distribution::bar_crps;
use crate::loss::{check_quantiles, softened_divergence};
use crate::metric::{RegressionMetrics, Scores};

/// Fits of a target that hardly varies: buckets between so many deviations on both sides.
const REACH: f64 = 3.0;

/// Predicts a distribution of any shape for every target column: the probabilities of buckets whose
/// borders are quantiles of the training targets, with half-normal tails ([`BarDistribution`]). The
/// head of TabPFN's regressor; any model can have it.
///
/// The loss is the negative logarithm of the density on the standardised scale. The point forecast is
/// the mean; every quantile can be asked for. All targets share the borders, on that scale.
///
/// Scores: `nll` (negative log likelihood, with `ln` of the units), `crps` ([`bar_crps`]), `rmse`, `mae`, `r2` of the mean.
/// Predictions of the objective [`Distribution`] are scored too, as that does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bars {
    /// Buckets, 2 to 65536; fewer where there are not two training targets for each. Default 100.
    pub buckets: usize,
    /// Which quantiles become columns beside the mean, in `(0, 1)`, strictly rising. Default 0.1, 0.5,
    /// 0.9.
    pub quantiles: Vec<f64>,
    /// The buckets on the standardised scale; set by [`fit`](Objective::fit) where they are absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub borders: Option<BarDistribution>,
    /// Number of target columns, `S`; set by [`fit`](Objective::fit). Default 1.
    pub targets: usize,
}

impl Default for Bars {
    fn default() -> Self {
        Self {
            buckets: 100,
            quantiles: vec![0.1, 0.5, 0.9],
            borders: None,
            targets: 1,
        }
    }
}

impl Bars {
    fn bars(&self) -> Result<&BarDistribution, ForgeError> {
        self.borders.as_ref().ok_or_else(|| {
            ForgeError::training("the objective 'bars' has no borders: fit it to targets first")
        })
    }

    /// Buckets of all columns' targets, each on its own standardised scale.
    fn of_targets(&self, target: &Targets) -> Result<BarDistribution, ForgeError> {
        let mut values = Vec::new();
        for slot in 0..target.slots() {
            let column = target.column(slot);
            let rows = column.len() as f64;
            let mean = column.iter().sum::<f64>() / rows;
            let squares = column.iter().map(|y| (y - mean).powi(2));
            let deviation = (squares.sum::<f64>() / rows).sqrt();
            if deviation > 0.0 {
                values.extend(column.iter().map(|y| (y - mean) / deviation));
            }
        }
        BarDistribution::of_values(&values, self.buckets).or_else(|_| {
            let step = 2.0 * REACH / self.buckets as f64;
            let borders = (0..=self.buckets).map(|i| (i as f64).mul_add(step, -REACH));
            BarDistribution::new(borders.collect())
        })
    }

    fn slot(
        &self,
        bars: &BarDistribution,
        values: &[f64],
        point: &[f64],
        truth: &[f64],
        slot: usize,
    ) -> Result<Scores, ForgeError> {
        let rows = values.chunks_exact(bars.len()).skip(slot);
        let (mut nll, mut crps) = (0.0, 0.0);
        for (p, y) in rows.step_by(self.targets).zip(truth) {
            nll -= bars.ln_density(p, *y) / truth.len() as f64;
            crps += bar_crps(bars, p, *y) / truth.len() as f64;
        }
        let scores = Scores::new().minimize("nll", nll).minimize("crps", crps);
        Ok(RegressionMetrics::compute(point, truth)?.after(scores))
    }
}

impl Objective for Bars {
    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("objective.targets", self.targets)?;
        check::in_range("objective.buckets", self.buckets, 2..=65_536)?;
        match self.quantiles.is_empty() {
            true => Ok(()),
            false => check_quantiles("objective.quantiles", &self.quantiles),
        }
    }

    fn slots(&self) -> usize {
        self.targets
    }

    fn width(&self) -> usize {
        self.borders
            .as_ref()
            .map_or(self.buckets, BarDistribution::len)
    }

    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError> {
        self.targets = target.slots();
        self.validate()?;
        if self.borders.is_none() {
            self.borders = Some(self.of_targets(target)?);
        }
        Ok(())
    }

    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let Some(bars) = &self.borders else {
            panic!("the objective 'bars' has no borders: fit it to targets first");
        };
        let (y, target) = view::slots(y, target, self.targets, self.width());
        let [rows, slots, width] = y.dims();
        let y = y.reshape([rows * slots, width]);
        let losses = bars.nll(y, target.reshape([rows * slots]));
        view::mean_over_slots(losses.reshape([rows, slots]))
    }

    /// Logarithms of the probabilities that the teacher gives the buckets, `[N, S·W]`.
    fn teacher_values(
        &self,
        teacher: &Predictions,
        scales: &[Scale],
    ) -> Result<Vec<f64>, ForgeError> {
        check_scales(scales, self.targets)?;
        taught::ln_masses(teacher, self.bars()?, scales)
    }

    /// `KL(teacher ‖ student)` of the buckets' probabilities.
    fn teacher_losses(&self, y: Tensor<2>, teacher: Tensor<2>, _: f64) -> Tensor<1> {
        let [rows, _] = y.dims();
        let (slots, width) = (self.targets, self.width());
        let (y, teacher) = view::slots(y, teacher, slots * width, 1);
        let each = [rows * slots, width];
        let losses = softened_divergence(y.reshape(each), teacher.reshape(each), 1.0);
        view::mean_over_slots(losses.reshape([rows, slots]))
    }

    fn decode(&self, outputs: &[f64], scales: &[Scale]) -> Result<Predictions, ForgeError> {
        check_scales(scales, self.targets)?;
        let bars = self.bars()?;
        let outputs = Outputs::new(outputs, self.targets, self.width())?;
        let mut values = Vec::new();
        for (_, logits) in outputs.slots() {
            values.extend(bars.probabilities(logits)?);
        }
        let borders = scales.iter().map(|at| bars.moved(at.scale, at.center));
        Ok(Predictions::Bars {
            slots: self.targets,
            quantiles: self.quantiles.clone(),
            borders: borders.collect::<Result<_, _>>()?,
            pinned: vec![None; self.targets],
            values,
        })
    }

    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError> {
        let (borders, values) = match pred {
            Predictions::Bars {
                borders, values, ..
            } => (borders, values),
            Predictions::Distribution { family, .. } => {
                let parametric = Distribution {
                    family: *family,
                    targets: self.targets,
                    ..Distribution::default()
                };
                return parametric.scores(pred, target);
            }
            _ => return Err(wrong_kind(pred, "probabilities of buckets")),
        };
        check_rows(pred, target, self.targets)?;
        slot_scores(self.targets, |slot| {
            let (point, truth) = (pred.point_of(slot), target.column(slot));
            self.slot(&borders[slot], values, &point, &truth, slot)
        })
    }
}
