//! What neural processes say of functions.

use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use forge_meta::adaptation::{
    ContextAttentionConfig, LatentConfig, NeuralProcess, NeuralProcessConfig, Points,
};
use forge_meta::functional::Params;
use forge_nn::ModuleConfig;

use crate::functional::{close, doubles, noise};

fn values<const D: usize>(t: Tensor<D>) -> Vec<f64> {
    t.into_data().iter::<f64>().collect()
}

fn small(attention: Option<ContextAttentionConfig>) -> NeuralProcessConfig {
    NeuralProcessConfig {
        encoder_sizes: vec![5, 6],
        decoder_sizes: vec![5],
        attention,
        ..NeuralProcessConfig::new(1, 1)
    }
}

fn attentive(n_heads: usize, self_attention: usize) -> NeuralProcessConfig {
    small(Some(ContextAttentionConfig {
        n_heads,
        key_sizes: vec![7],
        self_attention,
    }))
}

fn points(seed: u64, n: usize) -> Points {
    let device = Device::flex();
    (
        noise(seed, [2, n, 1], &device),
        noise(seed + 1, [2, n, 1], &device),
    )
}

#[test]
fn the_order_of_points_does_not_matter_and_targets_stand_alone() {
    let device = Device::flex();
    for config in [small(None), attentive(2, 0), attentive(3, 2)] {
        let process = doubles(config.init(&device));
        let (x, y) = points(1, 3);
        let at = noise(3, [2, 4, 1], &device);
        let one = process.predict((x.clone(), y.clone()), at.clone()).mean;
        let turned = process.predict((x.clone().flip([1]), y.clone().flip([1])), at.clone());
        close(&values(one.clone()), &values(turned.mean), 1e-13);
        let alone = process.predict((x, y), at.narrow(1, 2, 1)).mean;
        close(&values(one.narrow(1, 2, 1)), &values(alone), 1e-13);
    }
}

#[test]
fn each_target_asks_by_its_input() {
    let device = Device::flex();
    let config = small(Some(ContextAttentionConfig {
        n_heads: 2,
        key_sizes: vec![],
        self_attention: 0,
    }));
    let process = doubles(config.init(&device));
    let (x, y) = points(4, 3);
    let at = noise(6, [2, 4, 1], &device);
    let found = process
        .represent((x.clone(), y.clone()), at.clone())
        .unwrap();

    // By the formula, from the same weights: one matrix for the inputs, one for queries, keys, values.
    let params = Params::of(&process);
    let matrix = |name: &str| params.get::<2>(name).unwrap().unsqueeze::<3>();
    let bias = |name: &str| params.get::<1>(name).unwrap().unsqueeze::<3>();
    let linear = |x: Tensor<3>, name: &str| {
        let weight = matrix(&format!("{name}.weight"));
        let [_, from, to] = weight.dims();
        x.matmul(weight.expand([2, from, to])) + bias(&format!("{name}.bias"))
    };
    let hidden = linear(Tensor::cat(vec![x.clone(), y], 2), "encoder.layers.0");
    let encoded = linear(hidden.clamp_min(0.0), "encoder.layers.1");
    let inputs = |x| linear(x, "attention.keys.layers.0");
    let part = |x: Tensor<3>, i: usize| {
        let weight = matrix("attention.across.in_proj.weight").narrow(2, 6 * i, 6);
        let bias = bias("attention.across.in_proj.bias").narrow(2, 6 * i, 6);
        x.matmul(weight.expand([2, 6, 6])) + bias
    };
    let (q, k, v) = (part(inputs(at), 0), part(inputs(x), 1), part(encoded, 2));
    let head = |h: usize| {
        let of = |x: &Tensor<3>| x.clone().narrow(2, 3 * h, 3);
        let weights = softmax(of(&q).matmul(of(&k).swap_dims(1, 2)) / 3.0_f64.sqrt(), 2);
        weights.matmul(of(&v))
    };
    let both = Tensor::cat(vec![head(0), head(1)], 2);
    let expected = linear(both, "attention.across.out_proj");
    close(&values(found), &values(expected), 1e-12);
}

