//! What goes in.

use burn::tensor::{Device, Int, Tensor};
use forge_models::{CalendarSteps, ForecastModel, SeriesInput, SeriesModelConfig, SeriesSpec};
use forge_nn::{ModuleConfig, Network, Want};

use crate::battery::Subject;
use crate::battery::values::values;

const WINDOWS: usize = 5;

/// Windows of a kind that the model does not declare are refused when it is sized for them, and
/// inputs that do not fit it when it is given them, with an error of the right kind.
///
/// # Panics
/// If one is taken, or refused with another error.
pub fn undeclared_windows_are_refused(config: &SeriesModelConfig, device: &Device) {
    sizes_are_refused(config);
    inputs_are_refused(config, device);
    let (model, declared) = (config.init(device), config.capabilities());
    let wants = [
        (
            declared.attention_maps,
            Want {
                attention: true,
                ..Want::PREDICTIONS
            },
        ),
        (
            declared.feature_masks,
            Want {
                features: true,
                ..Want::PREDICTIONS
            },
        ),
    ];
    for (_, want) in wants.into_iter().filter(|(declared, _)| !declared) {
        let given = config.given(WINDOWS, 1, device);
        let error = model.try_run(given, want).err();
        let right = error.is_some_and(|error| error.is_unsupported());
        assert!(
            right,
            "{config:?} is asked for maps that it does not declare"
        );
    }
}

fn sizes_are_refused(config: &SeriesModelConfig) {
    let (spec, declared) = (config.spec(), config.capabilities());
    let kinds = [
        (
            declared.several_targets,
            SeriesSpec {
                n_targets: 2,
                ..spec.clone()
            },
        ),
        (
            declared.past_covariates,
            SeriesSpec {
                n_past: 1,
                ..spec.clone()
            },
        ),
        (
            declared.known,
            SeriesSpec {
                n_known: 1,
                ..spec.clone()
            },
        ),
        (
            declared.fixed,
            SeriesSpec {
                n_fixed: 1,
                ..spec.clone()
            },
        ),
        (
            declared.fixed_codes,
            SeriesSpec {
                fixed_cardinalities: vec![2],
                ..spec.clone()
            },
        ),
        (
            declared.embedding,
            SeriesSpec {
                d_embedding: 1,
                ..spec.clone()
            },
        ),
        (
            declared.calendar,
            SeriesSpec {
                bars_per_day: Some(1),
                ..spec.clone()
            },
        ),
        (
            declared.several_outputs,
            SeriesSpec {
                n_outputs: 2,
                ..spec
            },
        ),
    ];
    for (_, spec) in kinds.into_iter().filter(|(declared, _)| !declared) {
        let error = config.clone().sized_for(&spec).err();
        let right = error.is_some_and(|error| error.is_unsupported());
        assert!(right, "{} is sized for {spec:?}", config.name());
    }
}

fn inputs_are_refused(config: &SeriesModelConfig, device: &Device) {
    let (model, spec) = (config.init(device), config.spec());
    let given = || config.given(WINDOWS, 1, device);
    let refused = |what: &str, input: SeriesInput| {
        let Err(error) = model.try_forecast(input) else {
            panic!("{config:?} takes {what}");
        };
        assert!(
            error.is_shape(),
            "{config:?}: wrong kind of error for {what}: {error}"
        );
    };
    let series =
        |steps: usize, columns: usize| Tensor::<3>::zeros([WINDOWS, steps, columns], device);
    let row = |columns: usize| Tensor::<2>::zeros([WINDOWS, columns], device);
    let (lookback, whole) = (spec.lookback, spec.lookback + spec.horizon);
    let shorter = SeriesInput {
        past: series(lookback - 1, spec.n_targets),
        ..given()
    };
    refused("a window that is too short", shorter);
    let wider = SeriesInput {
        past: series(lookback, spec.n_targets + 1),
        ..given()
    };
    refused("a target too many", wider);
    let covariates = SeriesInput {
        past_covariates: Some(series(lookback, spec.n_past + 1)),
        ..given()
    };
    refused("a covariate of the past too many", covariates);
    let known = SeriesInput {
        known: Some(series(whole, spec.n_known + 1)),
        ..given()
    };
    refused("a known covariate too many", known);
    if spec.n_known > 0 {
        let known = SeriesInput {
            known: Some(series(lookback, spec.n_known)),
            ..given()
        };
        refused("covariates without their future", known);
        refused(
            "no known covariates",
            SeriesInput {
                known: None,
                ..given()
            },
        );
    }
    let fixed = SeriesInput {
        fixed: Some(row(spec.n_fixed + 1)),
        ..given()
    };
    refused("a fixed number too many", fixed);
    let codes = spec.fixed_cardinalities.len();
    let coded = |columns: usize, code: i64| SeriesInput {
        fixed_codes: Some(Tensor::<2, Int>::full([WINDOWS, columns], code, device)),
        ..given()
    };
    refused("a fixed code too many", coded(codes + 1, 0));
    if let Some(cardinality) = spec.fixed_cardinalities.first() {
        refused(
            "a code beyond its category",
            coded(codes, *cardinality as i64),
        );
    }
    let embedding = SeriesInput {
        embedding: Some(row(spec.d_embedding + 1)),
        ..given()
    };
    refused("an embedding that is too wide", embedding);
    let steps = || Tensor::<2, Int>::ones([WINDOWS, lookback], device);
    let calendar = SeriesInput {
        calendar: Some(CalendarSteps {
            bar_in_day: steps(),
            day_of_week: steps(),
            day_of_month: steps(),
            day_of_year: steps(),
        }),
        ..given()
    };
    refused("a calendar of the past alone, or one too many", calendar);
    if !config.capabilities().valid {
        let masked = SeriesInput {
            valid: Some(steps().equal_elem(1)),
            ..given()
        };
        let error = model.try_forecast(masked).err();
        let right = error.is_some_and(|error| error.is_unsupported());
        assert!(right, "{config:?} takes a mask of steps");
    }
}

