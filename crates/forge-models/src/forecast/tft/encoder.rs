//! From the variables of each step to locally processed features.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::gating::GatedLinear;
use forge_nn::norm::LayerNorm;
use forge_nn::ops::parts;
use forge_nn::recurrent::{Lstm, LstmConfig, LstmState};
use forge_nn::{ModuleConfig, NumericTokenizer};

use super::TftConfig;
use super::numbers::Numbers;
use super::static_encoder::Contexts;
use super::variable_selection::VariableSelection;

/// Selection among past and among known variables, then recurrent layers over the past whose state
/// those over the future go on from, and the gate around both.
///
/// Lim et al. 2021, section 4.5.1.
#[derive(Module, Debug)]
pub(super) struct TemporalEncoder {
    /// Of targets and covariates of the past.
    observed_embedding: NumericTokenizer,
    known_embedding: NumericTokenizer,
    past_selection: VariableSelection,
    future_selection: VariableSelection,
    past: Vec<Lstm>,
    future: Vec<Lstm>,
    gate: GatedLinear,
    norm: LayerNorm,
    lookback: usize,
    targets_first: bool,
}

/// What leaves the encoder.
pub(super) struct Encoded {
    /// `[B, L + H, D]`.
    pub(super) features: Tensor<3>,
    /// `[B, L, V]`.
    pub(super) past_weights: Tensor<3>,
    /// `[B, H, K]`.
    pub(super) future_weights: Tensor<3>,
}

impl TemporalEncoder {
    pub(super) fn new(config: &TftConfig, device: &Device) -> Self {
        let (windows, width) = (&config.windows, config.hidden_size);
        let context = config.static_variables() > 0;
        let (past, known) = (config.past_variables(), config.known_variables());
        let embedding = |variables| config.embedding(variables).build(device);
        let selection = |variables| VariableSelection::new(config, variables, context, device);
        let layers = || {
            let layer = |_| LstmConfig::new(width, width).init(device);
            (0..config.n_rnn_layers).map(layer).collect()
        };
        Self {
            observed_embedding: embedding(windows.n_past + windows.n_targets),
            known_embedding: embedding(known),
            past_selection: selection(past),
            future_selection: selection(known),
            past: layers(),
            future: layers(),
            gate: config.gate().build(device),
            norm: config.norm().build(device),
            lookback: windows.lookback,
            targets_first: config.targets_first,
        }
    }

    pub(super) fn parameter_count(config: &TftConfig) -> usize {
        let width = config.hidden_size;
        let context = config.static_variables() > 0;
        let (past, known) = (config.past_variables(), config.known_variables());
        let lstm = LstmConfig::new(width, width).parameter_count();
        // Known variables have one embedding for past and future.
        2 * past * width
            + VariableSelection::parameter_count(config, past, context)
            + VariableSelection::parameter_count(config, known, context)
            + 2 * config.n_rnn_layers * lstm
            + config.gate().parameter_count()
            + 2 * width
    }

    /// # Shapes
    /// - targets: `[B, L, N]`, covariates: `[B, L, P]`
    /// - known: `[B, L + H, K]`
    pub(super) fn forward(
        &self,
        targets: Tensor<3>,
        covariates: Option<Tensor<3>>,
        known: Tensor<3>,
        contexts: Option<&Contexts>,
    ) -> Encoded {
        let horizon = known.dims()[1] - self.lookback;
        let context = contexts.map(|contexts| contexts.selection.clone());
        let [seen, ahead] = parts(known, 1, [self.lookback, horizon]);
        let past = self.past(targets, covariates, seen);
        let ahead = Numbers::new(ahead, &self.known_embedding);
        let (past, past_weights) = self.past_selection.of_numbers(&past, context.clone());
        let (future, future_weights) = self.future_selection.of_numbers(&ahead, context);
        let processed = self.recur(past.clone(), future.clone(), contexts);
        let selected = Tensor::cat(vec![past, future], 1);
        let features = self.norm.forward(self.gate.forward(processed) + selected);
        Encoded {
            features,
            past_weights,
            future_weights,
        }
    }

    /// The variables of the past in their order.
    fn past(&self, targets: Tensor<3>, covariates: Option<Tensor<3>>, known: Tensor<3>) -> Numbers {
        let known = Numbers::new(known, &self.known_embedding);
        let count = covariates.as_ref().map_or(0, |x| x.dims()[2]);
        let [_, _, n_targets] = targets.dims();
        let mut observed: Vec<Tensor<3>> = covariates.into_iter().collect();
        if self.targets_first {
            observed.insert(0, targets);
            let observed = Numbers::new(Tensor::cat(observed, 2), &self.observed_embedding);
            return Numbers::joined(vec![observed, known]);
        }
        observed.push(targets);
        let observed = Numbers::new(Tensor::cat(observed, 2), &self.observed_embedding);
        let targets = observed.part(count, n_targets);
        let mut all = vec![known, targets];
        if count > 0 {
            all.insert(0, observed.part(0, count));
        }
        Numbers::joined(all)
    }

    /// Past and future through the recurrent layers, `[B, L + H, D]`.
    fn recur(
        &self,
        mut past: Tensor<3>,
        mut future: Tensor<3>,
        contexts: Option<&Contexts>,
    ) -> Tensor<3> {
        let layers = self.past.len();
        let [batch, _, width] = past.dims();
        for (i, (over_past, over_future)) in self.past.iter().zip(&self.future).enumerate() {
            let state = match contexts {
                None => LstmState::zeros(batch, width, &past),
                Some(contexts) => {
                    let of = |i: usize| contexts.recurrent[i].clone().squeeze_dim::<2>(1);
                    LstmState {
                        hidden: of(i),
                        cell: of(layers + i),
                    }
                }
            };
            let (over_the_past, last) = over_past.forward(past, state);
            past = over_the_past;
            (future, _) = over_future.forward(future, last);
        }
        Tensor::cat(vec![past, future], 1)
    }
}
