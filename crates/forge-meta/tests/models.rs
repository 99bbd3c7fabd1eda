//! Derivatives through every model of the registry.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};
use forge_graph::Tensors;
use forge_meta::functional::{Functional, Params};
use forge_models::{Model, ModelConfig, TabularInput, TabularRows};
use forge_nn::parameters::{ParameterMapper, ParameterPath, map_parameters};
use forge_nn::{Mode, ModuleConfig, Network, set_mode};
use forge_testkit::{Noise, battery, gradients_by_name};

use crate::functional::direction;
use crate::kinds::{curvature, host};

/// What a batch holds, in the order in which the function takes it.
#[derive(Debug, Clone, Copy)]
struct Parts {
    numeric: bool,
    categorical: bool,
    context: bool,
}

type Given = Vec<forge_graph::AnyTensor>;

fn listed(input: TabularInput) -> (Parts, Given) {
    let mut list = vec![];
    let mut rows = |rows: TabularRows| {
        let parts = (rows.x_num.is_some(), rows.x_cat.is_some());
        rows.x_num.into_iter().for_each(|x| x.list(&mut list));
        rows.x_cat.into_iter().for_each(|x| x.list(&mut list));
        parts
    };
    let (numeric, categorical) = rows(input.rows);
    let context = input.context.is_some();
    if let Some(context) = input.context {
        rows(context.rows);
        context.target.into_iter().for_each(|y| y.list(&mut list));
    }
    let parts = Parts {
        numeric,
        categorical,
        context,
    };
    (parts, list)
}

fn restored(parts: Parts, list: Given) -> TabularInput {
    let mut list = list.into_iter();
    let rows = |list: &mut std::vec::IntoIter<_>| TabularRows {
        x_num: parts.numeric.then(|| Tensors::restore(list).unwrap()),
        x_cat: parts.categorical.then(|| Tensors::restore(list).unwrap()),
        ..TabularRows::default()
    };
    let own = rows(&mut list);
    let context = parts.context.then(|| forge_models::Context {
        rows: rows(&mut list),
        target: Some(Tensors::restore(&mut list).unwrap()),
        ..forge_models::Context::default()
    });
    TabularInput {
        rows: own,
        context,
        target: None,
    }
}

/// Weights away from kinks, zeros and ties: a little noise on those that the model starts with.
fn spread(model: Model, dtype: DType) -> Model {
    struct Spread(Noise, DType);
    impl ParameterMapper for Spread {
        fn map<const D: usize>(
            &mut self,
            _: &ParameterPath,
            param: Param<Tensor<D>>,
        ) -> Param<Tensor<D>> {
            let trained = param.is_require_grad() || param.clone().train().is_require_grad();
            let data = self.0.tensor(&param.lazy_shape().to_vec());
            param.map(|old| {
                let tracked = old.is_require_grad();
                let device = old.device();
                let noise = Tensor::<D>::from_data(data, (&device, self.1));
                let old = old.detach().cast(self.1);
                let new = if trained { old + noise * 0.05 } else { old };
                match device.is_autodiff() {
                    true => new.detach().set_require_grad(tracked),
                    false => new,
                }
            })
        }
    }
    map_parameters(model, &mut Spread(Noise::new(11), dtype))
}

/// The loss of a batch: not linear in the outputs.
fn loss(model: &Model, input: TabularInput) -> Tensor<1> {
    let y = model.forward(input);
    let target = y.ones_like() * 0.3;
    let error = y - target;
    (error.clone() * error.clone() * (error * 0.2 + 1.0)).mean()
}

fn cast(list: &Given, dtype: DType) -> Given {
    let one = |tensor: &forge_graph::AnyTensor| match tensor.clone() {
        forge_graph::AnyTensor::Float(tensor) => {
            forge_graph::AnyTensor::float(Tensor::<1>::from_dispatch(tensor).cast(dtype))
        }
        other => other,
    };
    list.iter().map(one).collect()
}

/// One table per model: the first that it takes.
fn subjects() -> Vec<ModelConfig> {
    let mut subjects: Vec<ModelConfig> = vec![];
    for config in battery::subjects() {
        let columns = config.spec().cat_cardinalities.len();
        let wanted =
            config.capabilities().categorical == (columns == 2 && config.spec().n_num_features > 0);
        if wanted && subjects.iter().all(|other| other.name() != config.name()) {
            subjects.push(config);
        }
    }
    subjects
}

struct Measured {
    forward: f64,
    gradient: f64,
    curvature: f64,
    symmetry: f64,
    transposed: f64,
}

fn relative(found: &[f64], expected: &[f64]) -> f64 {
    let size = expected.iter().fold(1e-6f64, |size, x| size.max(x.abs()));
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
}

