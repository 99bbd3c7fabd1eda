//! `swag`: moments, deviations and draws against the authors' code.

use burn::tensor::{Tensor, TensorData};
use forge_meta::bayesian::{Swag, SwagConfig};
use forge_meta::functional::{ParamTensor, Params};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    max_rank: usize,
    #[serde(rename = "n_snapshots")]
    _n_snapshots: usize,
    scale: f64,
    var_clamp: f64,
}

fn params(values: Tensor<1>) -> Params {
    Params::from_entries([("theta".to_string(), ParamTensor::new(values))])
}

fn values(params: &Params) -> Result<Tensor<1>, OracleError> {
    Ok(params.get::<1>("theta")?)
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let snapshots = session.input::<2>("snapshots")?.inner();
    let config = SwagConfig {
        max_rank: config.max_rank,
        scale: config.scale,
        var_clamp: config.var_clamp,
    };
    let mut swag = Swag::new(config, &snapshots.device())?;
    let [count, width] = snapshots.dims();
    for at in 0..count {
        let one = snapshots.clone().narrow(0, at, 1).reshape([width]);
        swag.collect(&params(one))?;
    }
    let (mean, variance) = (values(swag.mean()?)?, values(&swag.variance()?)?);
    session.output("mean", mean.clone())?;
    session.output("variance", variance.clone())?;
    session.output("sq_mean", variance + mean.square())?;
    let deviations = swag.deviations().map(values);
    let deviations = deviations.collect::<Result<Vec<_>, _>>()?;
    session.output("deviations", Tensor::stack::<2>(deviations, 0))?;
    let diagonal = params(session.input::<1>("z_diag")?.inner());
    let low_rank = session.values("input/z_low_rank")?;
    let drawn = swag.sample_with(&diagonal, Some(&low_rank))?;
    session.output("sample", values(&drawn)?)?;
    let drawn = swag.sample_with(&diagonal, None)?;
    session.output("sample_diag_only", values(&drawn)?)?;
    let mut covariance = vec![];
    for column in 0..width {
        let mut unit = vec![0.0; width];
        unit[column] = 1.0;
        let unit = TensorData::new::<f64, _>(unit, [width]);
        let (device, dtype) = (snapshots.device(), snapshots.dtype());
        let unit = params(Tensor::from_data(
            unit.convert_dtype(dtype),
            (&device, dtype),
        ));
        covariance.push(values(&swag.covariance_times(&unit)?)?);
    }
    session.output("covariance", Tensor::stack::<2>(covariance, 1))
}
