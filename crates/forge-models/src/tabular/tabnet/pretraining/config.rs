//! The recipe of a pre-training network.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::TabNetPretrainer;
use crate::ParameterCount;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::tabnet::TabNetConfig;
use crate::tabular::tabnet::feature_transformer::Stack;

/// Makes a [`TabNetPretrainer`].
///
/// The default is the package's (`pytorch-tabnet` 4.1.0); the columns have to be set in
/// [`model`](Self::model).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabNetPretrainerConfig {
    /// The model whose encoder is trained. Its output and its penalty play no part.
    pub model: TabNetConfig,
    /// How likely a column of a row is hidden, in `(0, 1)`. Default 0.2.
    pub pretraining_ratio: f64,
    /// Layers of a decoder's feature transformer that all share. Default 1.
    pub n_shared_decoder: usize,
    /// Layers of a decoder's feature transformer that are its own. Default 1.
    pub n_indep_decoder: usize,
}

impl Default for TabNetPretrainerConfig {
    fn default() -> Self {
        Self {
            model: TabNetConfig::default(),
            pretraining_ratio: 0.2,
            n_shared_decoder: 1,
            n_indep_decoder: 1,
        }
    }
}

impl TabNetPretrainerConfig {
    /// The default network for the encoder of `model`, which has to be sized.
    #[must_use]
    pub fn of(model: TabNetConfig) -> Self {
        Self {
            model,
            ..Self::default()
        }
    }

    pub(super) fn decoder_stack(&self) -> Stack<'_> {
        Stack {
            config: &self.model,
            d_in: self.model.n_d,
            d_out: self.model.n_d,
            n_shared: self.n_shared_decoder,
            n_own: self.n_indep_decoder,
        }
    }
}

impl ModuleConfig for TabNetPretrainerConfig {
    type Module = TabNetPretrainer;

    fn validate(&self) -> Result<(), ForgeError> {
        let (ratio, layers) = (self.pretraining_ratio, 0..=*limits::BLOCKS.end());
        self.model.validate()?;
        if ratio.is_nan() || ratio <= 0.0 || ratio >= 1.0 {
            let allowed = "above 0, else nothing is learned, and below 1";
            return Err(ForgeError::config("pretraining_ratio", ratio, allowed));
        }
        check::in_range("n_shared_decoder", self.n_shared_decoder, layers.clone())?;
        check::in_range("n_indep_decoder", self.n_indep_decoder, layers)
    }

    fn build(&self, device: &Device) -> TabNetPretrainer {
        TabNetPretrainer::new(self, device)
    }
}

impl ParameterCount for TabNetPretrainerConfig {
    fn parameter_count(&self) -> usize {
        let model = &self.model;
        let decoder = self.decoder_stack().parameter_count(model.n_steps);
        model.encoder_parameter_count() + decoder + model.n_d * model.embedded_width()
    }
}

impl ReferenceWeights for TabNetPretrainerConfig {
    const REFERENCE: &'static str =
        "pytorch-tabnet==4.1.0:pytorch_tabnet.tab_network.TabNetPretraining";

    fn key_map(&self) -> KeyMap {
        let stack = self.decoder_stack();
        let theirs = |i| format!("decoder.feat_transformers.{i}");
        let map = self.model.encoder_key_map(KeyMap::new(), "encoder");
        let map = stack.shared_key_map(map, "decoder.shared", &theirs(0));
        let map = (0..self.model.n_steps).fold(map, |map, i| {
            let ours = format!("decoder.steps.{i}");
            stack.key_map(map, &ours, &theirs(i), &theirs(0))
        });
        map.transposed(
            "decoder.output.weight",
            "decoder.reconstruction_layer.weight",
        )
    }
}
