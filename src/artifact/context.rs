//! The training rows that belong to a model, as tensors and back. What comes back is not trusted.

use std::collections::BTreeMap;

use burn::tensor::{DType, TensorData};
use forge_data::{EncodedTargets, Features, Preprocessor, TransformReport};

use super::manifest::ContextManifest;
use crate::estimator::StoredContext;

const NUMERIC: &str = "x_num";
const CODES: &str = "x_cat";
const NUMERIC_MASK: &str = "num_present";
const CODES_MASK: &str = "cat_present";
const TARGET: &str = "y";
const TARGET_UNITS: &str = "y_original";

pub(super) fn to_parts(context: &StoredContext) -> (ContextManifest, BTreeMap<String, TensorData>) {
    let features = &context.features;
    let n = features.n_rows;
    let mut tensors = BTreeMap::new();
    let mut put = |name: &str, data: TensorData| tensors.insert(name.to_string(), data);
    if features.n_numeric > 0 {
        put(
            NUMERIC,
            TensorData::new(features.numeric.clone(), [n, features.n_numeric]),
        );
    }
    if features.n_categorical > 0 {
        put(
            CODES,
            TensorData::new(features.categorical.clone(), [n, features.n_categorical]),
        );
    }
    let masks = [
        (NUMERIC_MASK, &features.num_present, features.n_numeric),
        (CODES_MASK, &features.cat_present, features.n_categorical),
    ];
    for (name, mask, width) in masks {
        if let Some(mask) = mask.as_ref().filter(|_| width > 0) {
            let mask: Vec<i32> = mask.iter().map(|present| i32::from(*present)).collect();
            put(name, TensorData::new(mask, [n, width]));
        }
    }
    if let Some(targets) = &context.targets {
        put(
            TARGET,
            TensorData::new(targets.values.clone(), [n, targets.slots]),
        );
        put(
            TARGET_UNITS,
            TensorData::new(targets.original.clone(), [n, targets.slots]),
        );
    }
    let manifest = ContextManifest {
        rows: n,
        slots: context.targets.as_ref().map(|targets| targets.slots),
        masks: features.num_present.is_some() || features.cat_present.is_some(),
    };
    (manifest, tensors)
}

/// # Errors
/// What of the rows is missing, misshapen, of another type, not finite or out of range.
pub(super) fn from_parts(
    manifest: ContextManifest,
    mut tensors: BTreeMap<String, TensorData>,
    preprocessor: &Preprocessor,
) -> Result<StoredContext, String> {
    let n = manifest.rows;
    if n == 0 {
        return Err("a context without rows".into());
    }
    let mut take = |name: &str, width: usize, dtype: DType| -> Result<TensorData, String> {
        let data = tensors
            .remove(name)
            .ok_or_else(|| format!("context.{name} is missing"))?;
        let (shape, found) = (data.shape().to_vec(), data.dtype());
        if shape != [n, width] || found != dtype {
            return Err(format!(
                "context.{name} is {found:?} {shape:?}, expected {dtype:?} [{n}, {width}]"
            ));
        }
        if found.is_float() && !data.iter::<f64>().all(f64::is_finite) {
            return Err(format!("context.{name} holds a number that is not finite"));
        }
        Ok(data)
    };
    let (n_numeric, n_categorical) = (preprocessor.n_numeric(), preprocessor.n_categorical());
    let numeric = match n_numeric {
        0 => vec![],
        width => take(NUMERIC, width, DType::F32)?.iter().collect(),
    };
    let categorical: Vec<i32> = match n_categorical {
        0 => vec![],
        width => take(CODES, width, DType::I32)?.iter().collect(),
    };
    let cardinalities = preprocessor.cardinalities();
    let known = |(code, n): (&i32, &usize)| usize::try_from(*code).is_ok_and(|code| code < *n);
    if !categorical
        .iter()
        .zip(cardinalities.iter().cycle())
        .all(known)
    {
        return Err("context.x_cat holds a code beyond its column".into());
    }
    let mut mask = |name: &str, width: usize| -> Result<Option<Vec<bool>>, String> {
        if !manifest.masks || width == 0 {
            return Ok(None);
        }
        let mask = take(name, width, DType::I32)?;
        Ok(Some(mask.iter::<i32>().map(|x| x != 0).collect()))
    };
    let num_present = mask(NUMERIC_MASK, n_numeric)?;
    let cat_present = mask(CODES_MASK, n_categorical)?;
    let targets = match manifest.slots {
        None => None,
        Some(slots) => Some(EncodedTargets {
            values: take(TARGET, slots, DType::F32)?.iter().collect(),
            original: take(TARGET_UNITS, slots, DType::F64)?.iter().collect(),
            slots,
        }),
    };
    if let Some(name) = tensors.keys().next() {
        return Err(format!("context.{name} is not known"));
    }
    let features = Features {
        numeric,
        n_numeric,
        categorical,
        n_categorical,
        num_present,
        cat_present,
        n_rows: n,
        report: TransformReport::default(),
    };
    Ok(StoredContext { features, targets })
}
