//! The battery over every model of the registry.

use forge_models::ModelConfig;
use forge_nn::DeviceName;
use forge_nn::burn::tensor::Device;
use forge_testkit::battery;

/// `FORGE_TEST_MODELS` (`tabular_mlp,…`) leaves only those: on a device that compiles each kernel
/// anew, all models take long. Default: all.
fn each(check: impl Fn(&ModelConfig, &Device)) {
    let named = std::env::var("FORGE_TEST_MODELS").ok();
    let wanted = |config: &ModelConfig| {
        let mut names = named.iter().flat_map(|names| names.split(','));
        named.is_none() || names.any(|name| name == config.name())
    };
    for (name, device) in battery::devices() {
        for config in battery::subjects().into_iter().filter(wanted) {
            // Where each kernel of each shape is compiled anew, one table per model.
            if name == DeviceName::Flex || has_all_it_takes(&config) {
                check(&config, &device);
            }
        }
    }
}

/// Whether a model has columns of each kind that it declares, of its tables the one with most to it.
fn has_all_it_takes(config: &ModelConfig) -> bool {
    let spec = config.spec();
    let categorical = config.capabilities().categorical;
    spec.n_num_features > 0 && categorical != spec.cat_cardinalities.is_empty()
}

#[test]
fn every_model_is_a_subject() {
    let subjects = battery::subjects();
    for name in ModelConfig::NAMES {
        let mut of_name = subjects.iter().filter(|config| config.name() == *name);
        assert!(of_name.any(has_all_it_takes), "{name}");
    }
}

#[test]
fn outputs_have_the_documented_shape() {
    each(battery::documented_shape);
}

#[test]
fn eval_mode_is_deterministic() {
    each(battery::eval_is_deterministic);
}

#[test]
fn row_order_only_permutes() {
    each(battery::order_only_permutes);
}

#[test]
fn rows_stand_alone() {
    each(battery::rows_stand_alone);
}

#[test]
fn every_parameter_learns() {
    each(battery::every_parameter_learns);
}

/// What a model learns of columns of both kinds it learns of those of one.
#[test]
fn sixteen_rows_are_overfitted() {
    each(|config, device| {
        if has_all_it_takes(config) {
            battery::overfits_sixteen_rows(config, device);
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
fn models_start_from_training_rows() {
    each(battery::starts_from_rows);
}

#[test]
fn undeclared_inputs_are_refused() {
    each(battery::undeclared_inputs_are_refused);
}

#[test]
fn declared_inputs_matter() {
    each(battery::declared_inputs_matter);
}

#[test]
fn declared_maps_are_returned() {
    each(battery::declared_maps_are_returned);
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
    battery::subjects()
        .iter()
        .for_each(battery::config_survives_files);
}

#[test]
fn bad_fields_are_named() {
    for name in ModelConfig::NAMES {
        let subjects = battery::subjects();
        let of_name: Vec<_> = subjects.into_iter().filter(|c| c.name() == *name).collect();
        battery::bad_fields_are_named(&of_name);
    }
}
