//! What is computed again.

use burn::tensor::{Device, TensorData};
use forge_nn::{ForgeError, Network, with_recomputation};

use super::Subject;
use super::devices::without_dropout;
use super::values::{assert_close, floats, values};
use crate::{Noise, gradients_by_name};

/// Without dropout, outputs are the same to the bit and gradients to 1e-5 of the largest value of each
/// tensor when the inside of blocks is computed again for the backward pass instead of kept.
///
/// # Panics
/// If they are not.
pub fn recomputation_changes_nothing<S: Subject>(config: &S, device: &Device) {
    match compare(config, &device.clone().autodiff()) {
        Ok(()) => {}
        Err(error) => panic!("{config:?}: {error}"),
    }
}

fn compare<S: Subject>(config: &S, device: &Device) -> Result<(), ForgeError> {
    device.seed(1);
    let model = without_dropout(config.try_init(device)?);
    let step = |again: bool| {
        let pass = || model.forward(config.given(5, 1, device));
        let y = if again {
            with_recomputation(1, pass)
        } else {
            pass()
        };
        let weights = floats::<2>(Noise::new(4).tensor(&y.dims()), device);
        let gradients = (y.clone() * weights).sum().backward();
        (values(y), gradients_by_name(&model, &gradients))
    };
    let ((y, kept), (same, again)) = (step(false), step(true));
    assert_eq!(same, y, "{config:?}: outputs");
    assert_eq!(again.len(), kept.len(), "{config:?}: number of gradients");
    let numbers = |data: &TensorData| data.iter::<f64>().collect::<Vec<_>>();
    let floor = kept.values().flat_map(numbers);
    let floor = 1e-3 * floor.fold(0.0, |size, x: f64| x.abs().max(size));
    for (name, kept) in &kept {
        let again = again.get(name).map(numbers).unwrap_or_default();
        let title = format!("{config:?} gradient of {name}");
        assert_close(&title, &again, &numbers(kept), 1e-5, floor);
    }
    Ok(())
}
