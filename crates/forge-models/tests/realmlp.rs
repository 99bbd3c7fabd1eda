//! RealMLP: what it takes from training rows, and what its authors set.

use forge_models::{
    ModelConfig, RealMlp, RealMlpConfig, RobustScale, Strategy, TabularConfig, TabularInput,
    TabularModel, TabularRows, TabularSpec, TargetKind,
};
use forge_nn::burn::module::Module;
use forge_nn::burn::tensor::{Device, Int, Tensor, TensorData};
use forge_nn::{Mode, ModuleConfig, Network, StateDict, set_mode};
use forge_testkit::Noise;

const ROWS: usize = 201;

fn table() -> TabularSpec {
    TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![3, 7],
        d_out: 2,
    }
}

/// Skewed numbers of any size, `x → scale x + move`, and codes.
fn rows(scale: f64, shift: f64, device: &Device) -> TabularRows {
    let mut noise = Noise::new(5);
    let x: Vec<f64> = noise
        .tensor(&[ROWS, 3])
        .iter::<f64>()
        .map(|x| (x + 2.0).powi(3) * scale + shift)
        .collect();
    let codes: Vec<i64> = (0..ROWS as i64).flat_map(|i| [i % 3, i * i % 7]).collect();
    TabularRows {
        x_num: Some(Tensor::from_data(TensorData::new(x, [ROWS, 3]), device)),
        x_cat: Some(Tensor::<2, Int>::from_data(
            TensorData::new(codes, [ROWS, 2]),
            device,
        )),
        ..TabularRows::default()
    }
}

fn target(device: &Device) -> Tensor<2> {
    Tensor::from_data(Noise::new(6).tensor(&[ROWS, 2]), device) * 5.0 + 30.0
}

fn config() -> RealMlpConfig {
    RealMlpConfig {
        hidden_sizes: vec![17, 11],
        p_drop: 0.0,
        ..RealMlpConfig::narrow().sized_for(&table()).unwrap()
    }
}

fn started(config: &RealMlpConfig, rows: TabularRows, seed: u64) -> RealMlp {
    let device = Device::flex().autodiff();
    device.seed(seed);
    let model = config.init(&device).materialize();
    model.start_from(rows, Some(target(&device))).unwrap()
}

fn numbers(data: &TensorData) -> Vec<f64> {
    data.iter::<f64>().collect()
}

/// Mean and deviation of every column.
fn moments(x: &Tensor<2>) -> Vec<(f64, f64)> {
    let mean = x.clone().mean_dim(0);
    let std = (x.clone() - mean.clone()).square().mean_dim(0).sqrt();
    numbers(&mean.into_data())
        .into_iter()
        .zip(numbers(&std.into_data()))
        .collect()
}

/// The states of two models agree to `tolerance`.
fn close(a: &StateDict, b: &StateDict, tolerance: f64) -> bool {
    a.tensors.iter().all(|(name, data)| {
        let pairs = data.iter::<f64>().zip(b.tensors[name].iter::<f64>());
        name.starts_with("columns.scale")
            || pairs
                .into_iter()
                .all(|(a, b)| (a - b).abs() <= tolerance * a.abs().max(1.0))
    })
}

#[test]
fn pre_activations_start_with_variance_one_and_bend_where_rows_are() {
    let device = Device::flex().autodiff();
    let given = rows(1.0, 0.0, &device);
    let model = started(&config(), given.clone(), 3);
    let state = StateDict::from_module(&model.valid()).unwrap();
    let plain = Device::flex();
    let tensor = |name: &str| {
        let data = state.tensors[name].clone();
        let [a, b] = data.shape().as_slice().try_into().unwrap();
        Tensor::<2>::from_data(TensorData::new(numbers(&data), [a, b]), &plain)
    };
    // What the layers compute is known from the output: with the identity for activation.
    let linear = RealMlpConfig {
        use_parametric_act: true,
        hidden_sizes: vec![23],
        n_targets: 2,
        normalize_output: false,
        clamp_output: false,
        ..config()
    };
    let output = started(&linear, given.clone(), 3).valid();
    let y = output.forward(TabularInput::from(rows(1.0, 0.0, &plain)));
    let bias = StateDict::from_module(&output).unwrap().tensors["layers.1.bias"].clone();
    for ((mean, std), bias) in moments(&y).into_iter().zip(numbers(&bias)) {
        assert!((std - 1.0).abs() < 1e-3, "{std}");
        // Minus a mixture of what the rows give: near the middle of them.
        assert!(
            (mean - bias).abs() > 1e-6 && mean.abs() < 3.0,
            "{mean} {bias}"
        );
    }
    // Units of one layer have biases of their own.
    let biases = numbers(&tensor("layers.0.bias").into_data());
    assert!(biases.windows(2).all(|w| w[0] != w[1]));
    let ones = numbers(&tensor("front_scale").into_data());
    assert!(ones.iter().all(|one| *one == 1.0));
}

