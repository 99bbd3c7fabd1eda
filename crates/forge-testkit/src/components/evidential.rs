//! `evidential`: `forge_train::loss::Evidence` against the authors' NIG losses and scipy's Student t.

use burn::tensor::Tensor;
use forge_train::loss::Evidence;

use super::losses::compare;
use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(rename = "loss")]
    _loss: String,
    parametrization: Parametrization,
    coeff: f64,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Parametrization {
    Direct,
    Raw,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let names: &[&str] = match config.parametrization {
        Parametrization::Direct => &["gamma", "nu", "alpha", "beta"],
        Parametrization::Raw => &["raw"],
    };
    let evidence = |x: &[Tensor<2>]| match x {
        [mean, nu, alpha, beta] => Evidence {
            mean: mean.clone(),
            nu: nu.clone(),
            alpha: alpha.clone(),
            beta: beta.clone(),
        },
        _ => Evidence::from_raw(x[0].clone()),
    };
    let target = session.input_rows("target")?;
    let inputs = names.iter().map(|name| session.input_rows(name));
    let said = evidence(&inputs.collect::<Result<Vec<_>, _>>()?);
    session.output("nll", said.nll(target.clone()))?;
    session.output("reg", said.regulariser(target.clone()))?;
    session.output("aleatoric", said.aleatoric())?;
    session.output("epistemic", said.epistemic())?;
    compare(session, names, |x| {
        let said = evidence(x);
        let wrong = said.regulariser(target.clone()).mul_scalar(config.coeff);
        said.nll(target.clone()).add(wrong)
    })
}
