//! Networks that grow a column per task.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

/// How a column listens to those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LateralKind {
    /// `Σ_j U_j h_j`, eq. 1. The default.
    #[default]
    Linear,
    /// `U relu(V [α_1 h_1, …] + b)` of this width, at least 1, eq. 2.
    Adapter(usize),
}

/// Recipe of a [`ProgressiveColumn`], and of a [`Progressive`] of such columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressiveConfig {
    /// Width of the input, at least 1.
    pub d_in: usize,
    /// Widths of the hidden layers of each column, at least one layer, each at least 1.
    pub hidden_sizes: Vec<usize>,
    /// Width of the output of each column, at least 1.
    pub d_out: usize,
    /// How a column listens to those before it. Default linear.
    #[serde(default)]
    pub lateral: LateralKind,
}

impl ProgressiveConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_in", self.d_in)?;
        check::at_least_one("d_out", self.d_out)?;
        check::at_least_one("hidden_sizes", self.hidden_sizes.len())?;
        for size in &self.hidden_sizes {
            check::at_least_one("hidden_sizes", *size)?;
        }
        match self.lateral {
            LateralKind::Linear => Ok(()),
            LateralKind::Adapter(width) => check::at_least_one("lateral.adapter", width),
        }
    }

    /// A column that listens to `earlier` others.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn column(&self, earlier: usize, device: &Device) -> Result<ProgressiveColumn, ForgeError> {
        self.validate()?;
        let sizes = [&[self.d_in], &*self.hidden_sizes, &[self.d_out]].concat();
        let pairs = || sizes.iter().zip(&sizes[1..]);
        let layers = pairs().map(|(a, b)| LinearConfig::new(*a, *b).init(device));
        let laterals = pairs().skip(usize::from(earlier > 0));
        let laterals = laterals.map(|(a, b)| Lateral::new(self.lateral, earlier, [*a, *b], device));
        Ok(ProgressiveColumn {
            layers: layers.collect(),
            laterals: match earlier {
                0 => vec![],
                _ => laterals.collect(),
            },
        })
    }
}

impl ModuleConfig for ProgressiveConfig {
    type Module = Progressive;

    fn validate(&self) -> Result<(), ForgeError> {
        Self::validate(self)
    }

    fn build(&self, device: &Device) -> Progressive {
        Progressive {
            columns: self.column(0, device).into_iter().collect(),
        }
    }
}

/// What a layer hears of the layer below in earlier columns.
#[derive(Module, Debug)]
struct Lateral {
    /// One factor per earlier column, `[J]`, and the projection of their adapter.
    alpha: Option<Param<Tensor<1>>>,
    v: Option<Linear>,
    u: Linear,
}

impl Lateral {
    fn new(kind: LateralKind, earlier: usize, [a, b]: [usize; 2], device: &Device) -> Self {
        let out = |width| LinearConfig::new(width, b).with_bias(false).init(device);
        match kind {
            LateralKind::Linear => Self {
                alpha: None,
                v: None,
                u: out(a * earlier),
            },
            LateralKind::Adapter(width) => {
                // "Initialised by a different random small value", section 2.
                let small = Distribution::Uniform(0.01, 0.1);
                let alpha = Tensor::random([earlier], small, device);
                Self {
                    alpha: Some(Param::from_tensor(alpha)),
                    v: Some(LinearConfig::new(a * earlier, width).init(device)),
                    u: out(width),
                }
            }
        }
    }

    fn forward(&self, earlier: Vec<Tensor<2>>) -> Tensor<2> {
        let Some((alpha, v)) = self.alpha.as_ref().zip(self.v.as_ref()) else {
            return self.u.forward(Tensor::cat(earlier, 1));
        };
        let alpha = alpha.val();
        let scaled = earlier.into_iter().enumerate().map(|(column, hidden)| {
            let alpha = alpha.clone().narrow(0, column, 1);
            hidden.mul(alpha.unsqueeze::<2>())
        });
        let hidden = relu(v.forward(Tensor::cat(scaled.collect(), 1)));
        self.u.forward(hidden)
    }
}

/// One column: linear layers with ReLU between, each but the first with a lateral connection from
/// the layer below in every earlier column, added before the activation.
#[derive(Module, Debug)]
pub struct ProgressiveColumn {
    layers: Vec<Linear>,
    laterals: Vec<Lateral>,
}

impl ProgressiveColumn {
    /// What the column says of `x`, and its hidden layers. `earlier` has the hidden layers of each
    /// column that it listens to, in order.
    ///
    /// # Shapes
    /// - x: `[B, D_in]`
    /// - earlier and hidden: `[B, H]` each
    /// - output: `[B, D_out]`
    ///
    /// # Panics
    /// If the shapes, or the number of columns, do not fit.
    #[must_use]
    pub fn forward(&self, x: Tensor<2>, earlier: &[Vec<Tensor<2>>]) -> (Tensor<2>, Vec<Tensor<2>>) {
        let mut hidden: Vec<Tensor<2>> = vec![];
        let mut x = x;
        for (i, layer) in self.layers.iter().enumerate() {
            let below = x.clone();
            let mut y = layer.forward(below);
            if let Some(lateral) = i.checked_sub(1).and_then(|i| self.laterals.get(i)) {
                let heard = earlier.iter().map(|column| column[i - 1].clone());
                y = y.add(lateral.forward(heard.collect()));
            }
            if i + 1 == self.layers.len() {
                return (y, hidden);
            }
            x = relu(y);
            hidden.push(x.clone());
        }
        (x, hidden)
    }
}

/// A progressive network: a new column for each task, the earlier ones frozen.
///
/// Rusu et al., arXiv 1606.04671, eq. 1 and 2. Each column has an output of its own; that of task
/// `t` is column `t`, which never changes again once the next one has been added.
#[derive(Module, Debug)]
pub struct Progressive {
    columns: Vec<ProgressiveColumn>,
}

impl Progressive {
    /// How many columns there are.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// With one more column of this recipe, and those there are frozen.
    ///
    /// # Errors
    /// As [`ProgressiveConfig::validate`].
    pub fn grow(self, config: &ProgressiveConfig, device: &Device) -> Result<Self, ForgeError> {
        let mut columns: Vec<_> = self.columns.into_iter().map(Module::no_grad).collect();
        columns.push(config.column(columns.len(), device)?);
        Ok(Self { columns })
    }

    /// What column `column` says, counted from 0.
    ///
    /// # Shapes
    /// - x: `[B, D_in]`
    /// - output: `[B, D_out]`
    ///
    /// # Errors
    /// A config error if there is no such column.
    pub fn forward(&self, x: Tensor<2>, column: usize) -> Result<Tensor<2>, ForgeError> {
        check::in_range("column", column, 0..self.columns.len())?;
        let mut earlier = vec![];
        for one in &self.columns[..column] {
            earlier.push(one.forward(x.clone(), &earlier).1);
        }
        Ok(self.columns[column].forward(x, &earlier).0)
    }
}
