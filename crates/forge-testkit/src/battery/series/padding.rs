//! Steps that are not there.

use burn::tensor::{Device, Tensor};
use forge_models::{SeriesInput, SeriesModelConfig};
use forge_nn::{ModuleConfig, Network};

use super::windows::padded;
use crate::Noise;
use crate::battery::Subject;
use crate::battery::values::{assert_close, floats, values};

const WINDOWS: usize = 6;

/// Whatever stands in targets, covariates and what is known at steps that are not there, the forecast is the same;
/// which steps are there matters. Where the model declares that it takes such windows.
///
/// # Panics
/// If not.
pub fn padding_of_windows_changes_nothing(config: &SeriesModelConfig, device: &Device) {
    if !config.capabilities().valid {
        return;
    }
    let (model, spec) = (config.init(device), config.spec());
    let given = config.given(WINDOWS, 1, device);
    let valid = padded(WINDOWS, spec.lookback, device);
    let whole = values(model.forward(given.clone()));
    let mut noise = Noise::new(9);
    let mut junk = |x: Tensor<3>| {
        let shape = x.dims();
        let absent = valid.clone().bool_not().unsqueeze_dim::<3>(2).expand(shape);
        let junk = floats::<3>(noise.tensor(&shape), device) * 1e3;
        x.mask_where(absent, junk)
    };
    let clean = SeriesInput {
        valid: Some(valid.clone()),
        ..given.clone()
    };
    let dirty = SeriesInput {
        past: junk(given.past),
        past_covariates: given.past_covariates.map(&mut junk),
        known: given.known.map(|known| {
            let ahead = known.dims()[1] - spec.lookback;
            let before = junk(known.clone().narrow(1, 0, spec.lookback));
            Tensor::cat(vec![before, known.narrow(1, spec.lookback, ahead)], 1)
        }),
        ..clean.clone()
    };
    let expected = values(model.forward(clean));
    let found = values(model.forward(dirty));
    let title = format!("{config:?}: contents of padding");
    assert_close(&title, &found, &expected, 1e-5, 0.0);
    assert_ne!(expected, whole, "{config:?}: padding does not matter");
}
