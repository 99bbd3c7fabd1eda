//! Predicting with TabPFN as its authors do.

use forge_models::{
    Context, TabPfnV1Config, TabPfnV1Ensemble, TabPfnV1EnsembleConfig, TabPfnV2Config,
    TabPfnV2Ensemble, TabPfnV2EnsembleConfig, TabularInput,
};
use forge_nn::burn::tensor::{Device, Tensor, TensorData};
use forge_nn::{BarDistribution, ModuleConfig, Network};

/// 12 rows of three columns, of which the second never varies, and their classes.
fn rows() -> (Vec<[f64; 3]>, Vec<f64>) {
    let row = |i: usize| [(i * 5 % 12) as f64, 4.0, (i * i % 7) as f64 - 3.0];
    let class = |i: usize| (i % 3) as f64;
    ((0..12).map(row).collect(), (0..12).map(class).collect())
}

fn first() -> TabPfnV1Config {
    TabPfnV1Config {
        num_features: 4,
        n_out: 5,
        emsize: 8,
        nhead: 2,
        nhid: 8,
        nlayers: 2,
        ..TabPfnV1Config::default()
    }
}

fn second() -> TabPfnV2Config {
    TabPfnV2Config {
        n_num_features: 2,
        emsize: 8,
        nhead: 2,
        nlayers: 2,
        max_num_classes: 5,
        num_buckets: 6,
        ..TabPfnV2Config::default()
    }
}

fn tensor(values: &[f64], width: usize) -> Tensor<2> {
    let shape = [values.len() / width, width];
    let data = TensorData::new(values.to_vec(), shape).convert::<f32>();
    Tensor::from_data(data, &Device::flex())
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) -> bool {
    let mut pairs = found.iter().zip(expected);
    found.len() == expected.len() && pairs.all(|(a, b)| (a - b).abs() <= tolerance)
}

/// The whole of one pass of the first version: one column standardised and scaled by the number of
/// columns, the classes moved round, softmax of the logits over 0.8. Which way they were moved
/// depends on the seed.
#[test]
fn a_pass_of_the_first_version_is_the_network_on_standardised_columns() {
    let model = first().init(&Device::flex());
    let column: Vec<f64> = (0..9).map(|i| f64::from(i * 4 % 9)).collect();
    let labels: Vec<f64> = (0..9).map(|i| f64::from(i % 3)).collect();
    let rows: Vec<[f64; 2]> = column.iter().map(|x| [7.0, *x]).collect();
    let one = TabPfnV1EnsembleConfig {
        members: 1,
        ..TabPfnV1EnsembleConfig::default()
    };
    let ensemble = TabPfnV1Ensemble::new(&rows, &labels, one).unwrap();
    let found = ensemble.predict(&model, &rows[..2]).unwrap();

    let mean = column.iter().sum::<f64>() / 9.0;
    let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 8.0;
    let x = column.iter().map(|x| (x - mean) / (variance.sqrt() + 1e-6));
    let x: Vec<f64> = x.collect();
    let widened = |x: &[f64]| TabularInput::numeric(model.widen(tensor(x, 1)).unwrap());
    let with_shift = |shift: f64| -> Vec<f64> {
        let moved: Vec<f64> = labels.iter().map(|y| (y + shift) % 3.0).collect();
        let context = Context::labelled(widened(&x).rows, tensor(&moved, 1));
        let logits = model.forward(widened(&x[..1]).with_context(context));
        let logits: Vec<f64> = logits.into_data().iter().collect();
        let weight = |class: usize| (logits[(class + shift as usize) % 3] / 0.8).exp();
        let sum: f64 = (0..3).map(weight).sum();
        (0..3).map(|class| weight(class) / sum).collect()
    };
    let candidates = [0.0, 1.0, 2.0].map(with_shift);
    let right = candidates.iter().filter(|p| close(p, &found[0], 1e-5));
    assert_eq!(right.count(), 1, "{found:?} {candidates:?}");
}

/// With all shifts and transforms the seed does not matter, and classes called otherwise by the
/// caller have the same probabilities under the other names.
#[test]
fn classes_come_back_under_their_names() {
    let model = first().init(&Device::flex());
    let (rows, labels) = rows();
    let predict = |labels: &[f64], seed| {
        let config = TabPfnV1EnsembleConfig {
            members: 12,
            seed,
            ..TabPfnV1EnsembleConfig::default()
        };
        let ensemble = TabPfnV1Ensemble::new(&rows, labels, config).unwrap();
        ensemble.predict(&model, &rows).unwrap()
    };
    let found = predict(&labels, 0);
    assert!(close(&predict(&labels, 1).concat(), &found.concat(), 1e-5));
    let renamed: Vec<f64> = labels.iter().map(|label| (label + 1.0) % 3.0).collect();
    for (row, other) in found.iter().zip(predict(&renamed, 0)) {
        assert!(close(row, &[other[1], other[2], other[0]], 1e-5));
    }
    assert_ne!(found[0], found[1]);
}

