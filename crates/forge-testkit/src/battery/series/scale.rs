//! Level and scale of a window.

use burn::tensor::Device;
use forge_models::{SeriesInput, SeriesModelConfig};
use forge_nn::{ModuleConfig, Network};

use crate::battery::Subject;
use crate::battery::values::{assert_close, values};

const WINDOWS: usize = 5;

/// The forecast of a shifted window is the shifted forecast, where the model declares that it takes
/// the level out.
///
/// # Panics
/// If it is not.
pub fn forecast_follows_shift(config: &SeriesModelConfig, device: &Device) {
    if config.capabilities().own_level {
        follows(config, 1.0, 16.0, device);
    }
}

/// The forecast of a window five times as large is five times as large, where the model declares
/// that it takes the scale out.
///
/// # Panics
/// If it is not.
pub fn forecast_follows_scale(config: &SeriesModelConfig, device: &Device) {
    if config.capabilities().own_scale {
        follows(config, 5.0, 0.0, device);
    }
}

fn follows(config: &SeriesModelConfig, scale: f64, shift: f64, device: &Device) {
    let model = config.init(device);
    let given = || config.with_gaps(config.given(WINDOWS, 1, device));
    let expected = values(model.forward(given()) * scale + shift);
    let moved = SeriesInput {
        past: given().past * scale + shift,
        ..given()
    };
    let found = values(model.forward(moved));
    // What is added to the variance is not scaled.
    let title = format!("{config:?}: {scale} of it and {shift}");
    assert_close(&title, &found, &expected, 1e-3, scale);
}
