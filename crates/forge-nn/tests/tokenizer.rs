//! Columns as tokens.

use burn::module::Module;
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};
use forge_nn::{
    CategoricalTokenizerConfig, FeatureTokenizer, FeatureTokenizerConfig, ModuleConfig,
    NumericTokenizerConfig, StateDict, burn,
};
use forge_testkit::{GradientCheck, Noise};

fn config() -> FeatureTokenizerConfig {
    FeatureTokenizerConfig {
        n_num_features: 3,
        cat_cardinalities: vec![2, 5],
        d_token: 7,
        cls: true,
        bias: true,
        missing: true,
        num_embeddings: None,
    }
}

fn tokenizer() -> FeatureTokenizer {
    config().init(&Device::flex())
}

fn codes(values: &[i64], shape: [usize; 2]) -> Tensor<2, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn mask(values: &[bool], shape: [usize; 2]) -> Tensor<2, Bool> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn row<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

/// Row `i` of a parameter.
fn parameter(tokenizer: &FeatureTokenizer, name: &str, i: usize) -> Vec<f32> {
    let state = StateDict::from_module(tokenizer).unwrap();
    let width = *state.tensors[name].shape().last().unwrap();
    let values: Vec<f32> = state.tensors[name].iter().collect();
    values[i * width..][..width].to_vec()
}

#[test]
fn tokens_stand_in_order_with_the_formulas_of_the_paper() {
    let tokenizer = tokenizer();
    let x = Tensor::<2>::from_floats([[0.5, -2.0, 3.0], [1.0, 0.0, -1.0]], &Device::flex());
    let tokens = tokenizer.forward(Some(x), Some(codes(&[1, 4, 0, 2], [2, 2])));
    assert_eq!(tokens.dims(), [2, 6, 7]);
    let token = |b: usize, t: usize| row(tokens.clone().slice([b..b + 1, t..t + 1, 0..7]));
    for b in 0..2 {
        assert_eq!(token(b, 0), parameter(&tokenizer, "cls", 0));
    }
    let weight = parameter(&tokenizer, "numeric.weight", 1);
    let bias = parameter(&tokenizer, "numeric.bias", 1);
    let expected: Vec<f32> = weight
        .iter()
        .zip(&bias)
        .map(|(w, b)| -2.0 * w + b)
        .collect();
    assert_eq!(token(0, 2), expected);
    assert_eq!(token(1, 2), bias);
    // Code 2 of the second feature stands behind the two codes of the first.
    let table = parameter(&tokenizer, "categorical.weight", 2 + 2);
    let bias = parameter(&tokenizer, "categorical.bias", 1);
    let expected: Vec<f32> = table.iter().zip(&bias).map(|(e, b)| e + b).collect();
    assert_eq!(token(1, 5), expected);
}

#[test]
fn codes_may_be_of_any_integer_type() {
    let tokenizer = tokenizer();
    let x = || Some(Tensor::<2>::ones([2, 3], &Device::flex()));
    let data = TensorData::new(vec![1i64, 4, 0, 2], [2, 2]);
    let expected = tokenizer
        .forward(x(), Some(codes(&[1, 4, 0, 2], [2, 2])))
        .into_data();
    for dtype in [DType::I32, DType::I64] {
        let codes = Tensor::<2, Int>::from_data(data.clone(), (&Device::flex(), dtype));
        assert_eq!(codes.dtype(), dtype);
        assert_eq!(tokenizer.forward(x(), Some(codes)).into_data(), expected);
    }
}

#[test]
fn a_missing_value_is_its_own_token_and_reaches_no_gradient() {
    let device = Device::flex().autodiff();
    let tokenizer = config().init(&device);
    let x = Tensor::<2>::from_floats([[0.5, f32::NAN, 3.0]], &device).require_grad();
    let tokens = tokenizer.forward_masked(
        Some(x.clone()),
        Some(Tensor::from_data(
            TensorData::new(vec![1i64, 99], [1, 2]),
            &device,
        )),
        Some(mask(&[true, false, true], [1, 3])),
        Some(mask(&[true, false], [1, 2])),
    );
    let token = |t: usize| row(tokens.clone().slice([0..1, t..t + 1, 0..7]));
    assert_eq!(token(2), parameter(&tokenizer, "numeric.missing", 1));
    assert_eq!(token(5), parameter(&tokenizer, "categorical.missing", 1));
    let gradients = tokens.square().sum().backward();
    let dx = row(x.grad(&gradients).unwrap());
    assert!(dx[0] != 0.0 && dx[1] == 0.0 && dx[2] != 0.0, "{dx:?}");
    let named = forge_testkit::gradients_by_name(&tokenizer, &gradients);
    let weight: Vec<f32> = named["numeric.weight"].iter().collect();
    assert!(weight.iter().all(|g| g.is_finite()), "{weight:?}");
    assert!(weight[7..14].iter().all(|g| *g == 0.0), "{weight:?}");
    let missing: Vec<f32> = named["numeric.missing"].iter().collect();
    assert!(missing[7..14].iter().all(|g| *g != 0.0) && missing[..7].iter().all(|g| *g == 0.0));
}

