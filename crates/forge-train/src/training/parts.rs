//! What a trainer was given beside its config, and the engine made of both.

use burn::module::Module;
use burn::tensor::Device;
use forge_nn::ForgeError;

use super::engine::{Engine, EngineConfig};
use super::rule::{ClipAdaptive, ClipNorm, ClipValue, GradientRule, SkipNonFinite};
use super::sampler::Sampler;
use super::{ParameterGroup, TrainerConfig};
use crate::averaging::{Averaging, Ema, Polyak, Snapshots, Soup, Swa};
use crate::precision::{LossScale, Precision};

/// What a trainer was given beside its config.
pub(super) struct Parts<'a, M: Module> {
    pub(super) devices: Vec<Device>,
    pub(super) rules: Vec<Box<dyn GradientRule<M> + 'a>>,
    pub(super) averagings: Vec<MakeAveraging<'a, M>>,
    pub(super) sampler: Option<Box<dyn Sampler + 'a>>,
}

/// Makes an average once the module and the number of steps are known.
pub(super) type MakeAveraging<'a, M> =
    Box<dyn FnOnce(&M, u64) -> Result<Box<dyn Averaging<M> + 'a>, ForgeError> + Send + 'a>;

impl<M: Module> Default for Parts<'_, M> {
    fn default() -> Self {
        Self {
            devices: Vec::new(),
            rules: Vec::new(),
            averagings: Vec::new(),
            sampler: None,
        }
    }
}

impl<'a, M: Module + 'static> Parts<'a, M> {
    /// Where a run begins to compute.
    pub(super) fn device(&self, module: &M) -> Device {
        let chosen = self.devices.first().cloned();
        chosen
            .or_else(|| module.devices().into_iter().next())
            .unwrap_or_default()
    }

    /// The engine of a run: first what the config asks for, then what was added.
    pub(super) fn engine(
        self,
        config: &TrainerConfig,
        groups: Vec<ParameterGroup>,
        module: M,
        steps: u64,
    ) -> Result<Engine<'a, M>, ForgeError> {
        let engine = EngineConfig {
            devices: self.devices,
            optimizer: config.optimizer.clone(),
            schedule: config.schedule.clone(),
            sam: config.sam,
            dropout_schedule: config.dropout_schedule,
            steps,
            seed: config.seed,
            precision: config.precision,
            gradient_checkpointing: config.gradient_checkpointing,
            groups,
        };
        let mut engine = Engine::new(module, engine)?;
        config.precision.check_worthwhile(&engine.devices()[0])?;
        if config.precision == Precision::F16 {
            // First, so that what looks at the size of gradients sees their own.
            engine = engine.with_rule(LossScale::new(config.loss_scale.unwrap_or_default())?);
        }
        if config.skip_non_finite {
            engine = engine.with_rule(SkipNonFinite::new());
        }
        if let Some(bound) = config.clip_value {
            engine = engine.with_rule(ClipValue::new(bound)?);
        }
        if let Some(max_norm) = config.clip_norm {
            engine = engine.with_rule(ClipNorm::new(max_norm)?);
        }
        if let Some(clip) = &config.clip_adaptive {
            engine = engine.with_rule(ClipAdaptive::new(clip.clone())?);
        }
        for rule in self.rules {
            engine.add_rule(rule);
        }
        if let Some(ema) = &config.ema {
            let ema = Ema::new(ema.clone(), engine.module());
            engine = engine.with_averaging(ema);
        }
        if let Some(swa) = config.swa {
            let swa = Swa::new(swa, steps, engine.module())?;
            engine = engine.with_averaging(swa);
        }
        if let Some(polyak) = config.polyak {
            let polyak = Polyak::new(polyak, steps, engine.module())?;
            engine = engine.with_averaging(polyak);
        }
        if let Some(snapshots) = config.snapshots {
            let snapshots = Snapshots::new(snapshots, steps, engine.module())?;
            engine = engine.with_averaging(snapshots);
        }
        if let Some(soup) = config.soup {
            let soup = Soup::new(soup, engine.module())?;
            engine = engine.with_averaging(soup);
        }
        for make in self.averagings {
            let averaging = make(engine.module(), steps)?;
            engine.add_averaging(averaging);
        }
        Ok(engine)
    }
}
