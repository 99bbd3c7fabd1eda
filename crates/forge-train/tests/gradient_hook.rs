//! A task that looks at its gradients before the rules do.

use forge_nn::ForgeError;
use forge_nn::burn::module::Module;
use forge_nn::burn::nn::{Linear, LinearConfig};
use forge_nn::burn::optim::GradientsParams;
use forge_nn::burn::tensor::{Device, Tensor};
use forge_train::rule::Gradients;
use forge_train::{StepContext, TrainTask, Trainer, TrainerConfig};
use serde_json::json;

struct Turned {
    /// What gradients are multiplied by.
    by: f64,
    calls: Vec<usize>,
}

impl TrainTask for Turned {
    type Module = Linear;

    fn n_rows(&self) -> usize {
        6
    }

    fn loss(
        &mut self,
        line: &Linear,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let x: Vec<[f32; 1]> = rows.iter().map(|row| [*row as f32]).collect();
        let x = x
            .into_iter()
            .map(|x| Tensor::<2>::from_data([x], at.device));
        Ok(line.forward(Tensor::cat(x.collect(), 0)).mean())
    }

    fn gradients(
        &mut self,
        line: &Linear,
        mut gradients: Gradients,
        rows: &[usize],
        _: &StepContext<'_>,
    ) -> Result<Gradients, ForgeError> {
        self.calls.push(rows.len());
        let gradient: Tensor<2> = gradients.params.remove(line.weight.id).unwrap();
        let mut params = GradientsParams::new();
        params.register(line.weight.id, gradient * self.by);
        Ok(Gradients {
            params,
            ..gradients
        })
    }
}

fn weight_after(by: f64, clip: Option<f64>) -> (f32, Vec<usize>) {
    let device = Device::flex();
    let line = LinearConfig::new(1, 1).with_bias(false).init(&device);
    let line = line.materialize();
    let start: f32 = line.weight.val().into_scalar();
    let config: TrainerConfig = serde_json::from_value(json!({
        "epochs": 1, "batch_size": 6, "micro_batches": 2, "clip_norm": clip,
        "optimizer": {"name": "sgd", "momentum": 0.0, "weight_decay": 0.0},
        "schedule": {"name": "constant", "lr": 0.1},
    }))
    .unwrap();
    let mut task = Turned { by, calls: vec![] };
    let outcome = Trainer::new(config).unwrap().fit(&mut task, line).unwrap();
    let end: f32 = outcome.module.weight.val().into_scalar();
    (end - start, task.calls)
}

/// The mean of 0 to 5 is the gradient; both parts of the batch are in it, and the rule comes after.
#[test]
fn gradients_are_changed_once_per_step_and_before_the_rules() {
    let (moved, calls) = weight_after(-2.0, None);
    assert!((moved - 0.1 * 2.0 * 2.5).abs() < 1e-6, "{moved}");
    assert_eq!(calls, [6]);
    let (moved, _) = weight_after(-2.0, Some(1.0));
    assert!((moved - 0.1).abs() < 1e-5, "{moved}");
}
