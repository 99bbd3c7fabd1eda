//! What goes in.

use burn::tensor::{Device, Int, Tensor};
use forge_models::{
    Context, ModelConfig, RowContext, TabularInput, TabularModel, TabularRows, TabularSpec,
    TrainingContext,
};
use forge_nn::{ModuleConfig, Network, Want};

use super::table::{CONTEXT_ROWS, context, input, rows_of};
use super::values::{floats, values};
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
    let good = || rows_of(&spec, ROWS, 1, device);
    let given = || input(config, ROWS, 1, device);
    let refused_input = |what: &str, input: TabularInput, unsupported: bool| {
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
    let refused = |what: &str, rows: TabularRows, unsupported: bool| {
        let context = given().context;
        let input = TabularInput {
            rows,
            context,
            target: None,
        };
        refused_input(what, input, unsupported);
    };
    let present =
        || Tensor::<2, Int>::ones([ROWS, spec.n_num_features.max(1)], device).equal_elem(1);
    let codes = || Tensor::<2, Int>::zeros([ROWS, 1], device);
    if !capabilities.missing {
        let masked = TabularRows {
            num_present: Some(present()),
            ..good()
        };
        refused("a mask of numbers", masked, true);
        let masked = TabularRows {
            cat_present: Some(present()),
            ..good()
        };
        refused("a mask of categories", masked, true);
    }
    if capabilities.categorical {
        if spec.cat_cardinalities.is_empty() {
            refused(
                "codes it is not sized for",
                TabularRows {
                    x_cat: Some(codes()),
                    ..good()
                },
                false,
            );
        } else {
            refused(
                "no codes",
                TabularRows {
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
                TabularRows {
                    x_cat: beyond,
                    ..good()
                },
                false,
            );
            let negative = good().x_cat.map(|codes| codes.full_like(-1));
            refused(
                "a negative code",
                TabularRows {
                    x_cat: negative,
                    ..good()
                },
                false,
            );
        }
    } else {
        refused(
            "codes",
            TabularRows {
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
        TabularRows {
            x_num: Some(wide),
            ..good()
        },
        false,
    );
    refused("nothing", TabularRows::default(), false);
    if spec.n_num_features > 0 && !spec.cat_cardinalities.is_empty() {
        let short = rows_of(&spec, ROWS - 1, 1, device).x_cat;
        refused(
            "columns of two lengths",
            TabularRows {
                x_cat: short,
                ..good()
            },
            false,
        );
    }
    contexts_are_checked(config, device, &refused_input);
    for want in [
        Want {
            attention: !capabilities.attention_maps,
            features: false,
        },
        Want {
            attention: false,
            features: !capabilities.feature_masks,
        },
    ] {
        if want == Want::PREDICTIONS {
            continue;
        }
        let error = model.try_run(given(), want).err();
        let right = error.is_some_and(|error| error.is_unsupported());
        assert!(
            right,
            "{config:?} is asked for maps that it does not declare"
        );
    }
}

/// A context of the wrong kind, none where there must be one, and one that does not fit.
fn contexts_are_checked(
    config: &ModelConfig,
    device: &Device,
    refused: &dyn Fn(&str, TabularInput, bool),
) {
    let (spec, capabilities) = (config.spec(), config.capabilities());
    let rows = || TabularInput::from(rows_of(&spec, ROWS, 1, device));
    let good = || context(&spec, capabilities, device);
    let targets = |n: usize| Some(Tensor::<2>::zeros([n, 1], device));
    targets_of_the_rows_are_checked(config, device, refused);
    match capabilities.rows {
        RowContext::Alone => refused("a context", rows().with_context(good()), true),
        RowContext::Neighbours => {
            let labelled = Context {
                target: targets(CONTEXT_ROWS),
                ..good()
            };
            refused(
                "a context with targets",
                rows().with_context(labelled),
                true,
            );
        }
        RowContext::Labelled => {
            refused("no context", rows(), true);
            let bare = Context {
                target: None,
                ..good()
            };
            refused("a context without targets", rows().with_context(bare), true);
            let short = Context {
                target: targets(CONTEXT_ROWS - 1),
                ..good()
            };
            refused("a target too few", rows().with_context(short), false);
        }
    }
    if capabilities.rows != RowContext::Alone {
        let narrow = Context {
            rows: TabularRows::default(),
            ..good()
        };
        refused(
            "a context without columns",
            rows().with_context(narrow),
            false,
        );
    }
}

/// Targets of the rows themselves where the model looks at none, and of other rows than those.
fn targets_of_the_rows_are_checked(
    config: &ModelConfig,
    device: &Device,
    refused: &dyn Fn(&str, TabularInput, bool),
) {
    let given =
        |n: usize| input(config, ROWS, 1, device).with_target(Tensor::zeros([n, 1], device));
    let trains_on_others = config.capabilities().rows == RowContext::Labelled
        && config.labelled_rows().training != TrainingContext::HalfBatch;
    if !trains_on_others {
        refused("targets of the rows", given(ROWS), true);
        return;
    }
    refused("a target of a row too few", given(ROWS - 1), false);
    let alone = TabularInput {
        context: None,
        ..input(config, 1, 1, device)
    };
    let alone = alone.with_target(Tensor::zeros([1, 1], device));
    refused("a row with nothing to look at", alone, false);
    let wide = input(config, ROWS, 1, device).with_target(Tensor::zeros([ROWS, 2], device));
    refused("two targets where there is one", wide, false);
}

/// What the model declares has an effect: every column, a mask where it takes them, the targets of
/// a context.
///
/// # Panics
/// If it has none, or there is no check for something declared.
pub fn declared_inputs_matter(config: &ModelConfig, device: &Device) {
    let (model, spec) = (config.init(device), config.spec());
    let given = || input(config, ROWS, 1, device);
    let rows = || given().rows;
    let y = values(model.forward(given()));
    let with = |rows: TabularRows| TabularInput { rows, ..given() };
    // A ReLU of a narrow embedding may have no unit that is on for a column: others are drawn then.
    let matters = |what: String, rows: TabularRows| {
        let differs = values(model.forward(with(rows.clone()))) != y
            || (0..8).any(|_| {
                let other = config.init(device);
                values(other.forward(with(rows.clone()))) != values(other.forward(given()))
            });
        assert!(differs, "{config:?}: {what} does not matter");
    };
    for column in 0..spec.n_num_features {
        let changed = rows().x_num.map(|x| {
            let moved = x.clone().narrow(1, column, 1) + 1.0;
            x.slice_assign([0..ROWS, column..column + 1], moved)
        });
        matters(
            format!("numeric column {column}"),
            TabularRows {
                x_num: changed,
                ..rows()
            },
        );
    }
    for (column, &cardinality) in spec.cat_cardinalities.iter().enumerate() {
        let changed = rows().x_cat.map(|codes| {
            let next =
                (codes.clone().narrow(1, column, 1) + 1).remainder_scalar(cardinality as i64);
            codes.slice_assign([0..ROWS, column..column + 1], next)
        });
        matters(
            format!("category {column}"),
            TabularRows {
                x_cat: changed,
                ..rows()
            },
        );
    }
    let capabilities = config.capabilities();
    if capabilities.missing && spec.n_num_features > 0 {
        let shape = [ROWS, spec.n_num_features];
        let absent = Tensor::<2, Int>::zeros(shape, device).equal_elem(1);
        let nothing = Tensor::<2>::full(shape, f64::NAN, device);
        let masked = TabularRows {
            x_num: Some(nothing),
            num_present: Some(absent),
            ..rows()
        };
        let masked = values(model.forward(with(masked)));
        assert!(
            masked.iter().all(|y| y.is_finite()),
            "{config:?}: a missing value leaks"
        );
        assert_ne!(masked, y, "{config:?}: a mask does not matter");
    }
    if capabilities.missing && !spec.cat_cardinalities.is_empty() {
        let shape = [ROWS, spec.cat_cardinalities.len()];
        let masked = TabularRows {
            cat_present: Some(Tensor::<2, Int>::zeros(shape, device).equal_elem(1)),
            ..rows()
        };
        let masked = values(model.forward(with(masked)));
        assert_ne!(
            masked, y,
            "{config:?}: a mask of categories does not matter"
        );
    }
    if let Some(context) = given().context {
        let other = Context {
            target: context.target.map(|y| 1.0 - y),
            ..context
        };
        let other = values(model.forward(TabularInput::from(rows()).with_context(other)));
        assert_ne!(other, y, "{config:?}: the context's targets do not matter");
    }
}
