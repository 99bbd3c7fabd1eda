//! Rotary positions.

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::config_macro::config;
use crate::ops::{RotaryLayout, rotary};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`RotaryEmbedding`].
    pub struct RotaryEmbeddingConfig {
        /// Features of a head that are turned: `n`, even, at least 2. The rest pass through.
        pub rotary_dim: usize,
        /// Base of the frequencies, above 0.
        #[config(default = 10000.0)]
        pub theta: f64,
        /// Which features make a pair.
        #[config(default = RotaryLayout::HalfSplit)]
        pub layout: RotaryLayout,
    }
}

/// Rotary position embedding: turns pairs of features by an angle that grows with the position, so
/// that scores depend on distances only.
///
/// Pair `i` at position `p` turns by `p · θ^(-2i/n)`:
/// `(a, b) → (a cos - b sin, b cos + a sin)`.
///
/// Su et al., "RoFormer", arXiv 2104.09864, equations (15) and (34). It has no parameters. Angles
/// are computed in f64 whatever the tensor's type, so far positions keep their accuracy.
#[derive(Module, Debug)]
pub struct RotaryEmbedding {
    rotary_dim: usize,
    theta: f64,
    #[module(skip)]
    layout: RotaryLayout,
}

/// Cosines and sines of a set of positions, to be shared by all layers and by queries and keys.
#[derive(Debug, Clone)]
pub struct RotaryTables {
    /// `[T, n/2]`.
    pub cos: Tensor<2>,
    /// `[T, n/2]`.
    pub sin: Tensor<2>,
}

impl ModuleConfig for RotaryEmbeddingConfig {
    type Module = RotaryEmbedding;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("rotary_dim", self.rotary_dim)?;
        if !self.rotary_dim.is_multiple_of(2) {
            return Err(ForgeError::config("rotary_dim", self.rotary_dim, "even"));
        }
        check::positive("theta", self.theta)
    }

    fn build(&self, _device: &Device) -> RotaryEmbedding {
        RotaryEmbedding {
            rotary_dim: self.rotary_dim,
            theta: self.theta,
            layout: self.layout,
        }
    }
}

impl RotaryEmbedding {
    /// Cosines and sines of any positions: they need not start at 0, be in order or contiguous.
    ///
    /// # Shapes
    /// - positions: `T` of them
    /// - tables: `[T, n/2]`
    #[must_use]
    pub fn tables(&self, positions: &[i64], device: &Device, dtype: DType) -> RotaryTables {
        let pairs = self.rotary_dim / 2;
        let frequencies: Vec<f64> = (0..pairs)
            .map(|i| self.theta.powf(-2.0 * i as f64 / self.rotary_dim as f64))
            .collect();
        let angles: Vec<f64> = positions
            .iter()
            .flat_map(|&position| frequencies.iter().map(move |f| position as f64 * f))
            .collect();
        let table = |function: fn(f64) -> f64| {
            let values: Vec<f64> = angles.iter().copied().map(function).collect();
            let data = TensorData::new(values, [positions.len(), pairs]);
            Tensor::from_data(data, (device, dtype))
        };
        RotaryTables {
            cos: table(f64::cos),
            sin: table(f64::sin),
        }
    }

    /// Turns queries or keys at positions `offset`, `offset + 1`, …; with a cache, `offset` is the
    /// number of positions before.
    ///
    /// # Shapes
    /// - input and output: `[B, H, T, D]`
    ///
    /// # Panics
    /// If a head is narrower than `rotary_dim`.
    pub fn forward(&self, x: Tensor<4>, offset: usize) -> Tensor<4> {
        let start = offset as i64;
        let positions: Vec<i64> = (start..start + x.dims()[2] as i64).collect();
        let tables = self.tables(&positions, &x.device(), x.dtype());
        self.rotate(x, &tables)
    }

    /// Turns queries or keys by given tables.
    ///
    /// # Shapes
    /// - input and output: `[B, H, T, D]`
    ///
    /// # Panics
    /// If a head is narrower than `rotary_dim` or the tables have another length.
    pub fn rotate(&self, x: Tensor<4>, tables: &RotaryTables) -> Tensor<4> {
        assert!(
            x.dims()[3] >= self.rotary_dim && tables.cos.dims()[0] == x.dims()[2],
            "rotary embedding of {} features at {} positions got {:?}",
            self.rotary_dim,
            tables.cos.dims()[0],
            x.dims()
        );
        rotary(x, tables.cos.clone(), tables.sin.clone(), self.layout)
    }
}
