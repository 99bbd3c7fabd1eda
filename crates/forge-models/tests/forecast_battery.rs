//! The battery over every forecasting model.

use forge_models::{ModelConfig, SeriesModelConfig};
use forge_nn::DeviceName;
use forge_nn::burn::tensor::Device;
use forge_testkit::battery;

/// `FORGE_TEST_MODELS` (`dlinear,…`) leaves only those. Default: all.
fn each(check: impl Fn(&SeriesModelConfig, &Device)) {
    let named = std::env::var("FORGE_TEST_MODELS").ok();
    let wanted = |config: &SeriesModelConfig| {
        let mut names = named.iter().flat_map(|names| names.split(','));
        named.is_none() || names.any(|name| name == config.name())
    };
    for (name, device) in battery::devices() {
        let all = battery::series_subjects();
        for config in all.iter().filter(|config| wanted(config)) {
            if name == DeviceName::Flex || is_enough(config, &all) {
                check(config, &device);
            }
        }
    }
}

/// For devices that compile each kernel of each shape anew: of a model its windows with all that it
/// declares, and of the backbones over patches, which are compared there as models of tables, one.
fn is_enough(config: &SeriesModelConfig, all: &[SeriesModelConfig]) -> bool {
    let name = config.name();
    let mut of_name = all.iter().filter(|other| other.name() == name);
    let over_patches = ModelConfig::NAMES.contains(&name) && name != "modern_tcn";
    of_name.next_back() == Some(config) && (!over_patches || name == "mamba")
}

#[test]
fn every_model_is_a_subject() {
    let subjects = battery::series_subjects();
    for name in SeriesModelConfig::NAMES {
        let count = subjects.iter().filter(|config| config.name() == *name);
        assert!(count.count() > 0, "{name}");
    }
}

#[test]
fn forecasts_have_the_documented_shape() {
    each(battery::documented_shape);
}

#[test]
fn large_windows_stay_finite() {
    each(battery::large_windows_stay_finite);
}

#[test]
fn eval_mode_is_deterministic() {
    each(battery::eval_is_deterministic);
}

#[test]
fn window_order_only_permutes() {
    each(battery::order_only_permutes);
}

#[test]
fn windows_stand_alone() {
    each(battery::samples_stand_alone);
}

#[test]
fn every_parameter_learns() {
    each(battery::every_parameter_learns);
}

/// With all that each model declares: what it takes with less, it takes with more.
#[test]
fn a_few_windows_are_overfitted() {
    each(|config, device| {
        let subjects = battery::series_subjects();
        let mut of_name = subjects
            .iter()
            .filter(|other| other.name() == config.name());
        if of_name.next_back() == Some(config) {
            battery::overfits_windows(config, device);
        }
    });
}

#[test]
fn recomputation_changes_nothing() {
    each(battery::recomputation_changes_nothing);
}

#[test]
fn state_round_trip_is_bit_identical() {
    each(battery::state_round_trip_is_bit_identical);
}

#[test]
fn storage_of_parameters_does_not_matter() {
    each(battery::storage_of_parameters_does_not_matter);
}

#[test]
fn same_seed_same_model() {
    each(battery::same_seed_same_model);
}

#[test]
fn undeclared_windows_are_refused() {
    each(battery::undeclared_windows_are_refused);
}

#[test]
fn declared_inputs_matter() {
    each(battery::covariates_of_windows_matter);
}

#[test]
fn declared_maps_are_returned() {
    each(battery::maps_of_windows_are_returned);
}

#[test]
fn padding_changes_nothing() {
    each(battery::padding_of_windows_changes_nothing);
}

#[test]
fn quantiles_never_cross() {
    each(battery::outputs_rise);
}

#[test]
fn forecasts_follow_the_level() {
    each(battery::forecast_follows_shift);
}

#[test]
fn forecasts_follow_the_scale() {
    each(battery::forecast_follows_scale);
}

#[test]
fn every_backend_gives_the_results_of_flex() {
    each(battery::results_equal_flex);
}

#[test]
fn parameter_counts_are_right() {
    each(battery::parameter_count_is_right);
}

#[test]
fn configs_survive_files() {
    battery::series_subjects()
        .iter()
        .for_each(battery::config_survives_files);
}

#[test]
fn bad_fields_are_named() {
    for name in SeriesModelConfig::NAMES {
        let subjects = battery::series_subjects();
        let of_name: Vec<_> = subjects.into_iter().filter(|c| c.name() == *name).collect();
        battery::bad_fields_are_named(&of_name);
    }
}
