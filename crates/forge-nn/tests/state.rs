//! Loading refuses weights that are not numbers.

use burn::tensor::{DType, TensorData};
use forge_nn::{LinearConfig, ModuleConfig, StateDict, Subset, burn};

type Device = burn::tensor::Device;

fn state() -> StateDict {
    StateDict::from_module(&LinearConfig::new(3, 2).init(&Device::flex())).unwrap()
}

/// The state with `bad` at flat places 4 and 5 of the weight, in `dtype`.
fn spoilt(bad: f64, dtype: DType) -> StateDict {
    let mut state = state();
    let weight = &state.tensors["weight"];
    let mut values: Vec<f64> = weight.iter().collect();
    (values[4], values[5]) = (bad, bad);
    let data = TensorData::new(values, weight.shape().clone()).convert_dtype(dtype);
    state.tensors.insert("weight".into(), data);
    state
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    for dtype in [DType::F32, DType::F64, DType::F16, DType::BF16] {
        for (bad, text) in [
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let expected =
                format!("weights: weight is not finite: 2 elements, the first {text} at [2, 0]");
            let module = LinearConfig::new(3, 2).init(&Device::flex());
            let error = spoilt(bad, dtype).load_into(module.clone()).unwrap_err();
            assert!(error.is_weights());
            assert_eq!(error.to_string(), expected);
            let error = spoilt(bad, dtype)
                .load_subset(module, &Subset::all())
                .unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(spoilt(bad, dtype).check_finite().is_err());
        }
    }
}

#[test]
fn what_is_not_loaded_may_be_anything() {
    let module = LinearConfig::new(3, 2).init(&Device::flex());
    let bias = Subset::all().only("bias");
    let (_, report) = spoilt(f64::NAN, DType::F32)
        .load_subset(module.clone(), &bias)
        .unwrap();
    assert_eq!(report.loaded, ["bias"]);
    state().check_finite().unwrap();
    state().load_into(module).unwrap();
}
