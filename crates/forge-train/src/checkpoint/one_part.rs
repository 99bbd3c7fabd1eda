//! Checkpoints of a run that is one part.

use std::collections::BTreeMap;
use std::path::PathBuf;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckpointFolder, RunPart, Sections, bounded_json, check_same};

/// What such a checkpoint holds beside its tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// The part's settings.
    #[serde(deserialize_with = "bounded_json::value")]
    identity: Value,
    #[serde(deserialize_with = "bounded_json::by_name")]
    parts: BTreeMap<String, Value>,
}

impl CheckpointFolder {
    /// Writes the next checkpoint of `part` alone: for loops of one's own, where no trainer is.
    ///
    /// # Errors
    /// As [`write`](Self::write), and what the part finds.
    pub fn save_part(&self, part: &(impl RunPart + ?Sized)) -> Result<PathBuf, ForgeError> {
        let mut sections = Sections::new();
        sections.save(part)?;
        let (tensors, parts) = sections.into_file();
        bounded_json::check(&parts)?;
        let identity = part.config();
        self.write(&Manifest { identity, parts }, &tensors)
    }

    /// Goes on from the newest checkpoint that [`save_part`](Self::save_part) wrote; whether there was one.
    ///
    /// # Errors
    /// As [`latest`](Self::latest); a config error that names the first setting that differs from the
    /// saved part's; a weights error if the part cannot use the state.
    pub fn restore_part(&self, part: &mut (impl RunPart + ?Sized)) -> Result<bool, ForgeError> {
        let Some(saved) = self.latest::<Manifest>()? else {
            return Ok(false);
        };
        let (Manifest { identity, parts }, file) = saved.file.into_parts();
        check_same(&identity, &part.config(), &saved.path)?;
        let mut sections = Sections::from_file(file.tensors("")?, parts)?;
        sections.restore(part)?;
        sections.finish()?;
        Ok(true)
    }
}
