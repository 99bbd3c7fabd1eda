//! From the columns of a table to the input of the first layer.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};
use forge_nn::ForgeError;

use super::options::NumEmbedding;
use super::{OneHot, RealMlpConfig, RealMlpNumericEmbedding, RobustScale};
use crate::TabularRows;
use crate::tabular::beside::beside;

/// Numbers scaled and embedded, then small categories as scaled one-hot columns, then other
/// categories by tables.
#[derive(Module, Debug)]
pub struct RealMlpColumns {
    /// Of the numbers; where they are not embedded, of numbers and one-hot columns together.
    pub scale: Option<RobustScale>,
    /// Absent where there are no numbers, or they are not embedded.
    pub numeric_embedding: Option<RealMlpNumericEmbedding>,
    /// Of the one-hot columns, where numbers are embedded.
    pub one_hot_scale: Option<RobustScale>,
    /// A table `[C, E]` per other categorical feature.
    pub embeddings: Vec<Param<Tensor<2>>>,
    /// Positions of their features.
    #[module(skip)]
    embedded: Vec<usize>,
    #[module(skip)]
    one_hot: OneHot,
    #[module(skip)]
    cat_sizes: Vec<usize>,
    n_num_features: usize,
}

impl RealMlpColumns {
    pub(super) fn new(config: &RealMlpConfig, device: &Device) -> Self {
        let (n, one_hot) = (config.n_num_features, OneHot::new(config.categories(true)));
        let scale = |columns| (columns > 0).then(|| RobustScale::new(columns, device));
        let (scale, one_hot_scale) = match config.num_emb_type {
            NumEmbedding::None => (scale(n + one_hot.width()), None),
            _ => (scale(n), scale(one_hot.width())),
        };
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        let width = config.embedding_size;
        let tables = config.categories(false);
        Self {
            scale,
            numeric_embedding: RealMlpNumericEmbedding::new(config, device),
            one_hot_scale,
            embeddings: tables
                .map(|(_, codes)| normal.init([codes, width], device))
                .collect(),
            embedded: config.categories(false).map(|(at, _)| at).collect(),
            one_hot,
            cat_sizes: config.cat_sizes.clone(),
            n_num_features: n,
        }
    }

    /// Number of numeric features.
    #[must_use]
    pub fn n_num_features(&self) -> usize {
        self.n_num_features
    }

    /// Number of codes of each categorical feature.
    #[must_use]
    pub fn cat_sizes(&self) -> &[usize] {
        &self.cat_sizes
    }

    /// With the statistics of training rows.
    pub(super) fn fitted(self, rows: &TabularRows) -> Result<Self, ForgeError> {
        let (joint, apart) = self.unscaled(rows);
        let fit = |scale: Option<RobustScale>, x: Option<Tensor<2>>| match (scale, x) {
            (Some(scale), Some(x)) => scale.fitted(x).map(Some),
            (scale, _) => Ok(scale),
        };
        Ok(Self {
            scale: fit(self.scale, joint)?,
            one_hot_scale: fit(self.one_hot_scale, apart)?,
            ..self
        })
    }

    /// The input of the first layer.
    ///
    /// # Shapes
    /// - rows: as the model's input
    /// - output: `[B, D_in]`
    pub fn embed(&self, rows: TabularRows) -> Tensor<2> {
        let (joint, apart) = self.unscaled(&rows);
        let scaled = |scale: &Option<RobustScale>, x: Option<Tensor<2>>| {
            scale.as_ref().zip(x).map(|(scale, x)| scale.forward(x))
        };
        let numbers = scaled(&self.scale, joint).map(|x| match &self.numeric_embedding {
            Some(embedding) => embedding.forward(x),
            None => x,
        });
        let mut parts: Vec<Tensor<2>> = numbers.into_iter().collect();
        parts.extend(scaled(&self.one_hot_scale, apart));
        if let Some(codes) = rows.x_cat {
            let of_feature = |at: usize| -> Tensor<1, Int> {
                let codes = codes.clone().narrow(1, at, 1);
                codes.squeeze_dim(1)
            };
            let tables = self.embeddings.iter().zip(&self.embedded);
            parts.extend(tables.map(|(table, at)| table.val().select(0, of_feature(*at))));
        }
        beside(parts)
    }

    /// What [`scale`](Self::scale) takes, and what [`one_hot_scale`](Self::one_hot_scale) does.
    fn unscaled(&self, rows: &TabularRows) -> (Option<Tensor<2>>, Option<Tensor<2>>) {
        let scale = self.scale.as_ref().or(self.one_hot_scale.as_ref());
        let one_hot = match (&rows.x_cat, scale) {
            (Some(codes), Some(scale)) if self.one_hot.width() > 0 => Some(
                self.one_hot
                    .forward(codes.clone(), scale.shift.val().dtype()),
            ),
            _ => None,
        };
        let numbers = rows.x_num.clone();
        if self.one_hot_scale.is_some() {
            return (numbers, one_hot);
        }
        let both: Vec<_> = numbers.into_iter().chain(one_hot).collect();
        ((!both.is_empty()).then(|| Tensor::cat(both, 1)), None)
    }
}
