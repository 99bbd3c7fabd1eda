//! Robust scaling with smooth clipping.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_nn::ForgeError;
use forge_nn::ops::Axes;
use forge_nn::parameters::replace_value;

/// Where a value is cut off, smoothly.
const LARGEST: f64 = 3.0;
/// Beyond, the clipped value is `LARGEST` to the last digit; its square would leave f32.
const FAR: f64 = 1e8;

/// `z = (x - m) s`, then `z / √(1 + (z/3)²)`, which lies between -3 and 3.
///
/// `m` is the median of the training rows and `s` one over the distance of their quartiles; two over
/// that of the extremes where the quartiles are equal, 0 for a column that is constant (Holzmüller
/// et al. 2024, arXiv 2407.04491, section 3 and appendix). Both are buffers: saved and moved with the
/// module, never trained. The default is the identity before clipping.
#[derive(Module, Debug)]
pub struct RobustScale {
    /// `-m`, `[1, F]`.
    pub shift: Param<Tensor<2>>,
    /// `s`, `[1, F]`.
    pub scale: Param<Tensor<2>>,
}

impl RobustScale {
    /// Before any row was seen.
    #[must_use]
    pub fn new(columns: usize, device: &Device) -> Self {
        Self {
            shift: buffer(Tensor::zeros([1, columns], device)),
            scale: buffer(Tensor::ones([1, columns], device)),
        }
    }

    /// With the statistics of `rows`.
    ///
    /// # Shapes
    /// - rows: `[N, F]`, `N` at least 1
    ///
    /// # Errors
    /// A shape error for another width or no row; a weights error if the rows cannot be read back.
    pub fn fitted(self, rows: Tensor<2>) -> Result<Self, ForgeError> {
        let ([n, width], [_, expected]) = (rows.dims(), self.shift.val().dims());
        if n == 0 || width != expected {
            let (found, allowed) = (format!("[{n}, {width}]"), format!("[N, {expected}], N > 0"));
            return Err(ForgeError::shape("rows to scale by", found, allowed));
        }
        let read = |e: &dyn std::fmt::Display| {
            ForgeError::weights(format!("training rows cannot be read back: {e}"))
        };
        // Column by column.
        let data = rows.transposed().try_into_data_dtype(DType::F64);
        let values = data.map_err(|e| read(&e))?.try_into_vec::<f64>();
        let mut values = values.map_err(|e| read(&e))?;
        let statistics = values.chunks_mut(n).map(|column| {
            column.sort_unstable_by(f64::total_cmp);
            (-quantile(column, 0.5), scale_of(column))
        });
        let (shift, scale): (Vec<f64>, Vec<f64>) = statistics.unzip();
        Ok(Self {
            shift: with_values(self.shift, shift),
            scale: with_values(self.scale, scale),
        })
    }

    /// # Shapes
    /// - x, output: `[B, F]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let z = (x + self.shift.val()) * self.scale.val();
        let z = z.clamp(-FAR, FAR);
        let root = (z.clone().square() * LARGEST.powi(-2) + 1.0).sqrt();
        z * root.recip()
    }
}

/// One over the distance of the quartiles of sorted values, and what stands in for it.
fn scale_of(sorted: &[f64]) -> f64 {
    let (Some(low), Some(high)) = (sorted.first(), sorted.last()) else {
        return 0.0;
    };
    let spread = quantile(sorted, 0.75) - quantile(sorted, 0.25);
    let spread = if spread == 0.0 {
        0.5 * (high - low)
    } else {
        spread
    };
    match spread {
        0.0 => 0.0,
        // As the reference, which so bounds the scale of a column that hardly varies.
        spread => 1.0 / (spread + 1e-30),
    }
}

/// Of sorted values, at least one, interpolated linearly as NumPy's default.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

/// A parameter that is never trained.
pub(super) fn buffer(value: Tensor<2>) -> Param<Tensor<2>> {
    Param::from_tensor(value).set_require_grad(false)
}

/// The same parameter with other values, row by row.
pub(super) fn with_values(param: Param<Tensor<2>>, values: Vec<f64>) -> Param<Tensor<2>> {
    replace_value(param, |old| {
        let data = TensorData::new(values, old.shape());
        Tensor::from_data(data, (&old.device(), old.dtype()))
    })
}
