//! All operations of a space at once.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::{softmax, tanh};
use burn::tensor::{Device, Tensor};
use forge_nn::cell::{Genotype, Operation, OperationLayer};
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::SearchSpace;

/// Makes a [`SuperNet`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuperNetConfig {
    /// What is chosen from.
    pub space: SearchSpace,
    /// Width of the input, at least 1.
    pub d_in: usize,
    /// Width of the states, at least 1.
    pub d_model: usize,
    /// Width of the output, at least 1.
    pub d_out: usize,
}

/// One cell with every operation of a [`SearchSpace`] on every edge, weighted: node `i` is
/// `Σ_{j<i} Σ_k w_{ijk} o_k(s_j)` with `s` the states before it, which begin with `tanh(stem₀ x)` and
/// `tanh(stem₁ x)`. The output is a linear map of the nodes, averaged over the tokens.
///
/// Liu, Simonyan & Yang, arXiv 1806.09055, section 2.2, where the weights are `softmax(α)` on each edge.
#[derive(Module, Debug)]
pub struct SuperNet {
    /// `α`, `[E, K]`: the strengths of the operations, from normal numbers times 1e-3.
    pub alpha: Param<Tensor<2>>,
    /// To the states that stand before the nodes.
    pub stems: Vec<Linear>,
    /// In the order of [`SearchSpace::edge`].
    pub edges: Vec<MixedEdge>,
    /// Of the nodes side by side.
    pub classifier: Linear,
    n_nodes: usize,
}

/// The candidates of one edge, in the order of the space.
#[derive(Module, Debug)]
pub struct MixedEdge {
    /// One layer per operation.
    pub operations: Vec<OperationLayer>,
}

impl MixedEdge {
    /// Every operation of `space` on tokens `width` wide.
    #[must_use]
    pub fn new(space: &SearchSpace, width: usize, device: &Device) -> Self {
        let operations = space.operations.iter();
        Self {
            operations: operations
                .map(|operation| OperationLayer::new(*operation, width, device))
                .collect(),
        }
    }
}

/// The two states before the nodes: `tanh(stem_k x)`.
pub(super) fn inputs(stems: &[Linear], x: Tensor<3>) -> Vec<Tensor<3>> {
    let stems = stems.iter();
    stems.map(|stem| tanh(stem.forward(x.clone()))).collect()
}

/// The stems of a net `from` wide at its input.
pub(super) fn stems(from: usize, width: usize, device: &Device) -> Vec<Linear> {
    let stem = |_| LinearConfig::new(from, width).build(device);
    (0..Genotype::INPUTS).map(stem).collect()
}

impl ModuleConfig for SuperNetConfig {
    type Module = SuperNet;

    fn validate(&self) -> Result<(), ForgeError> {
        self.space.validate()?;
        check::at_least_one("d_in", self.d_in)?;
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("d_out", self.d_out)
    }

    fn build(&self, device: &Device) -> SuperNet {
        let (space, width) = (&self.space, self.d_model);
        let small = Initializer::Normal {
            mean: 0.0,
            std: 1e-3,
        };
        SuperNet {
            alpha: small.init([space.n_edges(), space.operations.len()], device),
            stems: stems(self.d_in, width, device),
            edges: (0..space.n_edges())
                .map(|_| MixedEdge::new(space, width, device))
                .collect(),
            classifier: LinearConfig::new(space.n_nodes * width, self.d_out).build(device),
            n_nodes: space.n_nodes,
        }
    }
}

impl SuperNet {
    /// With the weights `softmax(α)`: a continuous relaxation of the choice.
    ///
    /// # Shapes
    /// - x: `[B, T, D_in]`
    /// - output: `[B, D_out]`
    ///
    /// # Panics
    /// If x is of another width than the net.
    #[must_use]
    pub fn forward_relaxed(&self, x: Tensor<3>) -> Tensor<2> {
        self.forward(x, softmax(self.alpha.val(), 1))
    }

    /// With these weights of all operations on all edges.
    ///
    /// # Shapes
    /// - x: `[B, T, D_in]`
    /// - weights: `[E, K]`
    /// - output: `[B, D_out]`
    ///
    /// # Panics
    /// If x or the weights are of another shape than the net's.
    #[must_use]
    pub fn forward(&self, x: Tensor<3>, weights: Tensor<2>) -> Tensor<2> {
        self.mix(x, weights, |_, _| true)
    }

    /// The same where only the operations `paths[edge]` are computed: the others count nothing and have
    /// no gradient, whatever their weights are.
    ///
    /// # Shapes
    /// - x: `[B, T, D_in]`
    /// - weights: `[E, K]`
    /// - output: `[B, D_out]`
    ///
    /// # Panics
    /// As [`forward`](Self::forward), and if there are not the paths of every edge.
    #[must_use]
    pub fn forward_paths(
        &self,
        x: Tensor<3>,
        weights: Tensor<2>,
        paths: &[Vec<usize>],
    ) -> Tensor<2> {
        self.mix(x, weights, |edge, operation| {
            paths[edge].contains(&operation)
        })
    }

    fn mix(
        &self,
        x: Tensor<3>,
        weights: Tensor<2>,
        wanted: impl Fn(usize, usize) -> bool,
    ) -> Tensor<2> {
        let mut states = inputs(&self.stems, x);
        let mut edge = 0;
        for _ in 0..self.n_nodes {
            let mut sum: Option<Tensor<3>> = None;
            for state in &states {
                for (k, operation) in self.edges[edge].operations.iter().enumerate() {
                    if operation.operation() == Operation::None || !wanted(edge, k) {
                        continue;
                    }
                    let weight = weights.clone().slice([edge..edge + 1, k..k + 1]);
                    let said = operation.forward(state.clone(), None) * weight.unsqueeze::<3>();
                    sum = Some(match sum {
                        Some(sum) => sum + said,
                        None => said,
                    });
                }
                edge += 1;
            }
            let node = sum.unwrap_or_else(|| states[0].zeros_like());
            states.push(node);
        }
        let nodes = Tensor::cat(states.split_off(Genotype::INPUTS), 2);
        self.classifier.forward(nodes.mean_dim(1).squeeze_dim(1))
    }

    /// `α` on the host, edge by edge.
    #[must_use]
    pub fn strengths(&self) -> Vec<Vec<f64>> {
        host_rows(self.alpha.val())
    }
}

/// The rows of a matrix on the host.
pub(super) fn host_rows(matrix: Tensor<2>) -> Vec<Vec<f64>> {
    let width = matrix.dims()[1].max(1);
    let values: Vec<f64> = matrix.into_data().iter().collect();
    values.chunks(width).map(<[f64]>::to_vec).collect()
}