fn measure(config: &ModelConfig) -> Result<Measured, forge_nn::ForgeError> {
    let device = Device::flex();
    device.seed(3);
    let (parts, list) = listed(battery::input(config, 5, 1, &device));
    // f32: the replay against the direct call, on a device with gradients and without.
    let tracked = config.init(&device.clone().autodiff()).materialize();
    let tracked = set_mode(spread(tracked, DType::F32), Mode::Evaluate);
    let f = Functional::capture(&tracked, move |model: &Model, list: Given| {
        loss(model, restored(parts, list))
    });
    let params = Params::of(&tracked);
    let (value, gradient) = f.value_and_grad(&params, list.clone())?;
    let value = value.into_scalar::<f32>() as f64;
    let direct = loss(&tracked, restored(parts, list.clone()));
    let expected = direct.clone().into_scalar::<f32>() as f64;
    let expected_gradients = gradients_by_name(&tracked, &direct.backward());
    let mut burns = vec![];
    for (name, tensor) in gradient.iter() {
        match expected_gradients.get(name) {
            Some(data) => burns.extend(data.iter::<f64>()),
            None => burns.extend(vec![0.0; tensor.shape().iter().product()]),
        }
    }
    // f64: second derivatives.
    let model = set_mode(config.init(&device).materialize(), Mode::Evaluate);
    let model = spread(model, DType::F64);
    let list = cast(&list, DType::F64);
    let f = Functional::capture(&model, move |model: &Model, list: Given| {
        loss(model, restored(parts, list))
    });
    let outputs = Functional::capture(&model, move |model: &Model, list: Given| {
        model.forward(restored(parts, list))
    });
    let params = Params::of(&model);
    let (u, v) = (direction(&params, 3), direction(&params, 4));
    // The direction has unit length: what is inside does not get far, and meets few kinks.
    let unit = |d: Params| {
        let length = d.norm().map(|n| n.into_scalar::<f64>()).unwrap_or(1.0);
        d.scale(1.0 / length)
    };
    let (u, v) = (unit(u), unit(v));
    let (exact, numeric) = curvature(&f, &params, &v, &list, 1e-5);
    let dot = |a: &Params, b: &Params| a.dot(b).map(|x| x.into_scalar::<f64>());
    let along_u = f.hvp(&params, &u, list.clone())?;
    let along_v = f.hvp(&params, &v, list.clone())?;
    let (one, other) = (dot(&u, &along_v)?, dot(&v, &along_u)?);
    let scale = along_v.norm()?.into_scalar::<f64>();
    let (y, along) = outputs.jvp(&params, &v, list.clone())?;
    let weights = y.ones_like() + y;
    let (_, back) = outputs.vjp(&params, list, weights.clone())?;
    let forward = (along.clone() * weights.clone()).sum().into_scalar::<f64>();
    let backward = dot(&back, &v)?;
    let size = along.abs().sum().into_scalar::<f64>().max(1e-6);
    Ok(Measured {
        forward: (value - expected).abs() / expected.abs().max(1e-6),
        gradient: relative(&host(&gradient), &burns),
        curvature: relative(&numeric, &exact),
        symmetry: (one - other).abs() / scale.max(1e-6),
        transposed: (forward - backward).abs() / size,
    })
}

/// Models whose forward pass reads computed values back to the host.
const READ_BACK: &[&str] = &["tabr", "act_mlp"];

#[test]
fn every_model_has_exact_derivatives() {
    let named = std::env::var("FORGE_TEST_MODELS").ok();
    let mut problems = vec![];
    for config in subjects() {
        let name = config.name();
        if named
            .as_ref()
            .is_some_and(|named| !named.split(',').any(|n| n == name))
        {
            continue;
        }
        let start = std::time::Instant::now();
        match measure(&config) {
            Err(error) if READ_BACK.contains(&name) => {
                let refused =
                    error.is_unsupported() && error.to_string().contains("back to the host");
                assert!(refused, "{name}: {error}");
            }
            Err(error) => problems.push(format!("{name}: {error}")),
            Ok(found) => {
                let line = format!(
                    "{name}: replay {:.1e}, gradient {:.1e}, curvature {:.1e}, symmetry {:.1e}, \
                     transposed {:.1e} in {:.1} s",
                    found.forward,
                    found.gradient,
                    found.curvature,
                    found.symmetry,
                    found.transposed,
                    start.elapsed().as_secs_f64(),
                );
                let good = found.forward <= 1e-6
                    && found.gradient <= 1e-5
                    && found.curvature <= 1e-5
                    && found.symmetry <= 1e-10
                    && found.transposed <= 1e-10;
                if !good {
                    problems.push(line);
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
