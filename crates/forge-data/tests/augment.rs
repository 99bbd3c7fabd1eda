//! Augmentation: what each kind does to rows, and what it refuses.

use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};
use forge_data::{AugmentationConfig, TabularBatch};

const ROWS: usize = 11;

/// Numbers `10 row + column`, codes `1 + row`, and a hole in each mask.
fn batch() -> TabularBatch {
    let device = Device::flex();
    let mask = |width: usize, hole: usize| -> Tensor<2, Bool> {
        let cells = (0..ROWS * width)
            .map(|cell| cell != hole)
            .collect::<Vec<bool>>();
        Tensor::from_data(TensorData::new(cells, [ROWS, width]), &device)
    };
    let x: Vec<f32> = (0..ROWS * 3)
        .map(|i| (10 * (i / 3) + i % 3) as f32)
        .collect();
    let c: Vec<i32> = (0..ROWS * 2).map(|i| 1 + (i / 2) as i32).collect();
    TabularBatch {
        x_num: Some(Tensor::from_data(TensorData::new(x, [ROWS, 3]), &device)),
        x_cat: Some(Tensor::from_data(TensorData::new(c, [ROWS, 2]), &device)),
        num_present: Some(mask(3, 4)),
        cat_present: Some(mask(2, 5)),
        y: Some(
            Tensor::<1, Int>::arange(0..ROWS as i64, &device)
                .float()
                .unsqueeze_dim(1),
        ),
        weights: None,
    }
}

fn numbers<const D: usize>(t: &Tensor<D>) -> Vec<f64> {
    t.to_data_dtype(DType::F64)
        .as_slice::<f64>()
        .unwrap()
        .to_vec()
}

fn codes<const D: usize>(t: &Tensor<D, Int>) -> Vec<i64> {
    t.to_data().iter::<i64>().collect()
}

fn flags<const D: usize>(t: &Tensor<D, Bool>) -> Vec<bool> {
    t.to_data().iter::<bool>().collect()
}

#[test]
fn mixup_is_a_mean_of_two_rows_and_their_targets() {
    let config = AugmentationConfig {
        mixup: Some(0.4),
        ..AugmentationConfig::default()
    };
    let augmentation = config.for_columns(3, 0).unwrap();
    let mut shares = Vec::new();
    for seed in 0..400 {
        let mut mixed = TabularBatch {
            x_cat: None,
            cat_present: None,
            ..batch()
        };
        let mix = augmentation.apply(&mut mixed, seed).unwrap().unwrap();
        let partner = codes(&mix.partner);
        let mut sorted = partner.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, p)| i as i64 == *p));
        let y = mix.of_values(mixed.y.clone().unwrap());
        let (x, y) = (numbers(&mixed.x_num.unwrap()), numbers(&y));
        for row in 0..ROWS {
            let mean = mix.share * row as f64 + (1.0 - mix.share) * partner[row] as f64;
            assert!((y[row] - mean).abs() < 1e-4);
            for column in 0..3 {
                let found = x[row * 3 + column];
                assert!(
                    (found - 10.0 * mean - column as f64).abs() < 1e-3,
                    "{found}"
                );
            }
        }
        // Cell 4 was imputed: row 1, column 1, and whoever was mixed with it.
        let present = flags(&mixed.num_present.unwrap());
        for (cell, present) in present.into_iter().enumerate() {
            let of_hole = cell % 3 == 1 && (cell / 3 == 1 || partner[cell / 3] == 1);
            assert_eq!(present, !of_hole);
        }
        shares.push(mix.share);
    }
    // Beta(0.4, 0.4): mean ½, variance 1/(4 (2 α + 1)) = 0.1389.
    let mean = shares.iter().sum::<f64>() / 400.0;
    let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 399.0;
    assert!(
        (mean - 0.5).abs() < 0.06 && (variance - 0.1389).abs() < 0.02,
        "{mean} {variance}"
    );
    // The same seed, the same rows.
    let share = |seed| {
        let mix = augmentation.apply(&mut batch(), seed).unwrap().unwrap();
        (mix.share, codes(&mix.partner))
    };
    assert_eq!(share(3), share(3));
    assert_ne!(share(3), share(4));
}

