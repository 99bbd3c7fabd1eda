//! Bands on their way through windows.

use std::collections::{BTreeMap, VecDeque};

use forge_data::{DataError, Window, Windows};

use super::AdaptiveBands;
use super::adaptive::SaidBand;

/// A walk through windows in the order of time, and what was said in it.
#[derive(Debug, Clone)]
pub(super) struct Following {
    bands: AdaptiveBands,
    /// Up to which outcome a series had learned before the walk.
    before: BTreeMap<String, i64>,
    /// Of each series, what is still to be judged, oldest first.
    said: BTreeMap<usize, VecDeque<Said>>,
}

/// The bands of a window.
#[derive(Debug, Clone)]
struct Said {
    place: Window,
    /// `[H x N x P]`.
    bands: Vec<SaidBand>,
    /// Steps that have been judged.
    judged: usize,
}

impl Following {
    pub(super) fn new(bands: &AdaptiveBands) -> Self {
        Self {
            before: bands.learned(),
            bands: bands.clone(),
            said: BTreeMap::new(),
        }
    }

    /// Moves the quantiles `[H x N x Q]` of the next window of its series, by what has happened up to
    /// its last past step.
    pub(super) fn next(
        &mut self,
        windows: &Windows,
        place: Window,
        quantiles: &mut [f32],
    ) -> Result<(), DataError> {
        self.learn(windows, place.series, place.origin)?;
        let network = self.bands.ends(quantiles);
        self.bands
            .apply(&windows.table().ids()[place.series], quantiles);
        let said = self.said.entry(place.series).or_default();
        // Asked again before anything has happened, it is one forecast still.
        if said
            .back()
            .is_none_or(|last| last.place.origin < place.origin)
        {
            let ends = self.bands.ends(quantiles).into_iter().zip(network);
            said.push_back(Said {
                place,
                bands: ends
                    .map(|(ends, network)| SaidBand { ends, network })
                    .collect(),
                judged: 0,
            });
        }
        Ok(())
    }

    /// Judges what was said of the steps of a series up to the row `now`.
    pub(super) fn learn(
        &mut self,
        windows: &Windows,
        series: usize,
        now: usize,
    ) -> Result<(), DataError> {
        let Some(said) = self.said.get_mut(&series) else {
            return Ok(());
        };
        let table = windows.table();
        let id = &table.ids()[series];
        let targets = table.schema().config.targets.len();
        let steps: Vec<usize> = windows.config().horizon.steps().collect();
        for said in said.iter_mut() {
            let pairs = said.bands.len() / (steps.len() * targets);
            while let Some(row) = steps.get(said.judged).map(|step| said.place.origin + step)
                && row <= now
            {
                let step = said.judged;
                said.judged += 1;
                let time = table.times(series)[row];
                if self.before.get(id).is_some_and(|before| time <= *before) {
                    continue;
                }
                for column in 0..targets {
                    let Some(actual) = windows.target(said.place, column, step)? else {
                        continue;
                    };
                    let cell = step * targets + column;
                    let bands = &said.bands[cell * pairs..(cell + 1) * pairs];
                    self.bands.learn(id, time, cell, actual, bands);
                }
            }
        }
        while said.front().is_some_and(|said| said.judged == steps.len()) {
            said.pop_front();
        }
        Ok(())
    }

    /// What was learned.
    pub(super) fn into_bands(self) -> AdaptiveBands {
        self.bands
    }
}
