//! What does not change with time, and the contexts made of it.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::gating::GatedResidualNetwork;
use forge_nn::{
    CategoricalTokenizer, CategoricalTokenizerConfig, Linear, LinearConfig, ModuleConfig,
    NumericTokenizer,
};

use super::TftConfig;
use super::variable_selection::{Selected, VariableSelection};
use crate::forecast::SeriesInput;

/// The static variables as vectors (numbers, categories, then the embedding as one variable), the
/// selection among them, and the contexts for selection, enrichment, and state and memory of each
/// recurrent layer.
///
/// Lim et al. 2021, section 4.3.
#[derive(Module, Debug)]
pub(super) struct StaticEncoder {
    numbers: Option<NumericTokenizer>,
    codes: Option<CategoricalTokenizer>,
    embedding: Option<Linear>,
    selection: VariableSelection,
    contexts: Vec<GatedResidualNetwork>,
}

/// What the rest of the network is told, `[B, 1, D]` each.
pub(super) struct Contexts {
    pub(super) selection: Tensor<3>,
    pub(super) enrichment: Tensor<3>,
    /// States, then memories, layer by layer.
    pub(super) recurrent: Vec<Tensor<3>>,
    /// Weights of the static variables, `[B, 1, S]`.
    pub(super) weights: Tensor<3>,
}

impl StaticEncoder {
    /// Whether there is something to encode.
    pub(super) fn new(config: &TftConfig, device: &Device) -> Option<Self> {
        let (windows, width) = (&config.windows, config.hidden_size);
        let variables = config.static_variables();
        let codes = &windows.fixed_cardinalities;
        let context = |_| config.residual_network(false).build(device);
        (variables > 0).then(|| Self {
            numbers: (windows.n_fixed > 0).then(|| config.embedding(windows.n_fixed).build(device)),
            codes: (!codes.is_empty()).then(|| {
                CategoricalTokenizerConfig {
                    cardinalities: codes.clone(),
                    d_token: width,
                    bias: false,
                    missing: false,
                }
                .build(device)
            }),
            embedding: (windows.d_embedding > 0)
                .then(|| LinearConfig::new(windows.d_embedding, width).init(device)),
            selection: VariableSelection::new(config, variables, false, device),
            contexts: (0..config.static_contexts()).map(context).collect(),
        })
    }

    pub(super) fn parameter_count(config: &TftConfig) -> usize {
        let (windows, width) = (&config.windows, config.hidden_size);
        let variables = config.static_variables();
        if variables == 0 {
            return 0;
        }
        let embedding = match windows.d_embedding {
            0 => 0,
            from => (from + 1) * width,
        };
        2 * windows.n_fixed * width
            + windows.fixed_cardinalities.iter().sum::<usize>() * width
            + embedding
            + VariableSelection::parameter_count(config, variables, false)
            + config.static_contexts() * config.residual_network(false).parameter_count()
    }

    pub(super) fn forward(&self, input: &SeriesInput) -> Contexts {
        let (selected, weights) = self.select(input);
        let [selection, enrichment] =
            [0, 1].map(|i| self.contexts[i].forward(selected.clone(), None));
        let recurrent = self.contexts[2..].iter();
        Contexts {
            selection,
            enrichment,
            recurrent: recurrent
                .map(|network| network.forward(selected.clone(), None))
                .collect(),
            weights,
        }
    }

    fn select(&self, input: &SeriesInput) -> Selected {
        let mut tokens: Vec<Tensor<3>> = vec![];
        if let (Some(numbers), Some(x)) = (&self.numbers, &input.fixed) {
            tokens.push(numbers.forward(x.clone(), None));
        }
        if let (Some(codes), Some(x)) = (&self.codes, &input.fixed_codes) {
            tokens.push(codes.forward(x.clone(), None));
        }
        if let (Some(linear), Some(x)) = (&self.embedding, &input.embedding) {
            tokens.push(linear.forward(x.clone()).unsqueeze_dim(1));
        }
        let tokens = Tensor::cat(tokens, 1).unsqueeze_dim::<4>(1);
        self.selection.of_vectors(tokens, None)
    }
}
