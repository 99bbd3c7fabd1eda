//! The one file that a trained model is: weights, preprocessing statistics and the rows that the
//! model looks at as tensors, and a manifest in the header of a safetensors file.

mod context;
mod first_version;
mod half_weights;
mod manifest;
pub(crate) mod members;

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::Device;
use forge_data::{Preprocessor, TargetEncoder};
use forge_models::RowContext;
use forge_nn::{FileFormat, ForgeError, ModuleConfig, StateDict, TensorFile};

use forge_train::objective::Objective;
use forge_train::precision::Precision;

use crate::{Error, FittedModel};
use manifest::{ContextManifest, Manifest};
use members::{MODEL, Tensors};

const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.artifact",
    version: 2,
};

const PREPROCESSING: &str = "preprocessing.";
const TARGET: &str = "target.";
const CONTEXT: &str = "context.";
/// Preprocessing, target and context together have no more tensors; each is known by name to the
/// part that reads it.
const MOST_OTHERS: usize = 16;
const OTHERS: [&str; 3] = ["preprocessing.numeric.", "target.target.", CONTEXT];

pub(crate) fn save(fitted: &FittedModel, path: &Path, weights: Precision) -> Result<(), Error> {
    let (preprocessing, statistics) = fitted.preprocessor.to_parts();
    let (target, scale) = fitted.encoder.to_parts();
    let mut tensors = members::tensors(&fitted.members, weights)?;
    let mut add = |prefix: &str, part: Tensors| {
        let named = part.into_iter();
        tensors.extend(named.map(|(name, data)| (format!("{prefix}{name}"), data)));
    };
    add(PREPROCESSING, statistics);
    add(TARGET, scale);
    let context = fitted.context.as_ref().map(context::to_parts);
    let context = context.map(|(manifest, rows)| {
        add(CONTEXT, rows);
        manifest
    });
    let manifest = Manifest {
        model: fitted.model.clone(),
        members: fitted.members.len(),
        objective: fitted.objective.clone(),
        preprocessing,
        target,
        context,
        calibration: fitted.calibration.clone(),
        read: fitted.read.clone(),
        first_version: false,
    };
    Ok(TensorFile::write(path, FORMAT, &manifest, &tensors)?)
}

pub(crate) fn load(path: &Path, device: &Device) -> Result<FittedModel, Error> {
    let (manifest, file) = TensorFile::<Manifest>::open(path, FORMAT)?.into_parts();
    let bad = |what: String| Error::from(file.error(what));
    let parameters = (manifest.model.parameter_count()).map_err(|e| file.error(e))?;
    members::check_size(&file, manifest.members, parameters)?;
    (manifest.objective.validate()).map_err(|e| bad(format!("objective: {e}")))?;
    let names = StateDict::names_of(&manifest.model.try_init(device)?);
    check_names(&file, &manifest, &names)?;

    let statistics = file.tensors(PREPROCESSING)?;
    let preprocessor = Preprocessor::from_parts(manifest.preprocessing, &statistics)
        .map_err(|e| bad(format!("preprocessing: {e}")))?;
    let scale = file.tensors(TARGET)?;
    let encoder = TargetEncoder::from_parts(manifest.target, &scale)
        .map_err(|e| bad(format!("target: {e}")))?;
    if manifest.model.spec() != FittedModel::spec(&preprocessor, &manifest.objective) {
        return Err(bad(
            "the model does not fit preprocessing and objective".into()
        ));
    }
    let labels = crate::estimator::labels(&manifest.objective);
    if manifest
        .model
        .labels()
        .is_some_and(|of_model| of_model != labels)
    {
        return Err(bad("the model's labels do not fit the objective".into()));
    }
    let classes = encoder.classes().map(|target| target.n_classes());
    if classes != manifest.objective.n_classes() || encoder.slots() != manifest.objective.slots() {
        return Err(bad("the objective does not fit the target".into()));
    }
    if let Some(calibration) = &manifest.calibration {
        calibration.check(&manifest.objective).map_err(bad)?;
    }
    let rows = manifest.model.capabilities().rows;
    let context = read_context(
        &file,
        manifest.context,
        rows,
        &preprocessor,
        encoder.slots(),
    )?;
    let members = (0..manifest.members).map(|i| {
        let tensors = if manifest.first_version {
            first_version::renamed(file.tensors(MODEL)?)
        } else {
            file.tensors(&members::prefix(i))?
        };
        members::member(&file, tensors, manifest.model.try_init(device)?)
    });
    Ok(FittedModel {
        members: members.collect::<Result<_, _>>()?,
        model: manifest.model.clone(),
        objective: manifest.objective,
        read: manifest.read,
        preprocessor,
        encoder,
        context,
        calibration: manifest.calibration,
        device: device.clone(),
    })
}

fn read_context(
    file: &TensorFile<()>,
    context: Option<ContextManifest>,
    rows: RowContext,
    preprocessor: &Preprocessor,
    slots: usize,
) -> Result<Option<crate::estimator::StoredContext>, Error> {
    let bad = |what: String| Error::from(file.error(what));
    match (context, rows) {
        (None, RowContext::Alone) => Ok(None),
        (None, _) => Err(bad("the rows that the model looks at are missing".into())),
        (Some(_), RowContext::Alone) => Err(bad("rows that the model does not look at".into())),
        (Some(context), rows) => {
            let wanted = (rows == RowContext::Labelled).then_some(slots);
            if context.slots != wanted {
                return Err(bad("the context's targets do not fit the model".into()));
            }
            let stored = context::from_parts(context, file.tensors(CONTEXT)?, preprocessor);
            stored.map(Some).map_err(bad)
        }
    }
}

/// Every tensor is one that the manifest asks for, so that reading cannot allocate more than that.
/// `names` are those of one member.
fn check_names(
    file: &TensorFile<()>,
    manifest: &Manifest,
    names: &BTreeSet<String>,
) -> Result<(), ForgeError> {
    let of_a_member = |name: &str| {
        if manifest.first_version {
            return names.contains(&first_version::renamed_one(name));
        }
        name.split_once('.').is_some_and(|(member, name)| {
            members::is_member(member, manifest.members) && names.contains(name)
        })
    };
    let mut others = 0;
    for name in file.names() {
        let known = match name.strip_prefix(MODEL) {
            Some(name) => of_a_member(name),
            None => {
                others += 1;
                let part = OTHERS.iter().find(|part| name.starts_with(**part));
                let is_there = |part: &&str| *part != CONTEXT || manifest.context.is_some();
                others <= MOST_OTHERS && part.is_some_and(is_there)
            }
        };
        if !known {
            return Err(file.error(format!("tensor {name} belongs to no part of the model")));
        }
    }
    Ok(())
}
