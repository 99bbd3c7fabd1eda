use burn::module::{Module, Param};
use burn::tensor::{DType, Tensor};
use forge_nn::parameters::{
    Floats, ParameterMapper, ParameterPath, ParameterVisitor, map_parameters, replace_value,
    visit_parameters,
};
use forge_nn::{StateDict, burn};

use super::net::{FIXED, filled, floats, lazy};
use crate::checks::device;

#[derive(Default)]
struct Names {
    all: Vec<[String; 3]>,
    trainable: Vec<String>,
}

impl ParameterVisitor for Names {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        self.all
            .push([path.to_string(), path.field().into(), path.holder().into()]);
        if Floats::Trainable.take(param) {
            self.trainable.push(path.join());
        }
    }
}

fn names<M: Module>(module: &M) -> Names {
    let mut names = Names::default();
    visit_parameters(module, &mut names);
    names
}

#[test]
fn the_walk_has_the_names_of_the_state() {
    let net = lazy(&device().autodiff());
    let mut found: Vec<String> = names(&net).all.into_iter().map(|[name, ..]| name).collect();
    found.sort();
    let expected: Vec<String> = floats(&net).into_keys().collect();
    assert_eq!(found, expected);
}

#[test]
fn fields_and_holders_are_told_through_enums_and_lists() {
    let all = names(&lazy(&device())).all;
    let of = |name: &str| all.iter().find(|[found, ..]| found == name).unwrap();
    for (name, field, holder) in [
        ("first.weight", "first", "Linear"),
        ("either.weight", "either", "LayerNorm"),
        ("list.1.weight", "1", "Linear"),
        ("norm.running_mean", "norm", "BatchNorm"),
        ("cube", "", "Net"),
    ] {
        assert_eq!(of(name), &[name, field, holder]);
    }
}

#[test]
fn what_is_trainable_does_not_change_in_evaluation() {
    let net = filled(&device().autodiff(), 1, DType::F32);
    let trainable = names(&net).trainable;
    let expected: Vec<String> = floats(&net)
        .into_keys()
        .filter(|name| !FIXED.contains(&name.as_str()))
        .collect();
    let mut sorted = trainable.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    assert_eq!(names(&net.valid()).trainable, trainable);
    assert!(names(&net.no_grad().valid()).trainable.is_empty());
}

#[test]
fn the_walk_alone_makes_nothing() {
    struct Shapes(usize);
    impl ParameterVisitor for Shapes {
        fn visit<const D: usize>(&mut self, _: &ParameterPath, param: &Param<Tensor<D>>) {
            self.0 += param.lazy_shape().num_elements();
        }
    }
    let net = lazy(&device());
    let mut shapes = Shapes(0);
    visit_parameters(&net, &mut shapes);
    assert_eq!(shapes.0, net.num_params());
    assert!(!net.first.weight.is_initialized() && !net.cube.is_initialized());
}

#[test]
fn a_replaced_value_keeps_everything_else() {
    struct Negate;
    impl ParameterMapper for Negate {
        fn map<const D: usize>(
            &mut self,
            _: &ParameterPath,
            param: Param<Tensor<D>>,
        ) -> Param<Tensor<D>> {
            replace_value(param, |value| {
                assert!(!value.is_autodiff());
                value.neg()
            })
        }
    }
    let devices = [
        device(),
        device().autodiff(),
        device().autodiff().gradient_checkpointing(),
    ];
    for device in devices {
        let net = filled(&device, 2, DType::F32);
        let (before, trainable) = (floats(&net), names(&net).trainable);
        let strategy = |net: &super::net::Net| net.cube.val().gradient_checkpointing_strategy();
        let (old, id) = (strategy(&net), net.cube.id);
        let net = map_parameters(net, &mut Negate);
        for (name, values) in floats(&net) {
            let negated: Vec<f64> = before[&name].iter().map(|v| -v).collect();
            assert_eq!(values, negated, "{name}");
        }
        assert_eq!((strategy(&net), net.cube.id), (old, id));
        assert_eq!(net.cube.is_require_grad(), device.is_autodiff());
        assert!(!net.frozen.is_require_grad());
        assert_eq!(names(&net).trainable, trainable);
        let counts = StateDict::from_module(&net).unwrap().tensors["counts"].clone();
        assert_eq!(counts.iter::<i64>().collect::<Vec<_>>(), [1, 2, 3]);
    }
}
