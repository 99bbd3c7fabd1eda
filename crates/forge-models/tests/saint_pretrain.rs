//! Pre-training of SAINT.

use forge_models::{
    ReferenceWeights, SaintConfig, SaintCorruption, SaintPretrainer, SaintPretrainerConfig,
    TabularConfig, TabularInput, TabularRows, TabularSpec,
};
use forge_nn::burn::module::Module;
use forge_nn::burn::optim::{AdamConfig, GradientsParams};
use forge_nn::burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use forge_nn::{ModuleConfig, Network, StateDict, Subset};
use forge_testkit::{battery, gradients_by_name};

const ROWS: usize = 6;

fn table() -> TabularSpec {
    TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![2, 7],
        d_out: 2,
    }
}

fn config() -> SaintPretrainerConfig {
    SaintPretrainerConfig {
        cutmix: 0.4,
        ..SaintPretrainerConfig::of(SaintConfig {
            dim: 4,
            ..SaintConfig::narrow().sized_for(&table()).unwrap()
        })
    }
}

fn rows(device: &Device) -> TabularRows {
    battery::rows_of(&table(), ROWS, 1, device)
}

fn value(loss: Tensor<1>) -> f64 {
    loss.into_data().iter::<f64>().sum()
}

/// Row `i` takes cells of row `i + 1` where `cut` says so, and is mixed with row `i + 2`.
fn corruption(device: &Device) -> SaintCorruption {
    let turned = |by: usize| {
        let order: Vec<i64> = (0..ROWS).map(|row| ((row + by) % ROWS) as i64).collect();
        Tensor::<1, Int>::from_data(TensorData::new(order, [ROWS]), device)
    };
    let cut = |columns: usize| -> Tensor<2, Bool> {
        let cells: Vec<i64> = (0..ROWS * columns)
            .map(|cell| i64::from(cell % 3 == 0))
            .collect();
        let data = TensorData::new(cells, [ROWS, columns]);
        Tensor::<2, Int>::from_data(data, device).equal_elem(1)
    };
    SaintCorruption {
        cut_from: turned(1),
        num_cut: Some(cut(3)),
        cat_cut: Some(cut(2)),
        mix_with: turned(2),
    }
}

#[test]
fn cells_and_tokens_come_from_other_rows() {
    let device = Device::flex();
    let given = TabularRows {
        num_present: Some(cells([1, 0, 1, 1, 1, 1], [2, 3], &device)),
        ..TabularInput::numeric(Tensor::from_data([[1., 2., 3.], [4., 5., 6.]], &device)).rows
    };
    let swap = Tensor::<1, Int>::from_data([1, 0], &device);
    let corruption = SaintCorruption {
        cut_from: swap.clone(),
        num_cut: Some(cells([1, 1, 0, 0, 1, 0], [2, 3], &device)),
        cat_cut: None,
        mix_with: swap,
    };
    let cut = corruption.cut(&given);
    let x: Vec<f64> = cut.x_num.unwrap().into_data().iter().collect();
    assert_eq!(x, [4., 5., 3., 4., 2., 6.]);
    // What is known of a cell's presence goes where the cell goes.
    let present: Vec<i64> = cut.num_present.unwrap().int().into_data().iter().collect();
    assert_eq!(present, [1, 1, 1, 1, 0, 1]);
    assert!(cut.x_cat.is_none() && cut.cat_present.is_none());
    let tokens = Tensor::<3>::from_data([[[10.0]], [[20.0]]], &device);
    let mixed: Vec<f64> = corruption.mix(tokens, 0.25).into_data().iter().collect();
    assert_eq!(mixed, [17.5, 12.5]);
}

fn cells<const N: usize>(cells: [i64; N], shape: [usize; 2], device: &Device) -> Tensor<2, Bool> {
    let data = TensorData::new(cells.to_vec(), shape);
    Tensor::<2, Int>::from_data(data, device).equal_elem(1)
}

