//! From few knots to all steps.

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// The cubic convolution kernel's free parameter, PyTorch's.
const A: f64 = -0.75;

/// What lies between knots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NHitsInterpolation {
    /// The knot before, as far as its cell reaches.
    Nearest,
    /// A line from knot to knot.
    #[default]
    Linear,
    /// Cubic convolution over four knots (Keys 1981, `a = -0.75`).
    Cubic,
}

impl NHitsInterpolation {
    /// What each of `knots` knots adds to each of `steps` steps; knots lie in the middle of their
    /// cells, and beyond the first and the last stand those again.
    ///
    /// # Shapes
    /// - output: `[knots, steps]`
    pub(super) fn weights(
        self,
        knots: usize,
        steps: usize,
        device: &Device,
        dtype: DType,
    ) -> Tensor<2> {
        let mut weights = vec![0.0; knots * steps];
        for step in 0..steps {
            for (knot, weight) in self.of_step(knots, steps, step) {
                let knot = knot.clamp(0, knots as i64 - 1) as usize;
                weights[knot * steps + step] += weight;
            }
        }
        Tensor::from_data(TensorData::new(weights, [knots, steps]), (device, dtype))
    }

    /// The knots that a step is made of, and how much of each; some may lie outside.
    fn of_step(self, knots: usize, steps: usize, step: usize) -> Vec<(i64, f64)> {
        let scale = knots as f64 / steps as f64;
        let place = (step as f64 + 0.5) * scale - 0.5;
        match self {
            // In whole numbers: a product may fall just below the knot that it is.
            Self::Nearest => vec![((step * knots / steps) as i64, 1.0)],
            Self::Linear => {
                let place = place.max(0.0);
                let rest = place.fract();
                let knot = place as i64;
                vec![(knot, 1.0 - rest), (knot + 1, rest)]
            }
            Self::Cubic => {
                let (knot, rest) = (place.floor() as i64, place - place.floor());
                let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
                let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
                vec![
                    (knot - 1, far(rest + 1.0)),
                    (knot, near(rest)),
                    (knot + 1, near(1.0 - rest)),
                    (knot + 2, far(2.0 - rest)),
                ]
            }
        }
    }
}
