//! The network that all proposed cells share.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::cell::Genotype;
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use crate::search::SearchSpace;
use crate::search::super_net::{MixedEdge, inputs, stems};

/// Makes an [`EnasChild`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnasChildConfig {
    /// What is chosen from.
    pub space: SearchSpace,
    /// Width of the input, at least 1.
    pub d_in: usize,
    /// Width of the states, at least 1.
    pub d_model: usize,
    /// Width of the output, at least 1.
    pub d_out: usize,
}

/// A cell of which each choice uses a part: node `i` is `o₁(s_j) + o₂(s_k)`, and the output a linear map of
/// `Σ W_k ReLU(s_k)` over the states that no node reads, averaged over the tokens.
///
/// An operation has weights of its own for every node, side and source. Pham et al., arXiv 1802.03268,
/// section 2.4, in the frame of melodyguan/enas, `src/cifar10/micro_child.py`.
#[derive(Module, Debug)]
pub struct EnasChild {
    /// To the states that stand before the nodes.
    pub stems: Vec<Linear>,
    /// Of each node.
    pub nodes: Vec<ChildNode>,
    /// Of each state, where it is a loose end; without bias.
    pub finals: Vec<Linear>,
    /// To the output.
    pub classifier: Linear,
    #[module(skip)]
    space: SearchSpace,
}

/// What a node can be made of.
#[derive(Module, Debug)]
pub struct ChildNode {
    /// Of its two terms.
    pub sides: Vec<ChildSide>,
}

/// What a term can be made of.
#[derive(Module, Debug)]
pub struct ChildSide {
    /// The operations on each source.
    pub sources: Vec<MixedEdge>,
}

impl ModuleConfig for EnasChildConfig {
    type Module = EnasChild;

    fn validate(&self) -> Result<(), ForgeError> {
        self.space.validate()?;
        check::at_least_one("d_in", self.d_in)?;
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("d_out", self.d_out)
    }

    fn build(&self, device: &Device) -> EnasChild {
        let (space, width) = (&self.space, self.d_model);
        let side = |node: usize| ChildSide {
            sources: (0..Genotype::INPUTS + node)
                .map(|_| MixedEdge::new(space, width, device))
                .collect(),
        };
        let node = |node: usize| ChildNode {
            sides: (0..SearchSpace::KEPT).map(|_| side(node)).collect(),
        };
        let plain = LinearConfig::new(width, width).with_bias(false);
        EnasChild {
            stems: stems(self.d_in, width, device),
            nodes: (0..space.n_nodes).map(node).collect(),
            finals: (0..Genotype::INPUTS + space.n_nodes)
                .map(|_| plain.build(device))
                .collect(),
            classifier: LinearConfig::new(width, self.d_out).build(device),
            space: space.clone(),
        }
    }
}

impl EnasChild {
    /// What it is made for.
    #[must_use]
    pub fn space(&self) -> &SearchSpace {
        &self.space
    }

    /// The states that no node of `arc` reads, inputs first.
    ///
    /// # Errors
    /// As [`SearchSpace::check_arc`].
    pub fn loose_ends(&self, arc: &[usize]) -> Result<Vec<usize>, ForgeError> {
        self.space.check_arc(arc)?;
        let states = 0..Genotype::INPUTS + self.space.n_nodes;
        let read: Vec<usize> = arc.iter().copied().step_by(2).collect();
        Ok(states.filter(|state| !read.contains(state)).collect())
    }

    /// The output of the cell `arc`.
    ///
    /// # Shapes
    /// - x: `[B, T, D_in]`
    /// - output: `[B, D_out]`
    ///
    /// # Errors
    /// As [`SearchSpace::check_arc`].
    ///
    /// # Panics
    /// If x is of another width than the net.
    pub fn forward(&self, x: Tensor<3>, arc: &[usize]) -> Result<Tensor<2>, ForgeError> {
        let loose = self.loose_ends(arc)?;
        let mut states = inputs(&self.stems, x);
        let choices = arc.chunks(2 * SearchSpace::KEPT);
        for (node, choice) in self.nodes.iter().zip(choices) {
            let terms = node.sides.iter().zip(choice.chunks(2)).map(|(side, pair)| {
                let operation = &side.sources[pair[0]].operations[pair[1]];
                operation.forward(states[pair[0]].clone(), None)
            });
            let sum = terms.reduce(Tensor::add);
            states.extend(sum);
        }
        let ends = loose.iter().map(|state| {
            let state_of = states[*state].clone();
            self.finals[*state].forward(relu(state_of))
        });
        // The last node is read by none.
        let sum = ends.reduce(Tensor::add);
        let sum = sum.unwrap_or_else(|| states[0].zeros_like());
        Ok(self.classifier.forward(sum.mean_dim(1).squeeze_dim(1)))
    }
}
