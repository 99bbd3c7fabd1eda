//! The module that is pre-trained.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ForgeError;

use super::heads::PretrainHeads;
use super::losses::{contrastive, cross_entropy, squared_error};
use super::{SaintCorruption, SaintPretrainerConfig};
use crate::tabular::saint::{SaintConfig, SaintEncoder};
use crate::{TabularConfig, TabularInput, TabularRows};

/// SAINT's encoder with the heads of pre-training.
///
/// Section 4 of arXiv 2106.01342 (equations 4 and 5), as `SAINT_pretrain` in `somepago/saint` at
/// e288e84: a batch of rows is corrupted; the encoder is to find which corrupted row belongs to
/// which row (contrastive loss) and to say what the cells were (denoising loss).
///
/// [`into_encoder`](Self::into_encoder) gives what a [`Saint`](crate::Saint) goes on with. The
/// tensors that both have are those whose names begin with [`SHARED`](Self::SHARED), the same in
/// both.
#[derive(Module, Debug)]
pub struct SaintPretrainer {
    pub(super) encoder: SaintEncoder,
    pub(super) heads: PretrainHeads,
    #[module(skip)]
    pub(super) config: SaintPretrainerConfig,
}

impl SaintPretrainer {
    /// How the names of the tensors begin that a [`Saint`](crate::Saint) has too.
    pub const SHARED: &'static str = "encoder.";

    /// The loss of a batch, under a corruption that is drawn for it.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Errors
    /// As [`loss_under`](Self::loss_under).
    pub fn loss(&self, rows: TabularRows) -> Result<Tensor<1>, ForgeError> {
        let device = rows
            .x_num
            .as_ref()
            .map(Tensor::device)
            .or(rows.x_cat.as_ref().map(Tensor::device));
        let Some(device) = device else {
            return Err(ForgeError::shape("rows", "no columns", "columns"));
        };
        let corruption = SaintCorruption::draw(&rows, self.config.cutmix, &device);
        self.loss_under(rows, &corruption)
    }

    /// The loss of a batch under a given corruption:
    /// `contrastive_weight · InfoNCE + category_weight · Σ_j CE_j + number_weight · MSE`. Missing
    /// cells are not to be guessed.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Errors
    /// What [`TabularInput::check`] and [`TabularInput::check_codes`] find.
    pub fn loss_under(
        &self,
        rows: TabularRows,
        corruption: &SaintCorruption,
    ) -> Result<Tensor<1>, ForgeError> {
        let config = &self.config;
        let (spec, input) = (config.model.spec(), TabularInput::from(rows));
        input.check(SaintConfig::NAME, &spec, SaintConfig::CAPABILITIES)?;
        input.check_codes(&spec)?;
        let rows = input.rows;
        let tokenizer = self.encoder.tokenizer();
        let clean = self.encoder.forward(tokenizer.forward(rows.clone()));
        let corrupted = tokenizer.forward(corruption.cut(&rows));
        let corrupted = self
            .encoder
            .forward(corruption.mix(corrupted, config.mixup));
        let projections = self.heads.project(clean, corrupted.clone());
        let mut loss = contrastive(projections, config.temperature) * config.contrastive_weight;
        if let Some(codes) = rows.x_cat {
            for (j, logits) in self.heads.categories(&corrupted).into_iter().enumerate() {
                let present = rows.cat_present.clone().map(|mask| mask.narrow(1, j, 1));
                let codes = codes.clone().narrow(1, j, 1);
                loss = loss + cross_entropy(logits, codes, present) * config.category_weight;
            }
        }
        if let (Some(x), Some(y)) = (rows.x_num, self.heads.numbers(&corrupted)) {
            loss = loss + squared_error(y, x, rows.num_present) * config.number_weight;
        }
        Ok(loss)
    }

    /// The encoder, for [`Saint::with_encoder`](crate::Saint::with_encoder).
    #[must_use]
    pub fn into_encoder(self) -> SaintEncoder {
        self.encoder
    }
}
