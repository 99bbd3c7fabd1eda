//! SAINT as a tabular model.

use burn::module::Module;
use forge_nn::{ForgeError, Forward, Maps, Network, StateDict, Want};

use super::{SaintConfig, SaintEncoder, TwoLayers};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// [`SaintEncoder`] and a two-layer head on the CLS token.
///
/// Somepalli et al. 2021, "SAINT: Improved Neural Networks for Tabular Data via Row Attention and
/// Contrastive Pre-Training" (arXiv 2106.01342), as in `somepago/saint` at e288e84.
///
/// # Rows
///
/// Where rows attend to rows, all rows given see each other, as in the paper. To predict, give a
/// fixed set of rows (some of the training rows, without targets) as context: they see each other,
/// every row to predict sees them and itself, and the answer does not depend on how the table is
/// cut.
///
/// # Maps
///
/// [`Maps::attention`] has, layer by layer, the weights over the features `[B, H, T, T]` (tokens:
/// CLS, categorical, numeric features) and then those over the rows `[1, H, B, R + B]`: a query per
/// row to predict, the keys being the `R` rows of the context and then the `B` rows. What the
/// attention type has not is left out.
#[derive(Module, Debug)]
pub struct Saint {
    pub(super) encoder: SaintEncoder,
    pub(super) head: TwoLayers,
    #[module(skip)]
    pub(super) capabilities: Capabilities,
}

impl Saint {
    /// Tokenizer and layers.
    #[must_use]
    pub fn encoder(&self) -> &SaintEncoder {
        &self.encoder
    }

    /// This model with another encoder of the same sizes: one that has been
    /// [pre-trained](super::SaintPretrainer).
    ///
    /// # Errors
    /// A weights error naming what differs in size.
    pub fn with_encoder(self, encoder: SaintEncoder) -> Result<Self, ForgeError> {
        let state = StateDict::from_module(&encoder)?;
        let encoder = state.load_into(self.encoder.clone())?;
        Ok(Self { encoder, ..self })
    }
}

impl Network for Saint {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        SaintConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        self.encoder.tokenizer().spec(self.head.d_out())
    }

    fn run(&self, input: TabularInput, want: Want) -> Forward {
        if let Err(error) = input.check(self.name(), &self.spec(), self.capabilities) {
            panic!("{error}");
        }
        let context = input.context.map(|context| context.rows);
        let mut attention = vec![];
        let maps = want.attention.then_some(&mut attention);
        let tokens = self.encoder.encode(input.rows, context, maps);
        let cls = tokens.narrow(1, 0, 1).squeeze_dim(1);
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..self.head.forward::<2>(cls).into()
        }
    }
}

impl TabularModel for Saint {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
}
