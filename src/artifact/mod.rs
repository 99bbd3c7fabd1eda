//! The one file that a trained model is: weights and preprocessing statistics as tensors, and a
//! manifest in the header of a safetensors file.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{DType, Device};
use forge_data::{
    NumericTargets, Preprocessor, PreprocessorManifest, TargetEncoder, TargetManifest,
};
use forge_models::ModelConfig;
use forge_nn::{FileFormat, ForgeError, ModuleConfig, StateDict, TensorFile};
use serde::{Deserialize, Serialize};

use crate::{Error, FittedRegressor};

/// Name and version of the artifact format.
pub const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.artifact",
    version: 1,
};

const MODEL: &str = "model.";
const PREPROCESSING: &str = "preprocessing.";
const TARGET: &str = "target.";

/// What the header says beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    task: Task,
    model: ModelConfig,
    preprocessing: PreprocessorManifest,
    target: TargetManifest,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    Regression,
}

pub(crate) fn save(fitted: &FittedRegressor, path: &Path) -> Result<(), Error> {
    let (preprocessing, statistics) = fitted.preprocessor.to_parts();
    let target = NumericTargets::new(vec![fitted.target.clone()])?;
    let (target, scale) = TargetEncoder::Numeric(target).to_parts();
    let weights = StateDict::from_module(&fitted.module)?.tensors;
    let parts = [
        (MODEL, weights),
        (PREPROCESSING, statistics),
        (TARGET, scale),
    ];
    let tensors: BTreeMap<_, _> = parts
        .into_iter()
        .flat_map(|(prefix, part)| {
            part.into_iter()
                .map(move |(name, data)| (format!("{prefix}{name}"), data))
        })
        .collect();
    let manifest = Manifest {
        task: Task::Regression,
        model: fitted.model.clone(),
        preprocessing,
        target,
    };
    Ok(TensorFile::write(path, FORMAT, &manifest, &tensors)?)
}

pub(crate) fn load(path: &Path, device: &Device) -> Result<FittedRegressor, Error> {
    let file = TensorFile::<Manifest>::open(path, FORMAT)?;
    let manifest = &file.manifest;
    let model = manifest.model.clone();
    check_size(&file, &model)?;

    let statistics = file.tensors(PREPROCESSING)?;
    let preprocessor = Preprocessor::from_parts(manifest.preprocessing.clone(), &statistics)
        .map_err(|e| file.error(format!("preprocessing: {e}")))?;
    let scale = file.tensors(TARGET)?;
    let target = TargetEncoder::from_parts(manifest.target.clone(), &scale)
        .map_err(|e| file.error(format!("target: {e}")))?;
    let Some([target]) = target.numeric().map(NumericTargets::columns) else {
        return Err(file.error("a regressor has one numeric target").into());
    };
    let target = target.clone();
    if !FittedRegressor::fits(&model, &preprocessor) {
        return Err(file
            .error("the model does not fit the preprocessing")
            .into());
    }

    let tensors = file.tensors(MODEL)?;
    if let Some((name, data)) = tensors.iter().find(|(_, data)| data.dtype() != DType::F32) {
        let dtype = data.dtype();
        return Err(file
            .error(format!("{name} is {dtype:?}, expected F32"))
            .into());
    }
    let state = StateDict {
        tensors,
        ..StateDict::default()
    };
    let module = state
        .load_into(model.try_init(device)?)
        .map_err(|e| file.error(e))?;
    Ok(FittedRegressor {
        model,
        module,
        preprocessor,
        target,
        device: device.clone(),
    })
}

/// The model that the manifest asks for is no larger than the tensors in the file, so that making
/// it cannot allocate more than the file holds.
fn check_size(file: &TensorFile<Manifest>, model: &ModelConfig) -> Result<(), ForgeError> {
    let shapes = file.shapes();
    let weights = shapes.iter().filter(|(name, _)| name.starts_with(MODEL));
    let held: usize = weights
        .map(|(_, shape)| shape.iter().product::<usize>())
        .sum();
    let asked = model.parameter_count().map_err(|e| file.error(e))?;
    if asked > held {
        return Err(file.error(format!(
            "the model has {asked} parameters, the file holds {held} values for it"
        )));
    }
    Ok(())
}
