#![doc = include_str!("README.md")]

use super::ttt::{InnerModel, TttBackbone, TttBackboneConfig};

/// The inner model is one linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TttLinearModel;

impl InnerModel for TttLinearModel {
    const NAME: &'static str = "ttt_linear";
    const REFERENCE: &'static str = "test-time-training/ttt-lm-pytorch:TTTLinear";
    const HIDDEN: Option<usize> = None;
    const BASE_RATE: f64 = 1.0;
}

/// The recipe of the backbone.
pub type TttLinearBackboneConfig = TttBackboneConfig<TttLinearModel>;

/// Tokenizer, [`TttBackbone`] and head.
pub type TttLinear = super::TokenModel<TttBackbone>;

/// Makes a [`TttLinear`].
pub type TttLinearConfig = super::TokenConfig<TttLinearBackboneConfig>;
