//! Sizes of TiDE.

use burn::tensor::Device;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::Tide;
use super::residual_block::{ResidualBlock, Widths};
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Makes a [`Tide`]. The default is neuralforecast's sizes: 512 wide, one encoder and one decoder
/// block, without normalisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TideConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Width inside every block, and of what is encoded.
    pub hidden_size: usize,
    /// What the decoder says of each step to forecast.
    pub decoder_output_dim: usize,
    /// Width inside the block that makes the forecast of a step.
    pub temporal_decoder_dim: usize,
    /// What is kept of the covariates of a step.
    pub temporal_width: usize,
    /// Blocks of the encoder, at least 1.
    pub num_encoder_layers: usize,
    /// Blocks of the decoder, at least 1.
    pub num_decoder_layers: usize,
    /// Layer normalisation at the end of every block. With one output per step the last one normalises
    /// a single value, which leaves a linear map of the past and a constant.
    pub layernorm: bool,
    /// Dropout in every block, in `[0, 1)`.
    pub dropout: f64,
}

impl Default for TideConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            hidden_size: 512,
            decoder_output_dim: 32,
            temporal_decoder_dim: 128,
            temporal_width: 4,
            num_encoder_layers: 1,
            num_decoder_layers: 1,
            layernorm: false,
            dropout: 0.3,
        }
    }
}

impl TideConfig {
    fn projection(&self, variables: usize) -> Option<Widths> {
        (variables > 0).then_some(Widths {
            from: variables,
            hidden: self.hidden_size,
            to: self.temporal_width,
        })
    }

    /// Encoder, decoder.
    fn dense(&self) -> [Vec<Widths>; 2] {
        let windows = &self.windows;
        let kept = |variables, steps| {
            let width = if variables > 0 {
                self.temporal_width
            } else {
                0
            };
            width * steps
        };
        let mut from = windows.lookback
            + kept(windows.n_past, windows.lookback)
            + kept(windows.n_known, windows.lookback + windows.horizon)
            + windows.n_fixed;
        let mut stack = |blocks: usize, last: usize| {
            let block = |i| {
                let hidden = self.hidden_size;
                let to = if i + 1 == blocks { last } else { hidden };
                let widths = Widths { from, hidden, to };
                from = to;
                widths
            };
            (0..blocks).map(block).collect()
        };
        [
            stack(self.num_encoder_layers, self.hidden_size),
            stack(
                self.num_decoder_layers,
                self.decoder_output_dim * windows.horizon,
            ),
        ]
    }

    fn temporal(&self) -> Widths {
        let known = if self.windows.n_known > 0 {
            self.temporal_width
        } else {
            0
        };
        Widths {
            from: self.decoder_output_dim + known,
            hidden: self.temporal_decoder_dim,
            to: self.windows.n_outputs,
        }
    }

    fn skip(&self) -> LinearConfig {
        let windows = &self.windows;
        LinearConfig::new(windows.lookback, windows.horizon * windows.n_outputs)
    }
}

impl ModuleConfig for TideConfig {
    type Module = Tide;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        for (field, width) in [
            ("hidden_size", self.hidden_size),
            ("decoder_output_dim", self.decoder_output_dim),
            ("temporal_decoder_dim", self.temporal_decoder_dim),
            ("temporal_width", self.temporal_width),
        ] {
            check::in_range(field, width, limits::WIDTH)?;
        }
        check::in_range(
            "num_encoder_layers",
            self.num_encoder_layers,
            limits::BLOCKS,
        )?;
        check::in_range(
            "num_decoder_layers",
            self.num_decoder_layers,
            limits::BLOCKS,
        )?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> Tide {
        let block = |widths| ResidualBlock::new(self, widths, device);
        let [encoder, decoder] = self.dense();
        Tide {
            past_projection: self.projection(self.windows.n_past).map(block),
            known_projection: self.projection(self.windows.n_known).map(block),
            encoder: encoder.into_iter().map(block).collect(),
            decoder: decoder.into_iter().map(block).collect(),
            temporal_decoder: block(self.temporal()),
            global_skip: self.skip().init(device),
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for TideConfig {
    const NAME: &'static str = "tide";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        past_covariates: true,
        known: true,
        fixed: true,
        several_outputs: true,
        ..ForecastCapabilities::NONE
    };

    fn windows(&self) -> &SeriesSpec {
        &self.windows
    }

    fn with_windows(self, windows: SeriesSpec) -> Result<Self, ForgeError> {
        Ok(Self { windows, ..self })
    }

    fn narrow() -> Self {
        Self {
            hidden_size: 16,
            decoder_output_dim: 3,
            temporal_decoder_dim: 5,
            temporal_width: 2,
            num_encoder_layers: 2,
            num_decoder_layers: 2,
            dropout: 0.1,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let of = |hidden_size, dropout| Self {
            hidden_size,
            dropout,
            ..Self::default()
        };
        let large = Self {
            num_encoder_layers: 2,
            num_decoder_layers: 2,
            ..Self::default()
        };
        let (config, learning_rate, source) = match strategy {
            Strategy::Fast => (of(64, 0.1), 1e-3, "this library's"),
            Strategy::Balanced => (of(256, 0.3), 1e-3, "this library's"),
            Strategy::Accurate => (large, 1e-3, "this library's"),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate,
                weight_decay: 0.0,
                batch_size: Some(32),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for TideConfig {
    fn parameter_count(&self) -> usize {
        let [encoder, decoder] = self.dense();
        let projections = [self.windows.n_past, self.windows.n_known];
        let projections = projections.map(|variables| self.projection(variables));
        let blocks = projections.into_iter().flatten();
        let blocks = blocks.chain(encoder).chain(decoder);
        let blocks = blocks.chain([self.temporal()]);
        let skip = self.skip();
        let blocks = blocks.map(|widths| ResidualBlock::parameter_count(self, widths));
        blocks.sum::<usize>() + (skip.d_input + 1) * skip.d_output
    }
}

impl ReferenceWeights for TideConfig {
    const REFERENCE: &'static str = "neuralforecast==3.3.0:TiDE";

    fn key_map(&self) -> KeyMap {
        let windows = &self.windows;
        let mut blocks = vec![(
            "temporal_decoder".to_string(),
            "temporal_decoder".to_string(),
        )];
        for (variables, ours, theirs) in [
            (windows.n_past, "past_projection", "hist_exog_projection"),
            (windows.n_known, "known_projection", "futr_exog_projection"),
        ] {
            if variables > 0 {
                blocks.push((ours.into(), theirs.into()));
            }
        }
        for (layers, name) in [
            (self.num_encoder_layers, "encoder"),
            (self.num_decoder_layers, "decoder"),
        ] {
            let names = (0..layers).map(|i| (format!("{name}.{i}"), format!("dense_{name}.{i}")));
            blocks.extend(names);
        }
        let map = KeyMap::new().linear("global_skip", "global_skip");
        blocks.iter().fold(map, |map, (ours, theirs)| {
            ResidualBlock::key_map(map, self, ours, theirs)
        })
    }
}
