//! The network.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use forge_nn::ops::{LinearActivation, channel_affine};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{ForgeError, Forward, ModuleConfig, Network, Want};

use super::options::BlockStr;
use super::{NtkLinear, OutputRange, ParametricActivation, RealMlpColumns, RealMlpConfig};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularRows, TabularSpec};

/// Most rows that weights and biases start from; the reference takes as many as fit one GiB.
const START_ROWS: usize = 32_768;

/// [`RealMlpColumns`], a factor per input, and layers `dropout(act(x W/√D + b))`, the last one without
/// activation.
///
/// Holzmüller, Grinsztajn and Steinwart 2024, "Better by Default: Strong Pre-Tuned MLPs and Boosted
/// Trees on Tabular Data" (arXiv 2407.04491), as in `pytabkit` 1.7.3.
#[derive(Module, Debug)]
pub struct RealMlp {
    pub(super) columns: RealMlpColumns,
    /// `[1, D_in]`.
    pub(super) front_scale: Option<Param<Tensor<2>>>,
    pub(super) layers: Vec<NtkLinear>,
    /// After all layers but the last.
    pub(super) activations: Vec<ParametricActivation>,
    pub(super) dropout: Dropout,
    pub(super) output: OutputRange,
    /// What the layers start from training rows by.
    #[module(skip)]
    config: RealMlpConfig,
}

impl RealMlp {
    pub(super) fn new(config: &RealMlpConfig, device: &Device) -> Self {
        let sizes = config.layer_sizes();
        let (act, learnt) = (config.act, config.use_parametric_act);
        let activation = |width: &usize| ParametricActivation::new(act, *width, learnt, device);
        let rate = match config.block_str {
            BlockStr::WithDropout => config.p_drop,
            BlockStr::WithoutDropout => 0.0,
        };
        let ones = || Param::from_tensor(Tensor::ones([1, config.d_in()], device));
        Self {
            columns: RealMlpColumns::new(config, device),
            front_scale: config.add_front_scale.then(ones),
            layers: sizes
                .map(|(from, to)| NtkLinear::new(from, to, device))
                .collect(),
            activations: config.hidden_sizes.iter().map(activation).collect(),
            dropout: DropoutConfig::new(rate).build(device),
            output: OutputRange::new(config, device),
            config: config.clone(),
        }
    }

    /// The input of the first layer.
    fn scaled(&self, rows: TabularRows) -> Tensor<2> {
        let x = self.columns.embed(rows);
        match &self.front_scale {
            Some(scale) => {
                let scale = scale.val().flatten(0, 1);
                channel_affine(x, None, scale, None, LinearActivation::Identity)
            }
            None => x,
        }
    }

    /// The layers one after the other, each started from what the ones before it make of `x`.
    fn layers_started(&mut self, mut x: Tensor<2>) {
        let mut layers = vec![];
        for (i, layer) in std::mem::take(&mut self.layers).into_iter().enumerate() {
            let layer = layer.started(&x, &self.config);
            if let Some(activation) = self.activations.get(i) {
                let y = activation.valid().forward(layer.valid().forward(x));
                // Dropped in part, as when it will be trained.
                x = self.dropout.forward(y);
            } else {
                x = layer.valid().forward(x);
            }
            layers.push(layer);
        }
        self.layers = layers;
    }
}

impl Network for RealMlp {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        RealMlpConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        self.config.spec()
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        if let Err(error) = input.check(self.name(), &self.spec(), self.capabilities()) {
            panic!("{error}");
        }
        let mut x = self.scaled(input.rows);
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if let Some(activation) = self.activations.get(i) {
                x = self.dropout.forward(activation.forward(x));
            }
        }
        self.output.forward(x).into()
    }
}

impl TabularModel for RealMlp {
    fn capabilities(&self) -> Capabilities {
        RealMlpConfig::CAPABILITIES
    }

    fn start_from(
        mut self,
        rows: TabularRows,
        target: Option<Tensor<2>>,
    ) -> Result<Self, ForgeError> {
        let rows = without_autodiff(rows);
        let input = TabularInput::from(rows.clone());
        input.check(self.name(), &self.spec(), self.capabilities())?;
        if rows.is_empty() {
            return Err(ForgeError::shape("training rows", "0", "at least 1"));
        }
        if let Some(target) = target {
            let (target, width) = (target.without_autodiff(), self.config.d_out());
            self.output = self.output.fitted(target, width)?;
        }
        self.columns = self.columns.fitted(&rows)?;
        let x = self.valid().scaled(some(rows, START_ROWS));
        self.layers_started(x);
        Ok(self)
    }
}

fn without_autodiff(rows: TabularRows) -> TabularRows {
    TabularRows {
        x_num: rows.x_num.map(Tensor::without_autodiff),
        x_cat: rows.x_cat.map(Tensor::without_autodiff),
        ..rows
    }
}

/// At most so many rows, evenly spread.
fn some(rows: TabularRows, most: usize) -> TabularRows {
    let n = rows.len();
    if n <= most {
        return rows;
    }
    let kept: Vec<i64> = (0..most).map(|i| (i * n / most) as i64).collect();
    let index = |device: &Device| {
        let data = TensorData::new(kept.clone(), [most]);
        Tensor::<1, Int>::from_data(data, device)
    };
    TabularRows {
        x_num: rows.x_num.map(|x| {
            let index = index(&x.device());
            x.select(0, index)
        }),
        x_cat: rows.x_cat.map(|x| {
            let index = index(&x.device());
            x.select(0, index)
        }),
        ..rows
    }
}
