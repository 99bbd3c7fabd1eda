//! What training does.

use burn::module::Module;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use forge_models::{Context, Labels, ModelConfig, TabularInput};
use forge_nn::{Network, StateDict, Want};

use super::table::rows_of;
use super::values::floats;
use super::{Given, Subject};
use crate::{Noise, gradients_by_name};

/// Every trainable parameter has a gradient that is finite and not all zero, and one step of AdamW
/// moves it.
///
/// # Panics
/// With the name of one that has not or does not.
pub fn every_parameter_learns<S: Subject>(config: &S, device: &Device) {
    let device = device.clone().autodiff();
    device.seed(1);
    // Every code of every column occurs in this many samples.
    let n = 64;
    let model = config.init(&device);
    let before = state(&model);
    let target = floats::<2>(Noise::new(2).tensor(&[n, config.d_out()]), &device);
    // What stands for a missing value learns where values are missing.
    let given = config.with_gaps(config.given(n, 1, &device));
    let forward = model.run(given, Want::PREDICTIONS);
    let loss = (forward.y - target).square().mean();
    let loss = forward
        .penalty
        .into_iter()
        .fold(loss, |loss, penalty| loss + penalty);
    let gradients = loss.backward();
    let named = gradients_by_name(&model, &gradients);
    let trainable: usize = named.values().map(|data| data.num_elements()).sum();
    let expected = config.counted().unwrap_or_default();
    assert_eq!(
        trainable, expected,
        "{config:?}: elements that have a gradient"
    );
    for (name, gradient) in &named {
        let sum: f64 = gradient.iter::<f64>().map(f64::abs).sum();
        assert!(
            sum.is_finite() && sum > 0.0,
            "{config:?}: gradient of {name} sums to {sum}"
        );
    }
    let gradients = GradientsParams::from_grads(gradients, &model);
    let moved = state(&AdamWConfig::new().init().step(1e-2, model, gradients));
    for name in named.keys() {
        let same = before.tensors.get(name) == moved.tensors.get(name);
        assert!(!same, "{config:?}: a step of AdamW did not move {name}");
    }
}

fn state<M: Module>(model: &M) -> StateDict {
    match StateDict::from_module(model) {
        Ok(state) => state,
        Err(error) => panic!("{error}"),
    }
}

/// Adam, its rate falling to zero, fits 16 rows of noise: after at most 400 steps the squared error in
/// eval mode is below 5 % of the targets' variance. A model that weighs the classes of labelled rows is
/// given these rows to look at, and has to tell them apart; its probabilities are what is fitted.
///
/// # Panics
/// If it is not.
pub fn overfits_sixteen_rows(config: &ModelConfig, device: &Device) {
    const ROWS: usize = 16;
    let spec = config.spec();
    let mut noise = Noise::new(2);
    // Columns may be categorical alone: equal rows must have equal targets to be fitted.
    let rows: Vec<String> = (0..ROWS).map(|row| row_text(&spec, row)).collect();
    let classes = match config.labels() {
        Some(Labels::Classes(n)) => Some(n),
        _ => None,
    };
    let mut targets: Vec<Vec<f64>> = vec![];
    for (row, text) in rows.iter().enumerate() {
        let first = rows.iter().position(|other| other == text).unwrap_or(row);
        let fresh = match classes {
            Some(n) => {
                let class = noise.code(n);
                (0..n as i64).map(|c| f64::from(c == class)).collect()
            }
            None => (0..spec.d_out).map(|_| noise.uniform()).collect(),
        };
        targets.push(if first < row {
            targets[first].clone()
        } else {
            fresh
        });
    }
    let look_at_the_rows = |mut given: TabularInput, device: &Device| {
        if classes.is_some() {
            let number =
                |row: &Vec<f64>| row.iter().zip(0..).map(|(is, c)| is * f64::from(c)).sum();
            let numbers: Vec<f64> = targets.iter().map(number).collect();
            let numbers = floats(TensorData::new(numbers, [ROWS, 1]), device);
            given.context = Some(Context::labelled(rows_of(&spec, ROWS, 1, device), numbers));
        }
        given
    };
    let read = |y: Tensor<2>| match classes {
        Some(_) => softmax(y, 1),
        None => y,
    };
    overfits(config, device, &targets, look_at_the_rows, read);
}

