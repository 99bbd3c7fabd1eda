//! What goes in.

use burn::tensor::{Device, Int, Tensor};
use forge_models::{ModelConfig, TabularInput, TabularSpec};
use forge_nn::ModuleConfig;

use super::table::{floats, table, values};
use crate::Noise;

const ROWS: usize = 5;

/// Inputs of a kind that the model does not declare, and inputs that do not fit it, are refused
/// with an error of the right kind.
///
/// # Panics
/// If one is taken, or refused with another error.
pub fn undeclared_inputs_are_refused(config: &ModelConfig, device: &Device) {
    let (model, spec) = (config.init(device), config.spec());
    let capabilities = config.capabilities();
    let good = || table(&spec, ROWS, 1, device);
    let refused = |what: &str, input: TabularInput, unsupported: bool| {
        let Err(error) = model.try_forward(input) else {
            panic!("{config:?} takes {what}");
        };
        let right = if unsupported {
            error.is_unsupported()
        } else {
            error.is_shape()
        };
        assert!(right, "{config:?}: wrong kind of error for {what}: {error}");
    };
    let present =
        || Tensor::<2, Int>::ones([ROWS, spec.n_num_features.max(1)], device).equal_elem(1);
    let codes = || Tensor::<2, Int>::zeros([ROWS, 1], device);
    if !capabilities.missing {
        let masked = TabularInput {
            num_present: Some(present()),
            ..good()
        };
        refused("a mask of numbers", masked, true);
        let masked = TabularInput {
            cat_present: Some(present()),
            ..good()
        };
        refused("a mask of categories", masked, true);
    }
    if capabilities.categorical {
        if spec.cat_cardinalities.is_empty() {
            refused(
                "codes it is not sized for",
                TabularInput {
                    x_cat: Some(codes()),
                    ..good()
                },
                false,
            );
        } else {
            refused(
                "no codes",
                TabularInput {
                    x_cat: None,
                    ..good()
                },
                false,
            );
            let beyond = good()
                .x_cat
                .map(|codes| codes.full_like(spec.cat_cardinalities[0] as i64));
            refused(
                "a code beyond its column",
                TabularInput {
                    x_cat: beyond,
                    ..good()
                },
                false,
            );
            let negative = good().x_cat.map(|codes| codes.full_like(-1));
            refused(
                "a negative code",
                TabularInput {
                    x_cat: negative,
                    ..good()
                },
                false,
            );
        }
    } else {
        refused(
            "codes",
            TabularInput {
                x_cat: Some(codes()),
                ..good()
            },
            true,
        );
        let table = TabularSpec {
            cat_cardinalities: vec![3],
            ..spec.clone()
        };
        let error = config.clone().sized_for(&table).err();
        let right = error.is_some_and(|error| error.is_unsupported());
        assert!(right, "{config:?} is sized for categorical columns");
    }
    let wide = floats(
        Noise::new(3).tensor(&[ROWS, spec.n_num_features + 1]),
        device,
    );
    refused(
        "a column too many",
        TabularInput {
            x_num: Some(wide),
            ..good()
        },
        false,
    );
    refused("nothing", TabularInput::default(), false);
    if spec.n_num_features > 0 && !spec.cat_cardinalities.is_empty() {
        let short = table(&spec, ROWS - 1, 1, device).x_cat;
        refused(
            "columns of two lengths",
            TabularInput {
                x_cat: short,
                ..good()
            },
            false,
        );
    }
}

/// What the model declares has an effect: every column, and a mask where it takes them.
///
/// # Panics
/// If it has none, or there is no check for something declared.
pub fn declared_inputs_matter(config: &ModelConfig, device: &Device) {
    let (model, spec) = (config.init(device), config.spec());
    let input = || table(&spec, ROWS, 1, device);
    let y = values(model.forward(input()));
    let matters = |what: String, input: TabularInput| {
        assert_ne!(
            values(model.forward(input)),
            y,
            "{config:?}: {what} does not matter"
        );
    };
    for column in 0..spec.n_num_features {
        let changed = input().x_num.map(|x| {
            let moved = x.clone().narrow(1, column, 1) + 1.0;
            x.slice_assign([0..ROWS, column..column + 1], moved)
        });
        matters(
            format!("numeric column {column}"),
            TabularInput {
                x_num: changed,
                ..input()
            },
        );
    }
    for (column, &cardinality) in spec.cat_cardinalities.iter().enumerate() {
        let changed = input().x_cat.map(|codes| {
            let next =
                (codes.clone().narrow(1, column, 1) + 1).remainder_scalar(cardinality as i64);
            codes.slice_assign([0..ROWS, column..column + 1], next)
        });
        matters(
            format!("category {column}"),
            TabularInput {
                x_cat: changed,
                ..input()
            },
        );
    }
    let capabilities = config.capabilities();
    if capabilities.missing && spec.n_num_features > 0 {
        let shape = [ROWS, spec.n_num_features];
        let absent = Tensor::<2, Int>::zeros(shape, device).equal_elem(1);
        let nothing = Tensor::<2>::full(shape, f64::NAN, device);
        let masked = TabularInput {
            x_num: Some(nothing),
            num_present: Some(absent),
            ..input()
        };
        let masked = values(model.forward(masked));
        assert!(
            masked.iter().all(|y| y.is_finite()),
            "{config:?}: a missing value leaks"
        );
        assert_ne!(masked, y, "{config:?}: a mask does not matter");
    }
    let unchecked = [
        capabilities.causal,
        capabilities.attention_maps,
        capabilities.feature_masks,
    ];
    assert_eq!(
        unchecked, [false; 3],
        "{config:?} declares what this battery cannot check yet"
    );
}