#[test]
fn a_start_follows_the_seed() {
    let device = Device::flex().autodiff();
    let state = |seed| {
        let model = started(&config(), rows(1.0, 0.0, &device), seed);
        StateDict::from_module(&model.valid()).unwrap()
    };
    assert_eq!(state(1), state(1));
    assert!(!close(&state(1), &state(2), 1e-2));
}

/// Standardising before the model, or any other unit, changes nothing but rounding.
#[test]
fn units_of_numbers_do_not_matter() {
    let device = Device::flex().autodiff();
    let model = |scale, shift| {
        let model = started(&config(), rows(scale, shift, &device), 1).valid();
        let y = model.forward(rows(scale, shift, &Device::flex()).into());
        (
            StateDict::from_module(&model).unwrap(),
            numbers(&y.into_data()),
        )
    };
    let ((a, y), (b, z)) = (model(1.0, 0.0), model(0.037, 1.9));
    assert!(close(&a, &b, 1e-2));
    for (y, z) in y.iter().zip(&z) {
        assert!((y - z).abs() < 1e-2 * y.abs(), "{y} {z}");
    }
}

#[test]
fn outputs_are_in_the_range_of_the_training_targets_unless_it_trains() {
    let device = Device::flex().autodiff();
    let model = started(&config(), rows(1.0, 0.0, &device), 1);
    let far = |device: &Device| TabularInput::from(rows(1e6, 1e6, device));
    let wild = numbers(&model.forward(far(&device)).into_data());
    let tame = numbers(&model.valid().forward(far(&Device::flex())).into_data());
    let targets = numbers(&target(&Device::flex()).into_data());
    let column = |slot: usize| targets.iter().skip(slot).step_by(2).copied();
    for (i, (wild, tame)) in wild.iter().zip(&tame).enumerate() {
        let low = column(i % 2).fold(f64::INFINITY, f64::min);
        let high = column(i % 2).fold(f64::NEG_INFINITY, f64::max);
        assert!((tame - wild.clamp(low, high)).abs() < 1e-4, "{wild} {tame}");
    }
    assert!(
        wild.iter()
            .zip(&tame)
            .any(|(wild, tame)| (wild - tame).abs() > 0.01)
    );
    // They have the targets' mean and deviation as unit, which none reaches here without clamping.
    let near = rows(1.0, 0.0, &device);
    let y = moments(&model.forward(near.into()).without_autodiff());
    assert!(
        y.iter()
            .all(|(mean, std)| (15.0..45.0).contains(mean) && *std < 12.0),
        "{y:?}"
    );
    // Nor where it is not told of targets.
    device.seed(1);
    let free = config()
        .init(&device)
        .start_from(rows(1.0, 0.0, &device), None)
        .unwrap();
    let y = numbers(&free.valid().forward(far(&Device::flex())).into_data());
    assert!(y.iter().any(|y| y.abs() > 1e-3) && y.iter().all(|y| y.is_finite()));
}

#[test]
fn rows_and_targets_that_do_not_fit_are_refused() {
    let device = Device::flex();
    let start = |rows: TabularRows, target: Option<Tensor<2>>| {
        let error = config().init(&device).start_from(rows, target).unwrap_err();
        assert!(error.is_shape(), "{error}");
        error.to_string()
    };
    let good = || rows(1.0, 0.0, &device);
    let narrow = TabularRows {
        x_num: good().x_num.map(|x| x.narrow(1, 0, 2)),
        ..good()
    };
    assert!(start(narrow, None).contains("[201, 2]"));
    let error = start(good(), Some(Tensor::zeros([ROWS, 3], &device)));
    assert!(
        error.contains("[201, 3]") && error.contains("[N, 2]"),
        "{error}"
    );
    let scale = RobustScale::new(3, &device).fitted(Tensor::zeros([2, 4], &device));
    assert!(scale.unwrap_err().is_shape());
}

#[test]
fn far_values_are_clipped_with_a_gradient() {
    let device = Device::flex().autodiff();
    let far = [-3e38_f32, -1e20, -1.0, 0.0, 1.0, 1e20, 3e38];
    let x = Tensor::<2>::from_data([far], &device).require_grad();
    let y = RobustScale::new(7, &device).forward(x.clone());
    let gradients = y.clone().sum().backward();
    let slopes = numbers(&x.grad(&gradients).unwrap().into_data());
    assert!(
        slopes.iter().all(|slope| (0.0..=1.0).contains(slope)),
        "{slopes:?}"
    );
    let y = numbers(&y.into_data());
    assert!(
        (y[0] + 3.0).abs() < 1e-6 && (y[6] - 3.0).abs() < 1e-6,
        "{y:?}"
    );
    assert!((y[4] - 1.0 / (10.0_f64 / 9.0).sqrt()).abs() < 1e-6);
}

