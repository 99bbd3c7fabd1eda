//! A deep backbone whose blocks are computed again needs the memory of one block and one tensor per
//! block.

use std::time::Instant;

use volatilityforge::burn::module::Module;
use volatilityforge::burn::tensor::{Device, Distribution, Tensor};
use volatilityforge::models::{ModelConfig, TabularInput, TabularRows};
use volatilityforge::nn::ops::release_buffers;
use volatilityforge::nn::{ModuleConfig, Network, Want, with_recomputation};

use super::allocation::peak_of;

#[test]
fn checkpointing_keeps_one_tensor_per_block() {
    let device = Device::flex().autodiff();
    let json = r#"{"model": "ft_transformer", "n_num_features": 15, "n_blocks": 24, "d_block": 48,
        "attention_n_heads": 4, "attention_dropout": 0.0, "ffn_dropout": 0.0}"#;
    let config = ModelConfig::from_json(json).unwrap();
    device.seed(1);
    let model = config.try_init(&device).unwrap().materialize();
    let x = Tensor::<2>::random([64, 15], Distribution::Normal(0.0, 1.0), &device);
    let step = |again: bool| {
        let input = || {
            TabularInput::from(TabularRows {
                x_num: Some(x.clone()),
                ..TabularRows::default()
            })
        };
        let pass = || model.run(input(), Want::PREDICTIONS).y.square().mean();
        // What a step before left to be used again would not count.
        release_buffers();
        let started = Instant::now();
        let (loss, peak) = peak_of(|| {
            let loss = if again {
                with_recomputation(0, pass)
            } else {
                pass()
            };
            let _ = loss.backward();
            loss.into_scalar::<f32>()
        });
        (loss, peak, started.elapsed().as_secs_f64())
    };
    let _ = (step(false), step(true));
    let best = |again: bool| {
        let runs = (0..5).map(|_| step(again));
        runs.min_by(|a, b| a.2.total_cmp(&b.2)).unwrap()
    };
    let (kept, again) = (best(false), best(true));
    assert_eq!(kept.0, again.0);
    let (memory, time) = (again.1 as f64 / kept.1 as f64, again.2 / kept.2);
    #[allow(clippy::print_stdout, reason = "the time is for whoever reads the log")]
    {
        println!(
            "24 blocks: {:.1} MB and {:.0} ms kept, {:.1} MB and {:.0} ms computed again: {memory:.2} x \
         the memory, {time:.2} x the time",
            kept.1 as f64 / 1e6,
            kept.2 * 1e3,
            again.1 as f64 / 1e6,
            again.2 * 1e3,
        );
    }
    assert!(memory <= 0.45, "{memory:.2} x the memory");
}
