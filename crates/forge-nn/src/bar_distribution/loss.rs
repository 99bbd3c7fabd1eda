//! The loss of logits.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

use super::BarDistribution;

impl BarDistribution {
    /// The negative logarithm of the density at each target: `-(log p_i - log width_i)` in bucket
    /// `i`, half-normal in the outer ones.
    ///
    /// # Shapes
    /// - logits: `[B, buckets]`
    /// - target: `[B]`
    /// - output: `[B]`
    ///
    /// # Panics
    /// If the shapes do not fit; the message has both.
    #[must_use]
    pub fn nll(&self, logits: Tensor<2>, target: Tensor<1>) -> Tensor<1> {
        let ([rows, buckets], [targets]) = (logits.dims(), target.dims());
        assert!(
            buckets == self.len() && rows == targets,
            "bar distribution: logits have shape [{rows}, {buckets}], targets [{targets}]; they must \
             be [B, {}] and [B]",
            self.len()
        );
        let place = (&logits.device(), logits.dtype());
        let list = |values: Vec<f64>| {
            let data = TensorData::new(values.clone(), [values.len()]);
            Tensor::<1>::from_data(data.convert_dtype(place.1), place)
        };
        let last = buckets - 1;
        let inner = list(self.borders[1..buckets].to_vec());
        let shape = [rows, last];
        let y = target.clone().unsqueeze_dim::<2>(1);
        let above = inner
            .unsqueeze::<2>()
            .expand(shape)
            .lower(y.clone().expand(shape));
        let bucket = above.int().sum_dim(1);
        let log_p = log_softmax(logits, 1)
            .gather(1, bucket.clone())
            .squeeze_dim(1);
        let bucket: Tensor<1, burn::tensor::Int> = bucket.squeeze_dim(1);

        // By bucket: the density is exp(constant - steepness · (y - anchor)²).
        let (mut constant, mut steepness) = (vec![], vec![]);
        let mut anchor = vec![0.0; buckets];
        (anchor[0], anchor[last]) = (self.borders[1], self.borders[last]);
        for (i, anchor) in anchor.iter().enumerate() {
            let outer = i == 0 || i == last;
            constant.push(self.ln_even(i, *anchor).min(f64::from(f32::MAX)));
            let scale = super::reading::tail(self.width(i));
            steepness.push(if outer { 0.5 / (scale * scale) } else { 0.0 });
        }
        let of = |values: Vec<f64>| list(values).select(0, bucket.clone());
        let away = (target - of(anchor)).square() * of(steepness);
        away - of(constant) - log_p
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;
    use crate::ForgeError;

    #[test]
    fn the_loss_is_the_density_of_the_host() -> Result<(), ForgeError> {
        let bars = BarDistribution::new(vec![-1.5, -0.25, 0.5, 0.5, 2.0, 3.25])?;
        let logits = [0.3, -0.2, -5.0, 1.1, 0.4];
        let p = bars.probabilities(&logits)?;
        let targets = [-9.0, -1.5, -0.25, 0.1, 0.5, 1.7, 3.25, 40.0];
        let place = (&Device::flex(), DType::F64);
        let rows = Tensor::<2>::from_data(TensorData::from([logits; 8]), place);
        let y = Tensor::<1>::from_data(TensorData::from(targets), place);
        let losses = bars.nll(rows, y).into_data();
        for (y, loss) in targets.iter().zip(losses.iter::<f64>()) {
            let expected = -bars.ln_density(&p, *y);
            assert!((loss - expected).abs() < 1e-9, "{y}: {loss} {expected}");
        }
        Ok(())
    }
}
