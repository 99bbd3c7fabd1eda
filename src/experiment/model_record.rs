//! What a run keeps of a model that is done, so that it need not be trained again.

use burn::tensor::Device;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::ModelResult;
use crate::run_folder::{RunFolder, read};
use crate::{Error, FittedModel};

/// `{model}.json`: what training found, and on which data.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelRecord {
    /// The fingerprint of table and split.
    pub(super) data: String,
    /// What training found.
    pub(super) result: ModelResult,
}

/// What an earlier run left of a model.
pub(super) enum Left {
    /// Nothing that is done.
    Nothing,
    /// All of it.
    Done(ModelResult),
    /// Something that is damaged.
    Damaged(Error),
}

impl ModelRecord {
    fn name(model: &str) -> String {
        format!("{model}.json")
    }

    pub(super) fn write(&self, folder: &RunFolder) -> Result<(), Error> {
        let name = Self::name(&self.result.name);
        let json =
            serde_json::to_string(self).map_err(|e| ForgeError::artifact(folder.file(&name), e))?;
        folder.write(&name, &json)
    }

    /// What `folder` has of `model`, trained on the data of this fingerprint. The artifact is read,
    /// so that a damaged one does not go unnoticed.
    ///
    /// # Errors
    /// A config error if the data were others; an I/O error, or an artifact error for another
    /// version.
    pub(super) fn left(
        folder: &RunFolder,
        model: &str,
        data: &str,
        device: &Device,
    ) -> Result<Left, Error> {
        let (record, artifact) = (folder.file(&Self::name(model)), folder.artifact(model));
        if !record.exists() || !artifact.exists() {
            return Ok(Left::Nothing);
        }
        let text = read(&record)?;
        let found: Self = match serde_json::from_str(&text) {
            Ok(found) => found,
            Err(error) => return Ok(Left::Damaged(ForgeError::damaged(&record, error).into())),
        };
        if found.result.name != model {
            let reason = format!("is of '{}', not of {model}", found.result.name);
            return Ok(Left::Damaged(ForgeError::damaged(&record, reason).into()));
        }
        if found.data != data {
            let allowed = format!(
                "the table and split that {model} was trained on ({}); start anew in another \
                 folder",
                record.display()
            );
            return Err(ForgeError::config("data", "changed since", allowed).into());
        }
        match FittedModel::load(&artifact, device) {
            Ok(_) => Ok(Left::Done(found.result)),
            Err(error) if error.is_damaged() => Ok(Left::Damaged(error)),
            Err(error) => Err(error),
        }
    }
}
