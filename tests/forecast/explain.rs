//! What a forecaster looks at.

use std::sync::Arc;

use volatilityforge::data::TimeRange;
use volatilityforge::forecast::{Explanation, Forecaster, NamedArray};
use volatilityforge::{DeviceName, Strategy};

use super::{quick, waves};

const LOOKBACK: usize = 8;

fn explain(model: &str) -> Result<Explanation, volatilityforge::Error> {
    explain_with(model, LOOKBACK)
}

fn explain_with(model: &str, lookback: usize) -> Result<Explanation, volatilityforge::Error> {
    let device = DeviceName::Flex.open()?;
    let mut config = quick();
    config.model = model.into();
    config.strategy = Strategy::Fast;
    config.lookback = Some(lookback);
    config.horizon = [1, 3].as_slice().into();
    config.training.epochs = Some(1);
    let table = waves(60);
    let fitted = Forecaster::with_config(config)?.fit(&table, &device)?;
    let series = Arc::new(fitted.series_of(&table)?);
    let windows = fitted.windows(&series, &TimeRange::default())?;
    let explained = fitted.explain(&windows)?;
    assert_eq!(explained.windows, windows.len());
    Ok(explained)
}

/// Every row of weights is a share of 1.
fn assert_shares(array: &NamedArray) {
    let width = array.shape().pop().unwrap();
    for row in array.values.chunks_exact(width) {
        let sum: f32 = row.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{}: {sum}", array.name);
    }
}

#[test]
fn a_fusion_transformer_shows_its_variables_and_steps() {
    let explained = explain("tft").unwrap();
    let past = explained.array("variables_past").unwrap();
    assert_eq!(past.axes[0][LOOKBACK - 2..], ["-1", "0"]);
    assert_eq!(
        past.axes[1],
        [
            "volume",
            "time_of_day",
            "weekday",
            "day_of_month",
            "day_of_year",
            "value"
        ]
    );
    let future = explained.array("variables_future").unwrap();
    assert_eq!(future.axes[0], ["+1", "+3"]);
    assert_eq!(future.axes[1][1], "weekday");
    let attention = explained.array("attention_time").unwrap();
    let steps = LOOKBACK + 2;
    assert_eq!(attention.shape()[1..], [steps, steps]);
    explained.arrays.iter().for_each(assert_shares);
    // Nothing looks ahead: the first step sees itself alone.
    assert!((attention.values[0] - 1.0).abs() < 1e-5);
}

#[test]
fn two_stages_of_attention_are_told_apart() {
    let explained = explain("migt_tvdt").unwrap();
    let names: Vec<&str> = explained
        .arrays
        .iter()
        .map(|array| array.name.as_str())
        .collect();
    assert_eq!(names[0], "attention_time_1");
    let aggregation = explained.array("attention_aggregation").unwrap();
    assert_eq!(aggregation.axes[0], ["value", "volume"]);
    assert_eq!(aggregation.axes[2].last().unwrap(), "0");
    let across = explained.array("attention_variables_1").unwrap();
    assert_eq!(across.axes[1], ["value", "volume"]);
    explained.arrays.iter().for_each(assert_shares);
}

#[test]
fn models_that_show_nothing_say_so() {
    let error = explain("nlinear").unwrap_err();
    assert!(
        error.is_unsupported() && error.to_string().contains("nlinear"),
        "{error}"
    );
    for model in ["itransformer", "patch_tst"] {
        let explained = explain(model).unwrap();
        assert!(!explained.arrays.is_empty(), "{model}");
        explained.arrays.iter().for_each(assert_shares);
    }
}

/// One array per stage, `[heads, queries, keys]`; its mean over windows still sums to 1 over the keys.
#[test]
fn formers_of_stocks_show_where_their_patches_look() {
    for model in ["stock_former", "stock_former_student"] {
        // Patches of ten steps.
        let explained = explain_with(model, 20).unwrap();
        let stages = explained.arrays.len();
        assert!(stages > 0, "{model}");
        for (i, array) in explained.arrays.iter().enumerate() {
            assert_eq!(array.name, format!("attention_{}_of_{stages}", i + 1));
            assert_eq!(array.shape().len(), 3, "{model} {}", array.name);
            assert!(array.values.iter().all(|weight| *weight >= 0.0));
            assert_shares(array);
        }
    }
}
