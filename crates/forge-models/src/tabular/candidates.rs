//! Rows with labels that other rows look at: what both models of nearest rows do with them.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use forge_nn::ForgeError;

use crate::{Labels, TabularInput, TabularRows};

/// Rows whose keys are computed at once where no gradient is recorded: bounds memory, whatever the
/// table.
pub(super) const ROWS_AT_ONCE: usize = 4_096;

/// Checks labels and context of a model of nearest rows, by shapes alone.
///
/// # Errors
/// A shape error for targets that are not `labels`, or a context without rows.
pub(super) fn admits(input: &TabularInput, labels: Labels) -> Result<(), ForgeError> {
    if let Some(target) = &input.target {
        labels.check("target", target, input.rows.len())?;
    }
    let Some(context) = &input.context else {
        return Ok(());
    };
    let Some(target) = &context.target else {
        return Ok(());
    };
    if context.rows.is_empty() {
        let expected = "at least one row to look at";
        return Err(ForgeError::shape("context", "0 rows", expected));
    }
    labels.check("context target", target, context.rows.len())
}

/// Some rows, by place; columns without masks.
pub(super) fn pick(rows: &TabularRows, places: &Tensor<1, Int>) -> TabularRows {
    let select = |x: &Tensor<2>| x.clone().select(0, places.clone());
    let select_codes = |x: &Tensor<2, Int>| x.clone().select(0, places.clone());
    TabularRows {
        x_num: rows.x_num.as_ref().map(select),
        x_cat: rows.x_cat.as_ref().map(select_codes),
        ..TabularRows::default()
    }
}

/// `encode` of all rows: at once, or some at a time.
pub(super) fn encoded(
    rows: TabularRows,
    at_once: bool,
    encode: impl Fn(TabularRows) -> Tensor<2>,
) -> Tensor<2> {
    let n = rows.len();
    if at_once || n <= ROWS_AT_ONCE {
        return encode(rows);
    }
    let starts = (0..n).step_by(ROWS_AT_ONCE);
    let parts = starts.map(|start| encode(rows.slice(start..(start + ROWS_AT_ONCE).min(n))));
    Tensor::cat(parts.collect(), 0)
}

/// `|q|² - 2 q·k + |k|²`: within rounding of `|q|²`, so that it may be below 0 for equal rows.
///
/// # Shapes
/// - queries: `[B, D]`, keys: `[M, D]`
/// - output: `[B, M]`
pub(super) fn squared_distances(queries: Tensor<2>, keys: Tensor<2>) -> Tensor<2> {
    let of_queries = queries.clone().square().sum_dim(1);
    let of_keys = keys.clone().square().sum_dim(1).transpose();
    let products = queries.matmul(keys.transpose());
    of_queries - products * 2.0 + of_keys
}

/// Class numbers `[M, 1]` as rows of zeros with a one, `[M, C]`, in the type of `like`.
pub(super) fn one_hot_classes(target: Tensor<2>, classes: usize, like: &Tensor<2>) -> Tensor<2> {
    let numbers: Vec<f64> = (0..classes).map(|class| class as f64).collect();
    let numbers = TensorData::new(numbers, [1, classes]);
    let numbers = Tensor::<2>::from_data(numbers, (&target.device(), target.dtype()));
    let rows = target.dims()[0];
    let equal = target
        .expand([rows, classes])
        .equal(numbers.expand([rows, classes]));
    equal.float().cast(like.dtype())
}

/// For training: true where a row would look at itself, `[B, M]`, the batch's rows first.
pub(super) fn own_rows(rows: usize, candidates: usize, device: &Device) -> Tensor<2, Bool> {
    let at = |n: usize, shape: [usize; 2]| {
        let numbers: Vec<i64> = (0..n as i64).collect();
        let numbers = TensorData::new(numbers, shape);
        Tensor::<2, Int>::from_data(numbers, device).expand([rows, candidates])
    };
    at(rows, [rows, 1]).equal(at(candidates, [1, candidates]))
}
