//! Classification by the nearest mean.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use forge_nn::{ForgeError, check};

/// What prototypes say of an episode.
#[derive(Debug, Clone)]
pub struct Episode {
    /// The mean embedding of each class, `[N, D]`.
    pub prototypes: Tensor<2>,
    /// Minus the squared distances of the queries to them, `[Q, N]`.
    pub logits: Tensor<2>,
    /// `log_softmax` of the logits, `[Q, N]`.
    pub log_probabilities: Tensor<2>,
}

/// Prototypical networks: a class is the mean of its embedded samples, and a query is of a class with
/// a probability that falls with the squared Euclidean distance. Snell, Swersky & Zemel, arXiv
/// 1703.05175, eq. 1 and 2.
///
/// Differentiable in both; what embeds is any module.
///
/// # Shapes
/// - support: `[N, K, D]`, class by class
/// - queries: `[Q, D]`
///
/// # Errors
/// A config error with less than 2 classes or no sample; a shape error if the widths differ.
pub fn prototypical(support: Tensor<3>, queries: Tensor<2>) -> Result<Episode, ForgeError> {
    let ([ways, shots, width], [rows, own]) = (support.dims(), queries.dims());
    check::in_range("classes of the support set", ways, 2..=usize::MAX)?;
    check::at_least_one("samples of a class", shots)?;
    if own != width {
        return Err(ForgeError::shape("the width of the queries", own, width));
    }
    let prototypes = support.mean_dim(1).reshape([ways, width]);
    let away = queries.reshape([rows, 1, width]) - prototypes.clone().reshape([1, ways, width]);
    let logits = away.square().sum_dim(2).reshape([rows, ways]).neg();
    Ok(Episode {
        prototypes,
        log_probabilities: log_softmax(logits.clone(), 1),
        logits,
    })
}

impl Episode {
    /// The mean negative log-probability of the true classes, `[1]`.
    ///
    /// # Shapes
    /// - classes: `[Q]`, below the number of classes
    #[must_use]
    pub fn loss(&self, classes: Tensor<1, Int>) -> Tensor<1> {
        let said = self
            .log_probabilities
            .clone()
            .gather(1, classes.unsqueeze_dim(1));
        said.mean().neg()
    }

    /// The part of the queries whose class is the most probable, `[1]`.
    ///
    /// # Shapes
    /// - classes: `[Q]`
    #[must_use]
    pub fn accuracy(&self, classes: Tensor<1, Int>) -> Tensor<1> {
        let rows = classes.dims()[0];
        let said = self.logits.clone().argmax(1).reshape([rows]);
        let right = said.equal(classes).float();
        right.cast(self.logits.dtype()).mean()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn one_class_is_refused() {
        let device = Device::flex();
        let (support, queries) = (
            Tensor::ones([1, 3, 2], &device),
            Tensor::ones([5, 2], &device),
        );
        let error = prototypical(support, queries)
            .err()
            .map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("classes of the support set = 1")));
    }
}
