//! How files are read for a model.

use std::collections::BTreeMap;

use forge_data::{ColumnRole, ReadOptions};

use super::FittedModel;

impl FittedModel {
    /// How to read a file to predict on: as the training table was read, its columns being what
    /// they were then, whatever this file's cells look like. Only the model's columns are read, and
    /// the targets where the file has them.
    #[must_use]
    pub fn read_options(&self) -> ReadOptions {
        let (manifest, _) = self.preprocessor.to_parts();
        let numeric = manifest
            .numeric
            .into_iter()
            .map(|c| (c.name, ColumnRole::Numeric));
        let labels = manifest
            .categorical
            .into_iter()
            .map(|c| (c.name, ColumnRole::Categorical));
        let mut hints = BTreeMap::new();
        for (name, role) in numeric.chain(labels).chain(self.encoder.roles()) {
            // As it was declared or found, which may say more: the order of dates, prices in 32nds.
            let known = self.read.columns.get(&name).or(self.read.hints.get(&name));
            let same = known.filter(|known| known.kind() == role.kind());
            let role = same.cloned().unwrap_or(role);
            hints.insert(name, role);
        }
        ReadOptions {
            only: Some(hints.keys().cloned().collect()),
            hints,
            columns: BTreeMap::new(),
            // How much of one file was wanted.
            max_rows: None,
            ..self.read.clone()
        }
    }
}
