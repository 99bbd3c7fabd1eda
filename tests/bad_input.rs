//! Bad data and bad requests: an error that names what and where, or the right result.

use volatilityforge::{Column, DeviceName, Error, EstimatorConfig, Strategy, Table};

use crate::chain::{ROWS, chain, quick, regressor};

fn fit(table: &Table) -> Result<volatilityforge::FittedRegressor, Error> {
    let device = DeviceName::Flex.open()?;
    regressor(quick("tabular_resnet")).fit(table, &device)
}

fn with_target(f: impl Fn(usize, f64) -> f64) -> Table {
    let table = chain();
    let target = volatilityforge::data::TargetTransform::read(&table, "vol", None).unwrap();
    let columns = table
        .columns()
        .iter()
        .map(|column| match column.name.as_str() {
            "vol" => {
                let values = target.iter().enumerate().map(|(i, v)| f(i, *v)).collect();
                Column::numeric("vol", values)
            }
            _ => column.clone(),
        })
        .collect();
    Table::new(columns).unwrap()
}

#[test]
fn a_target_that_is_no_number_is_named_by_row_and_column() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let table = with_target(|i, v| if i == 41 { bad } else { v });
        let error = fit(&table).unwrap_err();
        let text = error.to_string();
        // As a person counts: the header is row 1, so index 41 is row 43.
        assert!(
            error.is_data() && text.contains("vol") && text.contains("43"),
            "{text}"
        );
    }
}

#[test]
fn tables_too_small_to_learn_from_are_refused() {
    for rows in [0, 1] {
        let small = chain().select_rows(&(0..rows).collect::<Vec<_>>()).unwrap();
        let error = fit(&small).unwrap_err();
        assert!(error.is_data() || error.is_config(), "{rows} rows: {error}");
    }
}

#[test]
fn a_constant_column_teaches_nothing_and_breaks_nothing() {
    let mut columns = chain().columns().to_vec();
    columns.push(Column::numeric("spot", vec![4505.1; ROWS]));
    columns.push(Column::numeric("nothing", vec![f64::NAN; ROWS]));
    let fitted = fit(&Table::new(columns).unwrap()).unwrap();
    // Neither is needed for predictions.
    let predicted = fitted.predict(&chain()).unwrap();
    assert!(predicted.iter().all(|v| v.is_finite()));
}

#[test]
fn a_table_of_constants_is_refused() {
    let table = Table::new(vec![
        Column::numeric("spot", vec![1.0; 50]),
        Column::numeric("vol", (0..50).map(f64::from).collect()),
    ])
    .unwrap();
    let error = fit(&table).unwrap_err();
    assert!(error.is_data(), "{error}");
}

#[test]
fn a_column_missing_at_prediction_is_named() {
    let fitted = fit(&chain()).unwrap();
    let columns = chain().columns()[1..].to_vec();
    let error = fitted.predict(&Table::new(columns).unwrap()).unwrap_err();
    assert!(
        error.is_data() && error.to_string().contains("log_moneyness"),
        "{error}"
    );
}

#[test]
fn an_unknown_target_or_model_is_named_with_what_there_is() {
    let device = DeviceName::Flex.open().unwrap();
    let regressor = volatilityforge::TabularRegressor::new("iv")
        .with_config(quick("tabular_mlp"))
        .unwrap();
    let error = regressor.fit(&chain(), &device).unwrap_err();
    assert!(
        error.is_data() && error.to_string().contains("iv") && error.to_string().contains("vol"),
        "{error}"
    );
    let error = EstimatorConfig::named("resnet", Strategy::Fast).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("tabular_resnet"),
        "{error}"
    );
}

#[test]
fn a_device_that_is_not_compiled_in_is_an_error_that_says_so() {
    for name in ["metal", "rocm"] {
        let name: DeviceName = name.parse().unwrap();
        if DeviceName::compiled().contains(&name) {
            continue;
        }
        let error = Error::from(name.open().unwrap_err());
        assert!(
            error.is_device() && error.to_string().contains("feature"),
            "{error}"
        );
    }
    assert!("gpu".parse::<DeviceName>().unwrap_err().is_config());
}
