//! Forecasts back in the targets' own units.

use super::{WindowBatch, Windows};
use crate::DataError;

impl Windows {
    /// Forecasts of the windows of a batch in the targets' own units: scaling and transforms undone.
    /// Every transform grows with its value, so quantiles stay quantiles.
    ///
    /// # Shapes
    /// - forecasts: `[B, H, C]` or `[B, H, C, Q]`, flattened
    /// - output: as forecasts
    ///
    /// # Errors
    /// A schema error if the forecasts do not fill that shape.
    pub fn restore(&self, batch: &WindowBatch, forecasts: &[f32]) -> Result<Vec<f64>, DataError> {
        let c = self.table.schema.config.targets.len();
        let cells = batch.len() * self.config.horizon.count() * c;
        if cells == 0 || forecasts.is_empty() || !forecasts.len().is_multiple_of(cells) {
            return Err(DataError::schema(format!(
                "{} forecasts for {} windows of {} steps of {c} targets: there must be a whole \
                 number for each",
                forecasts.len(),
                batch.len(),
                self.config.horizon.count()
            )));
        }
        let each = forecasts.len() / cells;
        let mut values = Vec::with_capacity(forecasts.len());
        let mut cells = forecasts.chunks_exact(each);
        for (b, series) in batch.series.iter().enumerate() {
            let scales: Vec<_> = (0..c).map(|column| self.scale(column, *series)).collect();
            for step in self.config.horizon.steps() {
                for (column, scale) in scales.iter().enumerate() {
                    let last = batch.last[b * c + column];
                    let cell = cells.next().unwrap_or_default();
                    values.extend(
                        cell.iter()
                            .map(|z| scale.restore(f64::from(*z), last, step)),
                    );
                }
            }
        }
        Ok(values)
    }
}
