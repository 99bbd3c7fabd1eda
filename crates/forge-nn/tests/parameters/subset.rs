use burn::module::Module;
use burn::tensor::{DType, TensorData};
use forge_nn::parameters::Floats;
use forge_nn::{StateDict, Subset, burn};

use super::net::{Net, filled, floats, lazy};
use crate::checks::device;

fn source() -> StateDict {
    StateDict::from_module(&filled(&device(), 11, DType::F32)).unwrap()
}

fn target() -> Net {
    filled(&device().autodiff(), 12, DType::F32)
}

fn error(state: StateDict, subset: &Subset) -> String {
    let error = state.load_subset(target(), subset).unwrap_err();
    assert!(error.is_weights());
    error.to_string()
}

#[test]
fn everything_of_the_same_names_is_loaded() {
    let state = source();
    let n = state.tensors.len();
    let (net, report) = state.clone().load_subset(target(), &Subset::all()).unwrap();
    assert_eq!(
        (report.loaded.len(), report.kept.len(), report.unused.len()),
        (n, 0, 0)
    );
    assert_eq!(StateDict::from_module(&net).unwrap().tensors, state.tensors);
    // What was trainable is, and in the target's own parameter.
    assert!(net.cube.is_require_grad() && !net.frozen.is_require_grad());
    assert!(Floats::Trainable.take(&net.valid().cube));
}

#[test]
fn a_prefix_is_a_whole_part_of_a_name() {
    let mut state = source();
    let stranger = state.tensors["first.bias"].clone();
    state.tensors.insert("first_2.bias".into(), stranger);
    let (before, from) = (floats(&target()), state.tensors.clone());
    let subset = Subset::all().only("first").only("list.1.weight");
    let (net, report) = state.load_subset(target(), &subset).unwrap();
    assert_eq!(
        report.loaded,
        ["first.bias", "first.weight", "list.1.weight"]
    );
    assert!(report.kept.contains(&"list.1.bias".to_string()));
    assert!(report.unused.contains(&"first_2.bias".to_string()));
    assert_eq!(report.loaded.len() + report.unused.len(), from.len());
    for (name, values) in floats(&net) {
        let expected: Vec<f64> = match report.loaded.contains(&name) {
            true => from[&name].iter::<f64>().collect(),
            false => before[&name].clone(),
        };
        assert_eq!(values, expected, "{name}");
    }
}

#[test]
fn names_are_moved_by_the_first_rule_that_fits() {
    let mut state = StateDict::default();
    for (name, data) in source().tensors {
        state.tensors.insert(format!("online.{name}"), data);
    }
    let subset = Subset::all().rename("online", "");
    let (net, _) = state.clone().load_subset(target(), &subset).unwrap();
    assert_eq!(
        StateDict::from_module(&net).unwrap().tensors,
        source().tensors
    );
    // And back under another name: the list's second layer into the first of another shape.
    let swap = Subset::all()
        .rename("online.frozen", "elsewhere")
        .rename("online", "");
    let (net, report) = state.load_subset(target(), &swap).unwrap();
    assert_eq!(report.unused, ["online.frozen"]);
    assert_eq!(report.kept, ["frozen"]);
    assert_eq!(floats(&net)["frozen"], floats(&target())["frozen"]);
}

#[test]
fn another_shape_is_an_error_or_left_out() {
    let mut state = source();
    state
        .tensors
        .insert("list.1.weight".into(), TensorData::zeros::<f32, _>([2, 7]));
    let text = error(state.clone(), &Subset::all());
    let parts = ["list.1.weight is [2, 7]", "[2, 5]", "skip_misshapen"];
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    let (net, report) = state
        .load_subset(target(), &Subset::all().skip_misshapen())
        .unwrap();
    assert_eq!(report.kept, ["list.1.weight"]);
    assert_eq!(report.unused, ["list.1.weight"]);
    let name = "list.1.weight";
    assert_eq!(floats(&net)[name], floats(&target())[name]);
}

#[test]
fn the_module_keeps_its_element_types() {
    let mut state = source();
    for data in state.tensors.values_mut() {
        if data.dtype().is_float() {
            *data = data.clone().convert_dtype(DType::F64);
        }
    }
    let (net, _) = state.clone().load_subset(target(), &Subset::all()).unwrap();
    assert_eq!(net.first.weight.val().dtype(), DType::F32);
    let (net, _) = state.load_subset(lazy(&device()), &Subset::all()).unwrap();
    assert_eq!(net.first.weight.val().dtype(), DType::F32);
    assert_eq!(floats(&net), floats(&filled(&device(), 11, DType::F32)));
}

#[test]
fn what_is_loaded_is_never_drawn() {
    let subset = Subset::all().only("first");
    let (net, _) = source().load_subset(lazy(&device()), &subset).unwrap();
    assert!(net.first.weight.is_initialized());
    assert!(!net.cube.is_initialized());
}

#[test]
fn mistakes_are_named() {
    let text = error(source(), &Subset::all().only("secnd"));
    assert!(
        text.contains("the module has nothing under 'secnd'"),
        "{text}"
    );
    let text = error(source(), &Subset::all().rename("online", "first"));
    assert!(
        text.contains("the state has nothing under 'online'"),
        "{text}"
    );
    let text = error(source(), &Subset::all().rename("list.0", "first"));
    assert!(
        text.contains("first.bias and list.0.bias both become first.bias"),
        "{text}"
    );
    let mut kinds = source();
    let floats = kinds.tensors["frozen"].clone();
    kinds
        .tensors
        .insert("counts".into(), TensorData::zeros::<f32, _>([3]));
    let text = error(kinds.clone(), &Subset::all());
    assert!(
        text.contains("counts is F32, which counts cannot hold"),
        "{text}"
    );
    kinds.tensors.insert("counts".into(), floats);
    assert!(error(kinds, &Subset::all()).contains("counts is [2]"));
    let text = error(StateDict::default(), &Subset::all());
    assert!(text.contains("nothing was loaded"), "{text}");
    let mut others = StateDict::default();
    others
        .tensors
        .insert("a.b".into(), TensorData::zeros::<f32, _>([1]));
    let text = error(others, &Subset::all());
    assert!(text.contains("the first of the state is a.b"), "{text}");
}
