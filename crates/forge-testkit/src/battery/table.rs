//! Tables to run models on.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use forge_models::{
    Capabilities, Context, ModelConfig, RowContext, TabularInput, TabularRows, TabularSpec,
};

use super::values::floats;
use crate::Noise;

/// A narrow config of every model of the registry, for every kind of table that it takes: numeric
/// columns alone, and where it declares them categorical ones beside and alone.
///
/// # Panics
/// If a model refuses a table that it declares.
#[must_use]
pub fn subjects() -> Vec<ModelConfig> {
    let mut subjects = vec![];
    for name in ModelConfig::NAMES {
        let categorical = ModelConfig::capabilities_of(name).is_ok_and(|c| c.categorical);
        let tables: &[(usize, &[usize])] = match categorical {
            true => &[(5, &[]), (3, &[2, 7]), (0, &[5, 3])],
            false => &[(5, &[])],
        };
        for (n_num_features, cardinalities) in tables {
            let spec = TabularSpec {
                n_num_features: *n_num_features,
                cat_cardinalities: cardinalities.to_vec(),
                d_out: 2,
            };
            match ModelConfig::narrow(name).and_then(|config| config.sized_for(&spec)) {
                Ok(config) => subjects.push(config),
                Err(error) => panic!("{name} does not take {spec:?}: {error}"),
            }
        }
    }
    subjects
}

/// Rows of the context that [`input`] gives.
pub(super) const CONTEXT_ROWS: usize = 11;

/// What a model of `config` takes: rows that fit it, the same for the same seed, with labelled rows
/// as context where it needs them.
#[must_use]
pub fn input(config: &ModelConfig, rows: usize, seed: u64, device: &Device) -> TabularInput {
    let (spec, capabilities) = (config.spec(), config.capabilities());
    let context =
        (capabilities.rows == RowContext::Labelled).then(|| context(&spec, capabilities, device));
    TabularInput {
        rows: rows_of(&spec, rows, seed, device),
        context,
        target: None,
    }
}

/// Rows to look at, with targets 0 and 1 where the model wants labels.
pub(super) fn context(spec: &TabularSpec, capabilities: Capabilities, device: &Device) -> Context {
    let target = (0..CONTEXT_ROWS).map(|row| (row % 2) as f64).collect();
    let target = TensorData::new::<f64, _>(target, [CONTEXT_ROWS, 1]);
    Context {
        rows: rows_of(spec, CONTEXT_ROWS, 77, device),
        target: (capabilities.rows == RowContext::Labelled).then(|| floats(target, device)),
        ..Context::default()
    }
}

/// Rows that fit `spec`, the same for the same seed.
#[must_use]
pub fn rows_of(spec: &TabularSpec, rows: usize, seed: u64, device: &Device) -> TabularRows {
    let mut noise = Noise::new(seed);
    let numeric = noise.tensor(&[rows, spec.n_num_features]);
    let codes: Vec<i64> = (0..rows)
        .flat_map(|_| spec.cat_cardinalities.clone())
        .map(|cardinality| noise.code(cardinality))
        .collect();
    let codes = TensorData::new(codes, [rows, spec.cat_cardinalities.len()]);
    TabularRows {
        x_num: (spec.n_num_features > 0).then(|| floats(numeric, device)),
        x_cat: (!spec.cat_cardinalities.is_empty())
            .then(|| Tensor::<2, Int>::from_data(codes, device)),
        ..TabularRows::default()
    }
}

/// `rows` with every third cell missing, in another place row by row.
pub(super) fn with_gaps(rows: TabularRows) -> TabularRows {
    let mask = |[rows, columns]: [usize; 2], device: &Device| {
        let cells =
            (0..rows * columns).map(|cell| i64::from((cell / columns + cell % columns) % 3 != 0));
        let data = TensorData::new(cells.collect::<Vec<_>>(), [rows, columns]);
        Tensor::<2, Int>::from_data(data, device).equal_elem(1)
    };
    TabularRows {
        num_present: rows.x_num.as_ref().map(|x| mask(x.dims(), &x.device())),
        cat_present: rows.x_cat.as_ref().map(|x| mask(x.dims(), &x.device())),
        ..rows
    }
}

/// The rows of `input` in another order, or some of them.
pub(super) fn take(input: &TabularInput, rows: &[usize]) -> TabularInput {
    let index = |device: &Device| {
        let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
        Tensor::<1, Int>::from_data(TensorData::new(rows.clone(), [rows.len()]), device)
    };
    let pick = |x: &Tensor<2>| x.clone().select(0, index(&x.device()));
    let pick_codes = |x: &Tensor<2, Int>| x.clone().select(0, index(&x.device()));
    // As integers: Burn's flex backend gives what it selects of booleans another type.
    let pick_mask =
        |x: &Tensor<2, Bool>| x.clone().int().select(0, index(&x.device())).equal_elem(1);
    TabularInput {
        rows: TabularRows {
            x_num: input.rows.x_num.as_ref().map(pick),
            x_cat: input.rows.x_cat.as_ref().map(pick_codes),
            num_present: input.rows.num_present.as_ref().map(pick_mask),
            cat_present: input.rows.cat_present.as_ref().map(pick_mask),
        },
        context: input.context.clone(),
        target: input.target.as_ref().map(pick),
    }
}