#[test]
fn drawn_corruptions_permute_rows_and_replace_the_asked_share() {
    let device = Device::flex();
    device.seed(3);
    let spec = TabularSpec {
        n_num_features: 20,
        ..table()
    };
    let rows = battery::rows_of(&spec, 200, 1, &device);
    let drawn = SaintCorruption::draw(&rows, 0.1, &device);
    for order in [&drawn.cut_from, &drawn.mix_with] {
        let mut order: Vec<i64> = order.clone().into_data().iter().collect();
        order.sort_unstable();
        assert_eq!(order, (0..200).collect::<Vec<i64>>());
    }
    let cells = drawn.num_cut.unwrap().int().into_data();
    let share = cells.iter::<i64>().sum::<i64>() as f64 / 4_000.0;
    // Five standard deviations of a share of 4000 cells.
    assert!((share - 0.1).abs() < 0.024, "{share}");
    assert_ne!(
        drawn.cut_from.into_data(),
        drawn.mix_with.into_data(),
        "one order for both"
    );
}

/// The loss by plain loops over what the parts give: equation (5) of arXiv 2106.01342 with the
/// reference's factors, on the states of this very module.
#[test]
fn the_loss_is_the_papers() {
    let device = Device::flex();
    device.seed(5);
    let config = config();
    let model = config.init(&device);
    let (rows, corruption) = (rows(&device), corruption(&device));
    let loss = value(model.loss_under(rows.clone(), &corruption).unwrap());

    let weights = StateDict::from_module(&model).unwrap();
    let encode = |rows: TabularRows, mixed: bool| -> Vec<Vec<Vec<f64>>> {
        let encoder = model.clone().into_encoder();
        let tokens = encoder.tokenizer().forward(rows);
        let tokens = match mixed {
            true => corruption.mix(tokens, config.mixup),
            false => tokens,
        };
        let x = encoder.forward(tokens);
        let [_, tokens, width] = x.dims();
        let flat: Vec<f64> = x.into_data().iter().collect();
        let rows = flat.chunks(tokens * width);
        rows.map(|row| row.chunks(width).map(<[f64]>::to_vec).collect())
            .collect()
    };
    let clean = encode(rows.clone(), false);
    let corrupted = encode(corruption.cut(&rows), true);
    let network = |name: &str, x: &[f64]| -> Vec<f64> {
        let linear = |layer: &str, x: &[f64]| -> Vec<f64> {
            let tensor = |kind: &str| -> Vec<f64> {
                weights.tensors[&format!("heads.{name}.{layer}.{kind}")]
                    .iter()
                    .collect()
            };
            let (weight, bias) = (tensor("weight"), tensor("bias"));
            let out = bias.len();
            let sum = |j: usize| {
                x.iter()
                    .enumerate()
                    .map(|(i, x)| x * weight[i * out + j])
                    .sum::<f64>()
            };
            (0..out).map(|j| bias[j] + sum(j)).collect()
        };
        let hidden: Vec<f64> = linear("input", x).iter().map(|h| h.max(0.0)).collect();
        linear("output", &hidden)
    };
    let project = |name: &str, row: &[Vec<f64>]| {
        let unit = row.iter().flat_map(|token| {
            let length = token.iter().map(|x| x * x).sum::<f64>().sqrt();
            token.iter().map(move |x| x / length)
        });
        network(name, &unit.collect::<Vec<_>>())
    };
    let entropy = |logits: &[f64], code: usize| {
        logits.iter().map(|z| z.exp()).sum::<f64>().ln() - logits[code]
    };
    let z: Vec<_> = clean.iter().map(|row| project("projection", row)).collect();
    let w: Vec<_> = corrupted
        .iter()
        .map(|row| project("corrupted_projection", row))
        .collect();
    let logit = |i: usize, j: usize| {
        z[i].iter().zip(&w[j]).map(|(a, b)| a * b).sum::<f64>() / config.temperature
    };
    let mut expected = 0.0;
    for i in 0..ROWS {
        let along: Vec<f64> = (0..ROWS).map(|j| logit(i, j)).collect();
        let across: Vec<f64> = (0..ROWS).map(|j| logit(j, i)).collect();
        expected += 0.5 * (entropy(&along, i) + entropy(&across, i)) / 2.0;
    }
    let codes: Vec<i64> = rows.x_cat.unwrap().into_data().iter().collect();
    let numbers: Vec<f64> = rows.x_num.unwrap().into_data().iter().collect();
    for (i, row) in corrupted.iter().enumerate() {
        for j in 0..2 {
            let logits = network(&format!("categories.{j}"), &row[1 + j]);
            expected += entropy(&logits, codes[i * 2 + j] as usize);
        }
        for j in 0..3 {
            let guess = network(&format!("numbers.{j}"), &row[3 + j])[0];
            expected += 10.0 * (guess - numbers[i * 3 + j]).powi(2) / 3.0;
        }
    }
    expected /= ROWS as f64;
    assert!(
        (loss - expected).abs() < 1e-5 * expected,
        "{loss}, expected {expected}"
    );
}

