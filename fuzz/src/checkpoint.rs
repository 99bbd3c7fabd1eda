//! A run of two numbers, so small that going on with it takes no time.

use volatilityforge::burn::nn::{Linear, LinearConfig};
use volatilityforge::burn::tensor::{Device, Tensor, TensorData};
use volatilityforge::nn::ForgeError;
use volatilityforge::train::{
    CheckpointConfig, Start, StepContext, TrainTask, Trainer, TrainerConfig,
};

use super::{folder_with, signed};

/// Goes on with a run from a checkpoint, once as it is and once under a right checksum.
pub fn checkpoint(bytes: &[u8]) -> bool {
    [bytes.to_vec(), signed(bytes)].map(|bytes| resume(&bytes)) != [false; 2]
}

fn resume(bytes: &[u8]) -> bool {
    let folder = folder_with("checkpoint-00000001.safetensors", bytes);
    match train(folder.path(), Start::Resume) {
        Ok(()) => true,
        Err(error) => {
            let known = error.is_artifact() || error.is_config() || error.is_training();
            assert!(known, "{error}");
            false
        }
    }
}

/// Two epochs with checkpoints in `folder`.
pub fn train(folder: &std::path::Path, start: Start) -> Result<(), ForgeError> {
    let config = TrainerConfig {
        epochs: 2,
        batch_size: 2,
        ema: Some(Default::default()),
        checkpoint: CheckpointConfig {
            every_steps: Some(1),
            keep: 8,
            ..CheckpointConfig::default()
        },
        ..TrainerConfig::default()
    };
    let device = Device::flex();
    device.seed(1);
    let trainer = Trainer::new(config)?.with_checkpoints(folder, start);
    trainer.fit(&mut Line, LinearConfig::new(1, 1).init(&device))?;
    Ok(())
}

/// `(w x + b - y)²` on four rows.
struct Line;

impl TrainTask for Line {
    type Module = Linear;

    fn n_rows(&self) -> usize {
        4
    }

    fn loss(
        &mut self,
        line: &Linear,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let column = |f: fn(f32) -> f32| {
            let values: Vec<f32> = rows.iter().map(|row| f(*row as f32)).collect();
            Tensor::<2>::from_data(TensorData::new(values, [rows.len(), 1]), at.device)
        };
        let error = line.forward(column(|x| x)) - column(|x| 2.0 * x - 1.0);
        Ok(error.square().mean())
    }
}
