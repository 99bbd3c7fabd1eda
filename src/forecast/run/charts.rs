//! What a report shows of forecasts.

use forge_train::metric::ForecastScorer;

use super::ForecastSummary;
use crate::forecast::{ForecastScore, Forecasts, WindowForecast};
use crate::report::{Figure, Mark, Plot, Section, Series};

/// Series with a fan chart at most.
const FANS: usize = 6;

/// Fan charts of the best model, errors by step and calibration of all.
pub(super) fn sections(
    summary: &ForecastSummary,
    scores: &[(String, ForecastScore)],
) -> Vec<Section> {
    let fans = fans(&summary.forecasts);
    vec![
        Section {
            title: format!("Forecasts of {}", summary.best),
            notes: vec![
                "The first and the last window of the last test part. Lines: what happened, the \
                 median, the widest band."
                    .into(),
            ],
            figures: fans.into_iter().map(Figure::Plot).collect(),
        },
        Section {
            title: "By step".into(),
            notes: Vec::new(),
            figures: vec![
                Figure::Plot(by_step("Mean absolute error", "MAE", scores, |s| {
                    Some(s.mae)
                })),
                Figure::Plot(by_step("CRPS", "CRPS", scores, |s| s.crps)),
            ],
        },
        Section {
            title: "Calibration".into(),
            notes: vec![
                "How often a band held what happened, against how often it should. On the line: \
                 right; below: too narrow. Bands that follow what happens are shown as they would be \
                 without, too."
                    .into(),
            ],
            figures: vec![Figure::Plot(calibration(scores))],
        },
    ]
}

fn fans(forecasts: &Forecasts) -> Vec<Plot> {
    let mut names: Vec<&str> = Vec::new();
    for window in &forecasts.windows {
        if !names.contains(&window.series.as_str()) {
            names.push(&window.series);
        }
    }
    names.truncate(FANS);
    let of = |name: &str| {
        let all: Vec<&WindowForecast> = forecasts
            .windows
            .iter()
            .filter(|window| window.series == name)
            .collect();
        let (first, last) = (all.first().copied(), all.last().copied());
        let mut windows: Vec<&WindowForecast> = first.into_iter().collect();
        windows.extend(last.filter(|_| all.len() > 1));
        fan(forecasts, name, &windows)
    };
    names.into_iter().map(of).collect()
}

/// The first target of some windows of a series, over the number of steps.
fn fan(forecasts: &Forecasts, name: &str, windows: &[&WindowForecast]) -> Plot {
    let n = forecasts.targets.len();
    let q = forecasts.levels.len();
    let mut series = Vec::new();
    let days = |window: &WindowForecast, h: usize| {
        let start = windows.first().map_or(0, |w| w.origin);
        (window.times[h] - start) as f64 / 86_400_000.0
    };
    let mut line = |name: &str, mark: Mark, of: &dyn Fn(&WindowForecast, usize) -> f64| {
        for window in windows {
            let steps = 0..forecasts.steps.len();
            series.push(Series {
                name: name.into(),
                mark,
                points: steps.map(|h| (days(window, h), of(window, h))).collect(),
            });
        }
    };
    line("actual", Mark::Points, &|w, h| {
        w.actual.get(h * n).copied().unwrap_or(f64::NAN)
    });
    line("forecast", Mark::Line, &|w, h| w.point[h * n]);
    if q > 1 {
        line("low", Mark::Line, &|w, h| w.quantiles[h * n * q]);
        line("high", Mark::Line, &|w, h| w.quantiles[h * n * q + q - 1]);
    }
    let target = forecasts.targets.first().cloned().unwrap_or_default();
    Plot {
        title: if name.is_empty() {
            target.clone()
        } else {
            format!("{target} of {name}")
        },
        x: "days".into(),
        y: target,
        series,
        ..Plot::default()
    }
}

fn by_step(
    title: &str,
    y: &str,
    scores: &[(String, ForecastScore)],
    of: impl Fn(&forge_train::metric::StepScores) -> Option<f64>,
) -> Plot {
    let series = scores.iter().map(|(name, score)| {
        let steps = score.own.by_step();
        let points = steps.iter().filter_map(|s| Some((s.step as f64, of(s)?)));
        Series {
            name: name.clone(),
            mark: Mark::Line,
            points: points.collect(),
        }
    });
    Plot {
        title: title.into(),
        x: "steps ahead".into(),
        y: y.into(),
        series: series.collect(),
        ..Plot::default()
    }
}

fn calibration(scores: &[(String, ForecastScore)]) -> Plot {
    let line = |name: String, scorer: &ForecastScorer| {
        let intervals = scorer.all().intervals;
        Series {
            name,
            mark: Mark::Line,
            points: intervals.iter().map(|i| (i.share, i.coverage)).collect(),
        }
    };
    let mut series = Vec::new();
    for (name, score) in scores {
        series.push(line(name.clone(), &score.own));
        let fixed = score.fixed.iter();
        series.extend(fixed.map(|fixed| line(format!("{name}, not following"), fixed)));
    }
    Plot {
        title: "Central bands".into(),
        x: "asked for".into(),
        y: "found".into(),
        diagonal: true,
        series,
        ..Plot::default()
    }
}
