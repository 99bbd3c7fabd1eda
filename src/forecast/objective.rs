//! What a forecaster's outputs mean, per step and target.

use forge_data::{ScalerConfig, SeriesTransform};
use forge_models::ForecastCapabilities;
use forge_nn::ForgeError;
use forge_train::loss::LossConfig;
use forge_train::objective::{Objective, ObjectiveConfig, Quantiles};

use crate::Error;

/// Checks that a model's outputs can mean this.
pub(super) fn check(
    objective: &ObjectiveConfig,
    model: &str,
    capabilities: ForecastCapabilities,
) -> Result<(), Error> {
    objective.validate()?;
    let refuse = |what: String| Err(ForgeError::unsupported(what).into());
    if objective.n_classes().is_some() {
        let name = objective.name();
        return refuse(format!(
            "a forecast is of numbers: {name} is for classes of rows"
        ));
    }
    if objective.slots() != 1 {
        let name = objective.name();
        let found = objective.slots();
        return Err(ForgeError::config(
            "objective.targets",
            found,
            format!("1: {name} is applied to every step and target by itself"),
        )
        .into());
    }
    let is_quantiles = matches!(objective, ObjectiveConfig::Quantiles(_));
    if capabilities.rising_outputs && !is_quantiles {
        return refuse(format!(
            "{model} forecasts quantiles: take the objective quantiles"
        ));
    }
    if objective.width() > 1 && !capabilities.several_outputs {
        return refuse(format!(
            "{model} gives one number per step: take the objective regression"
        ));
    }
    // A scale that is given back is no scale of a distribution's parameters.
    let is_location = is_quantiles || matches!(objective, ObjectiveConfig::Regression(_));
    if capabilities.own_level && !is_location {
        return refuse(format!(
            "{model} normalises each window by itself and goes with the objectives regression and \
             quantiles"
        ));
    }
    Ok(())
}

/// Whether the loss is of logarithms, whatever they were divided by.
pub(super) fn is_qlike(objective: &ObjectiveConfig) -> bool {
    matches!(objective, ObjectiveConfig::Regression(regression)
        if matches!(regression.loss, LossConfig::Qlike(_)))
}

/// Checks that targets are such that their QLIKE is known.
pub(super) fn check_qlike(
    objective: &ObjectiveConfig,
    targets: &[String],
    scaler: &ScalerConfig,
) -> Result<(), Error> {
    if !is_qlike(objective) {
        return Ok(());
    }
    let is_log = |target: &&String| {
        matches!(
            scaler.transforms.get(*target),
            Some(SeriesTransform::Log | SeriesTransform::Returns)
        )
    };
    if let Some(target) = targets.iter().find(|target| !is_log(target)) {
        let allowed = format!(
            "of targets under a logarithm: set the transform of '{target}' to log (or returns)"
        );
        return Err(ForgeError::config("objective.loss", "qlike", allowed).into());
    }
    let unscaled = matches!(objective, ObjectiveConfig::Regression(regression)
        if regression.loss == LossConfig::Qlike(Default::default()));
    if !unscaled {
        let allowed = "without a scale: a forecaster knows what its targets were divided by";
        return Err(ForgeError::config("objective.loss.scale", "set", allowed).into());
    }
    Ok(())
}

/// Whether the model itself makes the outputs rise.
pub(super) fn is_rising(objective: &ObjectiveConfig) -> bool {
    matches!(objective, ObjectiveConfig::Quantiles(quantiles)
        if quantiles.non_crossing && quantiles.quantiles.len() > 1)
}

/// The objective for outputs that rise already, or as it is.
pub(super) fn of_outputs(objective: ObjectiveConfig) -> ObjectiveConfig {
    match objective {
        ObjectiveConfig::Quantiles(quantiles) => ObjectiveConfig::Quantiles(Quantiles {
            non_crossing: false,
            ..quantiles
        }),
        other => other,
    }
}

/// Which quantiles are told: those of the objective, or the usual ones of a distribution; none of a
/// single number.
pub(super) fn levels(objective: &ObjectiveConfig) -> Vec<f64> {
    match objective {
        ObjectiveConfig::Quantiles(quantiles) => quantiles.quantiles.clone(),
        ObjectiveConfig::Distribution(_) | ObjectiveConfig::Bars(_) => {
            vec![0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
        }
        _ => Vec::new(),
    }
}
