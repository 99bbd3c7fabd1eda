//! `packnet`: owners, masks and weights against the authors' rule.

use burn::tensor::TensorData;
use forge_meta::continual::{PackNet, PackNetConfig};
use forge_meta::functional::{ParamTensor, Params};

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    prune_fraction: f64,
    n_tasks: u32,
    layers: Vec<String>,
}

pub(super) fn run(session: &Session<'_>) -> Result<(), OracleError> {
    let config: Config = session.config()?;
    let layers = config.layers;
    let given = |what: &str| -> Result<Params, OracleError> {
        let tensors = layers.iter().map(|layer| {
            let tensor = session.input::<2>(&format!("{what}/{layer}"))?.inner();
            Ok((layer.clone(), ParamTensor::new(tensor)))
        });
        Ok(Params::from_entries(
            tensors.collect::<Result<Vec<_>, OracleError>>()?,
        ))
    };
    let show = |what: String, params: &Params| {
        for (layer, tensor) in params.iter() {
            session.compare(
                &format!("output/{what}/{layer}"),
                tensor.clone().into_data(),
            );
        }
    };
    let gradient = given("grad")?;
    let pack = PackNetConfig {
        prune_fraction: config.prune_fraction,
        layers: layers.clone(),
    };
    let mut net = PackNet::new(pack, &gradient)?;
    let mut last = None;
    for task in 1..=config.n_tasks {
        let owners = |net: &PackNet, what: &str| {
            for (layer, tensor) in gradient.iter() {
                let owners = net.owners(layer).unwrap_or_default().iter();
                let owners: Vec<i64> = owners.map(|owner| i64::from(*owner)).collect();
                let data = TensorData::new(owners, tensor.shape());
                session.compare(&format!("output/{what}_{task}/{layer}"), data);
            }
        };
        owners(&net, "mask_before");
        show(
            format!("masked_grad_{task}"),
            &net.masked_gradient(&gradient),
        );
        let pruned = net.prune(&given(&format!("task_{task}"))?)?;
        owners(&net, "mask");
        show(format!("weight_{task}"), &pruned);
        last = Some(pruned);
        if task < config.n_tasks {
            net.next_task()?;
        }
    }
    if let Some(last) = last {
        for task in 1..=config.n_tasks {
            show(format!("inference_{task}"), &net.network_of(task, &last)?);
        }
    }
    Ok(())
}