#[test]
fn dropout_acts_in_hidden_layers_where_the_block_has_it() {
    let device = Device::flex();
    let varies = |block: &str| {
        let mut value = serde_json::to_value(config()).unwrap();
        value["block_str"] = block.into();
        value["p_drop"] = 0.5.into();
        let config: RealMlpConfig = serde_json::from_value(value).unwrap();
        let model = set_mode(config.init(&device), Mode::Sample);
        let run = || model.forward(rows(1e-3, 0.0, &device).into()).into_data();
        run() != run()
    };
    assert!(varies("w-b-a-d") && !varies("w-b-a"));
}

/// `RealMLP-TD` of pytabkit 1.7.3.
#[test]
fn the_accurate_preset_is_the_authors() {
    for (target, act, rate, ranged) in [
        (TargetKind::Classes, "selu", 0.04, false),
        (TargetKind::Numbers, "mish", 0.2, true),
    ] {
        let preset = ModelConfig::preset_for("realmlp", Strategy::Accurate, target).unwrap();
        let config = serde_json::to_value(&preset.config).unwrap();
        assert_eq!(config["hidden_sizes"], serde_json::json!([256, 256, 256]));
        assert_eq!(
            (&config["act"], &config["p_drop"]),
            (&act.into(), &0.15.into())
        );
        assert_eq!(config["clamp_output"], ranged);
        assert_eq!(config["normalize_output"], ranged);
        let training = preset.training;
        assert_eq!(
            (training.learning_rate, training.weight_decay),
            (rate, 0.02)
        );
        let recipe = ModelConfig::recipe("realmlp", Strategy::Accurate, target).unwrap();
        let trainer = serde_json::Value::Object(recipe.trainer);
        assert_eq!(
            (&trainer["epochs"], &trainer["batch_size"]),
            (&256.into(), &256.into())
        );
        assert_eq!(trainer["schedule"]["base_lr"], rate);
        assert_eq!(trainer["optimizer"]["beta_2"], 0.95);
        assert_eq!(recipe.objective.contains_key("label_smoothing"), !ranged);
    }
    assert_eq!(
        ModelConfig::recipe("tabular_mlp", Strategy::Accurate, TargetKind::Classes).unwrap(),
        Default::default()
    );
}

#[test]
fn categories_without_a_place_are_refused() {
    let without = |max: i64| {
        let mut value = serde_json::to_value(config()).unwrap();
        value["max_one_hot_cat_size"] = max.into();
        value["tfms"] =
            serde_json::json!(["one_hot", "median_center", "robust_scale", "smooth_clip"]);
        serde_json::from_value::<RealMlpConfig>(value)
            .unwrap()
            .validate()
    };
    without(-1).unwrap();
    without(7).unwrap();
    let error = without(6).unwrap_err().to_string();
    assert!(error.contains("cat_sizes[1] = 7"), "{error}");
    let odd = RealMlpConfig {
        num_emb_type: serde_json::from_str("\"plr\"").unwrap(),
        plr_hidden_1: 7,
        ..config()
    };
    assert!(
        odd.validate()
            .unwrap_err()
            .to_string()
            .contains("plr_hidden_1 = 7")
    );
}

/// Every kind of embedding and of output, on tables of every kind, counted and run.
#[test]
fn all_kinds_fit_together() {
    let device = Device::flex();
    for kind in ["pbld", "pblrd", "plr", "none"] {
        for (n_num_features, sizes) in
            [(3, vec![3, 7]), (3, vec![]), (0, vec![2, 9]), (0, vec![12])]
        {
            let spec = TabularSpec {
                n_num_features,
                cat_cardinalities: sizes,
                d_out: 1,
            };
            let config = RealMlpConfig {
                num_emb_type: serde_json::from_str(&format!("\"{kind}\"")).unwrap(),
                ..RealMlpConfig::narrow().sized_for(&spec).unwrap()
            };
            let given = forge_testkit::battery::rows_of(&spec, 19, 1, &device);
            let model = config
                .init(&device)
                .start_from(given.clone(), None)
                .unwrap();
            let y = numbers(&model.forward(given.into()).into_data());
            assert!(
                y.len() == 19 && y.iter().all(|y| y.is_finite()),
                "{kind} {spec:?}"
            );
            let state = StateDict::from_module(&model).unwrap();
            let names = forge_models::ReferenceWeights::to_reference(&config, &model).unwrap();
            assert_eq!(names.tensors.len(), state.tensors.len(), "{kind} {spec:?}");
        }
    }
}
