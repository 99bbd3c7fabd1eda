//! TabR as a tabular model.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Int, Tensor, TensorData};
use forge_nn::norm::LayerNorm;
use forge_nn::{ForgeError, Forward, Linear, Mode, Network, Want, set_mode};

use super::search::{Nearest, nearest};
use super::{TabRBlock, TabRConfig, TabRRetrieval};
use crate::tabular::EmbeddedColumns;
use crate::tabular::candidates::{admits, encoded, pick};
use crate::{
    Capabilities, Context, Labels, TabularConfig, TabularInput, TabularModel, TabularRows,
    TabularSpec,
};

/// Rows predicted at once where no gradient is recorded: each brings its context.
const QUERIES_AT_ONCE: usize = 256;

/// A feed-forward network with a look at the nearest training rows in its middle.
///
/// Gorishniy, Rubachev, Kartashev, Shlenskii, Kotelnikov & Babenko 2024, "TabR: Tabular Deep Learning
/// Meets Nearest Neighbors" (arXiv 2307.14338), as the authors' `bin/tabr.py` and `TabR` in
/// `LAMDA-Tabular/TALENT` at c9d24c8.
///
/// Candidates are the rows of the context, and in training the other rows of the batch, whose
/// targets are in the input; no row is its own candidate. Of these the `context_size` nearest, found
/// exactly, are the row's context; no gradient goes through the choice.
#[derive(Module, Debug)]
pub struct TabR {
    pub(super) columns: EmbeddedColumns,
    pub(super) linear: Linear,
    pub(super) encoder: Vec<TabRBlock>,
    pub(super) retrieval: TabRRetrieval,
    pub(super) predictor: Vec<TabRBlock>,
    pub(super) head_norm: LayerNorm,
    pub(super) head: Linear,
    pub(super) context_size: usize,
    #[module(skip)]
    pub(super) labels: Labels,
}

/// Everything that may be looked at: keys `[M, D]` and targets `[M, S]`.
#[derive(Clone)]
struct Candidates {
    keys: Tensor<2>,
    target: Tensor<2>,
}

impl TabR {
    fn encode(&self, rows: TabularRows) -> Tensor<2> {
        let x = self.linear.forward(self.columns.forward(rows));
        self.encoder.iter().fold(x, |x, block| block.forward(x))
    }

    fn keys(&self, rows: TabularRows) -> Tensor<2> {
        self.retrieval.key(self.encode(rows))
    }

    /// The keys of a context to search in, without gradients. Dropout of the encoder acts in training
    /// here too, as in the reference.
    fn keys_to_search(&self, rows: TabularRows) -> Tensor<2> {
        let mode = match self.encoder.iter().any(TabRBlock::drops) {
            true => Mode::Sample,
            false => Mode::Evaluate,
        };
        let apart = set_mode(self.valid(), mode);
        let rows = TabularRows {
            x_num: rows.x_num.map(|x| x.detach().without_autodiff()),
            x_cat: rows.x_cat.map(Tensor::without_autodiff),
            ..rows
        };
        encoded(rows, false, |rows| apart.keys(rows))
    }

    /// `x` with what it takes from the `found` candidates, through predictor and head.
    fn predict(
        &self,
        x: Tensor<2>,
        keys: Tensor<2>,
        candidates: Candidates,
        found: Nearest,
    ) -> Tensor<2> {
        let ([rows, width], k) = (keys.dims(), found.k);
        let places = indices(&found.places, &keys);
        let context = candidates.keys.select(0, places.clone());
        let target = candidates.target.select(0, places);
        let taken = self
            .retrieval
            .forward(keys, context.reshape([rows, k, width]), target);
        let x = self
            .predictor
            .iter()
            .fold(x + taken, |x, block| block.forward(x));
        self.head.forward(relu(self.head_norm.forward(x)))
    }

