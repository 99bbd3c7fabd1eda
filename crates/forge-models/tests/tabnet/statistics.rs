//! Batch statistics that are computed anew for averaged weights.

use forge_models::{TabNetConfig, TabularConfig, TabularInput, TabularSpec};
use forge_nn::burn::tensor::{Device, Tensor, TensorData};
use forge_nn::{ModuleConfig, Network, StateDict};
use forge_testkit::Noise;
use forge_train::averaging::recompute_statistics;

const WIDTH: usize = 4;

/// A last batch of fewer virtual batches moves the statistics by less, and counts as much as the others.
#[test]
fn a_short_last_batch_counts_as_what_it_is() {
    let device = Device::flex();
    let table = TabularSpec {
        n_num_features: WIDTH,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    let config = TabNetConfig {
        virtual_batch_size: 16,
        ..TabNetConfig::default()
    };
    let model = config.sized_for(&table).unwrap().init(&device);
    let sizes = [128, 128, 20];
    // Far from 0, so that a batch that counts for less is seen.
    let rows = |k: usize| {
        let data = Noise::new(k as u64).tensor(&[sizes[k], WIDTH]);
        Tensor::<2>::from_data(data.convert::<f32>(), &device) + 3.0
    };
    let fresh = recompute_statistics(&model, &sizes, |model, k| {
        model.forward(TabularInput::numeric(rows(k)));
        Ok(())
    })
    .unwrap();
    let state = StateDict::from_module(&fresh).unwrap();
    // The norm of the inputs has nothing before it.
    let of_inputs = |(name, data): &(&String, &TensorData)| {
        name.contains("running_mean") && data.shape().to_vec() == [WIDTH]
    };
    let (name, mean) = state.tensors.iter().find(of_inputs).unwrap();
    for value in mean.iter::<f64>() {
        assert!((value - 3.0).abs() < 0.25, "{name}: {value}");
    }
}
