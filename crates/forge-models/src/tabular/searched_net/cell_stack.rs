//! Cells one after the other.

use burn::module::Module;
use burn::tensor::activation::tanh;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::cell::{Cell, Genotype};
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

use crate::limits;
use crate::reference::KeyMap;

/// Cells of one genotype, each with the outputs of the two before it as its inputs, as in DARTS (arXiv
/// 1806.09055, section 2.1): `s₋₂ = tanh(stem₀ x)`, `s₋₁ = tanh(stem₁ x)`,
/// `sₖ = tanh(betweenₖ cellₖ(sₖ₋₂, sₖ₋₁))`, the last cell's nodes as they are.
#[derive(Module, Debug)]
pub struct CellStack {
    /// To the inputs of the first cell.
    pub stems: Vec<Linear>,
    /// At least one.
    pub cells: Vec<Cell>,
    /// Behind all cells but the last.
    pub between: Vec<Linear>,
}

/// What the stack of a config is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct StackSizes<'a> {
    pub(super) d_in: usize,
    pub(super) d_model: usize,
    pub(super) n_cells: usize,
    pub(super) genotype: &'a Genotype,
}

impl StackSizes<'_> {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::in_range("n_cells", self.n_cells, limits::BLOCKS)?;
        self.genotype.validate()
    }

    /// Width of what the stack gives.
    pub(super) fn d_out(&self) -> usize {
        self.genotype.nodes.len() * self.d_model
    }

    pub(super) fn parameter_count(&self) -> usize {
        let width = self.d_model;
        Genotype::INPUTS * (self.d_in + 1) * width
            + self.n_cells * self.genotype.parameter_count(width)
            + (self.n_cells - 1) * (self.d_out() + 1) * width
    }

    pub(super) fn build(&self, device: &Device) -> CellStack {
        let linear = |from| LinearConfig::new(from, self.d_model).build(device);
        CellStack {
            stems: (0..Genotype::INPUTS).map(|_| linear(self.d_in)).collect(),
            cells: (0..self.n_cells)
                .map(|_| Cell::new(self.genotype, self.d_model, device))
                .collect(),
            between: (1..self.n_cells).map(|_| linear(self.d_out())).collect(),
        }
    }

    /// Adds the stack at `ours`, whose tensors are at `theirs` under the same names, linear maps as
    /// PyTorch has them.
    pub(super) fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let linear = |map: KeyMap, name: &str| {
            map.linear(&format!("{ours}{name}"), &format!("{theirs}{name}"))
        };
        let stems = (0..Genotype::INPUTS).map(|i| format!("stems.{i}"));
        let between = (1..self.n_cells).map(|i| format!("between.{}", i - 1));
        let map = stems
            .chain(between)
            .fold(map, |map, name| linear(map, &name));
        let places = (0..self.n_cells).flat_map(|cell| {
            let nodes = self.genotype.nodes.iter().enumerate();
            nodes.flat_map(move |(node, edges)| {
                let edges = edges.iter().enumerate();
                edges.map(move |(at, edge)| {
                    let place = format!("cells.{cell}.nodes.{node}.edges.{at}.");
                    (place, edge.operation)
                })
            })
        });
        places.fold(map, |map, (place, operation)| {
            let (ours, theirs) = (format!("{ours}{place}"), format!("{theirs}{place}"));
            operation_keys(map, operation, &ours, &theirs)
        })
    }
}

/// Adds the tensors of an operation.
fn operation_keys(
    map: KeyMap,
    operation: forge_nn::cell::Operation,
    ours: &str,
    theirs: &str,
) -> KeyMap {
    use forge_nn::cell::Operation as Op;
    let at = |part: &str| (format!("{ours}{part}"), format!("{theirs}{part}"));
    let linear = |map: KeyMap, part: &str| {
        let (ours, theirs) = at(part);
        map.linear(&ours, &theirs)
    };
    let norm = |map: KeyMap| {
        let (ours, theirs) = at("norm");
        map.norm(&ours, &theirs)
    };
    match operation {
        Op::None | Op::SkipConnect | Op::AveragePool3 => map,
        Op::LinearRelu | Op::LinearSilu | Op::LinearTanh | Op::LinearGelu => linear(map, "linear"),
        Op::GatedLinear => linear(map, "gated.linear"),
        Op::ResidualLinear => linear(norm(map), "linear"),
        Op::SeparableConv3 | Op::SeparableConv5 | Op::SeparableConv7 => {
            let (ours, theirs) = at("filter.weight");
            linear(map.same(&ours, &theirs), "linear")
        }
        Op::SelfAttention => {
            let map = linear(norm(map), "attention.in_proj");
            linear(map, "attention.out_proj")
        }
        Op::FeedForward => linear(linear(norm(map), "hidden"), "linear"),
    }
}

impl CellStack {
    /// Applies the stack.
    ///
    /// # Shapes
    /// - x: `[B, T, D_in]`
    /// - valid: `[B, T]`, true for tokens that count
    /// - output: `[B, T, nodes · D]`
    ///
    /// # Panics
    /// If x is of another width than the stack was made for.
    #[must_use]
    pub fn forward(&self, x: Tensor<3>, valid: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let stem = |i: usize| tanh(self.stems[i].forward(x.clone()));
        let (mut before, mut last) = (stem(0), stem(1));
        let mut out = None;
        for (i, cell) in self.cells.iter().enumerate() {
            let said = cell.forward([before, last.clone()], valid);
            before = last;
            last = match self.between.get(i) {
                Some(between) => tanh(between.forward(said.clone())),
                None => before.clone(),
            };
            out = Some(said);
        }
        // A stack without cells is not made.
        out.unwrap_or(x)
    }
}
