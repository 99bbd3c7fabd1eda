use forge_data::{
    CategoricalEncoding, Column, FeatureSelection, NumericTransform, PreprocessConfig,
    Preprocessor, SplitConfig, Table,
};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use crate::tables::{NAN, dates, labels};

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -1e3f64..1e3, 1 => Just(NAN), 1 => (-3i32..3).prop_map(f64::from)]
}

fn configs() -> impl Strategy<Value = PreprocessConfig> {
    let numeric = prop_oneof![
        Just(NumericTransform::None),
        Just(NumericTransform::Standardize),
        Just(NumericTransform::Quantile),
    ];
    let categorical = prop_oneof![
        Just(CategoricalEncoding::Codes),
        Just(CategoricalEncoding::OneHot)
    ];
    (numeric, categorical, any::<bool>(), 1usize..4).prop_map(
        |(numeric, categorical, missing_indicator, min_category_count)| PreprocessConfig {
            numeric,
            categorical,
            missing_indicator,
            min_category_count,
            ..Default::default()
        },
    )
}

type Cells = Vec<(f64, f64, u8, i64)>;

fn cells() -> impl Strategy<Value = Cells> {
    prop::collection::vec((numbers(), numbers(), 0u8..6, 0i64..12), 8..80)
}

fn columns(cells: &Cells) -> Vec<Column> {
    let kinds = ["a", "b", "c", "d", "e"];
    let kind = |i: u8| kinds.get(i as usize).copied();
    vec![
        Column::numeric("u", cells.iter().map(|c| c.0).collect()),
        Column::numeric("v", cells.iter().map(|c| c.1).collect()),
        labels("kind", &cells.iter().map(|c| kind(c.2)).collect::<Vec<_>>()),
        dates("day", &cells.iter().map(|c| c.3).collect::<Vec<_>>()),
    ]
}

fn table(cells: &Cells) -> Table {
    Table::new(columns(cells)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_from_the_cutoff_on_change_nothing_before_it(
        cells in cells(),
        config in configs(),
        other in prop::collection::vec((numbers(), numbers(), 0u8..6), 80),
    ) {
        let t = table(&cells);
        let rule: SplitConfig = "date:day".parse().unwrap();
        let Ok(split) = rule.split(&t, 0.0) else { return Ok(()) };
        let fit = |t: &Table| Preprocessor::fit(t, &FeatureSelection::All, &split.train, &config);
        let mut changed = cells.clone();
        for row in &split.test {
            let (u, v, kind) = other[*row];
            changed[*row] = (u, v, kind, changed[*row].3);
        }
        let t2 = table(&changed);
        match (fit(&t), fit(&t2)) {
            (Ok((a, report_a)), Ok((b, report_b))) => {
                prop_assert_eq!(&a, &b);
                prop_assert_eq!(report_a, report_b);
                let train = Some(split.train.as_slice());
                prop_assert_eq!(a.transform(&t, train).unwrap(), b.transform(&t2, train).unwrap());
            }
            (a, b) => prop_assert_eq!(a.is_ok(), b.is_ok()),
        }
    }

    #[test]
    fn the_order_of_columns_does_not_matter_at_prediction(
        cells in cells(),
        config in configs(),
        turn in 0usize..4,
    ) {
        let t = table(&cells);
        let rows: Vec<usize> = (0..t.n_rows() / 2).collect();
        let fit = Preprocessor::fit(&t, &FeatureSelection::All, &rows, &config);
        let Ok((p, _)) = fit else { return Ok(()) };
        let mut turned = columns(&cells);
        turned.rotate_left(turn);
        turned.push(Column::numeric("more", vec![f64::INFINITY; t.n_rows()]));
        let turned = Table::new(turned).unwrap();
        prop_assert_eq!(p.transform(&t, None).unwrap(), p.transform(&turned, None).unwrap());
    }

    #[test]
    fn features_are_finite_and_codes_in_range(cells in cells(), config in configs()) {
        let t = table(&cells);
        let rows: Vec<usize> = (0..t.n_rows() / 2).collect();
        let fit = Preprocessor::fit(&t, &FeatureSelection::All, &rows, &config);
        let Ok((p, _)) = fit else { return Ok(()) };
        let x = p.transform(&t, None).unwrap();
        prop_assert_eq!(x.n_numeric, p.numeric_names().len());
        prop_assert_eq!(x.n_categorical, p.categorical_names().len());
        prop_assert_eq!(x.numeric.len(), x.n_rows * x.n_numeric);
        prop_assert!(x.numeric.iter().all(|v| v.is_finite()));
        for row in x.categorical.chunks(x.n_categorical.max(1)) {
            for (code, cardinality) in row.iter().zip(p.cardinalities()) {
                prop_assert!((0..cardinality as i32).contains(code));
            }
        }
        // In training every one-hot row has one 1 per column unless its label was too rare.
        if config.categorical == CategoricalEncoding::OneHot && config.min_category_count == 1 {
            let names = p.numeric_names();
            let hot: Vec<usize> =
                (0..names.len()).filter(|i| names[*i].starts_with("kind")).collect();
            for row in rows.iter().filter(|_| !hot.is_empty()) {
                let sum: f32 = hot.iter().map(|i| x.numeric[row * x.n_numeric + i]).sum();
                prop_assert_eq!(sum, 1.0);
            }
        }
    }

    #[test]
    fn standardised_training_columns_have_mean_0_and_std_1_and_invert(
        values in prop::collection::vec(-1e6f64..1e6, 3..200),
    ) {
        let t = Table::new(vec![Column::numeric("x", values.clone())]).unwrap();
        let rows: Vec<usize> = (0..values.len()).collect();
        let config = PreprocessConfig::default();
        let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &rows, &config).unwrap();
        let x = p.transform(&t, None).unwrap().numeric;
        let n = x.len() as f64;
        let mean = x.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let var = x.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        prop_assert!(mean.abs() < 1e-6 && (var - 1.0).abs() < 1e-5, "{} {}", mean, var);
        let (_, parts) = p.to_parts();
        let one = |name: &str| parts[name].as_slice::<f64>().unwrap()[0];
        let (center, scale) = (one("numeric.center"), one("numeric.scale"));
        for (z, raw) in x.iter().zip(&values) {
            let back = f64::from(*z) * scale + center;
            prop_assert!((back - raw).abs() <= 1e-7 * (raw - center).abs() + 1e-9);
        }
    }

    #[test]
    fn the_quantile_transform_keeps_order(values in prop::collection::vec(-1e3f64..1e3, 8..80)) {
        let t = Table::new(vec![Column::numeric("x", values.clone())]).unwrap();
        let rows: Vec<usize> = (0..values.len()).collect();
        let config = PreprocessConfig { numeric: NumericTransform::Quantile, ..Default::default() };
        let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &rows, &config).unwrap();
        let x = p.transform(&t, None).unwrap().numeric;
        let mut pairs: Vec<(f64, f32)> = values.into_iter().zip(x).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        prop_assert!(pairs.windows(2).all(|w| w[0].1 <= w[1].1));
    }
}
