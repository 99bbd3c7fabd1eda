//! Single fields of settings.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use forge_nn::ForgeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// Settings from a TOML file.
///
/// # Errors
/// An I/O error, or an artifact error with line and key for a file that does not fit.
pub(crate) fn toml_file<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| ForgeError::io(path, e))?;
    Ok(toml::from_str(&text).map_err(|e| ForgeError::artifact(path, e))?)
}

/// A path that stands in the settings `file`: relative to its folder, or absolute as it is.
pub(crate) fn beside(file: &Path, path: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

/// Sets one field by its place in the TOML: `estimator.training.weight_decay=0.01`. The value is
/// TOML too; what is none is taken for text.
///
/// # Errors
/// A config error for a place that there is not, or a value that does not fit it.
pub(crate) fn set_by_place<T: Serialize + DeserializeOwned>(
    settings: &mut T,
    assignment: &str,
) -> Result<(), Error> {
    let bad = |reason: &dyn Display| {
        let allowed = format!("a setting such as read.skip_rows=1 ({reason})");
        ForgeError::config("set", assignment, allowed)
    };
    let (place, value) = assignment
        .split_once('=')
        .ok_or_else(|| bad(&"no '=' in it"))?;
    let value = value.trim();
    let value = format!("value = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.into()));
    let mut all = toml::Table::try_from(&*settings).map_err(|e| bad(&e))?;
    let mut keys: Vec<&str> = place.trim().split('.').collect();
    let last = keys.pop().unwrap_or_default();
    let mut table = &mut all;
    for key in keys {
        let inner = table
            .entry(key)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        // A model by name alone is the table of no other fields.
        if let ("model", Some(name)) = (key, inner.as_str()) {
            *inner = toml::Table::from_iter([(key.into(), name.into())]).into();
        }
        table = inner
            .as_table_mut()
            .ok_or_else(|| bad(&format!("'{key}' has no fields")))?;
    }
    table.insert(last.into(), value);
    let text = toml::to_string(&all).map_err(|e| bad(&e))?;
    *settings = toml::from_str(&text).map_err(|e| bad(&e.message()))?;
    Ok(())
}

/// Sets the fields that the table `name` of a TOML file has, and leaves the others as they are. A
/// file without that table changes nothing.
///
/// # Errors
/// An I/O error; an artifact error naming the file for a field that there is not, or a value that
/// does not fit it.
pub(crate) fn overlay_file<T: Serialize + DeserializeOwned>(
    settings: &mut T,
    path: &Path,
    name: &str,
) -> Result<(), Error> {
    let bad = |reason: &dyn Display| ForgeError::artifact(path, reason);
    let text = std::fs::read_to_string(path).map_err(|e| ForgeError::io(path, e))?;
    let mut file: toml::Table = text.parse().map_err(|e| bad(&e))?;
    let Some(given) = file.remove(name) else {
        return Ok(());
    };
    let toml::Value::Table(given) = given else {
        return Err(bad(&format!("'{name}' is no table")).into());
    };
    let mut all = toml::Table::try_from(&*settings).map_err(|e| bad(&e))?;
    all.extend(given);
    let text = toml::to_string(&all).map_err(|e| bad(&e))?;
    *settings = toml::from_str(&text).map_err(|e| bad(&format!("[{name}]: {}", e.message())))?;
    Ok(())
}
