//! Two rows in one.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};

use crate::dataset::mask_rows;
use crate::{DataError, TabularBatch};

/// Which rows were mixed into those of a batch, and how much of each row is still its own.
///
/// What a mixed row's target is depends on what the target is: of numbers it is the
/// [mean](Self::of_values); of classes it is both, `share` of the one and the rest of the other
/// (soft targets), which for a loss that is linear in the target is
/// `share · loss(y) + (1 - share) · loss(partner's y)`.
#[derive(Debug, Clone)]
pub struct Mix {
    /// How much of every row is its own, in `[0, 1]`.
    pub share: f64,
    /// The row of the batch that each row was mixed with, `[B]`.
    pub partner: Tensor<1, Int>,
}

impl Mix {
    /// The partners' values.
    ///
    /// # Shapes
    /// - values, output: `[B, ·]`
    #[must_use]
    pub fn partners<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        values.select(0, self.partner.clone())
    }

    /// `share · values + (1 - share) · partners' values`.
    ///
    /// # Shapes
    /// - values, output: `[B, ·]`
    #[must_use]
    pub fn of_values<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        let others = self.partners(values.clone());
        // In this form a row mixed with its like stays as it is, to the bit.
        others
            .sub(values.clone())
            .mul_scalar(1.0 - self.share)
            .add(values)
    }
}

/// What a mixture of one batch is drawn from: seed and batch alone, so that a step is the same
/// whenever it is made.
pub(super) struct Draw {
    rng: ChaCha8Rng,
    alpha: f64,
}

impl Draw {
    pub(super) fn new(alpha: f64, seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, alpha }
    }

    /// `λ ~ Beta(α, α)`.
    fn share(&mut self) -> Result<f64, DataError> {
        let beta = Beta::new(self.alpha, self.alpha)
            .map_err(|e| DataError::config(format!("alpha = {}: {e}", self.alpha)))?;
        Ok(beta.sample(&mut self.rng))
    }

    fn partner(&mut self, rows: usize, device: &Device) -> Tensor<1, Int> {
        let mut partner: Vec<i64> = (0..rows as i64).collect();
        partner.shuffle(&mut self.rng);
        Tensor::from_data(TensorData::new(partner, [rows]), device)
    }

    /// Every number is a mean of two (Zhang et al. 2018).
    pub(super) fn mixup(mut self, batch: &mut TabularBatch) -> Result<Option<Mix>, DataError> {
        let Some(x) = batch.x_num.take() else {
            return Ok(None);
        };
        let mix = Mix {
            share: self.share()?,
            partner: self.partner(x.dims()[0], &x.device()),
        };
        batch.x_num = Some(mix.of_values(x));
        // A number that was imputed in one of the two is not one of the table.
        batch.num_present = batch.num_present.take().map(|present| {
            let others = mask_rows(present.clone(), mix.partner.clone());
            present.bool_and(others)
        });
        Ok(Some(mix))
    }

    /// Some columns are the partner's: the same ones in every row of the batch (Yun et al. 2019
    /// with columns for pixels; the share is that of the columns that are a row's own).
    pub(super) fn cutmix(mut self, batch: &mut TabularBatch) -> Result<Option<Mix>, DataError> {
        let width = |dims: Option<[usize; 2]>| dims.map_or(0, |[_, width]| width);
        let num = batch.x_num.as_ref().map(Tensor::dims);
        let cat = batch.x_cat.as_ref().map(Tensor::dims);
        let columns = width(num) + width(cat);
        let device = batch.x_num.as_ref().map(Tensor::device);
        let device = device.or_else(|| batch.x_cat.as_ref().map(Tensor::device));
        let (Some([rows, _]), Some(device)) = (num.or(cat), device) else {
            return Ok(None);
        };
        let cut = ((1.0 - self.share()?) * columns as f64).round() as usize;
        let partner = self.partner(rows, &device);
        let mut of_partner = vec![false; columns];
        of_partner[..cut].fill(true);
        of_partner.shuffle(&mut self.rng);
        let (of_num, of_cat) = of_partner.split_at(width(num));
        let mask = |columns: &[bool]| {
            let columns = TensorData::new(columns.to_vec(), [1, columns.len()]);
            Tensor::<2, burn::tensor::Bool>::from_data(columns, &device)
        };
        let mix = Mix {
            share: 1.0 - cut as f64 / columns as f64,
            partner,
        };
        batch.x_num = batch.x_num.take().map(|x| {
            let (others, dims) = (mix.partners(x.clone()), x.dims());
            x.mask_where(mask(of_num).expand(dims), others)
        });
        batch.x_cat = batch.x_cat.take().map(|x| {
            let (others, dims) = (x.clone().select(0, mix.partner.clone()), x.dims());
            x.mask_where(mask(of_cat).expand(dims), others)
        });
        for (present, columns) in [
            (&mut batch.num_present, of_num),
            (&mut batch.cat_present, of_cat),
        ] {
            *present = present.take().map(|p| {
                // Flex gives what it selects of booleans another type: selected as integers.
                let (own, dims) = (p.int(), [rows, columns.len()]);
                let others = own.clone().select(0, mix.partner.clone());
                own.mask_where(mask(columns).expand(dims), others)
                    .equal_elem(1)
            });
        }
        Ok(Some(mix))
    }
}
