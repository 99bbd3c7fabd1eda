//! The options of a table.

use super::cells::{BadCell, needed, numbers};
use super::chain_features::ChainFeatures;
use super::report::{SkippedKind, Skips};
use crate::features::ChainOption;
use crate::features::chain::{ChainNeeds, ChainPart};
use crate::market::OptionType;
use crate::{Categorical, ColumnValues, DataError, Table};

/// A column and its cells.
#[derive(Clone, Copy)]
struct Cells<'t> {
    column: &'t str,
    values: &'t [f64],
}

/// The options of a table.
pub(super) struct ChainSource<'t> {
    config: &'t ChainFeatures,
    forward: Cells<'t>,
    strike: Cells<'t>,
    time: Cells<'t>,
    discount: Option<Cells<'t>>,
    vol: Option<Cells<'t>>,
    option: Option<(&'t str, &'t Categorical)>,
}

impl<'t> ChainSource<'t> {
    /// Finds the columns.
    ///
    /// # Errors
    /// A config or schema error naming the column that is not there or of another kind.
    pub(super) fn new(
        config: &'t ChainFeatures,
        needs: ChainNeeds,
        table: &'t Table,
    ) -> Result<Self, DataError> {
        let columns = &config.columns;
        let set = config.set.name();
        let cells = |column: &'t str, field: &str| {
            numbers(table, column, field).map(|values| Cells { column, values })
        };
        let mut discount = None;
        let mut vol = None;
        if needs.vol {
            vol = Some(cells(needed(columns.vol.as_ref(), "vol", set)?, "vol")?);
            let name = columns.discount.as_deref();
            discount = name.map(|name| cells(name, "discount")).transpose()?;
        }
        let mut option = None;
        if needs.option {
            let name = needed(columns.option_type.as_ref(), "option_type", set)?;
            let ColumnValues::Categorical(labels) = &table.column(name)?.values else {
                return Err(DataError::schema(
                    "holds no labels, but columns.option_type needs C and P, or call and put",
                )
                .at_column(name));
            };
            option = Some((name, labels));
        }
        Ok(Self {
            config,
            forward: cells(&columns.forward, "forward")?,
            strike: cells(&columns.strike, "strike")?,
            time: cells(&columns.time_to_maturity, "time_to_maturity")?,
            discount,
            vol,
            option,
        })
    }

    /// The option of a row; `None` if it is skipped.
    pub(super) fn option(
        &self,
        row: usize,
        skips: &mut Skips,
    ) -> Result<Option<ChainOption>, DataError> {
        let missed = |column, skips: &mut Skips| {
            let cell = BadCell {
                column,
                row,
                message: "is missing".into(),
                kind: SkippedKind::Missing,
            };
            self.config.missing.meet(cell, skips)
        };
        let wrong = |column, message, skips: &mut Skips| {
            let cell = BadCell {
                column,
                row,
                message,
                kind: SkippedKind::Invalid,
            };
            self.config.invalid.meet(cell, skips)
        };
        let [forward, strike, time] =
            [self.forward, self.strike, self.time].map(|cells| cells.values[row]);
        for cells in [self.forward, self.strike, self.time]
            .into_iter()
            .chain(self.discount)
        {
            if cells.values[row].is_nan() {
                missed(cells.column, skips)?;
                return Ok(None);
            }
        }
        let vol = self.vol.map(|cells| cells.values[row]);
        if let Some(cells) = self.vol.filter(|_| vol.is_some_and(f64::is_nan)) {
            missed(cells.column, skips)?;
        }
        let mut option = None;
        if let Some((column, labels)) = self.option {
            match labels.label(row) {
                None => missed(column, skips)?,
                Some(label) => {
                    option = OptionType::from_label(label);
                    if option.is_none() {
                        let message = format!(
                            "'{label}' is no option type: allowed are C and P, or call and put"
                        );
                        wrong(column, message, skips)?;
                    }
                }
            }
        }
        let row = ChainOption {
            forward,
            strike,
            time,
            option,
            discount: self.discount.map_or(1.0, |cells| cells.values[row]),
            vol: vol.filter(|vol| !vol.is_nan()),
        };
        let Err(fault) = row.check() else {
            return Ok(Some(row));
        };
        let cells = match fault.part {
            ChainPart::Forward => Some(self.forward),
            ChainPart::Strike => Some(self.strike),
            ChainPart::Time => Some(self.time),
            ChainPart::Discount => self.discount,
            ChainPart::Vol => self.vol,
        };
        let column = cells.map_or("", |cells| cells.column);
        wrong(column, fault.message, skips)?;
        Ok(None)
    }
}
