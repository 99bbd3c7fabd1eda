//! A stack of layers that mix tokens, each with a norm before and a residual around it.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::norm::{RmsNorm, RmsNormConfig};
use forge_nn::recomputed;
use forge_nn::recurrent::Carried;

use super::carries_state::through;
use super::{Backbone, CarriesState, over_valid};
use crate::reference::KeyMap;

/// A causal layer that mixes tokens, all at once or one after the other.
pub trait TokenMixer: Module + ModuleDisplay + 'static {
    /// What is remembered of the tokens seen.
    type State: Clone + Carried;

    /// # Shapes
    /// - x, output: `[B, T, D]`
    fn forward(&self, x: Tensor<3>) -> Tensor<3>;

    /// The state before the first token of `batch` sequences.
    fn start(&self, batch: usize, device: &Device) -> Self::State;

    /// One token; equal to [`forward`](Self::forward) on the whole sequence.
    ///
    /// # Shapes
    /// - x, output: `[B, D]`
    ///
    /// # Panics
    /// If the token does not fit the state.
    fn step(&self, x: Tensor<2>, state: Self::State) -> (Tensor<2>, Self::State);

    /// At least one token, and the state after them.
    ///
    /// # Shapes
    /// - x, output: `[B, T, D]`
    ///
    /// # Panics
    /// If the tokens do not fit the state.
    fn steps(&self, x: Tensor<3>, state: Self::State) -> (Tensor<3>, Self::State);
}

/// `x + mixer(RMSNorm(x))`.
#[derive(Module, Debug)]
pub struct ResidualMixer<M: TokenMixer> {
    norm: RmsNorm,
    mixer: M,
}

/// [`ResidualMixer`]s one after the other, without a final norm.
#[derive(Module, Debug)]
pub struct ResidualMixers<M: TokenMixer> {
    layers: Vec<ResidualMixer<M>>,
}

impl<M: TokenMixer> ResidualMixers<M> {
    /// A stack of these mixers, for tokens `width` wide.
    pub(crate) fn new(
        mixers: impl IntoIterator<Item = M>,
        width: usize,
        eps: f64,
        device: &Device,
    ) -> Self {
        let norm = RmsNormConfig::new(width).with_eps(eps);
        let layer = |mixer| ResidualMixer {
            norm: norm.build(device),
            mixer,
        };
        Self {
            layers: mixers.into_iter().map(layer).collect(),
        }
    }

    /// Adds `n` layers at `ours`, which the reference keeps at `theirs`layers, each with its `norm` and
    /// with what `mixer` adds for the mixer at a place of ours and theirs.
    pub(crate) fn key_map(
        map: KeyMap,
        n: usize,
        ours: &str,
        theirs: &str,
        mixer: impl Fn(KeyMap, &str, &str) -> KeyMap,
    ) -> KeyMap {
        (0..n).fold(map, |map, i| {
            let (ours, theirs) = (format!("{ours}layers.{i}."), format!("{theirs}layers.{i}."));
            let map = map.same(
                &format!("{ours}norm.weight"),
                &format!("{theirs}norm.weight"),
            );
            mixer(map, &format!("{ours}mixer."), &format!("{theirs}mixer."))
        })
    }
}

impl<M: TokenMixer> Backbone for ResidualMixers<M> {
    const CAUSAL: bool = true;
    const ATTENTION_MAPS: bool = false;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        over_valid(tokens, valid, |tokens| {
            self.layers.iter().fold(tokens, |x, layer| {
                recomputed(layer, x, |layer, x| {
                    layer.mixer.forward(layer.norm.forward(x.clone())) + x
                })
            })
        })
    }
}

impl<M: TokenMixer> CarriesState for ResidualMixers<M> {
    type State = Vec<M::State>;

    fn start(&self, batch: usize, device: &Device) -> Vec<M::State> {
        let layers = self.layers.iter();
        layers
            .map(|layer| layer.mixer.start(batch, device))
            .collect()
    }

    fn step(&self, token: Tensor<2>, state: Vec<M::State>) -> (Tensor<2>, Vec<M::State>) {
        through(&self.layers, state, token, |layer, x, state| {
            let (change, state) = layer.mixer.step(layer.norm.forward(x.clone()), state);
            (change + x, state)
        })
    }

    fn some_steps(&self, tokens: Tensor<3>, state: Vec<M::State>) -> (Tensor<3>, Vec<M::State>) {
        through(&self.layers, state, tokens, |layer, x, state| {
            let (change, state) = layer.mixer.steps(layer.norm.forward(x.clone()), state);
            (change + x, state)
        })
    }
}
