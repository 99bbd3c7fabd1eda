//! How TabM starts, and what its members are.

use forge_models::{
    ModelConfig, StartScaling, TabMArch, TabMConfig, TabularInput, TabularModel, TrainingRows,
};
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::num_embeddings::{LinearEmbeddingsConfig, NumEmbeddings};
use forge_nn::{ModuleConfig, Network, StateDict, Want};
use forge_testkit::battery;

const K: usize = 5;

/// Two numbers and two categories of three and two codes.
fn config(arch_type: TabMArch) -> TabMConfig {
    TabMConfig {
        n_num_features: 2,
        cat_cardinalities: vec![3, 2],
        d_out: 2,
        n_blocks: 2,
        d_block: 16,
        k: K,
        arch_type,
        ..TabMConfig::default()
    }
}

const ARCHS: [TabMArch; 3] = [TabMArch::TabM, TabMArch::Mini, TabMArch::Packed];

fn state(config: &TabMConfig) -> StateDict {
    let device = Device::flex();
    device.seed(4);
    StateDict::from_module(&config.init(&device)).unwrap()
}

fn values(state: &StateDict, name: &str) -> Vec<f64> {
    state.tensors[name].iter().collect()
}

#[test]
fn every_architecture_does_what_models_do() {
    let device = Device::flex();
    for arch in ARCHS {
        let config = ModelConfig::from(config(arch));
        battery::documented_shape(&config, &device);
        battery::eval_is_deterministic(&config, &device);
        battery::every_parameter_learns(&config, &device);
        battery::parameter_count_is_right(&config, &device);
        battery::state_round_trip_is_bit_identical(&config, &device);
        battery::storage_of_parameters_does_not_matter(&config, &device);
        battery::rows_stand_alone(&config, &device);
        battery::declared_inputs_matter(&config, &device);
    }
}

#[test]
fn members_start_apart_and_share_all_else() {
    let scaled = state(&config(TabMArch::TabM));
    for name in ["blocks.0.s", "blocks.1.r", "blocks.1.s"] {
        assert!(values(&scaled, name).iter().all(|x| *x == 1.0), "{name}");
    }
    // One sign per feature and member: columns 2..5 and 5..7 are the categories.
    let signs = values(&scaled, "blocks.0.r");
    assert!(signs.iter().all(|x| x.abs() == 1.0));
    assert!(signs.contains(&1.0) && signs.contains(&-1.0));
    for row in signs.chunks(7) {
        assert!(
            row[2..5].iter().all(|x| *x == row[2]) && row[5] == row[6],
            "{row:?}"
        );
    }
    for i in 0..2 {
        let biases = values(&scaled, &format!("blocks.{i}.bias"));
        let first = &biases[..16];
        assert!(biases.chunks(16).all(|member| member == first));
        let bound = if i == 0 { 7f64 } else { 16.0 }.sqrt().recip();
        assert!(first.iter().all(|b| b.abs() <= bound) && first[0] != first[1]);
    }
    let mini = state(&config(TabMArch::Mini));
    assert_eq!(mini.tensors["affine"].shape().as_slice(), [K, 7]);
    assert_eq!(mini.tensors["blocks.1.weight"].shape().as_slice(), [16, 16]);
    let packed = state(&config(TabMArch::Packed));
    assert_eq!(
        packed.tensors["blocks.0.weight"].shape().as_slice(),
        [K, 7, 16]
    );
}

#[test]
fn factors_start_normal_where_numbers_are_embedded() {
    let embeddings = LinearEmbeddingsConfig::new().with_d_embedding(Some(3));
    let embedded = TabMConfig {
        num_embeddings: Some(NumEmbeddings::Linear(embeddings)),
        ..config(TabMArch::Mini)
    };
    let factors = values(&state(&embedded), "affine");
    assert!(factors.iter().all(|x| x.abs() != 1.0));
    for row in factors.chunks(11) {
        assert!(row[..3].iter().all(|x| *x == row[0]), "{row:?}");
        assert!(
            row[3..6].iter().all(|x| *x == row[3]) && row[0] != row[3],
            "{row:?}"
        );
    }
    let many = TabMConfig {
        k: 512,
        ..embedded.clone()
    };
    let factors = values(&state(&many), "affine");
    let squares: f64 = factors.chunks(11).map(|row| row[0].powi(2)).sum();
    assert!((0.8..1.2).contains(&(squares / 512.0)), "{squares}");
    let told = TabMConfig {
        start_scaling_init: Some(StartScaling::RandomSigns),
        ..embedded
    };
    assert!(
        values(&state(&told), "affine")
            .iter()
            .all(|x| x.abs() == 1.0)
    );
}

#[test]
fn predictions_are_the_mean_of_the_members() {
    let device = Device::flex();
    for arch in ARCHS {
        let config = ModelConfig::from(config(arch));
        let model = config.init(&device);
        let forward = model.run(battery::input(&config, 7, 1, &device), Want::PREDICTIONS);
        let members = forward.members.unwrap();
        assert_eq!(members.dims(), [7, K, 2]);
        let each: Vec<f32> = members.into_data().iter().collect();
        let y: Vec<f32> = forward.y.into_data().iter().collect();
        for (at, y) in y.iter().enumerate() {
            let (row, out) = (at / 2, at % 2);
            let of = |k: usize| each[(row * K + k) * 2 + out];
            let mean = (0..K).map(of).sum::<f32>() / K as f32;
            assert!((mean - y).abs() < 1e-5, "{mean} {y}");
            assert!(
                (1..K).all(|k| of(k) != of(0)),
                "{arch:?}: two members say the same"
            );
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let packed = TabMConfig {
        start_scaling_init: Some(StartScaling::Normal),
        ..config(TabMArch::Packed)
    };
    let error = packed.validate().unwrap_err().to_string();
    assert!(
        error.contains("start_scaling_init") && error.contains("packed"),
        "{error}"
    );
    let preset = ModelConfig::preset("tabm", forge_models::Strategy::Fast).unwrap();
    let spec = config(TabMArch::Mini);
    let spec = ModelConfig::from(spec).spec();
    let sized = preset.config.sized_for(&spec).unwrap();
    assert!(
        sized
            .validate()
            .unwrap_err()
            .to_string()
            .contains("fitted_to")
    );
    let numeric = [0.1, 0.5, 0.2, 0.3, 0.4, 0.9];
    let rows = TrainingRows::new(&numeric, 2, &[0.0; 3], 1, None).unwrap();
    let device = Device::flex();
    let model = sized.fitted_to(&rows).unwrap().try_init(&device).unwrap();
    // A table of another make.
    let narrow = TabularInput::numeric(Tensor::ones([3, 2], &device));
    assert!(model.try_forward(narrow).unwrap_err().is_shape());
}