    /// In training: the batch and the context are candidates, and of the context those that were
    /// found are encoded once more with gradients, so that memory follows their number.
    fn learn(
        &self,
        rows: TabularRows,
        context: Option<Context>,
        target: Option<Tensor<2>>,
    ) -> Result<Tensor<2>, ForgeError> {
        let x = self.encode(rows);
        let keys = self.retrieval.key(x.clone());
        let own = target.is_some();
        let batch = if own { keys.dims()[0] } else { 0 };
        let mut searched = vec![];
        if own {
            searched.push(keys.clone().detach().without_autodiff());
        }
        if let Some(context) = &context {
            searched.push(self.keys_to_search(context.rows.clone()));
        }
        let searched = Tensor::cat(searched, 0);
        let mut found = nearest(&keys, &searched, self.context_size, own)?;
        let mut taken: Vec<usize> = found.places.clone();
        taken.retain(|place| *place >= batch);
        taken.sort_unstable();
        taken.dedup();
        for place in &mut found.places {
            if let Ok(at) = taken.binary_search(place) {
                *place = batch + at;
            }
        }
        let (mut all_keys, mut all_targets) = (vec![], vec![]);
        if let Some(target) = target {
            all_keys.push(keys.clone());
            all_targets.push(target);
        }
        if let Some(context) = context
            && let Some(target) = context.target
            && !taken.is_empty()
        {
            let of_context: Vec<usize> = taken.iter().map(|place| place - batch).collect();
            let places = indices(&of_context, &keys);
            all_keys.push(self.keys(pick(&context.rows, &places)));
            all_targets.push(target.select(0, places));
        }
        let candidates = Candidates {
            keys: Tensor::cat(all_keys, 0),
            target: Tensor::cat(all_targets, 0),
        };
        Ok(self.predict(x, keys, candidates, found))
    }

    /// Without gradients: some rows at a time look at the whole context.
    fn look(&self, rows: &TabularRows, candidates: &Candidates) -> Result<Tensor<2>, ForgeError> {
        let n = rows.len();
        let mut all = vec![];
        for start in (0..n).step_by(QUERIES_AT_ONCE) {
            let x = self.encode(rows.slice(start..(start + QUERIES_AT_ONCE).min(n)));
            let keys = self.retrieval.key(x.clone());
            let found = nearest(&keys, &candidates.keys, self.context_size, false)?;
            all.push(self.predict(x, keys, candidates.clone(), found));
        }
        Ok(Tensor::cat(all, 0))
    }

    fn outputs(&self, input: TabularInput) -> Result<Tensor<2>, ForgeError> {
        let TabularInput {
            rows,
            context,
            target,
        } = input;
        let learns = self.linear.weight.val().device().is_autodiff();
        match context {
            Some(mut context) if !learns && target.is_none() => {
                let keys = match context.encoded.len() {
                    1 => context.encoded.remove(0),
                    _ => encoded(context.rows, false, |rows| self.keys(rows)),
                };
                let lacks = || ForgeError::unsupported("tabr looks at labelled rows");
                let target = context.target.ok_or_else(lacks)?;
                self.look(&rows, &Candidates { keys, target })
            }
            context => self.learn(rows, context, target),
        }
    }
}

/// Places as indices on the device of `like`.
fn indices(places: &[usize], like: &Tensor<2>) -> Tensor<1, Int> {
    let places: Vec<i64> = places.iter().map(|place| *place as i64).collect();
    let shape = [places.len()];
    Tensor::from_data(TensorData::new(places, shape), &like.device())
}

impl Network for TabR {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        TabRConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        self.columns.spec(self.head.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let y = input
            .check(self.name(), &self.spec(), self.capabilities())
            .and_then(|()| self.admits(&input))
            .and_then(|()| self.outputs(input));
        match y {
            Ok(y) => y.into(),
            Err(error) => panic!("{error}"),
        }
    }
}

impl TabularModel for TabR {
    fn capabilities(&self) -> Capabilities {
        TabRConfig::CAPABILITIES
    }

    /// At least one candidate, with labels of its kind.
    fn admits(&self, input: &TabularInput) -> Result<(), ForgeError> {
        admits(input, self.labels)
    }

    fn labels(&self) -> Option<Labels> {
        Some(self.labels)
    }

    fn encode_context(&self, context: Context) -> Context {
        let keys = encoded(context.rows.clone(), false, |rows| self.keys(rows));
        Context {
            encoded: vec![keys],
            ..context
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};
    use forge_nn::ModuleConfig;

    use super::*;

    /// Keys to search in have the encoder's dropout while it acts, and are always the same otherwise.
    #[test]
    fn the_search_has_dropout_in_training_alone() -> Result<(), ForgeError> {
        let device = Device::flex().autodiff();
        let config = TabRConfig {
            n_num_features: 3,
            dropout0: 0.5,
            ..TabRConfig::narrow()
        };
        let training = config.try_init(&device)?;
        let random = Tensor::random([6, 3], Distribution::Default, &device);
        let rows = TabularInput::numeric(random).rows;
        let keys = |model: &TabR| model.keys_to_search(rows.clone()).into_data();
        assert_ne!(keys(&training), keys(&training));
        let resting = set_mode(training, Mode::Evaluate);
        assert_eq!(keys(&resting), keys(&resting));
        Ok(())
    }
}