/// What the model declares has an effect: the first and the last step of every target and
/// covariate, the future of known ones, every fixed number, category and part of the embedding, and
/// each of the calendar's four.
///
/// # Panics
/// If it has none.
pub fn covariates_of_windows_matter(config: &SeriesModelConfig, device: &Device) {
    let (model, spec) = (config.init(device), config.spec());
    let given = config.given(WINDOWS, 1, device);
    let y = values(model.forward(given.clone()));
    let matters = |what: String, input: SeriesInput| {
        assert_ne!(
            values(model.forward(input)),
            y,
            "{config:?}: {what} does not matter"
        );
    };
    let last = spec.lookback - 1;
    // Not by the same number everywhere: a level may be taken out.
    let moved = |x: &Tensor<3>, step: usize, column: usize| {
        let at = [0..WINDOWS, step..step + 1, column..column + 1];
        x.clone()
            .slice_assign(at.clone(), x.clone().slice(at) + 1.0)
    };
    let series = |name: &str,
                  x: &Option<Tensor<3>>,
                  steps: &[usize],
                  put: &dyn Fn(Tensor<3>) -> SeriesInput| {
        if let Some(x) = x {
            for column in 0..x.dims()[2] {
                for step in steps {
                    let what = format!("step {step} of column {column} of {name}");
                    matters(what, put(moved(x, *step, column)));
                }
            }
        }
    };
    let (base, ends) = (&given, [0, last]);
    series("past", &Some(given.past.clone()), &ends, &|past| {
        SeriesInput {
            past,
            ..base.clone()
        }
    });
    series("past_covariates", &given.past_covariates, &ends, &|x| {
        SeriesInput {
            past_covariates: Some(x),
            ..base.clone()
        }
    });
    let future = [0, last, last + 1, last + spec.horizon];
    series("known", &given.known, &future, &|x| SeriesInput {
        known: Some(x),
        ..base.clone()
    });
    let moved = |x: &Tensor<2>, column: usize| {
        let at = [0..WINDOWS, column..column + 1];
        x.clone()
            .slice_assign(at.clone(), x.clone().slice(at) + 1.0)
    };
    for (fixed, column) in given
        .fixed
        .iter()
        .flat_map(|x| (0..x.dims()[1]).map(move |c| (x, c)))
    {
        let fixed = Some(moved(fixed, column));
        matters(
            format!("fixed {column}"),
            SeriesInput {
                fixed,
                ..given.clone()
            },
        );
    }
    for (embedding, column) in given
        .embedding
        .iter()
        .flat_map(|x| (0..x.dims()[1]).map(move |c| (x, c)))
    {
        let embedding = Some(moved(embedding, column));
        matters(
            format!("embedding {column}"),
            SeriesInput {
                embedding,
                ..given.clone()
            },
        );
    }
    for (column, cardinality) in spec.fixed_cardinalities.iter().enumerate() {
        let next = given.fixed_codes.clone().map(|codes| {
            let at = [0..WINDOWS, column..column + 1];
            let next = (codes.clone().slice(at.clone()) + 1).remainder_scalar(*cardinality as i64);
            codes.slice_assign(at, next)
        });
        matters(
            format!("category {column}"),
            SeriesInput {
                fixed_codes: next,
                ..given.clone()
            },
        );
    }
    if let Some(calendar) = &given.calendar {
        let next = |x: &Tensor<2, Int>, first: i64, n: i64| {
            (x.clone() - first + 1).remainder_scalar(n) + first
        };
        let bars = spec.bars_per_day.unwrap_or(1) as i64;
        let with = |change: &dyn Fn(&mut CalendarSteps)| {
            let mut calendar = calendar.clone();
            change(&mut calendar);
            SeriesInput {
                calendar: Some(calendar),
                ..given.clone()
            }
        };
        matters(
            "bar_in_day".into(),
            with(&|c| c.bar_in_day = next(&c.bar_in_day, 0, bars)),
        );
        matters(
            "day_of_week".into(),
            with(&|c| c.day_of_week = next(&c.day_of_week, 0, 7)),
        );
        matters(
            "day_of_month".into(),
            with(&|c| c.day_of_month = next(&c.day_of_month, 1, 31)),
        );
        matters(
            "day_of_year".into(),
            with(&|c| c.day_of_year = next(&c.day_of_year, 1, 366)),
        );
    }
}
