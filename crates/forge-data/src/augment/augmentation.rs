//! What is done to the rows of a training step.

use burn::tensor::{Device, Distribution, Tensor};
use serde::{Deserialize, Serialize};

use super::Mix;
use super::mix::Draw;
use crate::{DataError, TabularBatch};

/// What is done to the rows of a training step before the model sees them, in this order: mixing,
/// masking, noise. All absent: nothing.
///
/// ```
/// use forge_data::AugmentationConfig;
///
/// let config = AugmentationConfig { mixup: Some(0.2), noise: Some(0.05), ..Default::default() };
/// config.validate()?;
/// let both = AugmentationConfig { cutmix: Some(1.0), ..config };
/// assert!(both.validate().is_err());
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentationConfig {
    /// Mixup (Zhang et al. 2018): each row becomes `λ x + (1 - λ) x'` with another row of the batch,
    /// `λ ~ Beta(α, α)`, one per batch. This is `α`, above 0; the paper's are 0.1 to 0.4. Numbers
    /// only: labels that a model takes as codes have no mean. Default: no.
    pub mixup: Option<f64>,
    /// `CutMix` for rows (Yun et al. 2019 with columns for pixels): a random part of the columns,
    /// labels too, is another row's, `1 - λ` of them with `λ ~ Beta(α, α)`, one draw per batch.
    /// This is `α`, above 0; the paper's is 1. Not with `mixup`. Default: no.
    pub cutmix: Option<f64>,
    /// Probability that a cell is hidden, in `[0, 1)`: a number becomes 0, the mean of a
    /// standardised column; a label becomes unknown; masks of missing values say missing.
    /// Default: no.
    pub mask: Option<f64>,
    /// Standard deviation of Gaussian noise on every number, above 0, in units of the preprocessed
    /// columns (1 is a column's own where they are standardised). Default: no.
    pub noise: Option<f64>,
}

impl AugmentationConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), DataError> {
        positive("augmentation.mixup", self.mixup)?;
        positive("augmentation.cutmix", self.cutmix)?;
        positive("augmentation.noise", self.noise)?;
        if let (Some(mixup), Some(cutmix)) = (self.mixup, self.cutmix) {
            return Err(DataError::config(format!(
                "augmentation.cutmix = {cutmix} beside augmentation.mixup = {mixup}: allowed is \
                 one of the two"
            )));
        }
        match self.mask {
            Some(p) if !(0.0..1.0).contains(&p) => Err(DataError::config(format!(
                "augmentation.mask = {p} is out of range: allowed are numbers in [0, 1)"
            ))),
            _ => Ok(()),
        }
    }

    /// The same for rows of `n_numeric` numbers and `n_codes` labels as codes.
    ///
    /// # Errors
    /// As [`validate`](Self::validate); a config error for mixup where there are labels as codes,
    /// and for what needs numbers where there are none.
    pub fn for_columns(self, n_numeric: usize, n_codes: usize) -> Result<Augmentation, DataError> {
        self.validate()?;
        if let Some(alpha) = self.mixup
            && n_codes > 0
        {
            return Err(DataError::config(format!(
                "augmentation.mixup = {alpha}: the model takes {n_codes} column(s) of labels as \
                 codes, which have no mean; allowed are cutmix, a model that takes labels as \
                 one-hot columns, or a table without them"
            )));
        }
        for (field, value) in [("mixup", self.mixup), ("noise", self.noise)] {
            if let Some(value) = value
                && n_numeric == 0
            {
                return Err(DataError::config(format!(
                    "augmentation.{field} = {value}: the table has no numeric feature; leave it out"
                )));
            }
        }
        Ok(Augmentation(self))
    }
}

fn positive(field: &str, value: Option<f64>) -> Result<(), DataError> {
    match value {
        Some(value) if !(value.is_finite() && value > 0.0) => Err(DataError::config(format!(
            "{field} = {value} is out of range: allowed are finite numbers above 0"
        ))),
        _ => Ok(()),
    }
}

/// An [`AugmentationConfig`] that suits the columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augmentation(AugmentationConfig);

impl Augmentation {
    /// What it was made from.
    #[must_use]
    pub fn config(&self) -> &AugmentationConfig {
        &self.0
    }

    /// Changes the features of `batch`. Targets and weights stay: what was mixed in is given back,
    /// for the loss to reckon with.
    ///
    /// Partners and shares follow from `seed` alone; masks and noise are drawn from Burn's random
    /// numbers.
    ///
    /// # Shapes
    /// - batch: `x_num` `[B, F_num]`, `x_cat` `[B, F_cat]`
    ///
    /// # Errors
    /// A config error for an `alpha` that no distribution has.
    pub fn apply(&self, batch: &mut TabularBatch, seed: u64) -> Result<Option<Mix>, DataError> {
        let config = &self.0;
        let mix = match (config.mixup, config.cutmix) {
            (Some(alpha), _) => Draw::new(alpha, seed).mixup(batch)?,
            (None, Some(alpha)) => Draw::new(alpha, seed).cutmix(batch)?,
            (None, None) => None,
        };
        if let Some(p) = config.mask {
            hide(batch, p);
        }
        if let Some(std) = config.noise {
            batch.x_num = batch.x_num.take().map(|x| {
                let noise = Distribution::Normal(0.0, std);
                let noise = Tensor::random(x.shape(), noise, (&x.device(), x.dtype()));
                x.add(noise)
            });
        }
        Ok(mix)
    }
}

/// Hides each cell with probability `p`.
fn hide(batch: &mut TabularBatch, p: f64) {
    let hidden = |dims: [usize; 2], device: &Device| {
        let u = Tensor::<2>::random(dims, Distribution::Uniform(0.0, 1.0), device);
        u.lower_elem(p)
    };
    if let Some(x) = batch.x_num.take() {
        let hidden = hidden(x.dims(), &x.device());
        batch.num_present = batch
            .num_present
            .take()
            .map(|present| present.bool_and(hidden.clone().bool_not()));
        batch.x_num = Some(x.mask_fill(hidden, 0.0));
    }
    if let Some(x) = batch.x_cat.take() {
        let hidden = hidden(x.dims(), &x.device());
        batch.cat_present = batch
            .cat_present
            .take()
            .map(|present| present.bool_and(hidden.clone().bool_not()));
        // Code 0 is that of labels that training did not have.
        batch.x_cat = Some(x.mask_fill(hidden, 0));
    }
}
