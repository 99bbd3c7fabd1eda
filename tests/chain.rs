//! A small made-up chain: smooth volatilities over strike, maturity and a label.

use volatilityforge::data::{Categorical, ColumnValues};
use volatilityforge::train::metric::Scores;
use volatilityforge::{
    Column, DeviceName, EstimatorConfig, FittedRegressor, Strategy, Table, TabularRegressor,
};

pub(crate) const ROWS: usize = 223;

/// Rows with two numeric columns (one with holes), a label and the target `vol`.
pub(crate) fn chain() -> Table {
    let k = |i: usize| (i * 37 % ROWS) as f64 / ROWS as f64 - 0.5;
    let t = |i: usize| 0.1 + (i % 7) as f64 / 3.0;
    let put = |i: usize| i.is_multiple_of(3);
    let all = |f: &dyn Fn(usize) -> f64| (0..ROWS).map(f).collect::<Vec<f64>>();
    let labels: Vec<&str> = (0..ROWS).map(|i| if put(i) { "P" } else { "C" }).collect();
    Table::new(vec![
        Column::numeric("log_moneyness", all(&k)),
        Column::numeric(
            "time_to_maturity",
            all(&|i| if i % 11 == 5 { f64::NAN } else { t(i) }),
        ),
        label_column("option_type", &labels),
        Column::numeric(
            "vol",
            all(&|i| {
                0.2 - 0.1 * k(i)
                    + 0.3 * k(i).powi(2) / t(i).sqrt()
                    + if put(i) { 0.02 } else { 0.0 }
            }),
        ),
    ])
    .unwrap()
}

pub(crate) fn label_column(name: &str, labels: &[&str]) -> Column {
    let mut categories: Vec<String> = Vec::new();
    let codes = labels
        .iter()
        .map(|label| {
            let known = categories.iter().position(|c| c == label);
            let code = known.unwrap_or_else(|| {
                categories.push((*label).into());
                categories.len() - 1
            });
            u32::try_from(code).unwrap()
        })
        .collect();
    Column {
        name: name.into(),
        values: ColumnValues::Categorical(Categorical { codes, categories }),
        offsets: None,
    }
}

/// Trains in well under a second.
pub(crate) fn quick(model: &str) -> EstimatorConfig {
    let mut config = EstimatorConfig::named(model, Strategy::Fast).unwrap();
    config.model = volatilityforge::models::ModelConfig::narrow(model)
        .unwrap()
        .into();
    config.training.epochs = Some(3);
    config.training.batch_size = Some(64);
    config
}

/// Enough for `model` to learn at its narrowest: small batches at a high rate. Those that look at
/// labelled rows instead of learning columns by heart need more.
fn thorough(model: &str) -> EstimatorConfig {
    let mut config = quick(model);
    config.training.epochs = Some(match model {
        "tabicl" | "tabpfn_v2" => 40,
        _ => 25,
    });
    config.training.batch_size = Some(32);
    config.training.learning_rate = Some(0.01);
    config
}

/// Requires `model` to learn what `learnt` asks: most need a third of what is [thorough].
pub(crate) fn learns(model: &str, learnt: impl Fn(EstimatorConfig) -> Result<(), Scores>) {
    let mut briefly = thorough(model);
    briefly.training.epochs = Some(8);
    if learnt(briefly).is_err()
        && let Err(scores) = learnt(thorough(model))
    {
        panic!("{model}: {scores:?}");
    }
}

/// A regressor of `vol` with these settings.
pub(crate) fn regressor(config: EstimatorConfig) -> TabularRegressor {
    TabularRegressor::new("vol").with_config(config).unwrap()
}

/// Trained on the chain.
pub(crate) fn trained(config: EstimatorConfig) -> FittedRegressor {
    let device = DeviceName::Flex.open().unwrap();
    regressor(config).fit(&chain(), &device).unwrap()
}
