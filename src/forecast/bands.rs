//! How what the network says of quantiles is moved.

use std::sync::Arc;

use forge_data::{Table, TimeRange, Windows};
use forge_nn::ForgeError;

use super::following::Following;
use super::task::passes;
use super::{ConformalOffsets, FittedForecaster};
use crate::Error;

/// How the quantiles of windows are moved that are gone through series by series in the order of time.
#[derive(Debug, Clone)]
pub(super) enum Bands<'a> {
    /// Not at all.
    Same,
    /// All alike.
    Fixed(&'a ConformalOffsets),
    /// By what has happened.
    Following(Box<Following>),
}

impl Bands<'_> {
    /// Moves the quantiles `[B, H, N, Q]` of the windows at places `rows`.
    pub(super) fn apply(
        &mut self,
        windows: &Windows,
        rows: &[usize],
        quantiles: &mut [f32],
    ) -> Result<(), Error> {
        if rows.is_empty() || quantiles.is_empty() {
            return Ok(());
        }
        let cells =
            windows.config().horizon.count() * windows.table().schema().config.targets.len();
        match self {
            Self::Same => {}
            Self::Fixed(offsets) => offsets.apply(quantiles, cells),
            Self::Following(following) => {
                let size = quantiles.len() / rows.len();
                for (row, quantiles) in rows.iter().zip(quantiles.chunks_exact_mut(size)) {
                    following.next(windows, windows.window(*row), quantiles)?;
                }
            }
        }
        Ok(())
    }
}

impl FittedForecaster {
    /// How its quantiles are moved.
    pub(super) fn bands(&self) -> Bands<'_> {
        match &self.adaptive {
            Some(bands) => Bands::Following(Box::new(Following::new(bands))),
            None => self.fixed_bands(),
        }
    }

    /// How they would be moved if they did not follow what happens.
    pub(super) fn fixed_bands(&self) -> Bands<'_> {
        self.conformal.as_ref().map_or(Bands::Same, Bands::Fixed)
    }

    /// Lets the bands follow what happened in `table` since they were calibrated, so that what is
    /// predicted and saved from now on stands on it. Outcomes that they have learned of already are
    /// passed over.
    ///
    /// # Errors
    /// An unsupported error where bands do not follow (`adaptive` in the settings); as
    /// [`forecast`](Self::forecast).
    pub fn adapt(&mut self, table: &Table) -> Result<(), Error> {
        let Some(bands) = &self.adaptive else {
            let what = "these bands do not follow what happens: set adaptive before fitting";
            return Err(ForgeError::unsupported(what).into());
        };
        let mut following = Following::new(bands);
        let range = TimeRange::from(bands.after().saturating_add(1));
        let table = Arc::new(self.series_of(table)?);
        let windows = self.windows(&table, &range)?;
        for rows in passes(&windows) {
            let batch = windows.batch(&rows, &self.device)?;
            let mut said = self.say(&windows, &batch)?;
            let size = said.quantiles.len() / rows.len();
            for (row, quantiles) in rows.iter().zip(said.quantiles.chunks_exact_mut(size)) {
                following.next(&windows, windows.window(*row), quantiles)?;
            }
        }
        for series in 0..table.n_series() {
            following.learn(&windows, series, table.observed(series).saturating_sub(1))?;
        }
        self.adaptive = Some(following.into_bands());
        Ok(())
    }
}
