//! A causal backbone under the tokenizer.

use forge_models::{
    Backbone, BackboneConfig, CarriesState, KeyMap, ParameterCount, Preset, Read, ReferenceWeights,
    Shrink, Strategy, TabularConfig, TabularInput, TabularRows, TabularSpec, TokenConfig,
    TrainingPreset,
};
use forge_nn::burn::module::Module;
use forge_nn::burn::nn::{Linear, LinearConfig};
use forge_nn::burn::tensor::{Bool, Device, Tensor};
use forge_nn::{ForgeError, ModuleConfig, Network, StateDict, check};
use serde::{Deserialize, Serialize};

/// The smallest causal backbone: a linear map of the sum of all tokens so far.
#[derive(Module, Debug)]
struct RunningSum {
    linear: Linear,
}

impl Backbone for RunningSum {
    const CAUSAL: bool = true;
    const ATTENTION_MAPS: bool = false;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let tokens = match valid {
            Some(valid) => {
                let shape = tokens.dims();
                let absent = valid.bool_not().unsqueeze_dim::<3>(2).expand(shape);
                tokens.mask_fill(absent, 0.0)
            }
            None => tokens,
        };
        self.linear.forward(tokens.cumsum(1))
    }
}

impl CarriesState for RunningSum {
    type State = Tensor<2>;

    fn start(&self, batch: usize, device: &Device) -> Tensor<2> {
        Tensor::zeros([batch, self.linear.weight.dims()[0]], device)
    }

    fn step(&self, token: Tensor<2>, state: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let state = state + token;
        (self.linear.forward(state.clone()), state)
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RunningSumConfig {
    d_model: usize,
}

impl ModuleConfig for RunningSumConfig {
    type Module = RunningSum;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)
    }

    fn build(&self, device: &Device) -> RunningSum {
        RunningSum {
            linear: LinearConfig::new(self.d_model, self.d_model).init(device),
        }
    }
}

impl BackboneConfig for RunningSumConfig {
    const NAME: &'static str = "running_sum";
    const REFERENCE: &'static str = "none";

    fn d_token(&self) -> usize {
        self.d_model
    }

    fn parameter_count(&self) -> usize {
        (self.d_model + 1) * self.d_model
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        map.linear(&format!("{ours}linear"), &format!("{theirs}linear"))
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_model: by.width(self.d_model),
        }
    }

    fn narrow() -> Self {
        Self { d_model: 8 }
    }

    fn preset(_: Strategy) -> Preset<Self> {
        Preset {
            config: Self::narrow(),
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 0.0,
                batch_size: None,
                steps: 1.0,
                source: "none",
            },
        }
    }
}

type Config = TokenConfig<RunningSumConfig>;

fn table() -> TabularSpec {
    TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![4],
        d_out: 2,
    }
}

fn config() -> Config {
    Config::narrow().sized_for(&table()).unwrap()
}

fn rows(scale: f64, device: &Device) -> TabularInput {
    let x = Tensor::<2>::from_data([[0.3, -1.0, 0.5], [1.0, 0.2, -0.7]], device);
    TabularRows {
        x_num: Some(x * scale),
        x_cat: Some(Tensor::from_data([[1], [3]], device)),
        ..TabularRows::default()
    }
    .into()
}

#[test]
fn the_last_token_is_read_and_has_seen_every_column() {
    let device = Device::flex();
    let model = config().try_init(&device).unwrap();
    let y = |input| model.forward(input).into_data();
    assert_ne!(y(rows(1.0, &device)), y(rows(2.0, &device)));
    for column in 0..3 {
        let changed = rows(1.0, &device).rows;
        let x = changed.x_num.clone().unwrap();
        let moved = x.clone().narrow(1, column, 1) + 1.0;
        let changed = TabularRows {
            x_num: Some(x.slice_assign([0..2, column..column + 1], moved)),
            ..changed
        };
        assert_ne!(y(changed.into()), y(rows(1.0, &device)), "column {column}");
    }
}

/// What reading CLS first would give: an answer that no column changes.
#[test]
fn a_first_token_would_have_seen_nothing() {
    let device = Device::flex();
    let model = config().try_init(&device).unwrap();
    let first = |scale| {
        let TabularRows { x_num, x_cat, .. } = rows(scale, &device).rows;
        let tokens = model.tokenizer.forward(x_num, x_cat);
        model.backbone.read(tokens, None, Read::First).into_data()
    };
    assert_eq!(first(1.0), first(2.0));
}

#[test]
fn steps_with_carried_state_equal_the_whole_sequence() {
    let device = Device::flex();
    let backbone = RunningSumConfig::narrow().try_init(&device).unwrap();
    let tokens = Tensor::<3>::random(
        [2, 5, 8],
        forge_nn::burn::tensor::Distribution::Default,
        &device,
    );
    let whole = backbone.forward(tokens.clone(), None);
    let mut state = backbone.start(2, &device);
    for t in 0..5 {
        let (y, next) = backbone.step(tokens.clone().narrow(1, t, 1).squeeze_dim(1), state);
        state = next;
        let expected = whole.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
        let error = (y - expected).abs().max().into_scalar::<f32>();
        assert!(error < 1e-5, "token {t}: {error}");
    }
}

#[test]
fn the_last_valid_token_is_picked_and_padding_changes_nothing() {
    let device = Device::flex();
    let backbone = RunningSumConfig::narrow().try_init(&device).unwrap();
    let tokens = Tensor::<3>::random(
        [2, 5, 8],
        forge_nn::burn::tensor::Distribution::Default,
        &device,
    );
    let valid = Tensor::<2, Bool>::from_data(
        [
            [true, true, true, false, false],
            [true, true, true, true, true],
        ],
        &device,
    );
    let read = |tokens: Tensor<3>| {
        let y = backbone.read(tokens, Some(valid.clone()), Read::Last);
        y.into_data()
    };
    let whole = backbone.forward(tokens.clone(), Some(valid.clone()));
    let expected = Tensor::cat(
        vec![
            whole.clone().slice([0..1, 2..3, 0..8]),
            whole.slice([1..2, 4..5, 0..8]),
        ],
        0,
    );
    assert_eq!(read(tokens.clone()), expected.into_data());
    let padding = Tensor::<3>::full([1, 2, 8], 9.0, &device);
    let noisy = tokens.clone().slice_assign([0..1, 3..5, 0..8], padding);
    assert_eq!(read(noisy), read(tokens));
}

#[test]
fn the_config_around_a_backbone_sizes_counts_and_maps_it() {
    let config = config();
    assert_eq!(TabularConfig::spec(&config), table());
    let model = config.try_init(&Device::flex()).unwrap();
    assert_eq!(config.parameter_count(), model.num_params());
    let state = config.to_reference(&model).unwrap();
    assert!(state.tensors.contains_key("backbone.linear.weight"));
    let again = config.load_reference(&state, &Device::flex()).unwrap();
    let tensors = |model| StateDict::from_module(model).unwrap().tensors;
    assert_eq!(tensors(&again), tensors(&model));

    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
    for unknown in [
        json.replacen('{', "{\"d_modell\":1,", 1),
        json.replace("{\"d_model\"", "{\"d_modell\":1,\"d_model\""),
    ] {
        let error = serde_json::from_str::<Config>(&unknown).unwrap_err();
        assert!(error.to_string().contains("d_modell"), "{error}");
    }
}
