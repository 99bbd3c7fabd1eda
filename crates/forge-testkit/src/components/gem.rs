//! `gem`: projected gradients against a solver of quadratic programs.

use burn::tensor::{Tensor, TensorData};
use forge_meta::continual::{Gem, GemConfig};
use forge_meta::functional::{ParamTensor, Params};

use crate::oracle::{OracleError, Session};

fn params(values: Tensor<1>) -> Params {
    Params::from_entries([("gradient".to_string(), ParamTensor::new(values))])
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: GemConfig = session.config()?;
    let gradient = session.input::<1>("gradient")?.inner();
    let memories = session.input::<2>("memories")?.inner();
    let [count, width] = memories.dims();
    let memories: Vec<Params> = (0..count)
        .map(|at| params(memories.clone().narrow(0, at, 1).reshape([width])))
        .collect();
    let gradient = params(gradient);
    let projection = Gem::new(config)?.project(&gradient, &memories)?;
    let dots = |with: &Params| -> Result<TensorData, OracleError> {
        let dots = memories
            .iter()
            .map(|memory| Ok(memory.dot(with)?.into_scalar::<f64>()));
        let dots = dots.collect::<Result<Vec<f64>, OracleError>>()?;
        Ok(TensorData::new(dots, [count]))
    };
    session.compare("output/dot_before", dots(&gradient)?);
    session.compare("output/dot_after", dots(&projection.gradient)?);
    session.compare("output/dual", TensorData::new(projection.dual, [count]));
    let violated = i64::from(projection.violated);
    session.compare("output/violated", TensorData::new(vec![violated], [1]));
    session.output("projected", projection.gradient.get::<1>("gradient")?)
}
