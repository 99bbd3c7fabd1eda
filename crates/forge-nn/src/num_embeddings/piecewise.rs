//! How far a number has come through each bin.

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};

use super::Binning;
use crate::ForgeError;
use crate::config_macro::config;

/// Most edges of a feature.
const MOST: usize = 4_097;

config! {
    /// How far a number has come through each bin: nothing learnt.
    pub struct PiecewiseLinearEncodingConfig {
        /// How the bins are found in training data.
        #[config(default = Binning::default())]
        pub binning: Binning,
        /// The edges of each feature's bins, rising, at least two. Set from training data unless
        /// `binning` is `given`.
        #[config(default = Vec::new())]
        pub bins: Vec<Vec<f64>>,
    }
}

impl PiecewiseLinearEncodingConfig {
    pub(super) fn validate(&self, n_features: usize) -> Result<(), ForgeError> {
        check_bins(&self.binning, &self.bins, n_features)
    }

    /// Number of bins of all features.
    pub(super) fn width(&self) -> usize {
        self.bins
            .iter()
            .map(|edges| edges.len().saturating_sub(1))
            .sum()
    }
}

/// One list of edges per feature, each rising.
pub(super) fn check_bins(
    binning: &Binning,
    bins: &[Vec<f64>],
    n_features: usize,
) -> Result<(), ForgeError> {
    binning.validate()?;
    let field = "num_embeddings.bins";
    if bins.is_empty() && n_features > 0 {
        let allowed = format!(
            "the edges of the bins of {n_features} feature(s): they are found in training rows by \
             fitted_to (an estimator calls it), or given together with \
             num_embeddings.binning.kind = given"
        );
        return Err(ForgeError::config(field, "empty", allowed));
    }
    if bins.len() != n_features {
        let found = format!("{} list(s)", bins.len());
        let allowed = format!("one list of edges for each of {n_features} feature(s)");
        return Err(ForgeError::config(field, found, allowed));
    }
    for (j, edges) in bins.iter().enumerate() {
        let field = format!("{field}[{j}]");
        if !(2..=MOST).contains(&edges.len()) {
            let found = format!("{} edge(s)", edges.len());
            return Err(ForgeError::config(
                &field,
                found,
                format!("2 to {MOST} edges"),
            ));
        }
        let rises = |pair: &[f64]| pair.iter().all(|edge| edge.is_finite()) && pair[0] < pair[1];
        if let Some(at) = edges.windows(2).position(|pair| !rises(pair)) {
            let found = format!("…, {}, {}, …", edges[at], edges[at + 1]);
            return Err(ForgeError::config(&field, found, "finite and rising"));
        }
    }
    Ok(())
}

/// For bin `t` with edges `b_t`, `(x - b_t) / (b_{t+1} - b_t)`, cut at 0 below and at 1 above, but
/// not below in a feature's first bin nor above in its last: equation 1 of arXiv 2203.05556 v4, with
/// numbers outside continued as in `rtdl_num_embeddings` 0.0.12.
#[derive(Module, Debug)]
pub struct PiecewiseLinearEncoding {
    #[module(skip)]
    slots: Slots,
    #[module(skip)]
    features: Vec<i32>,
    n_features: usize,
}

impl PiecewiseLinearEncoding {
    pub(super) fn new(bins: &[Vec<f64>]) -> Self {
        let mut slots = Slots::default();
        let mut features = Vec::new();
        for (j, edges) in bins.iter().enumerate() {
            (0..edges.len() - 1).for_each(|t| slots.push(edges, t));
            features.resize(slots.left.len(), j as i32);
        }
        Self {
            slots,
            features,
            n_features: bins.len(),
        }
    }

    pub(super) fn n_features(&self) -> usize {
        self.n_features
    }

    /// The bins of all features one after the other.
    ///
    /// # Shapes
    /// - x: `[B, F]`
    /// - output: `[B, T]`, `T` bins in all
    ///
    /// # Panics
    /// If `x` is not `F` wide.
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [batch, width] = x.dims();
        assert!(
            width == self.n_features,
            "x is [{batch}, {width}], expected [B, {}]",
            self.n_features
        );
        let features = TensorData::new(self.features.clone(), [self.features.len()]);
        let features = Tensor::<1, Int>::from_data(features, &x.device());
        self.slots
            .fill(x.select(1, features), [1, self.features.len()])
    }
}

/// Places for bins: where each starts, one over its width, and where its value is cut. Kept in f64
/// and brought to a tensor's own type where they are used.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    left: Vec<f64>,
    inverse: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Slots {
    /// Adds bin `t` of these edges.
    pub(super) fn push(&mut self, edges: &[f64], t: usize) {
        self.left.push(edges[t]);
        self.inverse.push(1.0 / (edges[t + 1] - edges[t]));
        self.low.push(if t == 0 { f64::NEG_INFINITY } else { 0.0 });
        let last = t + 2 == edges.len();
        self.high.push(if last { f64::INFINITY } else { 1.0 });
    }

    /// Adds places without a bin, whose value is 0.
    pub(super) fn skip(&mut self, places: usize) {
        let length = self.left.len() + places;
        for list in [
            &mut self.left,
            &mut self.inverse,
            &mut self.low,
            &mut self.high,
        ] {
            list.resize(length, 0.0);
        }
    }

    /// The values in places of this `shape`, for numbers `x` that broadcast to it.
    pub(super) fn fill<const D: usize>(&self, x: Tensor<D>, shape: [usize; D]) -> Tensor<D> {
        let options = (&x.device(), x.dtype());
        let place =
            |list: &[f64]| Tensor::<D>::from_data(TensorData::new(list.to_vec(), shape), options);
        let value = (x - place(&self.left)) * place(&self.inverse);
        value.max_pair(place(&self.low)).min_pair(place(&self.high))
    }
}
