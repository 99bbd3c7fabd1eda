//! TabPFN v2 as a tabular model.

use burn::module::Module;
use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use forge_nn::ops::LinearActivation;
use forge_nn::{ForgeError, Forward, Linear, Maps, Network, Want};

use super::cells::Cells;
use super::{TabPfnV2Config, TabPfnV2Layer, labels, positions};
use crate::contract::numeric_only;
use crate::tabular::fewer_outputs::fewer_outputs;
use crate::tabular::one_target::check_one_target;
use crate::tabular::row_cost;
use crate::{
    Capabilities, Labels, TabularConfig, TabularInput, TabularModel, TabularRows, TabularSpec,
};

/// A transformer over the cells of a table that reads labelled rows and predicts others in one pass.
///
/// Hollmann et al. 2025, "Accurate predictions on small data with a tabular foundation model"
/// (Nature 637), as `PerFeatureTransformer` in `tabpfn` 2.0.9.
///
/// One call is one table: the context holds the labelled rows, with one target per row, and the rows
/// are those to predict. A row is a token per group of features and one for its target; rows to
/// predict see the labelled rows and neither themselves nor each other.
///
/// # Maps
///
/// [`Maps::attention`]: per layer `[1, H, B, R]`, where the target's tokens of the rows to predict
/// look among the labelled rows.
#[derive(Module, Debug)]
pub struct TabPfnV2 {
    pub(super) x_encoder: Linear,
    pub(super) y_encoder: Linear,
    pub(super) position_encoder: Linear,
    pub(super) layers: Vec<TabPfnV2Layer>,
    pub(super) head_in: Linear,
    pub(super) head_out: Linear,
    /// `[G, D / 4]`; absent: the reference's.
    pub(super) positions: Option<Tensor<2>>,
    pub(super) n_num_features: usize,
    pub(super) group: usize,
    pub(super) classes: usize,
    pub(super) row_limit: usize,
    pub(super) column_limit: usize,
}

impl TabPfnV2 {
    /// The same with other numbers for the places of the groups than those that the reference draws
    /// on the CPU with seed 0: where weights were trained with others.
    ///
    /// # Shapes
    /// - positions: `[G, D / 4]`, `G` at least the number of groups
    #[must_use]
    pub fn with_feature_positions(mut self, positions: Tensor<2>) -> Self {
        self.positions = Some(positions);
        self
    }

    /// The same weights for tables of `n` columns: none of them depends on it.
    #[must_use]
    pub fn for_columns(mut self, n: usize) -> Self {
        self.n_num_features = n;
        self
    }

    /// Classes that labels are taken for; 0: numbers.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Most columns that it takes, and most labelled rows.
    #[must_use]
    pub fn limits(&self) -> [usize; 2] {
        [self.column_limit, self.row_limit]
    }

    /// Bytes that a pass over `rows` rows with `context` labelled ones of `columns` columns takes.
    pub(super) fn pass_bytes(&self, rows: usize, context: usize, columns: usize) -> u64 {
        let tokens = columns.div_ceil(self.group) + 1;
        let of_token = layer_values(self.x_encoder.d_output(), self.head_in.d_output());
        row_cost::bytes(rows, context, row_cost::values(tokens, of_token))
    }

    /// Where its weights are, and of which type.
    #[must_use]
    pub fn place(&self) -> (Device, DType) {
        let weight = self.x_encoder.weight.val();
        (weight.device(), weight.dtype())
    }

    /// What is added to each group's tokens, `[1, G, D]`.
    fn places(&self, groups: usize) -> Tensor<3> {
        let (device, dtype) = self.place();
        let width = self.position_encoder.d_input();
        let positions = match &self.positions {
            Some(positions) => positions.clone().narrow(0, 0, groups),
            None => {
                let numbers = positions::standard_normal(groups * width);
                let data = TensorData::new(numbers, [groups, width]);
                Tensor::from_data(data.convert_dtype(dtype), (&device, dtype))
            }
        };
        self.position_encoder.forward(positions).unsqueeze()
    }

