//! Rows with labels that other rows look at: what both models of nearest rows do with them.

use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};
use forge_nn::ForgeError;
use forge_nn::ops::{Axes, matmul};

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

/// Elements of the keys up to which differences are squared one by one.
const FEW: usize = 1 << 14;

/// `|q - k|²`. Of few keys as it stands there; of more as `|q|² - 2 q·k + |k|²`, of vectors from the
/// keys' mean on, which moves all of them alike and keeps the terms small, and 0 where that is less
/// than what they are rounded to, as for equal rows. So it does not depend on the rows beside them.
///
/// # Shapes
/// - queries: `[B, D]`, keys: `[M, D]`
/// - output: `[B, M]`, at least 0
pub(super) fn squared_distances(queries: Tensor<2>, keys: Tensor<2>) -> Tensor<2> {
    if keys.dims().iter().product::<usize>() <= FEW {
        let apart = queries.unsqueeze_dim::<3>(1) - keys.unsqueeze_dim::<3>(0);
        return apart.square().sum_dim(2).squeeze_dim::<2>(2);
    }
    let middle = keys.clone().detach().mean_dim(0);
    let (queries, keys) = (queries - middle.clone(), keys - middle);
    let of_queries = queries.clone().square().sum_dim(1);
    let of_keys = keys.clone().square().sum_dim(1).transposed();
    let products = matmul(queries, keys.transposed());
    let squared = of_queries.clone() - products * 2.0 + of_keys.clone();
    let resolution = match squared.dtype() {
        DType::F64 => f64::EPSILON,
        _ => f64::from(f32::EPSILON),
    };
    let least = (of_queries + of_keys).detach() * (4.0 * resolution);
    let hidden = squared.clone().detach().lower(least);
    squared.mask_fill(hidden, 0.0)
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

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    /// Few keys and many give the same distances, equal rows 0 however many stand beside them.
    #[test]
    fn distances_do_not_depend_on_how_they_are_computed() {
        let device = Device::flex();
        device.seed(5);
        let random = |shape| Tensor::<2>::random(shape, Distribution::Normal(7.0, 3.0), &device);
        let (queries, keys) = (random([6, 4]), random([FEW, 4]));
        let keys = Tensor::cat(vec![queries.clone(), keys], 0);
        let few = squared_distances(queries.clone(), keys.clone().narrow(0, 0, 500));
        let many = squared_distances(queries, keys).narrow(1, 0, 500);
        let numbers = |x: Tensor<2>| x.into_data().iter::<f64>().collect::<Vec<_>>();
        let (few, many) = (numbers(few), numbers(many));
        for (at, (few, many)) in few.iter().zip(&many).enumerate() {
            assert!((few - many).abs() < 1e-4, "{at}: {few} {many}");
            if at % 500 == at / 500 {
                assert_eq!((*few, *many), (0.0, 0.0), "{at}");
            }
        }
    }
}