/// What is missing is neither read nor to be guessed.
#[test]
fn missing_cells_are_not_guessed() {
    let device = Device::flex();
    let model = config().init(&device);
    let nothing = |columns| Tensor::<2, Int>::zeros([ROWS, columns], &device).equal_elem(1);
    let all_missing = TabularRows {
        num_present: Some(nothing(3)),
        cat_present: Some(nothing(2)),
        x_num: Some(Tensor::full([ROWS, 3], f64::NAN, &device)),
        ..rows(&device)
    };
    // All rows are the same then: the contrastive loss is that of a uniform guess.
    let loss = value(model.loss_under(all_missing, &corruption(&device)).unwrap());
    let expected = 0.5 * (ROWS as f64).ln();
    assert!(
        (loss - expected).abs() < 1e-4,
        "{loss}, expected {expected}"
    );
}

#[test]
fn every_parameter_learns_and_the_loss_falls() {
    let device = Device::flex().autodiff();
    device.seed(1);
    let config = config();
    let mut model = config.init(&device);
    let gaps = |rows: TabularRows| TabularRows {
        num_present: Some(cells(
            [1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1],
            [ROWS, 3],
            &device,
        )),
        cat_present: Some(cells(
            [1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
            [ROWS, 2],
            &device,
        )),
        ..rows
    };
    let loss = model.loss(gaps(rows(&device))).unwrap();
    let gradients = gradients_by_name(&model, &loss.backward());
    let state = StateDict::from_module(&model).unwrap();
    for name in state.tensors.keys() {
        let sum: f64 = gradients
            .get(name)
            .map_or(0.0, |g| g.iter::<f64>().map(f64::abs).sum());
        assert!(
            sum.is_finite() && sum > 0.0,
            "gradient of {name} sums to {sum}"
        );
    }
    let before = value(
        model
            .valid()
            .loss_under(
                rows(&device.clone().inner()),
                &corruption(&device.clone().inner()),
            )
            .unwrap(),
    );
    let mut optimizer = AdamConfig::new().init();
    for _ in 0..150 {
        let loss = model
            .loss_under(rows(&device), &corruption(&device))
            .unwrap();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(5e-3, model, gradients);
    }
    let plain = device.inner();
    let after = value(
        model
            .valid()
            .loss_under(rows(&plain), &corruption(&plain))
            .unwrap(),
    );
    assert!(after < 0.8 * before, "{before} fell to {after} only");
}

/// A model goes on with a pre-trained encoder, handed over or from a file of the whole module.
#[test]
fn the_encoder_goes_into_a_model() {
    let device = Device::flex();
    let config = config();
    let pretrained = config.init(&device);
    let model = config.model.init(&device);
    let y = |model: &forge_models::Saint| model.forward(rows(&device).into()).into_data();
    let before = y(&model);

    let state = StateDict::from_module(&pretrained).unwrap();
    let shared = |state: &StateDict| -> Vec<String> {
        let names = state.tensors.keys();
        names
            .filter(|name| name.starts_with(SaintPretrainer::SHARED))
            .cloned()
            .collect()
    };
    let own = StateDict::from_module(&model).unwrap();
    assert_eq!(shared(&state), shared(&own));
    let subset = Subset::all().only("encoder");
    let (loaded, report) = state.load_subset(model.clone(), &subset).unwrap();
    assert_eq!(report.loaded, shared(&own));

    let handed = model
        .with_encoder(pretrained.clone().into_encoder())
        .unwrap();
    assert_ne!(y(&handed), before);
    assert_eq!(y(&handed), y(&loaded));

    let other = SaintConfig {
        dim: 5,
        ..config.model
    };
    let error = other
        .init(&device)
        .with_encoder(pretrained.into_encoder())
        .unwrap_err();
    assert!(error.is_weights(), "{error}");
}

#[test]
fn bad_fields_and_bad_rows_are_refused_by_name() {
    let with = |change: &dyn Fn(&mut SaintPretrainerConfig)| {
        let mut config = config();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    };
    for bad in [f64::NAN, -0.1, f64::INFINITY] {
        assert!(with(&|c| c.cutmix = bad).contains("cutmix"));
        assert!(with(&|c| c.mixup = bad).contains("mixup"));
        assert!(with(&|c| c.temperature = bad).contains("temperature"));
        assert!(with(&|c| c.contrastive_weight = bad).contains("contrastive_weight"));
        assert!(with(&|c| c.category_weight = bad).contains("category_weight"));
        assert!(with(&|c| c.number_weight = bad).contains("number_weight"));
    }
    assert!(with(&|c| c.model.depth = 0).contains("depth"));
    let device = Device::flex();
    let model = config().init(&device);
    let bare = TabularRows {
        x_cat: None,
        ..rows(&device)
    };
    assert!(model.loss(bare).unwrap_err().is_shape());
    assert!(model.loss(TabularRows::default()).unwrap_err().is_shape());
    let beyond = TabularRows {
        x_cat: rows(&device).x_cat.map(|codes| codes.full_like(7)),
        ..rows(&device)
    };
    let error = model.loss(beyond).unwrap_err().to_string();
    assert!(error.contains("x_cat[0, 0]"), "{error}");
}

/// The same names and shapes as the authors' pre-training, where they have a place.
#[test]
fn names_are_the_references() {
    let device = Device::flex();
    let config = config();
    let model = config.init(&device);
    let made: usize = model.num_params();
    assert_eq!(forge_models::ParameterCount::parameter_count(&config), made);
    let reference = config.to_reference(&model).unwrap();
    let shape = |name: &str| reference.tensors[name].shape().to_vec();
    // 6 tokens 4 wide: 24, 6 · 24 / 5 = 28, 24 / 2 = 12.
    assert_eq!(shape("pt_mlp.layers.0.weight"), [28, 24]);
    assert_eq!(shape("pt_mlp2.layers.2.weight"), [12, 28]);
    assert_eq!(shape("mlp1.layers.2.layers.2.weight"), [7, 20]);
    assert_eq!(shape("mlp2.layers.0.layers.0.weight"), [20, 4]);
    let again = config.load_reference(&reference, &device).unwrap();
    let tensors = |model| StateDict::from_module(model).unwrap().tensors;
    assert_eq!(tensors(&again), tensors(&model));
    // A checkpoint of the whole reference is one of the model too, its heads left out.
    let mut whole = reference;
    let head = config
        .model
        .to_reference(&config.model.init(&device))
        .unwrap();
    whole.tensors.extend(
        head.tensors
            .into_iter()
            .filter(|(name, _)| name.starts_with("mlpfory")),
    );
    config.load_reference(&whole, &device).unwrap();
    config.model.load_reference(&whole, &device).unwrap();
}
