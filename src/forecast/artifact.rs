//! The one file that a forecaster is.

use std::path::Path;

use burn::tensor::Device;
use forge_data::{ReadOptions, SeriesFeatures, SeriesScaler, SeriesSchema, WindowConfig};
use forge_models::SeriesModelConfig;
use forge_nn::{FileFormat, ModuleConfig, TensorFile};
use forge_train::objective::{Objective, ObjectiveConfig};
use forge_train::precision::Precision;
use serde::{Deserialize, Serialize};

use super::input::InputPlan;
use super::objective::levels;
use super::{AdaptiveBands, ConformalOffsets, FittedForecaster, MeanCorrection};
use crate::Error;
use crate::artifact::members;

/// What the file says that it is.
pub(crate) const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.forecaster",
    version: 1,
};

/// What the header says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    model: SeriesModelConfig,
    members: usize,
    objective: ObjectiveConfig,
    schema: SeriesSchema,
    scaler: SeriesScaler,
    windows: WindowConfig,
    inputs: InputPlan,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    features: Option<SeriesFeatures>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conformal: Option<ConformalOffsets>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adaptive: Option<AdaptiveBands>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<MeanCorrection>,
    read: ReadOptions,
}

pub(super) fn save(
    fitted: &FittedForecaster,
    path: &Path,
    weights: Precision,
) -> Result<(), Error> {
    let manifest = Manifest {
        model: fitted.model.clone(),
        members: fitted.members.len(),
        objective: fitted.objective.clone(),
        schema: fitted.schema.clone(),
        scaler: (*fitted.scaler).clone(),
        windows: fitted.windows.clone(),
        inputs: fitted.plan.clone(),
        features: fitted.features.clone(),
        conformal: fitted.conformal.clone(),
        adaptive: fitted.adaptive.clone(),
        mean: fitted.mean.clone(),
        read: fitted.read.clone(),
    };
    let tensors = members::tensors(&fitted.members, weights)?;
    Ok(TensorFile::write(path, FORMAT, &manifest, &tensors)?)
}

pub(super) fn load(path: &Path, device: &Device) -> Result<FittedForecaster, Error> {
    let (manifest, file) = TensorFile::<Manifest>::open(path, FORMAT)?.into_parts();
    let bad = |what: String| Error::from(file.error(what));
    let parameters = (manifest.model.parameter_count()).map_err(|e| bad(e.to_string()))?;
    members::check_size(&file, manifest.members, parameters)?;
    (manifest.objective.validate()).map_err(|e| bad(format!("objective: {e}")))?;
    (manifest.windows.validate()).map_err(|e| bad(format!("windows: {e}")))?;
    (manifest.schema.config.validate()).map_err(|e| bad(format!("series: {e}")))?;
    let (spec, targets) = (manifest.model.spec(), manifest.schema.config.targets.len());
    let fits = spec.lookback == manifest.windows.lookback
        && spec.horizon == manifest.windows.horizon.count()
        && spec.n_targets == targets
        && spec.n_outputs == manifest.objective.width()
        && manifest.objective.slots() == 1
        && manifest.inputs.fits(&manifest.schema, &spec);
    if !fits {
        return Err(bad(
            "the model does not fit series, windows and objective".into()
        ));
    }
    if let Some(features) = &manifest.features
        && !features.fits(&manifest.schema)
    {
        let (set, count) = (features.set().name(), features.set().count());
        return Err(bad(format!(
            "the {count} features '{set}' are not those of its series"
        )));
    }
    let cells = spec.horizon * spec.n_targets;
    let levels = levels(&manifest.objective);
    if let Some(offsets) = &manifest.conformal {
        offsets.check(cells, &levels).map_err(bad)?;
    }
    if let Some(bands) = &manifest.adaptive {
        bands.check(cells, &levels).map_err(bad)?;
    }
    if let Some(mean) = &manifest.mean {
        mean.check(cells).map_err(bad)?;
    }
    let build = || Ok(manifest.model.try_init(device)?);
    let networks = members::read(&file, manifest.members, build, |_| false)?;
    Ok(FittedForecaster {
        model: manifest.model.clone(),
        members: networks,
        objective: manifest.objective,
        schema: manifest.schema,
        scaler: std::sync::Arc::new(manifest.scaler),
        windows: manifest.windows,
        plan: manifest.inputs,
        features: manifest.features,
        conformal: manifest.conformal,
        adaptive: manifest.adaptive,
        mean: manifest.mean,
        read: manifest.read,
        device: device.clone(),
    })
}
