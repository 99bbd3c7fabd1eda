//! The recipe of a Neural Turing Machine.

use burn::nn::Initializer;
use burn::tensor::Device;
use forge_nn::recurrent::LstmConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::backbone::HeadPair;
use super::{NtmBackbone, NtmHeadConfig};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes a [`NtmBackbone`].
///
/// The default is the paper's for the copy task (table 2): a controller 100 wide, a memory of 128
/// slots of 20 numbers, one head of each kind; tokens 64 wide, which the task decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NtmConfig {
    /// Width of a token, at least 1.
    pub d_model: usize,
    /// Width of the controller, at least 1.
    pub d_controller: usize,
    /// Slots of the memory, at least 1.
    pub n_slots: usize,
    /// Numbers in a slot, at least 1.
    pub slot_size: usize,
    /// Pairs of a reading and a writing head, at least 1.
    pub n_heads: usize,
}

impl Default for NtmConfig {
    fn default() -> Self {
        Self {
            d_model: 64,
            d_controller: 100,
            n_slots: 128,
            slot_size: 20,
            n_heads: 1,
        }
    }
}

impl NtmConfig {
    fn head(&self) -> NtmHeadConfig {
        NtmHeadConfig {
            d_controller: self.d_controller,
            slot_size: self.slot_size,
        }
    }

    fn controller(&self) -> LstmConfig {
        let (input, width) = (self.d_model + self.d_read(), self.d_controller);
        LstmConfig::new(input, width)
    }

    /// Width of what is read in a step.
    fn d_read(&self) -> usize {
        self.n_heads * self.slot_size
    }
}

impl ModuleConfig for NtmConfig {
    type Module = NtmBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        self.head().validate()?;
        check::in_range("n_slots", self.n_slots, limits::WIDTH)?;
        check::in_range("n_heads", self.n_heads, limits::MEMBERS)
    }

    fn build(&self, device: &Device) -> NtmBackbone {
        let pair = |_| HeadPair {
            read: self.head().read(device),
            write: self.head().write(device),
        };
        let (slots, size) = (self.n_slots, self.slot_size);
        let bound = 1.0 / ((slots + size) as f64).sqrt();
        let memory = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        let small = |std| Initializer::Normal { mean: 0.0, std };
        NtmBackbone {
            controller: self.controller().build(device),
            pairs: (0..self.n_heads).map(pair).collect(),
            output: LinearConfig::new(self.d_controller + self.d_read(), self.d_model).init(device),
            memory: memory.init([slots, size], device),
            reads: small(0.01).init([self.n_heads, size], device),
            hidden: small(0.05).init([self.d_controller], device),
            cell: small(0.05).init([self.d_controller], device),
        }
    }
}

impl BackboneConfig for NtmConfig {
    const NAME: &'static str = "ntm";
    const REFERENCE: &'static str = "loudinthecloud/pytorch-ntm:EncapsulatedNTM";

    fn d_token(&self) -> usize {
        self.d_model
    }

    fn parameter_count(&self) -> usize {
        let (width, read) = (self.d_controller, self.d_read());
        let starts = self.n_slots * self.slot_size + read + 2 * width;
        self.controller().parameter_count()
            + self.n_heads * self.head().parameter_count()
            + (width + read + 1) * self.d_model
            + starts
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let lstm = format!("{theirs}controller.lstm");
        let width = self.d_controller;
        let map = map.lstm(&format!("{ours}controller"), &lstm, 0);
        let map = [("hidden", "h"), ("cell", "c")]
            .iter()
            .fold(map, |map, (start, name)| {
                let theirs = format!("{theirs}controller.lstm_{name}_bias");
                map.reshaped(&format!("{ours}{start}"), &theirs, [1, 1, width])
            });
        let map = map
            .same(
                &format!("{ours}memory"),
                &format!("{theirs}memory.mem_bias"),
            )
            .linear(&format!("{ours}output"), &format!("{theirs}fc"));
        let reads = (0..self.n_heads).map(|i| (format!("{theirs}read{i}_bias"), 1));
        let map = map.stacked(&format!("{ours}reads"), reads);
        (0..self.n_heads).fold(map, |map, i| {
            let ours = format!("{ours}pairs.{i}");
            let head = |kind: usize, fc: &str| format!("{theirs}heads.{}.{fc}", 2 * i + kind);
            map.linear(&format!("{ours}.read.linear"), &head(0, "fc_read"))
                .linear(&format!("{ours}.write.linear"), &head(1, "fc_write"))
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_model: by.width(self.d_model),
            d_controller: by.width(self.d_controller),
            n_slots: by.width(self.n_slots),
            slot_size: by.width(self.slot_size),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            d_model: 8,
            d_controller: 16,
            n_slots: 7,
            slot_size: 5,
            n_heads: 2,
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let sized = |d_model, d_controller, n_slots| Self {
            d_model,
            d_controller,
            n_slots,
            ..Self::default()
        };
        let config = match strategy {
            Strategy::Fast => sized(32, 32, 16),
            Strategy::Balanced => sized(64, 64, 32),
            Strategy::Accurate => Self::default(),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's",
            },
        }
    }
}
