//! Weights that were trained elsewhere, on other tables.

use std::path::Path;

use burn::tensor::{DType, Device};
use forge_nn::{FileFormat, ForgeError, ModuleConfig, StateDict, TensorFile};
use serde::{Deserialize, Serialize};

use crate::reference::check_size;
use crate::{Labels, Model, ModelConfig, TabularModel, TabularSpec};

const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.pretrained",
    version: 1,
};
/// What the metadata of this library's files stand under.
const OURS: &str = "volatilityforge";

/// An in-context model with weights for tables of any kind: its authors', or those of a prior
/// fitting.
///
/// ```
/// use forge_models::{Labels, ModelConfig, Pretrained, TabularSpec};
/// use forge_nn::burn::tensor::Device;
/// use forge_nn::{ModuleConfig, Network};
///
/// let device = Device::flex();
/// let config = ModelConfig::narrow("tabpfn_v1")?;
/// let weights = Pretrained { model: config.try_init(&device)?, config };
/// // A table of 7 columns and 3 classes.
/// let table = TabularSpec { n_num_features: 7, cat_cardinalities: vec![], d_out: 3 };
/// let fitted = weights.for_table(&table, Labels::Classes(3))?;
/// assert_eq!(fitted.model.spec(), table);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pretrained {
    /// The architecture.
    pub config: ModelConfig,
    /// It, with its weights.
    pub model: Model,
}

/// What the header of a file says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    model: ModelConfig,
}

impl Pretrained {
    /// Writes architecture and weights to one safetensors file, whole or not at all.
    ///
    /// # Errors
    /// An I/O error naming the file; a weights error if the weights cannot be read back.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ForgeError> {
        let state = StateDict::from_module(&self.model)?;
        let manifest = Manifest {
            model: self.config.clone(),
        };
        TensorFile::write(path, FORMAT, &manifest, &state.tensors)
    }

    /// Reads what [`save`](Self::save) wrote, or the `state_dict` of the authors as safetensors, as
    /// f32. Safe on files from strangers.
    ///
    /// `config` is the architecture: that of the authors' weights, which do not say; a file of this
    /// library says its own and only has to be of the same model. A config without columns gets as
    /// many as `columns`.
    ///
    /// # Errors
    /// An I/O error; an artifact error saying what is wrong with the file; a config error for a file
    /// of another model; a weights error naming the tensors that do not fit the architecture.
    pub fn read(
        path: impl AsRef<Path>,
        config: ModelConfig,
        columns: usize,
        device: &Device,
    ) -> Result<Self, ForgeError> {
        let path = path.as_ref();
        let (state, metadata) = StateDict::read_safetensors(path)?;
        if metadata.contains_key(OURS) {
            drop(state);
            return Self::read_ours(path, config.name(), device);
        }
        let spec = config.spec();
        let config = match spec.n_num_features {
            0 => config.sized_for(&TabularSpec {
                n_num_features: columns,
                ..spec
            })?,
            _ => config,
        };
        let model = config.load_reference(&in_f32(state), device)?;
        Ok(Self { config, model })
    }

    fn read_ours(path: &Path, name: &str, device: &Device) -> Result<Self, ForgeError> {
        let (manifest, file) = TensorFile::<Manifest>::open(path, FORMAT)?.into_parts();
        let config = manifest.model;
        if config.name() != name {
            let allowed = format!("{}: the file {} is of it", config.name(), path.display());
            return Err(ForgeError::config("model", name, allowed));
        }
        let state = in_f32(StateDict {
            tensors: file.tensors("")?,
        });
        let needed = config.parameter_count().map_err(|e| file.error(e))?;
        check_size(needed, &state).map_err(|e| file.error(e))?;
        let model = state.load_into(config.build(device));
        Ok(Self {
            model: model.map_err(|e| file.error(e))?,
            config,
        })
    }

    /// The same for a table with these labels; see [`TabularModel::for_table`].
    ///
    /// # Errors
    /// An unsupported error for a table with more columns or classes than the weights know, or a
    /// model whose weights fit no other table.
    pub fn for_table(self, table: &TabularSpec, labels: Labels) -> Result<Self, ForgeError> {
        let model = self.model.for_table(table, labels)?;
        let config = self.config.sized_for(table)?.with_labels(labels)?;
        Ok(Self { config, model })
    }
}

fn in_f32(mut state: StateDict) -> StateDict {
    for data in state.tensors.values_mut() {
        if data.dtype().is_float() && data.dtype() != DType::F32 {
            *data = data.clone().convert_dtype(DType::F32);
        }
    }
    state
}