#[test]
fn gradients_are_those_of_differences() {
    let codes = || TensorData::new(vec![1i64, 4, 0, 2, 0, 2], [3, 2]);
    let x = Noise::new(1).tensor(&[3, 3]);
    let check = GradientCheck::new(&Device::flex()).with_every_element();
    let present = || {
        mask(
            &[true, false, true, true, true, true, false, true, true],
            [3, 3],
        )
    };
    let report = check
        .module(&tokenizer(), |tokenizer: &FeatureTokenizer| {
            let device = Device::flex().autodiff();
            let x = Tensor::from_data(x.clone(), (&device, DType::F64));
            let codes = Tensor::from_data(codes(), &device);
            tokenizer
                .forward_masked(Some(x), Some(codes), Some(present()), None)
                .tanh()
        })
        .unwrap();
    assert_eq!(report.checked, tokenizer().num_params());
    assert_eq!(report.checked, config().parameter_count());
}

#[test]
fn parts_without_features_do_not_exist() {
    let numeric = FeatureTokenizerConfig {
        cat_cardinalities: vec![],
        cls: false,
        ..config()
    };
    let tokenizer = numeric.init(&Device::flex());
    assert_eq!(
        tokenizer
            .forward(Some(Tensor::ones([4, 3], &Device::flex())), None)
            .dims(),
        [4, 3, 7]
    );
    let categorical = FeatureTokenizerConfig {
        n_num_features: 0,
        ..config()
    };
    let tokenizer = categorical.init(&Device::flex());
    assert_eq!(
        tokenizer.forward(None, Some(codes(&[0, 0], [1, 2]))).dims(),
        [1, 3, 7]
    );
}

#[test]
fn initial_values_are_bounded_by_the_width() {
    let wide = FeatureTokenizerConfig {
        d_token: 64,
        cat_cardinalities: vec![50],
        ..config()
    };
    let state = StateDict::from_module(&wide.init(&Device::flex())).unwrap();
    for (name, data) in &state.tensors {
        let largest = data.iter::<f64>().map(f64::abs).fold(0.0, f64::max);
        assert!(largest <= 0.125 && largest > 0.1, "{name}: {largest}");
    }
}

#[test]
fn bad_configs_are_named() {
    let said = |config: FeatureTokenizerConfig| config.validate().unwrap_err().to_string();
    let none = FeatureTokenizerConfig {
        n_num_features: 0,
        cat_cardinalities: vec![],
        ..config()
    };
    assert!(said(none).contains("n_num_features = 0"));
    let empty = FeatureTokenizerConfig {
        cat_cardinalities: vec![3, 0],
        ..config()
    };
    assert!(said(empty).contains("cat_cardinalities[1] = 0"));
    assert!(
        said(FeatureTokenizerConfig {
            d_token: 0,
            ..config()
        })
        .contains("d_token = 0")
    );
    let numeric = NumericTokenizerConfig {
        n_features: 0,
        d_token: 1,
        bias: true,
        missing: false,
    };
    assert!(
        numeric
            .validate()
            .unwrap_err()
            .to_string()
            .contains("n_features = 0")
    );
    let categorical = CategoricalTokenizerConfig {
        cardinalities: vec![],
        d_token: 1,
        bias: true,
        missing: false,
    };
    assert!(
        categorical
            .validate()
            .unwrap_err()
            .to_string()
            .contains("cardinalities")
    );
}

#[test]
#[should_panic(expected = "x is [2, 1], expected [B, 3]")]
fn one_column_does_not_broadcast_over_many() {
    let x = Tensor::<2>::ones([2, 1], &Device::flex());
    let _ = tokenizer().forward(Some(x), Some(codes(&[0; 4], [2, 2])));
}

#[test]
#[should_panic(expected = "tokenizer without missing tokens")]
fn a_mask_needs_missing_tokens() {
    let device = Device::flex();
    let tokenizer = FeatureTokenizerConfig {
        missing: false,
        ..config()
    }
    .init(&device);
    let x = Tensor::<2>::ones([1, 3], &device);
    let present = mask(&[true; 3], [1, 3]);
    let _ = tokenizer.forward_masked(Some(x), Some(codes(&[0; 2], [1, 2])), Some(present), None);
}
