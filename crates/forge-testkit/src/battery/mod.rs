//! What every model of the registry must do.
//!
//! Every check takes a config and a device and panics with the model's name and what is wrong;
//! [`subjects`] (table rows) and [`series_subjects`] (forecasts) give the configs, so that a model is
//! checked as soon as it is in its registry. What any family must do takes any [`Subject`].
//! What a model declares is checked, what it does not declare must be refused.

mod backbone;
mod config;
mod devices;
mod forward;
mod inputs;
mod maps;
mod recomputation;
mod sequences;
mod series;
mod state;
mod state_file;
mod subject;
mod table;
mod training;
mod values;

pub use backbone::{
    gradients_flow_through_the_state, large_tokens_stay_finite, padding_changes_nothing,
    pieces_on_devices_equal_flex, shortest_sequences_are_right, states_of_others_are_refused,
    steps_equal_the_sequence,
};
pub use config::{bad_fields_are_named, config_survives_files, parameter_count_is_right};
pub use devices::{devices, results_equal_flex, rounds_factors};
pub use forward::{
    documented_shape, eval_is_deterministic, order_only_permutes, rows_stand_alone,
    samples_stand_alone,
};
pub use inputs::{declared_inputs_matter, undeclared_inputs_are_refused};
pub use maps::declared_maps_are_returned;
pub use recomputation::recomputation_changes_nothing;
pub use sequences::sequences_leave_and_join;
pub use series::{
    covariates_of_windows_matter, forecast_follows_scale, forecast_follows_shift,
    large_windows_stay_finite, maps_of_windows_are_returned, outputs_rise, overfits_windows,
    padding_of_windows_changes_nothing, series_subjects, undeclared_windows_are_refused,
};
pub use state::{
    same_seed_same_model, starts_from_rows, state_round_trip_is_bit_identical,
    storage_of_parameters_does_not_matter,
};
pub use state_file::states_survive_files;
pub use subject::{Given, Subject};
pub use table::{input, rows_of, subjects};
pub use training::{every_parameter_learns, overfits_sixteen_rows};