/// Adam, its rate falling to zero, fits the first samples to `targets`: after at most 400 steps the
/// squared error in eval mode is below 5 % of the targets' variance, from one of two starts (of TabNet's
/// one in eight does not get there). `prepare` adds to what is given, `read` is what the predictions of
/// it are.
///
/// # Panics
/// If it does not.
pub(super) fn overfits<S: Subject>(
    config: &S,
    device: &Device,
    targets: &[Vec<f64>],
    prepare: impl Fn(Given<S>, &Device) -> Given<S>,
    read: impl Fn(Tensor<2>) -> Tensor<2>,
) {
    const STARTS: std::ops::RangeInclusive<u64> = 1..=2;
    let left: Vec<String> = STARTS
        .map_while(|seed| left_over(config, device, targets, &prepare, &read, seed))
        .collect();
    assert!(
        left.len() < STARTS.count(),
        "{config:?}: {}",
        left.join(", ")
    );
}

/// What is left of the squared error after all steps from the start of `seed`; none where it became
/// small.
fn left_over<S: Subject>(
    config: &S,
    device: &Device,
    targets: &[Vec<f64>],
    prepare: &impl Fn(Given<S>, &Device) -> Given<S>,
    read: &impl Fn(Tensor<2>) -> Tensor<2>,
    seed: u64,
) -> Option<String> {
    const COPIES: usize = 4;
    const STEPS: usize = 400;
    const LOOK_EVERY: usize = 10;
    let train = device.clone().autodiff();
    train.seed(seed);
    let n = targets.len();
    // Each several times: a batch's unbiased variance, which is what running statistics learn, is
    // then near the biased one that training normalises with.
    let repeated: Vec<usize> = (0..COPIES * n).map(|i| i % n).collect();
    let given = || prepare(S::take(&config.given(n, 1, &train), &repeated), &train);
    let flat: Vec<f64> = targets.concat();
    let mean = flat.iter().sum::<f64>() / flat.len() as f64;
    let variance = flat.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / flat.len() as f64;
    let data = TensorData::new(flat, [n, config.d_out()]);
    let target = floats::<2>(data.clone(), &train).repeat_dim(0, COPIES);
    let mut model = config.init(&train);
    // Some models are made for higher rates than most.
    let rate = config.rate().map_or(1e-2, |rate| rate.max(1e-2));
    let mut optimizer = AdamConfig::new().init();
    let mut error = f64::INFINITY;
    for step in 0..STEPS {
        let loss = (read(model.forward(given())) - target.clone())
            .square()
            .mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let left = 1.0 - step as f64 / STEPS as f64;
        model = optimizer.step(rate * left, model, gradients);
        if step % LOOK_EVERY == LOOK_EVERY - 1 {
            let y = read(
                model
                    .valid()
                    .forward(prepare(config.given(n, 1, device), device)),
            );
            let difference = y - floats::<2>(data.clone(), device);
            error = difference.square().mean().into_data().iter::<f64>().sum();
            if error < 0.05 * variance {
                return None;
            }
        }
    }
    Some(format!(
        "error {error:.4} of a variance of {variance:.4} is left after {STEPS} steps"
    ))
}

/// What tells a row of [`table`] from another: unique where there are numeric columns.
fn row_text(spec: &forge_models::TabularSpec, row: usize) -> String {
    if spec.n_num_features > 0 {
        return row.to_string();
    }
    let rows = rows_of(spec, 16, 1, &Device::flex());
    let codes = rows.x_cat.map(|codes| codes.narrow(0, row, 1).into_data());
    codes
        .map(|codes| format!("{:?}", codes.iter::<i64>().collect::<Vec<_>>()))
        .unwrap_or_default()
}
