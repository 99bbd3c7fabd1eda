//! Which backends, and whether they agree.

use burn::module::Module;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use forge_nn::{DeviceName, ForgeError, Network, StateDict};

use super::Subject;
use super::values::{assert_close, error, floats, values};
use crate::{Noise, gradients_by_name};

/// The devices to test: those that `FORGE_TEST_DEVICES` names (`flex,wgpu`), of those compiled in;
/// flex alone where it is not set. With `FORGE_TEST_DTYPE=f64` they and flex compute in f64, which no
/// device's matrix units round: what differs then is an error and no rounding.
///
/// # Panics
/// If it names one that is unknown, not compiled in or not there, or a type other than f32 and f64: a
/// test that was asked for must not pass by not running.
#[must_use]
pub fn devices() -> Vec<(DeviceName, Device)> {
    let names = std::env::var("FORGE_TEST_DEVICES").unwrap_or_else(|_| "flex".into());
    let dtype = std::env::var("FORGE_TEST_DTYPE").unwrap_or_else(|_| "f32".into());
    let open = |name: DeviceName| match dtype.as_str() {
        "f32" => name.open(),
        "f64" => name.open_in(FloatDType::F64),
        _ => panic!("FORGE_TEST_DTYPE={dtype}: expected f32 or f64"),
    };
    let named = |name: &str| {
        let name: DeviceName = name.trim().parse()?;
        Ok::<_, ForgeError>((name, open(name)?))
    };
    // Flex too, with which the others are compared.
    let devices: Result<Vec<_>, _> =
        open(DeviceName::Flex).and_then(|_| names.split(',').map(named).collect());
    match devices {
        Ok(devices) => devices,
        Err(error) => panic!("FORGE_TEST_DEVICES={names}: {error}"),
    }
}

/// Rows that the devices are compared on: those that `FORGE_TEST_ROWS` says, or 5, which no vector divides.
///
/// # Panics
/// If it is no number.
fn rows() -> usize {
    match std::env::var("FORGE_TEST_ROWS") {
        Ok(rows) => match rows.parse() {
            Ok(rows) => rows,
            Err(error) => panic!("FORGE_TEST_ROWS={rows}: {error}"),
        },
        Err(_) => 5,
    }
}

/// With the same weights and inputs, outputs (eval mode) and gradients (training mode without
/// dropout) on `device` are those on flex, to 1e-4 of the largest value of each tensor; to 1e-2 where
/// the device's products of f32 round their factors (to TF32, on NVIDIA's matrix units).
///
/// # Panics
/// If they are not.
pub fn results_equal_flex<S: Subject>(config: &S, device: &Device) {
    match compare(config, device) {
        Ok(()) => {}
        Err(error) => panic!("{config:?}: {error}"),
    }
}

fn compare<S: Subject>(config: &S, device: &Device) -> Result<(), ForgeError> {
    let tolerance = if rounds_factors(device) { 1e-2 } else { 1e-4 };
    let flex = Device::flex();
    flex.seed(1);
    let state = StateDict::from_module(&config.try_init(&flex)?)?;
    let load = |device: &Device| state.clone().load_into(config.try_init(device)?);

    let output = |device: &Device| {
        let given = config.given(rows(), 1, device);
        Ok::<_, ForgeError>(values(load(device)?.forward(given)))
    };
    assert_close(
        &format!("{config:?} output"),
        &output(device)?,
        &output(&flex)?,
        tolerance,
        0.0,
    );

    let gradients = |device: &Device| {
        let device = device.clone().autodiff();
        let model = without_dropout(load(&device)?);
        let y = model.forward(config.given(rows(), 1, &device));
        let weights = floats::<2>(Noise::new(4).tensor(&y.dims()), &device);
        let gradients = (y.clone() * weights).sum().backward();
        let gradients = gradients_by_name(&model, &gradients);
        Ok::<_, ForgeError>((values(y), gradients))
    };
    let (expected_output, expected) = gradients(&flex)?;
    let (output, found) = gradients(device)?;
    assert_close(
        &format!("{config:?} output in training mode"),
        &output,
        &expected_output,
        tolerance,
        0.0,
    );
    assert_eq!(
        found.len(),
        expected.len(),
        "{config:?}: number of gradients"
    );
    let numbers = |data: &TensorData| data.iter::<f64>().collect::<Vec<_>>();
    // A gradient that is zero by symmetry (a bias before a batch norm) is rounding of terms as
    // large as the others.
    let all = expected.values().flat_map(&numbers);
    let floor = 1e-2 * all.fold(0.0, |size, x| x.abs().max(size));
    // All that differ: where the backward pass goes wrong shows in which do and which do not.
    let mut differ = vec![];
    for (name, expected) in &expected {
        let found = found.get(name).map(numbers).unwrap_or_default();
        let error = error(&found, &numbers(expected), floor);
        if error > tolerance {
            differ.push(format!("{name} by {error:.1e}"));
        }
    }
    assert!(
        differ.is_empty(),
        "{config:?}: of {} gradients, relative to the largest of each, differ: {}",
        expected.len(),
        differ.join(", ")
    );
    Ok(())
}

/// Whether products on `device` take fewer bits of their factors than f32 has.
#[must_use]
pub fn rounds_factors(device: &Device) -> bool {
    // Needs 13 bits of fraction; TF32 has 10.
    let fine = 1.0 + (-13f64).exp2();
    let side = 32;
    let data = TensorData::new(vec![fine; side * side], [side, side]);
    let factor = floats::<2>(data, device);
    let product = factor.matmul(Tensor::eye(side, device));
    values(product).iter().any(|x| *x != fine)
}

pub(super) fn without_dropout<M: Module>(model: M) -> M {
    model.map(&mut crate::oracle::Switches::new(
        crate::oracle::Mode::Train,
    ))
}
