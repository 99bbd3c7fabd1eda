//! A walk behind one type is the walk.

use forge_nn::burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use forge_nn::burn::tensor::{Bool, Device, Int, Tensor};
use forge_nn::parameters::{AnyMapper, AnyVisitor, Erased};
use forge_nn::training_flag;

#[derive(Module, Debug)]
struct Everything {
    matrix: Param<Tensor<2>>,
    counts: Param<Tensor<1, Int>>,
    mask: Param<Tensor<3, Bool>>,
    training: Param<Flag>,
    inner: Vec<Param<Tensor<4>>>,
}

fn everything() -> Everything {
    let device = Device::flex();
    Everything {
        matrix: Param::from_tensor(Tensor::ones([2, 3], &device)),
        counts: Param::initialized(ParamId::new(), Tensor::from_ints([1, 2], &device)),
        mask: Param::initialized(
            ParamId::new(),
            Tensor::<3, Bool>::full([1, 1, 2], true, &device),
        ),
        training: training_flag(&device),
        inner: vec![Param::from_tensor(Tensor::ones([1, 1, 1, 1], &device))],
    }
}

/// Writes down all that it is shown, and changes what it may.
#[derive(Default)]
struct Diary(Vec<String>);

impl Diary {
    fn add(&mut self, kind: &str, rank: usize, id: ParamId) {
        self.0.push(format!("{kind} {rank} {id}"));
    }
}

impl ModuleVisitor for Diary {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.add("float", D, param.id);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.add("int", D, param.id);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.add("bool", D, param.id);
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.0.push(format!("flag {}", flag.is_enabled()));
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.push(format!("into {name} of {container}"));
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.push(format!("out of {name} of {container}"));
    }
}

impl ModuleMapper for Diary {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.add("float", D, param.id);
        param.map(|tensor| tensor * 2.0)
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.add("int", D, param.id);
        param.map(|tensor| tensor + 1)
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        self.add("bool", D, param.id);
        param.map(Tensor::bool_not)
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.0.push(format!("flag {}", flag.is_enabled()));
        flag.with_value(false)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.push(format!("into {name} of {container}"));
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.push(format!("out of {name} of {container}"));
    }
}

#[test]
fn a_visitor_behind_one_type_sees_what_it_would_see() {
    let module = everything();
    let (mut direct, mut erased) = (Diary::default(), Diary::default());
    module.visit(&mut direct);
    let any: &mut dyn AnyVisitor = &mut erased;
    module.visit(&mut Erased(any));
    assert_eq!(direct.0, erased.0);
    let kinds = ["float 2", "int 1", "bool 3", "flag", "float 4"];
    for kind in kinds {
        assert!(direct.0.iter().any(|line| line.starts_with(kind)), "{kind}");
    }
}

#[test]
fn a_mapper_behind_one_type_changes_what_it_would_change() {
    let module = everything();
    let (mut direct, mut erased) = (Diary::default(), Diary::default());
    let _ = module.clone().map(&mut direct);
    let any: &mut dyn AnyMapper = &mut erased;
    let changed = module.map(&mut Erased(any));
    assert_eq!(direct.0, erased.0);
    let floats = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().unwrap();
    assert_eq!(floats(changed.matrix.val().flatten(0, 1)), [2.0; 6]);
    assert_eq!(floats(changed.inner[0].val().flatten(0, 3)), [2.0]);
    let counts: Vec<i64> = changed.counts.val().into_data().iter().collect();
    assert_eq!(counts, [2, 3]);
    let mask: Vec<bool> = changed.mask.val().into_data().iter().collect();
    assert_eq!(mask, [false, false]);
    assert!(!changed.training.is_enabled());
}