    /// All rows as tokens `[R + B, G + 1, D]`, the labelled ones first, and how many those are.
    fn tokens(&self, input: TabularInput) -> (Tensor<3>, usize) {
        let context = input.context.map(|context| (context.rows, context.target));
        let Some((known, Some(target))) = context else {
            panic!("tabpfn_v2 predicts from labelled rows");
        };
        let labelled = known.len();
        let (x, present) = both(known, input.rows);
        let [rows, _] = x.dims();
        let cells = Cells {
            x,
            present,
            labelled,
        };
        let cells = self.x_encoder.forward(cells.grouped(self.group));
        let places = self.places(cells.dims()[1]);
        let shape = cells.dims();
        let cells = cells + places.expand(shape);
        let pairs = labels::pairs(target, rows - labelled, self.classes);
        let target = self.y_encoder.forward(pairs).unsqueeze_dim(1);
        (Tensor::cat(vec![cells, target], 1), labelled)
    }
}

/// Numbers that a layer makes of a token: packed projections, mixed heads and residuals of both
/// attentions, hidden units.
pub(super) fn layer_values(width: usize, hidden: usize) -> usize {
    14 * width + 2 * hidden
}

/// Labelled rows and others one under the other: their numbers, and which are there.
fn both(known: TabularRows, asked: TabularRows) -> (Tensor<2>, Option<Tensor<2, Bool>>) {
    let (Some(x), Some(other)) = (known.x_num, asked.x_num) else {
        panic!("tabpfn_v2 predicts from numeric features");
    };
    let all = |x: &Tensor<2>| x.zeros_like().equal_elem(0.0);
    let present = match (known.num_present, asked.num_present) {
        (None, None) => None,
        (known, asked) => {
            let known = known.unwrap_or_else(|| all(&x));
            let asked = asked.unwrap_or_else(|| all(&other));
            Some(Tensor::cat(vec![known, asked], 0))
        }
    };
    (Tensor::cat(vec![x, other], 0), present)
}

impl Network for TabPfnV2 {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        TabPfnV2Config::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.n_num_features, self.head_out.d_output())
    }

    fn run(&self, input: TabularInput, want: Want) -> Forward {
        let checked = input
            .check(self.name(), &self.spec(), self.capabilities())
            .and_then(|()| self.admits(&input));
        if let Err(error) = checked {
            panic!("{error}");
        }
        let (mut x, labelled) = self.tokens(input);
        let mut attention = vec![];
        for (i, layer) in self.layers.iter().enumerate() {
            let (out, map) = match i + 1 == self.layers.len() {
                true => layer.last(x, labelled, want.attention),
                false => layer.forward(x, labelled, want.attention),
            };
            attention.extend(map);
            x = out;
        }
        let rows: Tensor<2> = x.squeeze_dim(0);
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

impl TabularModel for TabPfnV2 {
    fn capabilities(&self) -> Capabilities {
        TabPfnV2Config::CAPABILITIES
    }

    fn labels(&self) -> Option<Labels> {
        (self.classes > 1).then_some(Labels::Classes(self.classes))
    }

    /// At least one labelled row and no more than `row_limit`, and one target per row.
    fn admits(&self, input: &TabularInput) -> Result<(), ForgeError> {
        check_one_target(self.name(), input)?;
        row_cost::check_rows(self.name(), input, self.row_limit)
    }

    /// No weight depends on the number of columns.
    fn run_narrow(&self, input: TabularInput, want: Want) -> Result<Forward, ForgeError> {
        let columns = input.n_numeric();
        Ok(self.clone().for_columns(columns).run(input, want))
    }

    /// Of classes with an output each: those that the table has. What the regressor says are buckets,
    /// which an objective of numbers cannot read.
    fn for_table(self, table: &TabularSpec, labels: Labels) -> Result<Self, ForgeError> {
        let n_num_features = numeric_only(self.name(), table)?;
        let Labels::Classes(classes) = labels else {
            let what = "the weights of tabpfn_v2 predict numbers as a distribution over buckets: use \
                        TabPfnV2Ensemble";
            return Err(ForgeError::unsupported(what));
        };
        if table.d_out != classes {
            let what = format!(
                "the weights of tabpfn_v2 have an output per class, the objective has {}: take \
                 'multiclass'",
                table.d_out
            );
            return Err(ForgeError::unsupported(what));
        }
        let knows = match self.classes {
            0 => Labels::Numbers(1),
            classes => Labels::Classes(classes),
        };
        Ok(Self {
            head_out: fewer_outputs(self.name(), &self.head_out, classes, labels, knows)?,
            n_num_features,
            classes,
            ..self
        })
    }
}
