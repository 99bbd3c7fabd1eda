//! The target of every row as two numbers.

use burn::tensor::{Int, Tensor};

/// What stands beside the number where the target is missing.
pub(super) const MISSING: f64 = -2.0;

/// Targets of labelled rows, and the mean of those for rows to predict, with a mark of which is
/// which. Of classes (`classes` above 0) the number is that of the distinct labels below it.
///
/// # Shapes
/// - target: `[R, 1]`
/// - output: `[R + asked, 2]`
pub(super) fn pairs(target: Tensor<2>, asked: usize, classes: usize) -> Tensor<2> {
    let (labelled, place) = (target.dims()[0], (&target.device(), target.dtype()));
    let mean = target.clone().mean_dim(0).expand([asked, 1]);
    let values = Tensor::cat(vec![target.clone(), mean], 0);
    let values = match classes {
        0 => values,
        classes => ranks(values, target, classes),
    };
    let marks = Tensor::cat(
        vec![
            Tensor::zeros([labelled, 1], place),
            Tensor::full([asked, 1], MISSING, place),
        ],
        0,
    );
    Tensor::cat(vec![values, marks], 1)
}

/// For each value the number of classes below it that have a labelled row.
fn ranks(values: Tensor<2>, target: Tensor<2>, classes: usize) -> Tensor<2> {
    let (device, dtype) = (target.device(), target.dtype());
    let ([all, _], [labelled, _]) = (values.dims(), target.dims());
    let class = Tensor::<1, Int>::arange(0..classes as i64, &device).float();
    let class = class.cast(dtype).unsqueeze::<2>();
    let is = target
        .expand([labelled, classes])
        .equal(class.clone().expand([labelled, classes]));
    let there = is.float().cast(dtype).max_dim(0);
    let below = class
        .expand([all, classes])
        .lower(values.expand([all, classes]));
    let below = below.float().cast(dtype);
    (below * there.expand([all, classes])).sum_dim(1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    /// Labels 4, 1, 4: two distinct ones, of mean 3, which is above one of them.
    #[test]
    fn classes_are_numbered_anew() {
        let target = Tensor::<2>::from_data([[4.0], [1.0], [4.0]], &Device::flex());
        let numbers = |classes| {
            let pairs = pairs(target.clone(), 2, classes).into_data();
            pairs.iter::<f64>().collect::<Vec<_>>()
        };
        let expected = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, -2.0, 1.0, -2.0];
        assert_eq!(numbers(5), expected);
        let expected = [4.0, 0.0, 1.0, 0.0, 4.0, 0.0, 3.0, -2.0, 3.0, -2.0];
        assert_eq!(numbers(0), expected);
    }
}
