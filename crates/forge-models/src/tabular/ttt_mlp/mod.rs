#![doc = include_str!("README.md")]

use super::ttt::{InnerModel, TttBackbone, TttBackboneConfig};

/// The inner model is two linear layers, the hidden one four times as wide, with GELU between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TttMlpModel;

impl InnerModel for TttMlpModel {
    const NAME: &'static str = "ttt_mlp";
    const REFERENCE: &'static str = "test-time-training/ttt-lm-pytorch:TTTMLP";
    const HIDDEN: Option<usize> = Some(4);
    const BASE_RATE: f64 = 0.1;
}

/// The recipe of the backbone.
pub type TttMlpBackboneConfig = TttBackboneConfig<TttMlpModel>;

/// Tokenizer, [`TttBackbone`] and head.
pub type TttMlp = super::TokenModel<TttBackbone>;

/// Makes a [`TttMlp`].
pub type TttMlpConfig = super::TokenConfig<TttMlpBackboneConfig>;
