//! Averaging weights as far as that helps.

use burn::module::Module;
use forge_nn::ForgeError;

use super::average_weights;
use crate::metric::Direction;

/// What [`greedy_soup`] makes.
#[derive(Debug, Clone)]
pub struct GreedySoup<M> {
    /// The mean of the chosen ingredients, in inference mode.
    pub module: M,
    /// Which were chosen, by position, the best single one first.
    pub ingredients: Vec<usize>,
    /// The score of `module`.
    pub score: f64,
}

/// The greedy soup of several modules of one structure (Wortsman et al. 2022, algorithm 1): they
/// are taken from the best to the worst by their own score, and each stays in the mean only if the
/// mean is then at least as good as without. So the soup is never worse than the best ingredient,
/// on the rows that `score` looks at.
///
/// `prepare` is given every mean before it is scored, for what does not follow from the weights:
/// compute **batch statistics** anew there
/// ([`recompute_statistics`](super::recompute_statistics)), or return it as it is. Single
/// ingredients are scored as they are. Equally good ones come in the order given; one whose score
/// is NaN comes last and is never chosen.
///
/// ```
/// use forge_nn::burn::nn::LinearConfig;
/// use forge_nn::burn::tensor::Device;
/// use forge_train::averaging::greedy_soup;
/// use forge_train::metric::Direction;
///
/// let lines = [0, 1, 2].map(|_| LinearConfig::new(3, 1).init(&Device::flex()));
/// let norm = |line: &_| -> f64 {
///     let line: &forge_nn::burn::nn::Linear = line;
///     line.weight.val().square().sum().into_scalar::<f32>().into()
/// };
/// let soup = greedy_soup(&lines, Direction::Minimize, Ok, |line| Ok(norm(line)))?;
/// assert!(lines.iter().all(|line| soup.score <= norm(line)));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
///
/// # Errors
/// A config error without modules, or if no score is a number; what `prepare` and `score` find; a
/// weights error if the modules differ in structure.
pub fn greedy_soup<M: Module>(
    modules: &[M],
    direction: Direction,
    mut prepare: impl FnMut(M) -> Result<M, ForgeError>,
    mut score: impl FnMut(&M) -> Result<f64, ForgeError>,
) -> Result<GreedySoup<M>, ForgeError> {
    let mut order = Vec::with_capacity(modules.len());
    for (i, module) in modules.iter().enumerate() {
        let alone = score(module)?;
        if !alone.is_nan() {
            order.push((i, alone));
        }
    }
    order.sort_by(|(_, a), (_, b)| match direction {
        Direction::Minimize => a.total_cmp(b),
        Direction::Maximize => b.total_cmp(a),
    });
    let mut order = order.into_iter();
    let Some((first, alone)) = order.next() else {
        let value = format!("{} without a score", modules.len());
        return Err(ForgeError::config(
            "modules",
            value,
            "at least one that has a score",
        ));
    };
    let mut soup = GreedySoup {
        module: modules[first].valid(),
        ingredients: vec![first],
        score: alone,
    };
    for (next, _) in order {
        let tried = soup.ingredients.iter().chain([&next]);
        let mean = prepare(average_weights(tried.map(|i| &modules[*i]))?)?.valid();
        let found = score(&mean)?;
        if !found.is_nan() && !direction.improves(soup.score, found, 0.0) {
            soup.module = mean;
            soup.ingredients.push(next);
            soup.score = found;
        }
    }
    Ok(soup)
}
