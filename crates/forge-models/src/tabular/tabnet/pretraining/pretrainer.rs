//! Encoder and decoder.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::{ForgeError, StateDict, Subset};

use super::loss::reconstruction_loss;
use super::{TabNetDecoder, TabNetPretrainerConfig};
use crate::TabularRows;
use crate::tabular::tabnet::{TabNet, TabNetEncoder};

/// Where the encoder stands in the names of both networks.
const ENCODER: &str = "encoder";

/// The network of self-supervised pre-training: a [`TabNetEncoder`] that sees some of the columns
/// and a [`TabNetDecoder`] that guesses the others.
///
/// Arik & Pfister 2021 (arXiv 1908.07442 v5), "Tabular self-supervised learning", as in
/// `pytorch-tabnet` 4.1.0. Train it on rows without targets by [`loss`](Self::loss), then put its
/// encoder into the model by [`start`](Self::start).
///
/// ```
/// use forge_models::{TabNetConfig, TabNetPretrainerConfig, TabularConfig, TabularRows, TabularSpec};
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Distribution, Tensor};
///
/// let table = TabularSpec { n_num_features: 5, cat_cardinalities: vec![], d_out: 1 };
/// let config = TabNetConfig::default().sized_for(&table)?;
/// let device = Device::flex().autodiff();
/// let pretrainer = TabNetPretrainerConfig::of(config.clone()).try_init(&device)?;
/// let rows = TabularRows {
///     x_num: Some(Tensor::random([32, 5], Distribution::Default, &device)),
///     ..TabularRows::default()
/// };
/// let gradients = pretrainer.loss(rows).backward();
/// // … steps of an optimiser …
/// let model = pretrainer.start(config.try_init(&device)?)?;
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Module, Debug)]
pub struct TabNetPretrainer {
    encoder: TabNetEncoder,
    decoder: TabNetDecoder,
    ratio: f64,
}

impl TabNetPretrainer {
    pub(super) fn new(config: &TabNetPretrainerConfig, device: &Device) -> Self {
        Self {
            encoder: TabNetEncoder::new(&config.model, device),
            decoder: TabNetDecoder::new(config, device),
            ratio: config.pretraining_ratio,
        }
    }

    /// The loss to train by: columns are hidden at random, each with the config's
    /// `pretraining_ratio`, and those count.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Panics
    /// If the rows do not fit, or there are none.
    #[must_use]
    pub fn loss(&self, rows: TabularRows) -> Tensor<1> {
        let x = self.encoder.columns.embed(rows);
        let shape = [x.dims()[0], self.encoder.columns.len()];
        let hidden = Distribution::Bernoulli(self.ratio);
        let hidden = Tensor::random(shape, hidden, (&x.device(), x.dtype()));
        self.loss_of(x, hidden)
    }

    /// [`loss`](Self::loss) with the hidden columns given: 1 where a column of a row is hidden,
    /// else 0; numeric columns first, then categorical ones.
    ///
    /// # Shapes
    /// - hidden: `[B, F]`
    /// - output: `[1]`
    ///
    /// # Panics
    /// As [`loss`](Self::loss).
    #[must_use]
    pub fn loss_where(&self, rows: TabularRows, hidden: Tensor<2>) -> Tensor<1> {
        let columns = &self.encoder.columns;
        self.loss_of(columns.embed(rows), columns.in_order(hidden))
    }

    /// How well whole rows are reconstructed: nothing is hidden and every number counts. What to
    /// watch on rows that are not trained on, in [`Mode::Evaluate`](forge_nn::Mode).
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Panics
    /// As [`loss`](Self::loss).
    #[must_use]
    pub fn validation_loss(&self, rows: TabularRows) -> Tensor<1> {
        let x = self.encoder.columns.embed(rows);
        let found = self
            .decoder
            .forward(self.encoder.run(x.clone(), None).decisions);
        reconstruction_loss(found, x.clone(), x.ones_like())
    }

    /// `model` with this encoder: embeddings, norms and steps; its head stays. What
    /// [`subset`](Self::subset) does, in one call.
    ///
    /// # Errors
    /// A weights error if the model's encoder is of other sizes.
    pub fn start(&self, model: TabNet) -> Result<TabNet, ForgeError> {
        let state = StateDict::from_module(self)?;
        Ok(state.load_subset(model, &Self::subset())?.0)
    }

    /// What of a state of this network goes into a state of the model: the encoder, which has the
    /// same names there.
    #[must_use]
    pub fn subset() -> Subset {
        Subset::all().only(ENCODER)
    }

    /// Hidden numbers are 0, and hidden columns may not be attended to.
    ///
    /// # Shapes
    /// - x: `[B, E]`
    /// - hidden: `[B, F]`, in the reference's order of columns
    fn loss_of(&self, x: Tensor<2>, hidden: Tensor<2>) -> Tensor<1> {
        let covered = self.encoder.columns.cover(hidden.clone());
        let seen = x.clone() * (covered.clone().neg() + 1.0);
        let steps = self.encoder.run(seen, Some(hidden.neg() + 1.0));
        reconstruction_loss(self.decoder.forward(steps.decisions), x, covered)
    }
}
