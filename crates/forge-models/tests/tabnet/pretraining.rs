//! The pre-training network: against the package, and what it leaves in a model.

use std::collections::BTreeMap;
use std::path::Path;

use forge_models::{
    Model, ModelConfig, ParameterCount, ReferenceWeights, TabNet, TabNetConfig, TabNetPretrainer,
    TabNetPretrainerConfig, TabularConfig, TabularRows, TabularSpec,
};
use forge_nn::burn::module::Module;
use forge_nn::burn::optim::{AdamWConfig, GradientsParams};
use forge_nn::burn::tensor::{DType, Device, Int, Tensor, TensorData};
use forge_nn::{ModuleConfig, StateDict};
use forge_testkit::{Noise, gradients_by_name};

/// `pretrainer.safetensors`, in one element type; see `generate.py` beside it.
struct Case {
    tensors: BTreeMap<String, TensorData>,
    config: TabNetPretrainerConfig,
    dtype: DType,
}

impl Case {
    fn read(dtype: DType) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tabnet/pretrainer.safetensors");
        let (state, metadata) = StateDict::read_safetensors(path).unwrap();
        let mut config: serde_json::Value = serde_json::from_str(&metadata["decoder"]).unwrap();
        config["model"] = serde_json::from_str(&metadata["config"]).unwrap();
        config["model"]["output_dim"] = 1.into();
        Self {
            tensors: state.tensors,
            config: serde_json::from_value(config).unwrap(),
            dtype,
        }
    }

    fn get(&self, key: &str) -> TensorData {
        let data = self.tensors[key].clone();
        match data.dtype().is_float() {
            true => data.convert_dtype(self.dtype),
            false => data,
        }
    }

    /// Everything under `prefix`, without it.
    fn under(&self, prefix: &str) -> BTreeMap<String, TensorData> {
        let names = self
            .tensors
            .keys()
            .filter_map(|key| key.strip_prefix(prefix));
        names
            .map(|name| (name.to_string(), self.get(&format!("{prefix}{name}"))))
            .collect()
    }

    fn pretrainer(&self, device: &Device) -> TabNetPretrainer {
        let checkpoint = StateDict {
            tensors: self.under("param/"),
        };
        self.config.load_reference(&checkpoint, device).unwrap()
    }

    fn float<const D: usize>(&self, key: &str, device: &Device) -> Tensor<D> {
        Tensor::from_data(self.get(key), (device, self.dtype))
    }

    fn rows(&self, x_num: Tensor<2>) -> TabularRows {
        let codes = Tensor::<2, Int>::from_data(self.get("input/x_cat"), &x_num.device());
        TabularRows {
            x_num: Some(x_num),
            x_cat: Some(codes),
            ..TabularRows::default()
        }
    }
}

/// To `tolerance` of the largest value expected; to 1e-10, or 1e-6 of the largest of all in f32,
/// where that is about zero.
fn assert_close(
    title: &str,
    found: &BTreeMap<String, TensorData>,
    expected: &BTreeMap<String, TensorData>,
    tolerance: f64,
) {
    let size = |data: &TensorData| data.iter::<f64>().map(f64::abs).fold(0.0, f64::max);
    let all = expected.values().map(size).fold(0.0, f64::max);
    let names = |map: &BTreeMap<String, TensorData>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{title}");
    for (name, expected) in expected {
        let found = &found[name];
        assert_eq!(found.shape(), expected.shape(), "{title} {name}");
        let values = found.iter::<f64>().zip(expected.iter::<f64>());
        let error = values.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let error = error / size(expected).max(1e-2 * all);
        assert!(
            error <= tolerance,
            "{title} of {name} differs by {error:.1e}"
        );
    }
}

fn one(tensor: Tensor<1>) -> BTreeMap<String, TensorData> {
    let data = tensor.into_data();
    let data = TensorData::from_bytes(data.bytes().clone(), Vec::<usize>::new(), data.dtype());
    [(String::new(), data)].into()
}

