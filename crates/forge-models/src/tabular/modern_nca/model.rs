//! ModernNCA as a tabular model.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::norm::BatchNorm;
use forge_nn::{ForgeError, Forward, Linear, Network, Want};

use super::head::{Candidates, weighted_labels};
use super::{ModernNcaBlock, ModernNcaConfig};
use crate::tabular::EmbeddedColumns;
use crate::tabular::candidates::{admits, encoded, one_hot_classes, own_rows};
use crate::{
    Capabilities, Context, Labels, TabularConfig, TabularInput, TabularModel, TabularRows,
    TabularSpec,
};

/// Added to a probability inside the logarithm.
const EPSILON: f64 = 1e-7;

/// Neighbourhood component analysis with a learned map: a row's prediction is the mean of the
/// labels of all candidates, weighed by `softmax(-distance / temperature)`.
///
/// Ye, Yin, Zhan & Chao 2025, "Revisiting Nearest Neighbor for Tabular Data: A Deep Tabular
/// Baseline Two Decades Later" (arXiv 2407.03257), as `ModernNCA` in `LAMDA-Tabular/TALENT` at
/// c9d24c8.
///
/// Candidates are the rows of the context, and in training the other rows of the batch, whose
/// targets are in the input; no row is its own candidate. The distance is Euclidean, not squared.
/// Outputs: means of numbers; `ln(p + 1e-7)` of each class, or the difference of both for two
/// classes with one output. In training mode batch and context are two batches to the batch norm.
#[derive(Module, Debug)]
pub struct ModernNca {
    pub(super) columns: EmbeddedColumns,
    pub(super) encoder: Linear,
    pub(super) blocks: Vec<ModernNcaBlock>,
    pub(super) norm: Option<BatchNorm>,
    pub(super) d_out: usize,
    pub(super) temperature: f64,
    #[module(skip)]
    pub(super) labels: Labels,
}

impl ModernNca {
    /// Where rows lie in the space of distances, `[B, dim]`.
    fn keys(&self, rows: TabularRows) -> Tensor<2> {
        let x = self.encoder.forward(self.columns.forward(rows));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }

    /// [`keys`](Self::keys) of a context. In parts where nothing is learnt from them.
    fn keys_of_context(&self, rows: TabularRows) -> Tensor<2> {
        let by_batch = self.norm.as_ref().map(|norm| &norm.batch_statistics);
        let learns = self.encoder.weight.val().device().is_autodiff();
        let at_once = learns || by_batch.is_some_and(|flag| flag.is_enabled());
        encoded(rows, at_once, |rows| self.keys(rows))
    }

    /// What each candidate is worth, `[M, W]`.
    fn worth(&self, target: Tensor<2>, like: &Tensor<2>) -> Tensor<2> {
        match self.labels {
            Labels::Numbers(_) => target,
            Labels::Classes(n) => one_hot_classes(target, n, like),
        }
    }

    fn outputs(&self, means: Tensor<2>) -> Tensor<2> {
        match self.labels {
            Labels::Numbers(_) => means,
            Labels::Classes(n) => {
                let logits = (means + EPSILON).log();
                if self.d_out == n {
                    return logits;
                }
                logits.clone().narrow(1, 1, 1) - logits.narrow(1, 0, 1)
            }
        }
    }
}

impl Network for ModernNca {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        ModernNcaConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        self.columns.spec(self.d_out)
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let checked = input
            .check(self.name(), &self.spec(), self.capabilities())
            .and_then(|()| self.admits(&input));
        if let Err(error) = checked {
            panic!("{error}");
        }
        let TabularInput {
            rows,
            context,
            target,
        } = input;
        // The context first, as the reference does: running statistics depend on the order.
        let context = context.map(|context| {
            let mut encoded = context.encoded;
            let keys = match encoded.len() {
                1 => encoded.remove(0),
                _ => self.keys_of_context(context.rows),
            };
            (keys, context.target)
        });
        let queries = self.keys(rows);
        let (mut keys, mut labels) = (vec![], vec![]);
        let in_batch = target.is_some();
        if let Some(target) = target {
            keys.push(queries.clone());
            labels.push(target);
        }
        if let Some((context, Some(target))) = context {
            keys.push(context);
            labels.push(target);
        }
        let (keys, labels) = (Tensor::cat(keys, 0), Tensor::cat(labels, 0));
        let own = in_batch.then(|| own_rows(queries.dims()[0], keys.dims()[0], &queries.device()));
        let labels = self.worth(labels, &keys);
        let candidates = Candidates { keys, labels };
        let means = weighted_labels(queries, candidates, own, self.temperature);
        self.outputs(means).into()
    }
}

impl TabularModel for ModernNca {
    fn capabilities(&self) -> Capabilities {
        ModernNcaConfig::CAPABILITIES
    }

    /// At least one candidate, with labels of its kind.
    fn admits(&self, input: &TabularInput) -> Result<(), ForgeError> {
        admits(input, self.labels)
    }

    fn labels(&self) -> Option<Labels> {
        Some(self.labels)
    }

    fn encode_context(&self, context: Context) -> Context {
        let keys = self.keys_of_context(context.rows.clone());
        Context {
            encoded: vec![keys],
            ..context
        }
    }
}