/// How far predictions at the context's own points are off after training, on average.
fn underfit(config: &NeuralProcessConfig) -> f64 {
    let device = Device::flex().autodiff();
    device.seed(3);
    let mut process = config.init(&device);
    let mut optimizer = AdamConfig::new().init();
    // Sine waves of random phase and height.
    let waves = |seed: u64, n: usize| -> Points {
        let x = noise(seed, [16, n, 1], &device) * 3.0;
        let (phase, height) = (
            noise(seed + 1, [16, 1, 1], &device),
            noise(seed + 2, [16, 1, 1], &device),
        );
        let y = (x.clone() + phase * 3.0).sin() * (height + 1.5);
        (
            x.cast(burn::tensor::FloatDType::F32),
            y.cast(burn::tensor::FloatDType::F32),
        )
    };
    for step in 0..250 {
        let (x, y) = waves(10 + 3 * step, 12);
        let context = (x.clone().narrow(1, 0, 6), y.clone().narrow(1, 0, 6));
        let loss = process.loss(context, (x, y), None).unwrap().loss;
        let gradients = GradientsParams::from_grads(loss.backward(), &process);
        process = optimizer.step(2e-3, process, gradients);
    }
    let (x, y) = waves(5, 6);
    let said = process.predict((x.clone(), y.clone()), x).mean;
    values((said - y).abs().mean())[0]
}

#[test]
fn an_attentive_process_fits_its_context_better() {
    let wide = |attention| NeuralProcessConfig {
        encoder_sizes: vec![32, 32],
        decoder_sizes: vec![32],
        attention,
        ..NeuralProcessConfig::new(1, 1)
    };
    let mean = underfit(&wide(None));
    let asked = underfit(&wide(Some(ContextAttentionConfig {
        n_heads: 4,
        key_sizes: vec![32],
        self_attention: 0,
    })));
    assert!(asked < 0.8 * mean, "attentive {asked}, mean {mean}");
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    let said = |config: NeuralProcessConfig| config.validate().unwrap_err().to_string();
    let nothing = NeuralProcessConfig {
        encoder_sizes: vec![],
        ..small(None)
    };
    assert!(said(nothing).contains("encoder_sizes = 0"));
    let latent_only = NeuralProcessConfig {
        encoder_sizes: vec![],
        latent: Some(LatentConfig {
            d_latent: 2,
            hidden_sizes: vec![3],
            penultimate: 2,
        }),
        ..attentive(2, 0)
    };
    assert!(said(latent_only).contains("encoder_sizes"));
    assert!(said(attentive(4, 0)).contains("the last of encoder_sizes = 6"));
    assert!(said(attentive(2, 65)).contains("self_attention = 65"));
    let process: NeuralProcess = attentive(2, 1).init(&Device::flex());
    assert!(process.latent(points(1, 2)).is_none());
}

/// Self-attention adds to what it looks at: a layer that says nothing leaves the process as it is.
#[test]
fn self_attention_that_says_nothing_changes_nothing() {
    let device = Device::flex();
    let process = doubles(attentive(2, 1).init(&device));
    let silent = Params::of(&process).map(|name, tensor| match name.contains(".among.") {
        true => tensor.zeros_like(),
        false => tensor,
    });
    let kept = silent.iter().filter(|(name, _)| !name.contains(".among."));
    let kept = kept.map(|(name, tensor)| (name.to_string(), tensor.clone()));
    let kept = Params::from_entries(kept);
    assert!(kept.len() < silent.len());
    let without = doubles(attentive(2, 0).init(&device));
    let without = kept.load_into(without).unwrap();
    let process = silent.load_into(process).unwrap();
    let (context, x) = (points(1, 3), noise(3, [2, 4, 1], &device));
    let found = process.predict(context.clone(), x.clone()).mean;
    let expected = without.predict(context, x).mean;
    close(&values(found), &values(expected), 1e-13);
}
