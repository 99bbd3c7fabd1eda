//! What identifies a run.

use forge_nn::ForgeError;
use serde::Serialize;
use serde_json::{Map, Value};

use super::TrainTask;
use super::run::Run;
use crate::checkpoint::RunPart;

impl<T: TrainTask> Run<'_, T> {
    /// Everything that the result of the run depends on and that can be compared; `own` is what the
    /// caller adds.
    pub(super) fn identity(&self, own: &Value) -> Result<Value, ForgeError> {
        let mut identity = to_json("config", self.config)?;
        if let Value::Object(fields) = &mut identity {
            // These do not change the weights of a step, so a resumed run may have others. The
            // number of epochs shows in the schedule, where it does.
            for free in ["epochs", "max_seconds", "checkpoint", "read_loss_every"] {
                fields.remove(free);
            }
            let schedule = self.config.schedule.build(self.planned_steps())?;
            fields.insert("schedule".into(), to_json("schedule", schedule.config())?);
            if self.engine.follows_progress() {
                fields.insert("planned_steps".into(), self.planned_steps().into());
            }
            if let Some(ending) = &self.ending {
                fields.insert("ending".into(), to_json("ending", ending)?);
            }
            fields.insert("training_rows".into(), self.task.n_rows().into());
            fields.insert("identity".into(), own.clone());
            fields.insert("with".into(), Value::Object(self.parts()));
        }
        Ok(identity)
    }

    /// The settings of all parts by name.
    fn parts(&self) -> Map<String, Value> {
        let mut parts = match self.engine.config() {
            Value::Object(parts) => parts,
            _ => Map::new(),
        };
        parts.insert(self.sampler.name().into(), self.sampler.config());
        if let Some(early) = &self.early {
            parts.insert(early.name().into(), early.config());
        }
        parts
    }
}

pub(super) fn to_json(field: &str, value: &impl Serialize) -> Result<Value, ForgeError> {
    serde_json::to_value(value).map_err(|e| ForgeError::config(field, e, "writable as JSON"))
}
