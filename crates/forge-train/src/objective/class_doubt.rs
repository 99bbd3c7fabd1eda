//! How unsure probabilities of classes are.

/// The doubt about each row's class, in nats, as entropies: with `pₖ` the probabilities of way `k`, `p`
/// their mean and `H(p) = -Σ p ln p`, all of it is `H(p)`, the mean of the `H(pₖ)` is aleatoric, and what
/// is left, the mutual information of class and way, epistemic. 0 to `ln C` each. Depeweg et al., arXiv
/// 1710.07283, eq. 5.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassDoubt {
    /// Doubt that each of the ways has on its own `[N]`: of the data.
    pub aleatoric: Vec<f64>,
    /// Doubt because the ways say different things `[N]`: of the model.
    pub epistemic: Vec<f64>,
}

impl ClassDoubt {
    /// From what each way says, `[N x C]` each, and their mean.
    #[must_use]
    pub fn of(each: &[Vec<f64>], mean: &[f64], classes: usize) -> Self {
        let classes = classes.max(1);
        let n = each.len() as f64;
        let rows = mean.chunks_exact(classes).enumerate();
        let (aleatoric, epistemic) = rows
            .map(|(row, mean)| {
                let own = |way: &Vec<f64>| entropy(&way[row * classes..][..classes]) / n;
                let aleatoric = each.iter().map(own).sum::<f64>();
                // Never below 0 but for rounding: entropy is concave.
                (aleatoric, (entropy(mean) - aleatoric).max(0.0))
            })
            .unzip();
        Self {
            aleatoric,
            epistemic,
        }
    }

    /// Both together, `H(p)` of each row `[N]`.
    #[must_use]
    pub fn total(&self) -> Vec<f64> {
        let both = self.aleatoric.iter().zip(&self.epistemic);
        both.map(|(a, e)| a + e).collect()
    }
}

/// `-Σ p ln p`.
fn entropy(p: &[f64]) -> f64 {
    let terms = p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln());
    terms.sum()
}
