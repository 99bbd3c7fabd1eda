//! What comes out.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, TensorData};
use forge_models::{SeriesInput, SeriesModel, SeriesModelConfig};
use forge_nn::{ForgeError, ModuleConfig, Network, StateDict};

use crate::battery::Subject;
use crate::battery::values::values;

const WINDOWS: usize = 5;

/// The same windows, `factor` times as large.
fn large(config: &SeriesModelConfig, factor: f64, device: &Device) -> SeriesInput {
    let given = config.given(WINDOWS, 1, device);
    SeriesInput {
        past: given.past * factor,
        past_covariates: given.past_covariates.map(|x| x * factor),
        known: given.known.map(|x| x * factor),
        ..given
    }
}

/// Windows of a million, windows of 1e-6 and windows in which nothing changes give finite forecasts
/// and gradients.
///
/// # Panics
/// If they do not.
pub fn large_windows_stay_finite(config: &SeriesModelConfig, device: &Device) {
    let device = device.clone().autodiff();
    let model = config.init(&device);
    let finite = |values: Vec<f64>| values.iter().all(|x| x.is_finite());
    for factor in [1e6, 1e-6, 0.0] {
        let mut given = large(config, factor, &device);
        let past = given.past.require_grad();
        given.past = past.clone();
        let y = model.forward(given);
        let gradients = y.clone().sum().backward();
        assert!(finite(values(y)), "{config:?}: forecast at {factor:e}");
        let gradient = past.grad(&gradients);
        let good = gradient.is_some_and(|gradient| finite(values(gradient)));
        assert!(good, "{config:?}: gradient at {factor:e}");
    }
}

/// Where outputs are declared to rise, or asked to, they do in every step of every target: with
/// first weights and their negatives, after steps towards targets that fall, and at windows of a
/// million.
///
/// # Panics
/// If they do not.
pub fn outputs_rise(config: &SeriesModelConfig, device: &Device) {
    let spec = config.spec();
    if !spec.rising && !config.capabilities().rising_outputs {
        return;
    }
    let train = device.clone().autodiff();
    train.seed(1);
    let rises = |model: &SeriesModel, when: &str| {
        for factor in [1.0, 1e6, 0.0] {
            let y = values(model.forward(large(config, factor, device)));
            let steps = y.chunks(spec.n_outputs);
            let crossed = steps.filter(|step| step.windows(2).any(|pair| pair[1] < pair[0]));
            let crossed = crossed.count();
            assert_eq!(crossed, 0, "{config:?}: outputs cross {when} at {factor:e}");
        }
    };
    let mut model = config.init(&train);
    rises(&model.valid(), "untrained");
    rises(
        &negated(config, &model.valid(), device),
        "with weights negated",
    );
    let mut optimizer = AdamConfig::new().init();
    for _ in 0..20 {
        let y = model.forward(large(config, 1.0, &train));
        let outputs = spec.n_outputs;
        let y = y.reshape([WINDOWS * config.d_out() / outputs, outputs]);
        let highest = y.clone().narrow(1, outputs - 1, 1);
        let lowest = y.narrow(1, 0, 1);
        // As wrong as can be: the highest shall be below the lowest.
        let loss = (highest - lowest + 5.0).square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(0.05, model, gradients);
    }
    rises(&model.valid(), "trained");
}

/// The model with every weight negated, the scale of its normalisation among them.
fn negated(config: &SeriesModelConfig, model: &SeriesModel, device: &Device) -> SeriesModel {
    let negate = || -> Result<SeriesModel, ForgeError> {
        let mut state = StateDict::from_module(model)?;
        for (name, data) in &mut state.tensors {
            if data.dtype().is_float() && !name.contains("running") {
                let values = data.iter::<f64>().map(|x| -x).collect::<Vec<_>>();
                let negated = TensorData::new(values, data.shape().to_vec());
                *data = negated.convert_dtype(data.dtype());
            }
        }
        state.load_into(config.try_init(device)?)
    };
    match negate() {
        Ok(model) => model,
        Err(error) => panic!("{config:?}: {error}"),
    }
}
