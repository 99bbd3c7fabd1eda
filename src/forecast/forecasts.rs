//! What is forecast.

use forge_data::{Column, Table, TimeUnit};

use crate::Error;

/// Forecasts of some windows, in the targets' own units.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecasts {
    /// The targets, `N`.
    pub targets: Vec<String>,
    /// Steps ahead, `H`, from 1.
    pub steps: Vec<usize>,
    /// Quantile levels, `Q`, rising; none where the objective is a single number.
    pub levels: Vec<f64>,
    /// What times are counted in where the table's were numbers; those below are milliseconds all the same.
    pub time_unit: Option<TimeUnit>,
    /// Window by window.
    pub windows: Vec<WindowForecast>,
}

/// The forecast of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowForecast {
    /// The id of its series; empty where there is one series without an id.
    pub series: String,
    /// The time of the last step that was known, milliseconds since 1970-01-01 UTC.
    pub origin: i64,
    /// The times of the steps, `[H]`.
    pub times: Vec<i64>,
    /// The value, `[H x N]`: the median of quantiles, the mean of a distribution (of a target under
    /// a logarithm or as returns, that of the transformed one turned back); where the forecaster
    /// was asked for [means](super::PointForecast), the mean of all targets.
    pub point: Vec<f64>,
    /// The quantiles, `[H x N x Q]`.
    pub quantiles: Vec<f64>,
    /// Probabilities of being above 0 on the model's scale, `[H x N]`; empty for objectives that
    /// say none.
    pub up: Vec<f64>,
    /// What happened, `[H x N]`, NaN where it was not observed; empty where it is still to come.
    pub actual: Vec<f64>,
    /// The last values that were known, `[N]`.
    pub last: Vec<f64>,
}

impl Forecasts {
    /// One row per window and step: series, origin, time, step, and per target its value, its
    /// quantiles (`close_q05`), and what happened where it is known. Times are dates, or numbers where the
    /// table's were.
    ///
    /// # Errors
    /// A data error if two columns would have one name.
    pub fn to_table(&self) -> Result<Table, Error> {
        let rows = || {
            let steps = self.steps.len();
            self.windows
                .iter()
                .flat_map(move |w| (0..steps).map(move |h| (w, h)))
        };
        let times = |name: &str, times: Vec<i64>| match self.time_unit {
            Some(unit) => {
                Column::numeric(name, times.into_iter().map(|t| unit.number(t)).collect())
            }
            None => Column::date_time(name, times),
        };
        let n = self.targets.len();
        let mut columns = vec![
            Column::categorical("series", rows().map(|(w, _)| Some(w.series.as_str()))),
            times("origin", rows().map(|(w, _)| w.origin).collect()),
            times("time", rows().map(|(w, h)| w.times[h]).collect()),
            Column::numeric("step", rows().map(|(_, h)| self.steps[h] as f64).collect()),
        ];
        let mut add = |name: String, of: &dyn Fn(&WindowForecast, usize) -> f64| {
            columns.push(Column::numeric(
                name,
                rows().map(|(w, h)| of(w, h)).collect(),
            ));
        };
        let q = self.levels.len();
        for (i, target) in self.targets.iter().enumerate() {
            add(target.clone(), &|w, h| w.point[h * n + i]);
            for (k, level) in self.levels.iter().enumerate() {
                let name = format!("{target}_{}", level_name(*level));
                add(name, &|w, h| w.quantiles[(h * n + i) * q + k]);
            }
            if self.windows.iter().any(|w| !w.up.is_empty()) {
                add(format!("{target}_up"), &|w, h| w.up[h * n + i]);
            }
            if self.windows.iter().any(|w| !w.actual.is_empty()) {
                add(format!("{target}_actual"), &|w, h| w.actual[h * n + i]);
            }
        }
        Ok(Table::new(columns)?)
    }
}

/// `q05`, `q975`: the level's decimals, two at least.
fn level_name(level: f64) -> String {
    let digits = format!("{level:.9}");
    let digits = digits.trim_start_matches("0.").trim_end_matches('0');
    format!("q{digits:0<2}")
}

#[cfg(test)]
mod tests {
    use forge_data::{ColumnValues, TimeUnit};

    use super::{Forecasts, WindowForecast, level_name};

    #[test]
    fn times_are_what_the_tables_were() {
        let forecasts = |time_unit| Forecasts {
            targets: vec!["y".into()],
            steps: vec![1, 3],
            levels: vec![],
            time_unit,
            windows: vec![WindowForecast {
                series: "H1".into(),
                origin: 700 * 3_600_000,
                times: vec![701 * 3_600_000, 703 * 3_600_000],
                point: vec![1.0, 2.0],
                quantiles: vec![],
                up: vec![],
                actual: vec![],
                last: vec![0.5],
            }],
        };
        let column = |time_unit, name: &str| {
            let table = forecasts(time_unit).to_table().expect("columns");
            table.column(name).expect("a column").values.clone()
        };
        let hours = Some(TimeUnit::Hours);
        assert_eq!(
            column(hours, "time"),
            ColumnValues::Numeric(vec![701.0, 703.0])
        );
        assert_eq!(
            column(hours, "origin"),
            ColumnValues::Numeric(vec![700.0; 2])
        );
        let dates = vec![701 * 3_600_000, 703 * 3_600_000];
        assert_eq!(column(None, "time"), ColumnValues::DateTime(dates));
    }

    #[test]
    fn levels_are_named_by_their_decimals() {
        let names = [0.05, 0.1, 0.5, 0.975].map(level_name);
        assert_eq!(names, ["q05", "q10", "q50", "q975"]);
    }
}
