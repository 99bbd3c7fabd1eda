//! TabPFN as a tabular model.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ops::LinearActivation;
use forge_nn::{ForgeError, Forward, Linear, Maps, Network, Want};

use super::TabPfnV1Config;
use crate::contract::numeric_only;
use crate::encoder_layer::{Asked, EncoderLayer};
use crate::tabular::fewer_outputs::fewer_outputs;
use crate::tabular::one_target::check_one_target;
use crate::tabular::row_cost::check_rows;
use crate::{Capabilities, Labels, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// A transformer that reads labelled rows and predicts others in one pass.
///
/// Hollmann et al. 2023, "TabPFN: A Transformer That Solves Small Tabular Classification Problems
/// in a Second" (arXiv 2207.01848), as `TransformerModel` in `automl/TabPFN` at ddf5e85.
///
/// One call is one table: the context holds the labelled rows, with one target per row (the class
/// number as a float), and the rows are those to predict. A token is a row:
/// `W x + b`, plus `w y + c` where it is labelled. Keys and values are those of the labelled rows: rows to predict see the labelled rows and neither
/// themselves nor each other, so that the answer does not depend on how the table is cut.
///
/// # Maps
///
/// [`Maps::attention`]: per layer `[1, H, B, R]`, the weights of the rows to predict on the labelled
/// rows.
#[derive(Module, Debug)]
pub struct TabPfnV1 {
    pub(super) x_encoder: Linear,
    pub(super) y_encoder: Linear,
    pub(super) layers: Vec<EncoderLayer>,
    pub(super) head_in: Linear,
    pub(super) head_out: Linear,
    pub(super) row_limit: usize,
}

impl TabPfnV1 {
    /// Columns of a narrower table as this model takes them: scaled by `num_features / F`, so that
    /// their sum keeps its size, and padded with zero columns (`normalize_by_used_features_f` and
    /// `extend_features` of the reference).
    ///
    /// # Shapes
    /// - x: `[N, F]`, normalised
    /// - output: `[N, num_features]`
    ///
    /// # Errors
    /// A shape error if there is no column or more than the model takes.
    pub fn widen(&self, x: Tensor<2>) -> Result<Tensor<2>, ForgeError> {
        let [rows, used] = x.dims();
        let all = self.x_encoder.d_input();
        if !(1..=all).contains(&used) {
            let found = format!("[{rows}, {used}]");
            return Err(ForgeError::shape("x", found, format!("[N, 1 to {all}]")));
        }
        let x = x * (all as f64 / used as f64);
        Ok(x.pad((0, all - used, 0, 0), 0.0))
    }

    /// All rows as tokens, the labelled ones first, and how many those are.
    fn tokens(&self, input: TabularInput) -> (Tensor<3>, usize) {
        let (Some(x), Some((Some(labelled), Some(y)))) = (
            input.rows.x_num,
            input
                .context
                .map(|context| (context.rows.x_num, context.target)),
        ) else {
            panic!("tabpfn_v1 predicts from labelled rows of numeric features");
        };
        let n = y.dims()[0];
        let y = self.y_encoder.forward(y);
        let labelled = self.x_encoder.forward(labelled) + y;
        let rows = self.x_encoder.forward(x);
        (Tensor::cat(vec![labelled, rows], 0).unsqueeze(), n)
    }
}

impl Network for TabPfnV1 {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        TabPfnV1Config::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.x_encoder.d_input(), self.head_out.d_output())
    }

    fn run(&self, input: TabularInput, want: Want) -> Forward {
        let checked = input
            .check(self.name(), &self.spec(), self.capabilities())
            .and_then(|()| self.admits(&input));
        if let Err(error) = checked {
            panic!("{error}");
        }
        let (mut rows, labelled) = self.tokens(input);
        let given = rows.dims()[1] - labelled;
        let mut attention = vec![];
        for (i, layer) in self.layers.iter().enumerate() {
            // Nothing looks at the labelled rows after the last layer.
            let last = i + 1 == self.layers.len();
            let asked = Asked {
                from: if last { labelled } else { 0 },
                of: labelled,
            };
            let (x, map) = layer.forward_asking(rows, asked, want.attention);
            attention.extend(map.map(|map| {
                let queries = map.dims()[2];
                map.narrow(2, queries - given, given)
            }));
            rows = x;
        }
        let rows: Tensor<2> = rows.squeeze_dim(0);
        let hidden = self.head_in.forward_activated(rows, LinearActivation::Gelu);
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..self.head_out.forward(hidden).into()
        }
    }
}

impl TabularModel for TabPfnV1 {
    fn capabilities(&self) -> Capabilities {
        TabPfnV1Config::CAPABILITIES
    }

    /// At least one labelled row and no more than `row_limit`, and one target per row; none for the rows to predict.
    fn admits(&self, input: &TabularInput) -> Result<(), ForgeError> {
        check_one_target(self.name(), input)?;
        check_rows(self.name(), input, self.row_limit)
    }

    /// Rows are [widened](TabPfnV1::widen).
    fn run_narrow(&self, mut input: TabularInput, want: Want) -> Result<Forward, ForgeError> {
        let widen = |x: Option<Tensor<2>>| x.map(|x| self.widen(x)).transpose();
        input.rows.x_num = widen(input.rows.x_num)?;
        if let Some(context) = &mut input.context {
            context.rows.x_num = widen(context.rows.x_num.take())?;
        }
        Ok(self.run(input, want))
    }

    /// Exactly what [widened](TabPfnV1::widen) rows give, from the logits of the classes there are:
    /// columns that are zero need no weights, and a scale is one of the weights.
    fn for_table(self, table: &TabularSpec, labels: Labels) -> Result<Self, ForgeError> {
        let (all, used) = (self.x_encoder.d_input(), numeric_only(self.name(), table)?);
        if !(1..=all).contains(&used) {
            let name = self.name();
            return Err(ForgeError::unsupported(format!(
                "the weights of {name} take 1 to {all} columns, the table has {used} once its \
                 categories are one-hot: leave some out"
            )));
        }
        let weight = self.x_encoder.weight.val().narrow(0, 0, used) * (all as f64 / used as f64);
        let bias = self.x_encoder.bias.as_ref().map(|bias| bias.val());
        let knows = Labels::of_width(self.head_out.d_output());
        let head_out = fewer_outputs(self.name(), &self.head_out, table.d_out, labels, knows)?;
        Ok(Self {
            x_encoder: Linear::from_values(weight, bias),
            head_out,
            ..self
        })
    }
}
