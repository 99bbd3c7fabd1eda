//! Tables drawn from the prior.

use forge_data::{DrawnTable, TablePriorConfig};

fn tables(config: &TablePriorConfig, count: u64) -> Vec<DrawnTable> {
    (0..count).map(|i| config.draw(3, i).unwrap()).collect()
}

fn column(table: &DrawnTable, j: usize) -> Vec<f32> {
    let values = table.features.iter().skip(j).step_by(table.n_features);
    values.copied().collect()
}

#[test]
fn a_table_follows_from_seed_and_number() {
    let config = TablePriorConfig::default();
    let table = config.draw(1, 5).unwrap();
    assert_eq!(table, config.draw(1, 5).unwrap());
    assert_ne!(table, config.draw(1, 6).unwrap());
    assert_ne!(table, config.draw(2, 5).unwrap());
}

#[test]
fn every_class_is_labelled_and_columns_are_standardised_by_labelled_rows() {
    let config = TablePriorConfig {
        rows: 61,
        max_features: 7,
        max_classes: 5,
        ..TablePriorConfig::default()
    };
    let (mut widths, mut counts) = (vec![0; 8], vec![0; 6]);
    for table in tables(&config, 300) {
        let (n, labelled) = (table.n_features, table.labelled);
        assert_eq!((table.n_rows(), table.features.len()), (61, 61 * n));
        assert!((18..=54).contains(&labelled), "{labelled}");
        let classes = table.n_classes.unwrap();
        widths[n] += 1;
        counts[classes] += 1;
        for class in 0..classes {
            let known = &table.target[..labelled];
            assert!(known.contains(&(class as f32)), "{class} of {classes}");
        }
        let is_class = |y: &f32| *y >= 0.0 && *y < classes as f32 && y.fract() == 0.0;
        assert!(table.target.iter().all(is_class));
        for j in 0..n {
            let values = column(&table, j);
            assert!(values.iter().all(|x| x.abs() <= 5.0));
            if values.iter().all(|x| *x == 0.0) || values.iter().any(|x| x.abs() == 5.0) {
                continue;
            }
            let known = &values[..labelled];
            let mean = known.iter().sum::<f32>() / labelled as f32;
            let square = known.iter().map(|x| x * x).sum::<f32>() / labelled as f32;
            assert!(mean.abs() < 1e-4 && (square - 1.0).abs() < 1e-3);
        }
    }
    assert!(
        widths[0] == 0 && widths[1..].iter().all(|n| *n > 20),
        "{widths:?}"
    );
    // Two classes in more than half of the tables; some boundaries leave a class empty.
    assert!(
        counts[2] > 150 && counts[3..].iter().all(|n| *n > 5),
        "{counts:?}"
    );
}

#[test]
fn numbers_are_targets_where_there_are_no_classes() {
    let config = TablePriorConfig {
        max_classes: 0,
        ..TablePriorConfig::default()
    };
    for table in tables(&config, 50) {
        assert_eq!(table.n_classes, None);
        let mut different: Vec<u32> = table.target.iter().map(|y| y.to_bits()).collect();
        different.sort_unstable();
        different.dedup();
        assert!(different.len() > 2, "{different:?}");
        assert!(table.target.iter().all(|y| y.abs() <= 5.0));
    }
}

/// The target has something to do with the features: the nearest labelled row tells more than the
/// most frequent class does. Were it chance, the nearest row would tell less.
#[test]
fn features_tell_of_the_target() {
    for causal in [0.0, 1.0] {
        let config = TablePriorConfig {
            causal,
            max_classes: 2,
            ..TablePriorConfig::default()
        };
        let (mut nearest, mut frequent, mut all) = (0, 0, 0);
        for table in tables(&config, 300) {
            let n = table.n_features;
            let row = |i: usize| &table.features[i * n..(i + 1) * n];
            let distance = |a: usize, b: usize| -> f32 {
                let squares = row(a).iter().zip(row(b)).map(|(x, y)| (x - y).powi(2));
                squares.sum()
            };
            let known = &table.target[..table.labelled];
            let ones = known.iter().filter(|y| **y == 1.0).count();
            let most = f32::from(2 * ones > known.len());
            for i in table.labelled..table.n_rows() {
                let nearer = |a: &usize, b: &usize| distance(i, *a).total_cmp(&distance(i, *b));
                let at = (0..table.labelled).min_by(nearer).unwrap();
                nearest += u32::from(known[at] == table.target[i]);
                frequent += u32::from(most == table.target[i]);
                all += 1;
            }
        }
        let [nearest, frequent] = [nearest, frequent].map(|n| f64::from(n) / f64::from(all));
        assert!(nearest > frequent + 0.02, "{causal}: {nearest} {frequent}");
        assert!(nearest < 0.99, "{causal}: {nearest}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let good = TablePriorConfig::default;
    let bad = [
        ("rows", TablePriorConfig { rows: 7, ..good() }),
        (
            "labelled",
            TablePriorConfig {
                labelled: [0.5, 0.4],
                ..good()
            },
        ),
        (
            "labelled",
            TablePriorConfig {
                labelled: [f64::NAN, 0.4],
                ..good()
            },
        ),
        (
            "max_features",
            TablePriorConfig {
                max_features: 0,
                ..good()
            },
        ),
        (
            "max_classes",
            TablePriorConfig {
                max_classes: 1,
                ..good()
            },
        ),
        (
            "causal",
            TablePriorConfig {
                causal: 1.5,
                ..good()
            },
        ),
        (
            "categorical",
            TablePriorConfig {
                categorical: -0.1,
                ..good()
            },
        ),
    ];
    for (field, config) in bad {
        let error = config.draw(0, 0).unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(field),
            "{error}"
        );
    }
    let crowded = TablePriorConfig {
        rows: 8,
        max_classes: 1_000,
        labelled: [0.2, 0.2],
        ..good()
    };
    // Half of the tables have two classes all the same.
    crowded.draw(0, 0).unwrap();
}