#[test]
fn cutmix_takes_whole_columns_and_says_how_many() {
    let config = AugmentationConfig {
        cutmix: Some(1.0),
        ..AugmentationConfig::default()
    };
    let augmentation = config.for_columns(3, 2).unwrap();
    let mut taken = [0; 6];
    for seed in 0..100 {
        let mut mixed = batch();
        let mix = augmentation.apply(&mut mixed, seed).unwrap().unwrap();
        let partner = codes(&mix.partner);
        let (x, c) = (numbers(&mixed.x_num.unwrap()), codes(&mixed.x_cat.unwrap()));
        let (px, pc) = (
            flags(&mixed.num_present.unwrap()),
            flags(&mixed.cat_present.unwrap()),
        );
        let moved = (0..ROWS).find(|row| partner[*row] != *row as i64).unwrap();
        let num_cut: Vec<bool> = (0..3)
            .map(|j| x[moved * 3 + j] != (10 * moved + j) as f64)
            .collect();
        let cat_cut: Vec<bool> = (0..2)
            .map(|j| c[moved * 2 + j] != 1 + moved as i64)
            .collect();
        for row in 0..ROWS {
            for (j, cut) in num_cut.iter().enumerate() {
                let from = if *cut { partner[row] as usize } else { row };
                assert_eq!(x[row * 3 + j], (10 * from + j) as f64);
                assert_eq!(px[row * 3 + j], from * 3 + j != 4);
            }
            for (j, cut) in cat_cut.iter().enumerate() {
                let from = if *cut { partner[row] as usize } else { row };
                assert_eq!(c[row * 2 + j], 1 + from as i64);
                assert_eq!(pc[row * 2 + j], from * 2 + j != 5);
            }
        }
        let cut = num_cut.iter().chain(&cat_cut).filter(|cut| **cut).count();
        assert!((mix.share - (1.0 - cut as f64 / 5.0)).abs() < 1e-12);
        taken[cut] += 1;
    }
    assert!(taken.iter().all(|times| *times > 3), "{taken:?}");
}

#[test]
fn masks_hide_cells_and_noise_has_its_size() {
    let device = Device::flex();
    device.seed(4);
    let config = AugmentationConfig {
        mask: Some(0.3),
        ..AugmentationConfig::default()
    };
    let augmentation = config.for_columns(3, 2).unwrap();
    let (mut hidden, mut cells) = (0, 0);
    for _ in 0..200 {
        let (mut masked, plain) = (batch(), batch());
        assert!(augmentation.apply(&mut masked, 0).unwrap().is_none());
        let (x, own) = (
            numbers(&masked.x_num.unwrap()),
            numbers(&plain.x_num.unwrap()),
        );
        let (px, pown) = (
            flags(&masked.num_present.unwrap()),
            flags(&plain.num_present.unwrap()),
        );
        for i in 1..x.len() {
            let is_hidden = x[i] == 0.0;
            assert!(is_hidden || x[i] == own[i]);
            assert_eq!(px[i], pown[i] && !is_hidden);
            hidden += usize::from(is_hidden);
            cells += 1;
        }
        let (c, pc) = (
            codes(&masked.x_cat.unwrap()),
            flags(&masked.cat_present.unwrap()),
        );
        for (i, code) in c.into_iter().enumerate() {
            assert!(code == 0 || code == 1 + (i / 2) as i64);
            assert_eq!(pc[i], i != 5 && code != 0);
            hidden += usize::from(code == 0);
            cells += 1;
        }
    }
    let share = hidden as f64 / cells as f64;
    assert!((share - 0.3).abs() < 0.02, "{share}");

    let config = AugmentationConfig {
        noise: Some(0.25),
        ..AugmentationConfig::default()
    };
    let augmentation = config.for_columns(3, 2).unwrap();
    let mut squares = Vec::new();
    for _ in 0..200 {
        let mut noisy = batch();
        augmentation.apply(&mut noisy, 0).unwrap();
        assert_eq!(codes(&noisy.x_cat.unwrap()), codes(&batch().x_cat.unwrap()));
        let noise = noisy.x_num.unwrap() - batch().x_num.unwrap();
        squares.extend(numbers(&noise).into_iter().map(|n| n * n));
    }
    let std = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
    assert!((std - 0.25).abs() < 0.01, "{std}");
}

#[test]
fn what_cannot_be_done_to_the_columns_is_refused() {
    let config = |json| serde_json::from_value::<AugmentationConfig>(json).unwrap();
    for (json, columns, part) in [
        (
            serde_json::json!({"mixup": 0.0}),
            (3, 0),
            "augmentation.mixup = 0",
        ),
        (
            serde_json::json!({"cutmix": -1.0}),
            (3, 0),
            "augmentation.cutmix = -1",
        ),
        (
            serde_json::json!({"noise": 0.0}),
            (3, 0),
            "augmentation.noise = 0",
        ),
        (
            serde_json::json!({"mask": 1.0}),
            (3, 0),
            "augmentation.mask = 1",
        ),
        (
            serde_json::json!({"mixup": 0.2, "cutmix": 1.0}),
            (3, 0),
            "one of the two",
        ),
        (
            serde_json::json!({"mixup": 0.2}),
            (3, 2),
            "takes 2 column(s) of labels as codes",
        ),
        (
            serde_json::json!({"noise": 0.1}),
            (0, 2),
            "augmentation.noise = 0.1: the table has no",
        ),
    ] {
        let error = config(json).for_columns(columns.0, columns.1).unwrap_err();
        assert!(error.is_config());
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(config(serde_json::json!({})).for_columns(0, 2).is_ok());
    assert!(serde_json::from_str::<AugmentationConfig>(r#"{"mixed": 1}"#).is_err());
}
