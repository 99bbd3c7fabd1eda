//! Scores in which the figures of others are.

use volatilityforge::Error;
use volatilityforge::data::SeriesTable;
use volatilityforge::forecast::WindowForecast;
use volatilityforge::train::metric::{DieboldMariano, ForecastLoss, ForecastScorer, Scores};

use crate::round::{self, Rounds};
use crate::set::{Loaded, Measure};

/// Test windows of a batch in the published code.
const BATCH: usize = 32;

pub(crate) fn measure(measure: Measure, loaded: &Loaded, rounds: &Rounds) -> Result<Scores, Error> {
    match measure {
        Measure::Scaled => Ok(scaled(&rounds.score.scaled)),
        Measure::M4 => m4(loaded, &rounds.forecasts),
        Measure::Direction => Ok(direction(&rounds.forecasts)),
        Measure::Rmse => {
            let own = rounds.score.own.all();
            let scores = Scores::new().minimize("rmse", own.mse.sqrt());
            Ok(scores.minimize("mae", own.mae))
        }
        Measure::Variance => variance(loaded, rounds),
    }
}

fn scaled(scorer: &ForecastScorer) -> Scores {
    let all = scorer.all();
    let steps = scorer.by_step().len();
    let batches = |loss: ForecastLoss| {
        let means = (0..steps).map(|step| {
            let losses = scorer.losses(step, loss);
            let kept = losses.len() / BATCH * BATCH;
            let sum: f64 = losses[..kept].iter().map(|(_, loss)| loss).sum();
            sum / kept as f64
        });
        means.sum::<f64>() / steps as f64
    };
    Scores::new()
        .minimize("mse", all.mse)
        .minimize("mae", all.mae)
        .minimize("mse_batches", batches(ForecastLoss::Squared))
        .minimize("mae_batches", batches(ForecastLoss::Absolute))
}

/// Hours of a day.
const SEASON: usize = 24;
/// sMAPE and MASE of the competition's Naive2, which OWA is relative to.
const NAIVE2: [f64; 2] = [18.383, 2.395];

/// Means over series of the competition's two errors, and their mean relative to Naive2.
fn m4(loaded: &Loaded, forecasts: &[WindowForecast]) -> Result<Scores, Error> {
    let table = SeriesTable::from_table(&loaded.table, &loaded.config.series)?;
    let (mut smape, mut mase) = (0.0, 0.0);
    for window in forecasts {
        let series = table.index_of(&window.series)?;
        let values = table.column(series, &table.schema().config.targets[0])?;
        let times = table.times(series).iter();
        let known = times.take_while(|time| **time <= window.origin).count();
        let changes = (SEASON..known).map(|t| (values[t] - values[t - SEASON]).abs());
        let usual = changes.sum::<f64>() / (known - SEASON) as f64;
        let steps = window.point.len() as f64;
        let cells = || window.point.iter().zip(&window.actual);
        let relative = |(f, y): (&f64, &f64)| 200.0 * (y - f).abs() / (y.abs() + f.abs());
        smape += cells().map(relative).sum::<f64>() / steps;
        mase += cells().map(|(f, y)| (y - f).abs()).sum::<f64>() / steps / usual;
    }
    let n = forecasts.len() as f64;
    let (smape, mase) = (smape / n, mase / n);
    Ok(Scores::new()
        .minimize("owa", 0.5 * (smape / NAIVE2[0] + mase / NAIVE2[1]))
        .minimize("smape", smape)
        .minimize("mase", mase))
}

/// Moves from here up count as up, from the second down as down; those between as none
/// (Xu and Cohen 2018).
const MOVES: [f64; 2] = [0.0055, -0.005];
/// 2016-01-01: the test ends before.
const END: i64 = 1_451_606_400_000;

fn direction(forecasts: &[WindowForecast]) -> Scores {
    // Said up or down, and happened.
    let mut counts = [[0.0; 2]; 2];
    for window in forecasts.iter().filter(|w| w.times[0] < END) {
        let last = window.last[0];
        let moved = window.actual[0] / last - 1.0;
        if !(moved >= MOVES[0] || moved <= MOVES[1]) {
            continue;
        }
        let up = match window.up.first() {
            Some(probability) => *probability > 0.5,
            None => window.point[0] > last,
        };
        counts[usize::from(up)][usize::from(moved > 0.0)] += 1.0;
    }
    let [[tn, fneg], [fp, tp]] = counts;
    let n = tn + fneg + fp + tp;
    let accuracy: f64 = (tn + tp) / n;
    let product: f64 = (tp + fp) * (tp + fneg) * (tn + fp) * (tn + fneg);
    // One class alone is said: there is no correlation.
    let mcc = if product > 0.0 {
        (tp * tn - fp * fneg) / product.sqrt()
    } else {
        0.0
    };
    Scores::new()
        .maximize("accuracy", accuracy)
        .maximize("mcc", mcc)
        // As if days and stocks were independent: they are not, so it is the least there is.
        .minimize("standard_error", (accuracy * (1.0 - accuracy) / n).sqrt())
        .maximize("count", n)
}

/// Against log-HARs that are fitted anew every 22 days, of its own past alone and of the inputs that the
/// models have: below 0 where they are beaten.
fn variance(loaded: &Loaded, rounds: &Rounds) -> Result<Scores, Error> {
    let own = rounds.score.own.all();
    let errors = rounds
        .forecasts
        .iter()
        .map(|w| (w.actual[0] / w.point[0]).ln().powi(2));
    let n = rounds.forecasts.len() as f64;
    let mut scores = Scores::new()
        .minimize("qlike", own.qlike.unwrap_or(f64::NAN))
        // In squared per cent, as the listed figures are.
        .minimize("mse", own.mse * 1e8)
        .minimize("rmse_of_log", (errors.sum::<f64>() / n).sqrt());
    for interval in &own.intervals {
        let name = format!("coverage_{:.0}", 100.0 * interval.share);
        scores = scores.maximize(name, interval.coverage);
    }
    let mut rivals = vec!["log_har"];
    if loaded
        .inputs
        .is_some_and(|inputs| !inputs.of_har().is_empty())
    {
        rivals.push("log_har_inputs");
    }
    for rival in rivals {
        let its = round::baseline(rival, loaded, Measure::Variance)?;
        // The same losses at all times are those of the rival itself.
        let (ours, its) = (qlikes(&rounds.score.own), qlikes(&its.score.own));
        if let Ok(test) = DieboldMariano::test(&ours, &its, 1) {
            scores = scores
                .minimize(format!("dm_against_{rival}"), test.statistic)
                .minimize(format!("dm_p_value_{rival}"), test.p_value);
        }
    }
    Ok(scores)
}

fn qlikes(scorer: &ForecastScorer) -> Vec<f64> {
    let all = scorer.losses(0, ForecastLoss::Qlike).into_iter();
    all.map(|(_, loss)| loss).collect()
}
