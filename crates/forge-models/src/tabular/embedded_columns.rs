//! The columns of a row as one vector: numbers as waves, categories one-hot.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use forge_nn::num_embeddings::{
    NumEmbedder, NumEmbedderConfig, NumEmbeddings, PeriodicEmbeddingsConfig,
};
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::beside::beside;
use crate::{Shrink, TabularRows, TabularSpec};

/// Periodic embeddings of numbers, in the words of `PLREmbeddings` of TabR and TALENT.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlrConfig {
    /// Frequencies per number, at least 1.
    pub n_frequencies: usize,
    /// Standard deviation of the frequencies at the start, in cycles per unit of the standardised
    /// number; above 0. Beyond three of them none is drawn.
    pub frequency_scale: f64,
    /// Width of what a number becomes, at least 1.
    pub d_embedding: usize,
    /// One linear map for all numbers, and not one for each.
    pub lite: bool,
}

impl PlrConfig {
    /// Fewer frequencies and narrower embeddings.
    pub(super) fn smaller(self, by: Shrink) -> Self {
        Self {
            n_frequencies: by.width(self.n_frequencies),
            d_embedding: by.width(self.d_embedding),
            ..self
        }
    }
}

/// Which columns there are and what becomes of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a> {
    /// Numbers that are embedded, where there are embeddings.
    pub(super) n_num: usize,
    /// Columns after them that are taken as they are: one-hot ones made elsewhere.
    pub(super) n_raw: usize,
    pub(super) cat_cardinalities: &'a [usize],
    pub(super) num_embeddings: Option<PlrConfig>,
}

impl Columns<'_> {
    fn embeddings(&self) -> Option<NumEmbeddings> {
        let plr = self.num_embeddings.filter(|_| self.n_num > 0)?;
        let config = PeriodicEmbeddingsConfig::new()
            .with_d_embedding(Some(plr.d_embedding))
            .with_n_frequencies(plr.n_frequencies)
            .with_frequency_init_scale(plr.frequency_scale)
            .with_lite(plr.lite);
        Some(NumEmbeddings::Periodic(config))
    }

    /// Checks all but the number of numeric columns, whose field the model names.
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("cat_cardinalities", self.cat_cardinalities.len(), ..=65_536)?;
        for cardinality in self.cat_cardinalities {
            check::in_range("cat_cardinalities", *cardinality, limits::COLUMNS)?;
        }
        let Some(plr) = self.num_embeddings else {
            return Ok(());
        };
        check::in_range("n_frequencies", plr.n_frequencies, limits::WIDTH)?;
        check::positive("frequency_scale", plr.frequency_scale)?;
        check::in_range("d_embedding", plr.d_embedding, limits::WIDTH)
    }

    /// Width of the vector.
    pub(super) fn width(&self) -> usize {
        let each = self.num_embeddings.map_or(1, |plr| plr.d_embedding);
        self.n_num * each + self.n_raw + self.one_hot_width()
    }

    /// The unknown category, code 0, is the zero vector.
    fn one_hot_width(&self) -> usize {
        let widths = self.cat_cardinalities.iter();
        widths.map(|cardinality| cardinality - 1).sum()
    }

    pub(super) fn parameter_count(&self) -> usize {
        self.embeddings()
            .map_or(0, |embeddings| embeddings.parameter_count(self.n_num))
    }

    /// Values per row that the gradients of the vector need.
    pub(super) fn kept_values(&self) -> usize {
        let per_number = |plr: PlrConfig| 4 * plr.n_frequencies + 2 * plr.d_embedding;
        self.n_num * self.num_embeddings.map_or(0, per_number) + self.width()
    }

    pub(super) fn spec(&self, d_out: usize) -> TabularSpec {
        TabularSpec {
            n_num_features: self.n_num + self.n_raw,
            cat_cardinalities: self.cat_cardinalities.to_vec(),
            d_out,
        }
    }

    /// The reference's names: its embeddings are a sequence of waves, linear map and ReLU.
    pub(super) fn key_map(&self) -> KeyMap {
        let (ours, theirs) = ("columns.num_embeddings", "num_embeddings");
        let Some(plr) = self.num_embeddings.filter(|_| self.n_num > 0) else {
            return KeyMap::new();
        };
        let map = KeyMap::new().same(
            &format!("{ours}.frequencies"),
            &format!("{theirs}.0.frequencies"),
        );
        let (ours, theirs) = (format!("{ours}.mix"), format!("{theirs}.1"));
        match plr.lite {
            true => map.linear(&ours, &theirs),
            false => map.norm(&ours, &theirs),
        }
    }

    pub(super) fn build(&self, device: &Device) -> EmbeddedColumns {
        EmbeddedColumns {
            num_embeddings: self
                .embeddings()
                .map(|embeddings| NumEmbedderConfig::new(self.n_num, embeddings).build(device)),
            n_num: self.n_num,
            n_raw: self.n_raw,
            cat_cardinalities: self.cat_cardinalities.to_vec(),
        }
    }
}

/// The columns of a row as one vector: `[embedded numbers, other numbers, one-hot categories]`.
///
/// A category's code 0, the unknown one, is the zero vector; each other code has a place.
#[derive(Module, Debug)]
pub struct EmbeddedColumns {
    num_embeddings: Option<NumEmbedder>,
    n_num: usize,
    n_raw: usize,
    #[module(skip)]
    cat_cardinalities: Vec<usize>,
}

impl EmbeddedColumns {
    /// The vectors of rows that fit.
    ///
    /// # Shapes
    /// - output: `[B, E]`
    pub(super) fn forward(&self, rows: TabularRows) -> Tensor<2> {
        let mut parts = vec![];
        if let Some(x) = rows.x_num {
            match &self.num_embeddings {
                None => parts.push(x),
                Some(embeddings) => {
                    let numbers = x.clone().narrow(1, 0, self.n_num);
                    parts.push(embeddings.flat(numbers));
                    if self.n_raw > 0 {
                        parts.push(x.narrow(1, self.n_num, self.n_raw));
                    }
                }
            }
        }
        if let Some(codes) = rows.x_cat {
            parts.extend(one_hot(&codes, &self.cat_cardinalities));
        }
        beside(parts)
    }

    pub(super) fn spec(&self, d_out: usize) -> TabularSpec {
        TabularSpec {
            n_num_features: self.n_num + self.n_raw,
            cat_cardinalities: self.cat_cardinalities.clone(),
            d_out,
        }
    }
}

/// Codes `[B, F]` as `[B, Σ (cardinality - 1)]`; none where that is nothing.
fn one_hot(codes: &Tensor<2, Int>, cardinalities: &[usize]) -> Option<Tensor<2>> {
    let places = cardinalities.iter().enumerate();
    let (column, code): (Vec<i64>, Vec<i64>) = places
        .flat_map(|(column, n)| (1..*n).map(move |code| (column as i64, code as i64)))
        .unzip();
    let width = code.len();
    if width == 0 {
        return None;
    }
    let device = codes.device();
    let column = Tensor::<1, Int>::from_data(TensorData::new(column, [width]), &device);
    let code = Tensor::<2, Int>::from_data(TensorData::new(code, [1, width]), &device);
    let rows = codes.dims()[0];
    let spread = codes.clone().select(1, column);
    Some(spread.equal(code.expand([rows, width])).float())
}
