//! `num_embedding_bins`: where bins begin and end, against `rtdl_num_embeddings` and scikit-learn.

use burn::tensor::TensorData;
use forge_nn::num_embeddings::{BinTargets, Binning};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Config {
    Quantile { n_bins: usize },
    TreeRegression(Tree),
    TreeClassification(Tree),
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    n_bins: usize,
    min_samples_leaf: usize,
    min_impurity_decrease: f64,
}

impl From<&Tree> for Binning {
    fn from(tree: &Tree) -> Self {
        Self::Tree {
            n_bins: tree.n_bins,
            min_samples_leaf: tree.min_samples_leaf,
            min_impurity_decrease: tree.min_impurity_decrease,
        }
    }
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let &[_, features] = session.shape("input/x")?.as_slice() else {
        return Err(OracleError::new("input/x has not 2 axes"));
    };
    let x = session.values("input/x")?;
    let y = match config {
        Config::Quantile { .. } => vec![],
        _ => session.values("input/y")?,
    };
    let classes = y.iter().fold(0.0_f64, |most, class| most.max(*class)) as usize + 1;
    let binning = match &config {
        Config::Quantile { n_bins } => Binning::Quantile { n_bins: *n_bins },
        Config::TreeRegression(tree) | Config::TreeClassification(tree) => tree.into(),
    };
    let targets = BinTargets {
        values: &y,
        slots: 1,
        n_classes: matches!(config, Config::TreeClassification(_)).then_some(classes),
    };
    let mut edges = vec![];
    let mut counts: Vec<i64> = vec![];
    for j in 0..features {
        let column: Vec<f64> = x.iter().skip(j).step_by(features).copied().collect();
        let of_column = binning.edges(j, &column, targets)?;
        counts.push(of_column.len() as i64);
        edges.extend(of_column);
    }
    let total = edges.len();
    session.compare("output/n_edges", TensorData::new(counts, [features]));
    session.compare("output/edges", TensorData::new(edges, [total]));
    Ok(())
}
