//! The three transformers one after the other.

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use forge_nn::{ForgeError, Forward, Maps, Network, Want};

use super::{TabIclColumns, TabIclConfig, TabIclLearner, TabIclRows};
use crate::contract::numeric_only;
use crate::tabular::one_target::check_one_target;
use crate::{Capabilities, Labels, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// Cells, rows, data set: Qu et al. 2025, "TabICL: A Tabular Foundation Model for In-Context Learning
/// on Large Data" (arXiv 2502.05564), and its second version (arXiv 2602.11139), as in `tabicl`
/// 2.2.0.
#[derive(Module, Debug)]
pub struct TabIcl {
    columns: TabIclColumns,
    rows: TabIclRows,
    learner: TabIclLearner,
    n_num_features: usize,
}

impl TabIcl {
    pub(super) fn new(config: &TabIclConfig, device: &Device) -> Self {
        Self {
            columns: TabIclColumns::new(config, device),
            rows: TabIclRows::new(config, device),
            learner: TabIclLearner::new(config, device),
            n_num_features: config.n_num_features,
        }
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
        self.learner.classes()
    }

    /// Where its weights are, and of which type.
    pub(super) fn place(&self) -> (Device, DType) {
        self.rows.place()
    }
}

impl Network for TabIcl {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        TabIclConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.n_num_features, self.learner.d_out())
    }

    fn run(&self, input: TabularInput, want: Want) -> Forward {
        let checked = input
            .check(self.name(), &self.spec(), self.capabilities())
            .and_then(|()| self.admits(&input));
        if let Err(error) = checked {
            panic!("{error}");
        }
        let context = input.context.and_then(|c| c.rows.x_num.zip(c.target));
        let (Some(x), Some((labelled, target))) = (input.rows.x_num, context) else {
            panic!("tabicl predicts from labelled rows of numeric features");
        };
        let x = Tensor::cat(vec![labelled, x], 0);
        let rows = self.rows.forward(self.columns.forward(x, target.clone()));
        let (y, attention) = self.learner.forward(rows, target, want.attention);
        Forward {
            maps: Maps {
                attention,
                ..Maps::default()
            },
            ..y.into()
        }
    }
}

impl TabularModel for TabIcl {
    fn capabilities(&self) -> Capabilities {
        TabIclConfig::CAPABILITIES
    }

    fn labels(&self) -> Option<Labels> {
        match self.classes() {
            0 => None,
            classes => Some(Labels::Classes(classes)),
        }
    }

    /// At least one labelled row, and one target per row.
    fn admits(&self, input: &TabularInput) -> Result<(), ForgeError> {
        check_one_target(self.name(), input)
    }

    /// No weight depends on the number of columns.
    fn run_narrow(&self, input: TabularInput, want: Want) -> Result<Forward, ForgeError> {
        let columns = input.n_numeric();
        Ok(self.clone().for_columns(columns).run(input, want))
    }

    fn for_table(self, table: &TabularSpec, labels: Labels) -> Result<Self, ForgeError> {
        let n_num_features = numeric_only(self.name(), table)?;
        let learner = self.learner.for_outputs(table.d_out, labels)?;
        let (columns, learner) = match labels {
            Labels::Numbers(_) => (self.columns, learner),
            Labels::Classes(n) => (self.columns.for_classes(n), learner.for_classes(n)),
        };
        Ok(Self {
            columns,
            learner,
            n_num_features,
            ..self
        })
    }
}
