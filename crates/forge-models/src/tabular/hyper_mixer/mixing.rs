//! The token mixing.

use burn::module::Module;
use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use forge_nn::activation::gelu;
use forge_nn::attention::{merge_heads, split_heads};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::{Axes, matmul};
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::hypernetwork::Hypernetwork;
use crate::limits;
use crate::reference::KeyMap;

/// Makes a [`HyperMixing`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HyperMixingConfig {
    /// Width of a token, a multiple of `n_heads`.
    pub d_model: usize,
    /// Hidden width of the token mixing, over all heads; a multiple of `n_heads`.
    pub d_hypernet: usize,
    /// Heads, at least 1.
    pub n_heads: usize,
    /// Biases in the hypernetworks.
    pub hypernet_bias: bool,
    /// Normalise the output.
    pub layer_norm: bool,
}

/// Mixes tokens by a small network whose weights are made of the tokens:
/// `y = LayerNorm(W₂ GELU(W₁ᵀ x))` along the tokens, feature by feature, where row `t` of `W₁` and
/// `W₂` is what a hypernetwork says of token `t` and its position. Time and memory are `O(T)`.
///
/// Mai et al., "HyperMixer", arXiv 2203.03691, section 2.2; positions, heads and names as in
/// `idiap/hypermixing` at d35415c5, untied. Positions go into the hypernetworks alone:
/// `√D x_t + PE(t + 1)`, `PE(p, c) = sin(p / 10000^(2c/D))` for even c and the cosine for odd c, with
/// c itself in the exponent, where the usual code has c rounded down to even. The code stores that
/// table up to a length; here it is computed for any.
///
/// ```
/// use forge_models::HyperMixingConfig;
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let config = HyperMixingConfig {
///     d_model: 6, d_hypernet: 10, n_heads: 2, hypernet_bias: true, layer_norm: true,
/// };
/// let y = config.try_init(&device)?.forward(Tensor::ones([3, 5, 6], &device), None);
/// assert_eq!(y.dims(), [3, 5, 6]);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Module, Debug)]
pub struct HyperMixing {
    w1: Hypernetwork,
    w2: Hypernetwork,
    norm: Option<LayerNorm>,
    n_heads: usize,
}

impl ModuleConfig for HyperMixingConfig {
    type Module = HyperMixing;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::in_range("d_hypernet", self.d_hypernet, limits::WIDTH)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        check::divides("n_heads", self.n_heads, "d_hypernet", self.d_hypernet)
    }

    fn build(&self, device: &Device) -> HyperMixing {
        let norm = || LayerNormConfig::new(self.d_model).build(device);
        HyperMixing {
            w1: Hypernetwork::new(self, device),
            w2: Hypernetwork::new(self, device),
            norm: self.layer_norm.then(norm),
            n_heads: self.n_heads,
        }
    }
}

impl HyperMixingConfig {
    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        let norm = if self.layer_norm { 2 * self.d_model } else { 0 };
        2 * Hypernetwork::parameter_count(self) + norm
    }

    /// Adds the layer at `ours`, which the reference keeps at `theirs` (both end in a point, or are
    /// empty).
    #[must_use]
    pub fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let map = map.ignore(&format!("{theirs}token_information.pe"));
        let map = ["w1", "w2"].iter().fold(map, |map, side| {
            let theirs = format!("{theirs}hyper.{side}_gen");
            Hypernetwork::key_map(self, map, &format!("{ours}{side}"), &theirs)
        });
        match self.layer_norm {
            true => map.norm(&format!("{ours}norm"), &format!("{theirs}layer_norm")),
            false => map,
        }
    }
}

impl HyperMixing {
    /// # Shapes
    /// - tokens and output: `[B, T, D]`
    /// - valid: `[B, T]`, true for tokens that count; the others change no output of one that does
    ///
    /// # Panics
    /// If the shapes disagree.
    #[must_use]
    pub fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let shape = tokens.dims();
        let [_, time, width] = shape;
        if tokens.shape().num_elements() == 0 {
            return tokens;
        }
        let tokens = match valid {
            None => tokens,
            Some(valid) => {
                let absent = valid.bool_not().unsqueeze_dim::<3>(2).expand(shape);
                tokens.mask_fill(absent, 0.0)
            }
        };
        let positions = positions(time, width, &tokens.device(), tokens.dtype());
        let placed = tokens.clone() * (width as f64).sqrt() + positions.unsqueeze();
        let (w1, w2) = (self.w1.forward(placed.clone()), self.w2.forward(placed));
        let hidden = matmul(w1.swapped(2, 3), split_heads(tokens, self.n_heads));
        let y = merge_heads(matmul(w2, gelu(hidden)));
        match &self.norm {
            Some(norm) => norm.forward(y),
            None => y,
        }
    }
}

/// Positions after which the codes are computed from their angles anew.
const TURNS: usize = 64;

/// Codes of the positions from 1 on, `[T, D]`: sines in even columns, cosines in odd ones. From one
/// position to the next they are turned by the frequency's angle, which costs a tenth of a sine; the
/// roundings of [`TURNS`] turns stay below 1e-14.
fn positions(time: usize, width: usize, device: &Device, dtype: DType) -> Tensor<2> {
    let frequency = |column: usize| 10_000.0_f64.powf(-(2.0 * column as f64 / width as f64));
    let frequencies: Vec<f64> = (0..width).map(frequency).collect();
    let turns: Vec<(f64, f64)> = frequencies.iter().map(|f| f.sin_cos()).collect();
    let mut codes = turns.clone();
    let mut values = Vec::with_capacity(time * width);
    for position in 1..=time {
        let columns = frequencies.iter().zip(&turns).zip(&mut codes).enumerate();
        for (column, ((frequency, turn), code)) in columns {
            if position.is_multiple_of(TURNS) {
                *code = (position as f64 * frequency).sin_cos();
            } else if position > 1 {
                *code = (
                    code.0 * turn.1 + code.1 * turn.0,
                    code.1 * turn.1 - code.0 * turn.0,
                );
            }
            values.push(match column.is_multiple_of(2) {
                true => code.0,
                false => code.1,
            });
        }
    }
    Tensor::from_data(TensorData::new(values, [time, width]), (device, dtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sines_of_their_angles_far_on_too() {
        let width = 6;
        let codes = positions(5_000, width, &Device::flex(), DType::F64).into_data();
        for (i, code) in codes.iter::<f64>().enumerate() {
            let (position, column) = (1 + i / width, i % width);
            let angle = position as f64 * 10_000.0_f64.powf(-2.0 * column as f64 / width as f64);
            let exact = match column % 2 {
                0 => angle.sin(),
                _ => angle.cos(),
            };
            assert!((code - exact).abs() < 1e-13, "{position} {column}: {code}");
        }
    }
}
