//! What pre-training reads tokens with.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, check};

use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::saint::{SaintConfig, TwoLayers};

/// A denoising head is this many times as wide inside as a token.
const MULTIPLIER: usize = 5;

/// Two projections for the contrastive loss and a denoising head per feature.
#[derive(Module, Debug)]
pub(super) struct PretrainHeads {
    projection: TwoLayers,
    corrupted_projection: TwoLayers,
    categories: Vec<TwoLayers>,
    numbers: Vec<TwoLayers>,
}

/// Sizes of a projection: all tokens of a row, 6/5 of that, a half of it.
fn projection(model: &SaintConfig) -> [usize; 3] {
    let width = model.n_tokens() * model.dim;
    [width, 6 * width / 5, width / 2]
}

/// Sizes of the denoising heads: a logit per code, then a value per number.
fn denoising(model: &SaintConfig) -> [Vec<[usize; 3]>; 2] {
    let head = |d_out| [model.dim, MULTIPLIER * model.dim, d_out];
    [
        model
            .cat_cardinalities
            .iter()
            .map(|&codes| head(codes))
            .collect(),
        vec![head(1); model.n_num_features],
    ]
}

impl PretrainHeads {
    pub(super) fn new(model: &SaintConfig, device: &Device) -> Self {
        let [categories, numbers] = denoising(model).map(|sizes| {
            let heads = sizes.into_iter().map(|size| TwoLayers::new(size, device));
            heads.collect()
        });
        Self {
            projection: TwoLayers::new(projection(model), device),
            corrupted_projection: TwoLayers::new(projection(model), device),
            categories,
            numbers,
        }
    }

    /// The projections see all tokens of a row at once, whatever the attention type.
    pub(super) fn validate(model: &SaintConfig) -> Result<(), ForgeError> {
        let width = model.n_tokens().saturating_mul(model.dim);
        check::in_range("dim times tokens", width, limits::WIDTH)
    }

    pub(super) fn parameter_count(model: &SaintConfig) -> usize {
        let heads: usize = denoising(model)
            .into_iter()
            .flatten()
            .map(TwoLayers::parameter_count)
            .sum();
        2 * TwoLayers::parameter_count(projection(model)) + heads
    }

    /// Of the rows as they are, and of the corrupted ones.
    ///
    /// # Shapes
    /// - tokens: `[B, T, D]` each
    /// - output: `[B, P]` each
    pub(super) fn project(&self, clean: Tensor<3>, corrupted: Tensor<3>) -> [Tensor<2>; 2] {
        let flat = |tokens: Tensor<3>| unit_tokens(tokens).flatten::<2>(1, 2);
        [
            self.projection.forward(flat(clean)),
            self.corrupted_projection.forward(flat(corrupted)),
        ]
    }

    /// Logits `[B, C_j]` of each category.
    ///
    /// # Shapes
    /// - tokens: `[B, T, D]`
    pub(super) fn categories(&self, tokens: &Tensor<3>) -> Vec<Tensor<2>> {
        read(&self.categories, tokens, 1)
    }

    /// Values `[B, F_num]` of the numbers, where there are any.
    ///
    /// # Shapes
    /// - tokens: `[B, T, D]`
    pub(super) fn numbers(&self, tokens: &Tensor<3>) -> Option<Tensor<2>> {
        let values = read(&self.numbers, tokens, 1 + self.categories.len());
        (!values.is_empty()).then(|| Tensor::cat(values, 1))
    }

    pub(super) fn key_map(map: KeyMap, model: &SaintConfig, ours: &str) -> KeyMap {
        let map = TwoLayers::key_map(map, &format!("{ours}.projection"), "pt_mlp");
        let map = TwoLayers::key_map(map, &format!("{ours}.corrupted_projection"), "pt_mlp2");
        // CLS counts as a category there.
        let map = TwoLayers::ignore(map, "mlp1.layers.0");
        let categories = 0..model.cat_cardinalities.len();
        let map = categories.fold(map, |map, j| {
            let theirs = format!("mlp1.layers.{}", j + 1);
            TwoLayers::key_map(map, &format!("{ours}.categories.{j}"), &theirs)
        });
        (0..model.n_num_features).fold(map, |map, j| {
            let theirs = format!("mlp2.layers.{j}");
            TwoLayers::key_map(map, &format!("{ours}.numbers.{j}"), &theirs)
        })
    }
}

/// Each head on its token, from token `first` on.
fn read(heads: &[TwoLayers], tokens: &Tensor<3>, first: usize) -> Vec<Tensor<2>> {
    let heads = heads.iter().enumerate();
    heads
        .map(|(j, head)| head.forward(tokens.clone().narrow(1, first + j, 1).squeeze_dim(1)))
        .collect()
}

/// Tokens of length 1.
fn unit_tokens(tokens: Tensor<3>) -> Tensor<3> {
    let squares = tokens.clone().square().sum_dim(2);
    // Below the root, whose slope at 0 is infinite.
    tokens / squares.clamp_min(1e-24).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_zeros_has_a_finite_gradient() {
        let device = Device::flex().autodiff();
        let tokens = Tensor::<3>::from_data([[[0.0, 0.0], [3.0, 4.0]]], &device).require_grad();
        let unit = unit_tokens(tokens.clone());
        let grads = unit.clone().sum().backward();
        let lengths = unit.square().sum_dim(2).into_data();
        assert!(
            lengths
                .iter::<f64>()
                .zip([0.0, 1.0])
                .all(|(found, length)| (found - length).abs() < 1e-6)
        );
        let gradient = tokens.grad(&grads).map(Tensor::into_data);
        let finite = gradient.is_some_and(|g| g.iter::<f64>().all(f64::is_finite));
        assert!(finite);
    }
}
