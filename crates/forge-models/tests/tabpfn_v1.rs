//! What TabPFN adds to what every model does.

use forge_models::{
    Context, ModelConfig, TabPfnActivation, TabPfnV1Config, TabularInput, TabularModel,
};
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::{ModuleConfig, Network, Want};
use forge_testkit::battery;

fn config() -> TabPfnV1Config {
    TabPfnV1Config {
        num_features: 6,
        n_out: 3,
        emsize: 8,
        nhead: 2,
        nhid: 10,
        nlayers: 2,
        ..TabPfnV1Config::default()
    }
}

fn rows(n: usize, seed: u64) -> TabularInput {
    let spec = ModelConfig::from(config()).spec();
    battery::rows_of(&spec, n, seed, &Device::flex()).into()
}

fn context(n: usize, slots: usize) -> Context {
    Context::labelled(rows(n, 7).rows, Tensor::ones([n, slots], &Device::flex()))
}

/// The batteries run over post-norm with GELU; these are the others.
#[test]
fn pre_norm_and_relu_do_what_every_model_does() {
    let device = Device::flex();
    let config: ModelConfig = TabPfnV1Config {
        pre_norm: true,
        activation: TabPfnActivation::Relu,
        ..config()
    }
    .into();
    battery::documented_shape(&config, &device);
    battery::rows_stand_alone(&config, &device);
    battery::every_parameter_learns(&config, &device);
    battery::declared_maps_are_returned(&config, &device);
    battery::config_survives_files(&config);
    let post = TabPfnV1Config {
        pre_norm: false,
        activation: TabPfnActivation::Relu,
        ..self::config()
    };
    let y = |config: &ModelConfig| {
        device.seed(1);
        let model = config.init(&device);
        model
            .forward(rows(4, 1).with_context(context(5, 1)))
            .into_data()
    };
    assert_ne!(y(&config), y(&post.into()), "pre_norm does not matter");
}

#[test]
fn contexts_that_cannot_be_read_are_refused() {
    let model = ModelConfig::from(config()).init(&Device::flex());
    let error = |context| {
        let error = model
            .try_forward(rows(4, 1).with_context(context))
            .unwrap_err();
        assert!(error.is_shape(), "{error}");
        error.to_string()
    };
    assert!(error(context(5, 2)).contains("[5, 2]"));
    assert!(error(context(0, 1)).contains("[0, 1]"));
    model
        .try_forward(rows(4, 1).with_context(context(1, 1)))
        .unwrap();
}

#[test]
fn the_order_of_the_labelled_rows_does_not_matter() {
    let model = config().init(&Device::flex());
    let context = context(5, 1);
    let labels = Tensor::<2>::from_data([[0.0], [1.0], [2.0], [0.0], [1.0]], &Device::flex());
    let run = |flip: bool| {
        let turn = |x: Tensor<2>| if flip { x.flip([0]) } else { x };
        let rows_of_it = TabularInput::numeric(turn(context.rows.x_num.clone().unwrap())).rows;
        let context = Context::labelled(rows_of_it, turn(labels.clone()));
        model.forward(rows(4, 1).with_context(context)).into_data()
    };
    let tolerance = forge_nn::burn::tensor::Tolerance::absolute(1e-5);
    run(true).assert_approx_eq::<f32>(&run(false), tolerance);
}

#[test]
fn maps_show_the_labelled_rows() {
    let model = config().init(&Device::flex());
    let want = Want {
        attention: true,
        features: false,
    };
    let maps = model.run(rows(4, 1).with_context(context(5, 1)), want).maps;
    let shapes: Vec<_> = maps.attention.iter().map(Tensor::dims).collect();
    assert_eq!(shapes, [[1, 2, 4, 5], [1, 2, 4, 5]]);
}

#[test]
fn narrower_tables_are_widened() {
    let model = config().init(&Device::flex());
    let x = Tensor::<2>::from_data([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]], &Device::flex());
    let wide: Vec<f64> = model.widen(x).unwrap().into_data().iter().collect();
    let expected = [2.0, -4.0, 1.0, 0.0, 0.0, 0.0, 6.0, 0.0, 2.0, 0.0, 0.0, 0.0];
    assert_eq!(wide, expected);
    let same = model.widen(Tensor::ones([2, 6], &Device::flex())).unwrap();
    assert_eq!(same.into_data().iter::<f64>().sum::<f64>(), 12.0);
    let error = model
        .widen(Tensor::ones([2, 7], &Device::flex()))
        .unwrap_err();
    assert!(error.to_string().contains("[N, 1 to 6]"), "{error}");
}

#[test]
fn rows_that_see_themselves_are_refused() {
    let other = TabPfnV1Config {
        efficient_eval_masking: false,
        ..config()
    };
    let error = other.validate().unwrap_err().to_string();
    assert!(error.contains("efficient_eval_masking"), "{error}");
}