#[test]
fn the_second_version_predicts_classes() {
    let model = second().init(&Device::flex());
    let (mut rows, labels) = rows();
    rows[3][2] = f64::NAN;
    let predict = |seed, members| {
        let config = TabPfnV2EnsembleConfig {
            seed,
            members,
            ..TabPfnV2EnsembleConfig::default()
        };
        let ensemble = TabPfnV2Ensemble::of_classes(&rows, &labels, config).unwrap();
        assert!(ensemble.bars().is_none());
        ensemble.predict(&model, &rows[..5]).unwrap()
    };
    let found = predict(0, None);
    for row in &found {
        assert!(row.len() == 3 && (row.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
    assert_eq!(found, predict(0, Some(4)), "4 passes are the default");
    assert_ne!(found, predict(1, None));
    assert!(found.concat().iter().all(|p| (0.0..=1.0).contains(p)));
}

/// Labels in another unit: the same distribution in that unit.
#[test]
fn the_second_version_predicts_numbers_in_their_unit() {
    let config = TabPfnV2Config {
        max_num_classes: 0,
        ..second()
    };
    let model = config.init(&Device::flex());
    let rows: Vec<[f64; 2]> = (0..25)
        .map(|i| [f64::from(i), f64::from(i * i % 11)])
        .collect();
    let labels: Vec<f64> = rows
        .iter()
        .map(|[x, z]| (x / 9.0).exp() + z / 5.0)
        .collect();
    let bars = BarDistribution::new(vec![-3.0, -1.0, -0.2, 0.3, 1.0, 1.9, 4.0]).unwrap();
    let readings = |scale: f64, shift: f64| -> Vec<[f64; 3]> {
        let labels: Vec<f64> = labels.iter().map(|y| y * scale + shift).collect();
        let ask = TabPfnV2EnsembleConfig::default();
        let ensemble = TabPfnV2Ensemble::of_numbers(&rows, &labels, bars.clone(), ask).unwrap();
        let said = ensemble.predict(&model, &rows[..4]).unwrap();
        let bars = ensemble.bars().unwrap();
        let read = |p: &Vec<f64>| {
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            [bars.mean(p), bars.quantile(p, 0.5), bars.quantile(p, 0.9)]
        };
        said.iter().map(read).collect()
    };
    for (plain, moved) in readings(1.0, 0.0).iter().zip(readings(1000.0, 5e4)) {
        assert!(plain[1] < plain[2], "{plain:?}");
        let expected = plain.map(|y| y * 1000.0 + 5e4);
        assert!(close(&moved, &expected, 1.0), "{plain:?} {moved:?}");
    }
}

#[test]
fn what_an_ensemble_cannot_read_is_refused() {
    let device = Device::flex();
    let (rows, labels) = rows();
    let message = |result: Result<Vec<Vec<f64>>, forge_nn::ForgeError>, part: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    let config = TabPfnV1EnsembleConfig::default();
    let ensemble = TabPfnV1Ensemble::new(&rows, &labels, config).unwrap();
    for (config, part) in [
        (
            TabPfnV1Config {
                n_out: 2,
                ..first()
            },
            "3 classes, the network has 2",
        ),
        (
            TabPfnV1Config {
                num_features: 1,
                ..first()
            },
            "at most 1 columns",
        ),
        (
            TabPfnV1Config {
                row_limit: 11,
                ..first()
            },
            "row_limit",
        ),
    ] {
        message(ensemble.predict(&config.init(&device), &rows), part);
    }
    let model = first().init(&device);
    message(
        ensemble.predict(&model, &[[f64::INFINITY, 0.0, 0.0]]),
        "rows[0][0]",
    );
    message(ensemble.predict(&model, &[[0.0, 0.0]]), "[3]");

    let ask = TabPfnV2EnsembleConfig::default();
    let ensemble = TabPfnV2Ensemble::of_classes(&rows, &labels, ask).unwrap();
    let few = TabPfnV2Config {
        max_num_classes: 2,
        ..second()
    };
    message(
        ensemble.predict(&few.init(&device), &rows),
        "3 classes, the network has 2",
    );
    let narrow = TabPfnV2Config {
        n_num_features: 1,
        column_limit: 1,
        ..second()
    };
    message(
        ensemble.predict(&narrow.init(&device), &rows),
        "at most 1 columns",
    );
    let little = TabPfnV2EnsembleConfig {
        gigabytes: 1e-6,
        ..ask
    };
    let small = TabPfnV2Ensemble::of_classes(&rows, &labels, little).unwrap();
    message(
        small.predict(&second().init(&device), &rows),
        "12 labelled rows of 6 features",
    );
    let bars = BarDistribution::new(vec![-1.0, 0.0, 1.0]).unwrap();
    let ensemble = TabPfnV2Ensemble::of_numbers(&rows, &labels, bars, ask).unwrap();
    let model = second().init(&device);
    message(ensemble.predict(&model, &rows), "takes them for classes");
    // Their deviation is not 0 but what rounding leaves.
    let same = vec![0.1; rows.len()];
    let bars = BarDistribution::new(vec![-1.0, 0.0, 1.0]).unwrap();
    let error = TabPfnV2Ensemble::of_numbers(&rows, &same, bars, ask).unwrap_err();
    assert!(error.to_string().contains("0.1 for every row"), "{error}");
    let numbers = TabPfnV2Config {
        max_num_classes: 0,
        ..second()
    };
    message(ensemble.predict(&numbers.init(&device), &rows), "2 buckets");
    let none = TabPfnV2EnsembleConfig {
        members: Some(0),
        ..ask
    };
    let error = TabPfnV2Ensemble::of_classes(&rows, &labels, none).unwrap_err();
    assert!(error.to_string().contains("members"), "{error}");
}
