//! The recipe of a pre-training.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::SaintPretrainer;
use super::heads::PretrainHeads;
use crate::ParameterCount;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::saint::key_map::unread;
use crate::tabular::saint::{SaintConfig, SaintDenoisingHeads, SaintEncoder, TwoLayers};

/// Makes a [`SaintPretrainer`].
///
/// The defaults are those of `train.py` of `somepago/saint` at e288e84, with both of its
/// augmentations on (its own default is neither).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaintPretrainerConfig {
    /// The model whose encoder is trained. Its head plays no part.
    pub model: SaintConfig,
    /// Probability with which a cell is replaced by another row's (CutMix), in `[0, 1)`. Default
    /// 0.1.
    pub cutmix: f64,
    /// Weight of a row's own tokens against another row's (mixup), in `(0, 1]`; 1 does not mix.
    /// Default 0.3.
    pub mixup: f64,
    /// Temperature of the contrastive loss, above 0. Default 0.7.
    pub temperature: f64,
    /// Factor of the contrastive loss, at least 0. Default 0.5.
    pub contrastive_weight: f64,
    /// Factor of the categories' cross-entropy, at least 0. Default 1.
    pub category_weight: f64,
    /// Factor of the numbers' squared error, at least 0. Default 10.
    pub number_weight: f64,
}

impl Default for SaintPretrainerConfig {
    fn default() -> Self {
        Self {
            model: SaintConfig::default(),
            cutmix: 0.1,
            mixup: 0.3,
            temperature: 0.7,
            contrastive_weight: 0.5,
            category_weight: 1.0,
            number_weight: 10.0,
        }
    }
}

impl ModuleConfig for SaintPretrainerConfig {
    type Module = SaintPretrainer;

    fn validate(&self) -> Result<(), ForgeError> {
        self.model.validate()?;
        check::probability("cutmix", self.cutmix)?;
        // NaN is in no range.
        if !(self.mixup > 0.0 && self.mixup <= 1.0) {
            return Err(ForgeError::config(
                "mixup",
                self.mixup,
                "above 0, at most 1",
            ));
        }
        check::positive("temperature", self.temperature)?;
        for (field, weight) in [
            ("contrastive_weight", self.contrastive_weight),
            ("category_weight", self.category_weight),
            ("number_weight", self.number_weight),
        ] {
            check::in_range(field, weight, 0.0..=f64::MAX)?;
        }
        PretrainHeads::validate(&self.model)
    }

    fn build(&self, device: &Device) -> SaintPretrainer {
        SaintPretrainer {
            encoder: SaintEncoder::new(&self.model, device),
            heads: PretrainHeads::new(&self.model, device),
            config: self.clone(),
        }
    }
}

impl ParameterCount for SaintPretrainerConfig {
    fn parameter_count(&self) -> usize {
        SaintEncoder::parameter_count(&self.model) + PretrainHeads::parameter_count(&self.model)
    }
}

impl ReferenceWeights for SaintPretrainerConfig {
    const REFERENCE: &'static str = SaintConfig::REFERENCE;

    /// Checkpoints with a denoising head per feature ([`SaintDenoisingHeads::Sep`]): the reference
    /// cannot pre-train with the other form. The prediction head is left out.
    fn key_map(&self) -> KeyMap {
        let map = SaintEncoder::key_map(KeyMap::new(), &self.model, "encoder");
        let map = PretrainHeads::key_map(map, &self.model, "heads");
        TwoLayers::ignore(unread(map), "mlpfory")
    }
}

impl SaintPretrainerConfig {
    /// The pre-training of `model`.
    #[must_use]
    pub fn of(model: SaintConfig) -> Self {
        Self {
            model: SaintConfig {
                final_mlp_style: SaintDenoisingHeads::Sep,
                ..model
            },
            ..Self::default()
        }
    }
}