fn agrees(dtype: DType, tolerance: f64, gradient_tolerance: f64) {
    let case = Case::read(dtype);
    let device = Device::flex().autodiff();
    let pretrainer = case.pretrainer(&device);
    let x_num = case.float::<2>("input/x_num", &device).require_grad();
    let hidden = case.float("input/hidden", &device);
    let loss = pretrainer.loss_where(case.rows(x_num.clone()), hidden);
    let title = |what: &str| format!("{dtype:?} {what}");
    let found = one(loss.clone());
    assert_close(
        &title("loss"),
        &found,
        &case.under("output/loss"),
        tolerance,
    );

    let gradients = loss.backward();
    let map = case.config.key_map();
    let found = map
        .to_reference(&gradients_by_name(&pretrainer, &gradients))
        .unwrap();
    let expected = case.under("grad/");
    assert_close(&title("gradients"), &found, &expected, gradient_tolerance);
    let found = x_num.grad(&gradients).unwrap().into_data();
    let found = [("x_num".to_string(), found)].into();
    let expected = case.under("grad_input/");
    assert_close(
        &title("input gradient"),
        &found,
        &expected,
        gradient_tolerance,
    );

    let mut after = case.config.to_reference(&pretrainer).unwrap().tensors;
    after.retain(|name, _| name.contains("running"));
    assert_close(
        &title("statistics"),
        &after,
        &case.under("after/"),
        tolerance,
    );

    let plain = Device::flex();
    let validation = case
        .pretrainer(&plain)
        .validation_loss(case.rows(case.float("input/x_num", &plain)));
    let expected = case.under("output/validation_loss");
    assert_close(
        &title("validation loss"),
        &one(validation),
        &expected,
        tolerance,
    );
}

#[test]
fn pretraining_agrees_with_the_package() {
    agrees(DType::F64, 1e-9, 1e-9);
    agrees(DType::F32, 1e-5, 1e-4);
}

#[test]
fn parameters_are_counted() {
    let config = Case::read(DType::F64).config;
    let state = StateDict::from_module(&config.init(&Device::flex())).unwrap();
    let trained = state
        .tensors
        .iter()
        .filter(|(name, _)| !name.contains("running_"));
    let made: usize = trained.map(|(_, data)| data.num_elements()).sum();
    assert_eq!(config.parameter_count(), made);
}

fn table() -> TabularSpec {
    TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![4],
        d_out: 2,
    }
}

/// Numeric columns that follow from one another, and a code that says where they lie.
fn rows(device: &Device) -> TabularRows {
    const ROWS: usize = 64;
    let mut noise = Noise::new(5);
    let base: Vec<f64> = (0..ROWS).map(|_| noise.uniform()).collect();
    let numbers = base
        .iter()
        .flat_map(|x| [*x, 1.0 - x, 2.0 * x * x])
        .collect();
    let codes = base.iter().map(|x| (2.0 * (x + 1.0)) as i64).collect();
    let numbers = TensorData::new::<f64, _>(numbers, [ROWS, 3]).convert::<f32>();
    let codes = TensorData::new::<i64, _>(codes, [ROWS, 1]);
    TabularRows {
        x_num: Some(Tensor::from_data(numbers, device)),
        x_cat: Some(Tensor::from_data(codes, device)),
        ..TabularRows::default()
    }
}

fn config() -> TabNetConfig {
    TabNetConfig {
        virtual_batch_size: 32,
        ..TabNetConfig::narrow().sized_for(&table()).unwrap()
    }
}

fn state<M: Module>(module: &M) -> BTreeMap<String, TensorData> {
    StateDict::from_module(module).unwrap().tensors
}

