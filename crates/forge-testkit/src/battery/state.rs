//! What is kept.

use burn::module::Module;
use burn::tensor::Device;
use forge_models::{Model, ModelConfig, TabularModel};
use forge_nn::{ForgeError, ModuleConfig, Network, StateDict};

use super::Subject;
use super::table::{input, rows_of};
use super::values::{assert_close, floats, values};
use crate::{Noise, with_padded_parameters};

/// The state of a model, put into another one of the same config, makes it the same to the bit,
/// and a state that lacks a tensor or has one too many is refused.
///
/// # Panics
/// If it does not.
pub fn state_round_trip_is_bit_identical<S: Subject>(config: &S, device: &Device) {
    match round_trip(config, device) {
        Ok(()) => {}
        Err(error) => panic!("{config:?}: {error}"),
    }
}

fn round_trip<S: Subject>(config: &S, device: &Device) -> Result<(), ForgeError> {
    let input = || config.given(5, 1, device);
    device.seed(1);
    let model = config.try_init(device)?;
    let state = StateDict::from_module(&model)?;
    device.seed(2);
    let other = config.try_init(device)?;
    assert_ne!(
        StateDict::from_module(&other)?.tensors,
        state.tensors,
        "two seeds, one model"
    );
    let copy = state.clone().load_into(other)?;
    let found = StateDict::from_module(&copy)?;
    assert!(
        found.tensors == state.tensors,
        "{config:?}: the state changed"
    );
    let (found, expected) = (copy.forward(input()), model.forward(input()));
    assert_eq!(
        found.into_data(),
        expected.into_data(),
        "{config:?}: the output changed"
    );

    let mut lacking = state.clone();
    let name = lacking
        .tensors
        .pop_first()
        .map(|(name, _)| name)
        .unwrap_or_default();
    let error = lacking.load_into(config.try_init(device)?).err();
    let named = error.is_some_and(|e| e.is_weights() && e.to_string().contains(&name));
    assert!(
        named,
        "{config:?}: a state without {name} is not refused by name"
    );
    let mut extra = state;
    if let Some(data) = extra.tensors.values().next().cloned() {
        extra.tensors.insert("not.of.this.model".into(), data);
    }
    let error = extra.load_into(config.try_init(device)?).err();
    let named = error.is_some_and(|e| e.to_string().contains("not.of.this.model"));
    assert!(
        named,
        "{config:?}: a tensor too many is not refused by name"
    );
    Ok(())
}

/// The same seed gives the same weights and the same dropout; another gives others.
///
/// Burn's generator is one for the process: tests that call this run on one thread.
///
/// # Panics
/// If it does not.
pub fn same_seed_same_model<S: Subject>(config: &S, device: &Device) {
    let device = device.clone().autodiff();
    let run = |seed| {
        device.seed(seed);
        let model = config.init(&device);
        model.forward(config.given(5, 1, &device)).into_data()
    };
    assert_eq!(run(1), run(1), "{config:?}: one seed, two results");
    assert_ne!(run(1), run(2), "{config:?}: two seeds, one result");
}

/// Output and what the model is sized for are the same where parameters are stored otherwise than
/// they are used ([`with_padded_parameters`]).
///
/// # Panics
/// If they are not.
pub fn storage_of_parameters_does_not_matter<S>(config: &S, device: &Device)
where
    S: Subject<Module: Network<Spec: PartialEq + std::fmt::Debug>>,
{
    let model = config.init(&device.clone().autodiff());
    let padded = with_padded_parameters(model.clone()).valid();
    let model = model.valid();
    assert_eq!(padded.spec(), model.spec(), "{config:?}");
    let output = |model: &S::Module| values(model.forward(config.given(5, 1, device)));
    let title = format!("{config:?} stored otherwise");
    assert_close(&title, &output(&padded), &output(&model), 1e-6, 0.0);
}

/// A model that starts from training rows follows the seed, has the tensors of one that does not, and
/// gives finite outputs, with targets and without.
///
/// # Panics
/// If it does not.
pub fn starts_from_rows(config: &ModelConfig, device: &Device) {
    let device = device.clone().autodiff();
    let spec = config.spec();
    let start = |seed, with_target: bool| {
        device.seed(seed);
        let model = config.init(&device).materialize();
        let target = floats(Noise::new(4).tensor(&[40, spec.d_out]), &device);
        match model.start_from(
            rows_of(&spec, 40, 3, &device),
            with_target.then_some(target),
        ) {
            Ok(model) => model,
            Err(error) => panic!("{config:?}: {error}"),
        }
    };
    let state = |model: &Model| match StateDict::from_module(model) {
        Ok(state) => state.tensors,
        Err(error) => panic!("{config:?}: {error}"),
    };
    let model = start(1, true);
    assert_eq!(
        state(&model),
        state(&start(1, true)),
        "{config:?}: one seed, two starts"
    );
    assert_ne!(
        state(&model),
        state(&start(2, true)),
        "{config:?}: two seeds, one start"
    );
    let shapes = |model: &Model| -> Vec<_> {
        let tensors = state(model).into_iter();
        tensors
            .map(|(name, data)| (name, data.shape().to_vec()))
            .collect()
    };
    assert_eq!(shapes(&model), shapes(&config.init(&device)), "{config:?}");
    for model in [model, start(1, false)] {
        let y = values(
            model
                .valid()
                .forward(input(config, 5, 1, &device.clone().inner())),
        );
        assert!(y.iter().all(|y| y.is_finite()), "{config:?}: {y:?}");
    }
}
