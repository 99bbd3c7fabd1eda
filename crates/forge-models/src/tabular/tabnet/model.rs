//! The encoder with a head.

use burn::module::Module;
use burn::tensor::Device;
use forge_nn::{Forward, Linear, Maps, Network, Want};

use super::encoder::Steps;
use super::{TabNetConfig, TabNetEncoder, linear};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// [`TabNetEncoder`] and a linear head on the sum of its decisions.
///
/// Arik & Pfister 2021, "TabNet: Attentive Interpretable Tabular Learning" (arXiv 1908.07442 v5),
/// as in `pytorch-tabnet` 4.1.0.
#[derive(Module, Debug)]
pub struct TabNet {
    pub(super) encoder: TabNetEncoder,
    head: Linear,
    lambda_sparse: f64,
}

impl TabNet {
    pub(super) fn new(config: &TabNetConfig, device: &Device) -> Self {
        Self {
            encoder: TabNetEncoder::new(config, device),
            head: linear::plain(config.n_d, config.output_dim, device),
            lambda_sparse: config.lambda_sparse,
        }
    }

    /// Masks per step, and in all: each step's mask counts by the row sum of its decision.
    fn maps(&self, steps: &Steps) -> Maps {
        let columns = &self.encoder.columns;
        let pairs = steps.masks.iter().zip(&steps.decisions);
        let weighted = pairs.map(|(mask, decision)| mask.clone() * decision.clone().sum_dim(1));
        let importance = weighted.reduce(|all, mask| all + mask);
        let masks = steps.masks.iter().cloned();
        Maps {
            masks: masks.map(|mask| columns.numeric_first(mask)).collect(),
            importance: importance.map(|map| columns.numeric_first(map)),
            ..Maps::default()
        }
    }
}

impl Network for TabNet {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        TabNetConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        let columns = &self.encoder.columns;
        TabularSpec {
            n_num_features: columns.n_num_features(),
            cat_cardinalities: columns.cardinalities().to_vec(),
            d_out: self.head.d_output(),
        }
    }

    fn run(&self, input: TabularInput, want: Want) -> Forward {
        if let Err(error) = input.check(self.name(), &self.spec(), TabNetConfig::CAPABILITIES) {
            panic!("{error}");
        }
        let x = self.encoder.columns.embed(input.rows);
        let steps = self.encoder.run(x, None);
        let maps = match want.features {
            true => self.maps(&steps),
            false => Maps::default(),
        };
        Forward {
            y: self.head.forward(steps.decision()),
            maps,
            // Minus the negative entropy: the sparser the masks, the less it is.
            members: None,
            penalty: (self.lambda_sparse > 0.0)
                .then(|| steps.negative_entropy * -self.lambda_sparse),
        }
    }
}

impl TabularModel for TabNet {
    fn capabilities(&self) -> Capabilities {
        TabNetConfig::CAPABILITIES
    }
}