/// The network after some steps of AdamW, and its loss on the whole rows before and after.
fn trained(steps: usize) -> (TabNetPretrainer, f32, f32) {
    let (plain, device) = (Device::flex(), Device::flex().autodiff());
    device.seed(7);
    let mut pretrainer = TabNetPretrainerConfig::of(config()).init(&device);
    let loss = |pretrainer: &TabNetPretrainer| -> f32 {
        pretrainer
            .valid()
            .validation_loss(rows(&plain))
            .into_scalar()
    };
    let before = loss(&pretrainer);
    let mut optimizer = AdamWConfig::new().init();
    for _ in 0..steps {
        let gradients = pretrainer.loss(rows(&device)).backward();
        let gradients = GradientsParams::from_grads(gradients, &pretrainer);
        pretrainer = optimizer.step(2e-2, pretrainer, gradients);
    }
    let after = loss(&pretrainer);
    (pretrainer, before, after)
}

#[test]
fn the_reconstruction_improves() {
    let (_, before, after) = trained(120);
    // A guess of every column's mean has a loss of about 1.
    assert!(after < 0.8 && after < 0.5 * before, "{before} to {after}");
}

#[test]
fn the_encoder_arrives_in_the_model_and_nothing_else_does() {
    let (pretrainer, _, _) = trained(3);
    let device = Device::flex().autodiff();
    device.seed(8);
    let fresh: TabNet = config().init(&device);
    let (from, before) = (state(&pretrainer), state(&fresh));
    assert!(from.keys().any(|name| name.starts_with("decoder.")));
    let model = pretrainer.start(fresh).unwrap();
    let after = state(&model);
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    for (name, data) in &after {
        match name.starts_with("encoder.") {
            true => assert_eq!(data, &from[name], "{name}"),
            false => assert_eq!(data, &before[name], "{name}"),
        }
    }
    assert_ne!(
        after["encoder.shared.0.weight"],
        before["encoder.shared.0.weight"]
    );
}

/// By the names alone, as from a file, into the enum of all models.
#[test]
fn a_state_of_the_pretrainer_loads_into_any_holder_of_the_model() {
    let (pretrainer, _, _) = trained(1);
    let model: Model = ModelConfig::from(config()).init(&Device::flex());
    let state = StateDict::from_module(&pretrainer).unwrap();
    let (model, report) = state
        .load_subset(model, &TabNetPretrainer::subset())
        .unwrap();
    assert_eq!(report.kept, ["head.weight"]);
    assert!(
        report
            .unused
            .iter()
            .all(|name| name.starts_with("decoder."))
    );
    let expected = pretrainer.start(config().init(&Device::flex())).unwrap();
    let (found, expected) = (self::state(&model), self::state(&expected));
    let encoder = |state: BTreeMap<String, TensorData>| -> Vec<TensorData> {
        let tensors = state.into_iter();
        let of_encoder = tensors.filter(|(name, _)| name.starts_with("encoder."));
        of_encoder.map(|(_, data)| data).collect()
    };
    assert_eq!(encoder(found), encoder(expected));
}

#[test]
fn an_encoder_of_another_size_is_refused() {
    let (pretrainer, _, _) = trained(0);
    let wide = TabNetConfig { n_d: 9, ..config() };
    let error = pretrainer.start(wide.init(&Device::flex())).unwrap_err();
    assert!(error.is_weights(), "{error}");
    assert!(
        error.to_string().contains("encoder.shared.0.weight"),
        "{error}"
    );
}

#[test]
fn bad_settings_are_named() {
    for ratio in [0.0, 1.0, -0.1, f64::NAN] {
        let config = TabNetPretrainerConfig {
            pretraining_ratio: ratio,
            ..TabNetPretrainerConfig::of(config())
        };
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains("pretraining_ratio"), "{error}");
    }
    let config = TabNetPretrainerConfig {
        n_indep_decoder: usize::MAX,
        ..TabNetPretrainerConfig::of(config())
    };
    let error = config.validate().unwrap_err().to_string();
    assert!(error.contains("n_indep_decoder"), "{error}");
}
