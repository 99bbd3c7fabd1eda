//! A table's numbers before the first layer, for models with an optional `num_embeddings`.

use burn::tensor::Device;
use forge_nn::num_embeddings::{
    BinTargets, Binning, NumEmbedder, NumEmbedderConfig, NumEmbeddings,
};
use forge_nn::{ForgeError, ModuleConfig};

use crate::reference::KeyMap;
use crate::{Shrink, TrainingRows};

/// The numbers of a row as one vector: as they are, or each as its embedding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers<'a> {
    pub(super) n_features: usize,
    pub(super) embeddings: &'a Option<NumEmbeddings>,
}

impl Numbers<'_> {
    /// Absent also where there is nothing to embed.
    fn embeddings(&self) -> Option<&NumEmbeddings> {
        self.embeddings.as_ref().filter(|_| self.n_features > 0)
    }

    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        self.embeddings()
            .map_or(Ok(()), |embeddings| embeddings.validate(self.n_features))
    }

    /// Width of the vector.
    pub(super) fn width(&self) -> usize {
        let n = self.n_features;
        self.embeddings()
            .map_or(n, |embeddings| embeddings.width(n))
    }

    /// Width of the part that each feature has in it.
    pub(super) fn widths(&self) -> Vec<usize> {
        let n = self.n_features;
        match self.embeddings() {
            None => vec![1; n],
            Some(NumEmbeddings::PiecewiseLinearEncoding(config)) => {
                config.bins.iter().map(|edges| edges.len() - 1).collect()
            }
            Some(embeddings) => vec![embeddings.width(n) / n; n],
        }
    }

    pub(super) fn parameter_count(&self) -> usize {
        self.embeddings()
            .map_or(0, |embeddings| embeddings.parameter_count(self.n_features))
    }

    pub(super) fn embedder(&self, device: &Device) -> Option<NumEmbedder> {
        let embeddings = self.embeddings()?.clone();
        Some(NumEmbedderConfig::new(self.n_features, embeddings).build(device))
    }

    /// Adds the field `num_embeddings`, which the reference keeps at `theirs`.
    pub(super) fn key_map(&self, map: KeyMap, theirs: &str) -> KeyMap {
        match self.embeddings() {
            None => map,
            Some(embeddings) => embeddings.key_map(map, "num_embeddings.", &format!("{theirs}.")),
        }
    }

    /// Embeddings that are one vector with the others: each narrower, with fewer frequencies.
    pub(super) fn smaller(&self, by: Shrink) -> Option<NumEmbeddings> {
        let embeddings = self.embeddings.clone()?;
        let width = embeddings.d_embedding().map(|width| by.width(width));
        Some(embeddings.map_widths(|_| width, |n| by.width(n)))
    }

    /// Embeddings that are tokens: as wide as these have become, with fewer frequencies.
    pub(super) fn smaller_tokens(&self, by: Shrink, d_token: usize) -> Option<NumEmbeddings> {
        let embeddings = self.embeddings.clone()?;
        let width = |given: Option<usize>| given.map(|_| d_token);
        Some(embeddings.map_widths(width, |n| by.width(n)))
    }

    /// The embeddings with what they take from the training rows.
    pub(super) fn fitted_to(
        &self,
        rows: &TrainingRows<'_>,
    ) -> Result<Option<NumEmbeddings>, ForgeError> {
        let (n, found) = (self.n_features, rows.n_num_features());
        if n != found {
            let found = format!("{found} numeric columns");
            return Err(ForgeError::shape(
                "training rows",
                found,
                format!("{n}, as sized for"),
            ));
        }
        let Some(embeddings) = self.embeddings() else {
            return Ok(self.embeddings.clone());
        };
        let values: Vec<f64> = match embeddings.binning() {
            Some(Binning::Tree { .. }) => rows.targets().iter().map(|y| f64::from(*y)).collect(),
            _ => vec![],
        };
        let targets = BinTargets {
            values: &values,
            slots: rows.slots(),
            n_classes: rows.n_classes(),
        };
        let column = |j| rows.column(j).map(f64::from).collect();
        embeddings.clone().fitted_to(n, column, targets).map(Some)
    }
}
