//! Oracle cases: read, load into a module, run, compare.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, DType, Device, Gradients, Int, Tensor, TensorData};
use forge_nn::burn;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

pub(crate) struct Case {
    pub(crate) model: String,
    pub(crate) config: Value,
    eval: bool,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let meta = header.metadata().as_ref().unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file
            .iter()
            .map(|(name, view)| {
                let numbers = view.data().chunks_exact(8).map(|b| b.try_into().unwrap());
                let values = match view.dtype() {
                    Dtype::F64 => numbers.map(f64::from_le_bytes).collect(),
                    Dtype::I64 => numbers.map(|b| i64::from_le_bytes(b) as f64).collect(),
                    other => panic!("{name} is {other:?}"),
                };
                (name.to_string(), (view.shape().to_vec(), values))
            })
            .collect();
        Self {
            model: meta["model"].clone(),
            config: serde_json::from_str(&meta["config"]).unwrap(),
            eval: meta["mode"] == "eval",
            tensors,
        }
    }

    pub(crate) fn int(&self, field: &str) -> usize {
        self.config[field].as_u64().unwrap() as usize
    }

    pub(crate) fn float(&self, field: &str) -> f64 {
        self.config[field].as_f64().unwrap()
    }

    pub(crate) fn flag(&self, field: &str) -> bool {
        self.config[field].as_bool().unwrap()
    }
}

type GradientOf = Box<dyn Fn(&Gradients) -> Vec<f64>>;

/// One run of a case in one element type.
pub(crate) struct Run<'a> {
    pub(crate) case: &'a Case,
    pub(crate) device: Device,
    dtype: DType,
    gradients: RefCell<BTreeMap<String, GradientOf>>,
    outputs: RefCell<Vec<(String, Tensor<1>)>>,
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    let data = tensor.into_data().convert::<f64>();
    data.try_to_vec::<f64>().unwrap()
}

impl<'a> Run<'a> {
    pub(crate) fn new(case: &'a Case, dtype: DType) -> Self {
        Self {
            case,
            device: Device::flex().autodiff(),
            dtype,
            gradients: RefCell::default(),
            outputs: RefCell::default(),
        }
    }

    fn tensor<const D: usize>(&self, key: &str) -> Option<Tensor<D>> {
        let (shape, values) = self.case.tensors.get(key)?;
        let data = TensorData::new(values.clone(), shape.clone());
        Some(Tensor::from_data(data, (&self.device, self.dtype)))
    }

    pub(crate) fn try_input<const D: usize>(&self, name: &str) -> Option<Tensor<D>> {
        let tensor = self.tensor::<D>(&format!("input/{name}"))?.require_grad();
        let leaf = tensor.clone();
        self.gradients.borrow_mut().insert(
            format!("grad_input/{name}"),
            Box::new(move |g| leaf.grad(g).map(numbers).unwrap_or_default()),
        );
        Some(tensor)
    }

    pub(crate) fn rank(&self, name: &str) -> usize {
        self.case.tensors[&format!("input/{name}")].0.len()
    }

    pub(crate) fn input<const D: usize>(&self, name: &str) -> Tensor<D> {
        self.try_input(name).unwrap()
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<i64> {
        let (_, values) = &self.case.tensors[&format!("input/{name}")];
        values.iter().map(|v| *v as i64).collect()
    }

    pub(crate) fn int_tensor(&self, name: &str) -> Tensor<1, Int> {
        Tensor::from_data(
            TensorData::from(self.integers(name).as_slice()),
            &self.device,
        )
    }

    #[allow(dead_code)]
    pub(crate) fn mask(&self, name: &str) -> Option<Tensor<2, Bool>> {
        let (shape, values) = self.case.tensors.get(&format!("input/{name}"))?;
        let values: Vec<bool> = values.iter().map(|v| *v != 0.0).collect();
        Some(Tensor::from_data(
            TensorData::new(values, shape.clone()),
            &self.device,
        ))
    }

    /// Fills `module` with the case's parameters; `theirs` maps a path to the reference's name.
    pub(crate) fn load<M: Module>(&self, module: M, theirs: impl Fn(&str) -> String) -> M {
        let mut loader = Loader {
            run: self,
            theirs,
            path: Vec::new(),
            used: BTreeSet::new(),
        };
        let module = module.map(&mut loader);
        for key in self.case.tensors.keys().filter(|k| k.starts_with("param/")) {
            assert!(loader.used.contains(key), "{key} is not used");
        }
        let mut watcher = Watcher {
            run: self,
            theirs: loader.theirs,
            path: Vec::new(),
        };
        module.visit(&mut watcher);
        module
    }

    pub(crate) fn output<const D: usize>(&self, name: &str, tensor: Tensor<D>) {
        let flat = [tensor.shape().num_elements()];
        let expected = &self.case.tensors[&format!("output/{name}")].0;
        let squeezed =
            |dims: &[usize]| -> Vec<usize> { dims.iter().copied().filter(|d| *d != 1).collect() };
        assert_eq!(
            squeezed(&tensor.dims()),
            squeezed(expected),
            "shape of {name}"
        );
        self.outputs
            .borrow_mut()
            .push((name.into(), tensor.reshape(flat)));
    }

    /// Compares everything the file holds; the errors come back as lines.
    pub(crate) fn compare(self) -> Vec<String> {
        let (tight, loose) = match self.dtype {
            DType::F64 => (1e-9, 1e-9),
            _ => (1e-5, 1e-4),
        };
        let mut failures = Vec::new();
        let outputs = self.outputs.take();
        let mut loss: Option<Tensor<1>> = None;
        for (name, tensor) in &outputs {
            let expected = &self.case.tensors[&format!("output/{name}")].1;
            report(
                name,
                &numbers(tensor.clone()),
                expected,
                tight,
                0.0,
                &mut failures,
            );
            if let Some((_, weights)) = self.case.tensors.get(&format!("cotangent/{name}")) {
                let weights = Tensor::<1>::from_data(
                    TensorData::from(weights.as_slice()),
                    (&self.device, self.dtype),
                );
                let term = (tensor.clone() * weights).sum();
                loss = Some(match loss {
                    Some(sum) => sum + term,
                    None => term,
                });
            }
        }
        let names: BTreeSet<&String> = outputs.iter().map(|(name, _)| name).collect();
        for key in self.case.tensors.keys() {
            if let Some(name) = key.strip_prefix("output/") {
                assert!(names.contains(&name.to_string()), "{key} is not compared");
            }
        }
        let expected: Vec<_> = self
            .case
            .tensors
            .iter()
            .filter(|(key, _)| key.starts_with("grad/") || key.starts_with("grad_input/"))
            .collect();
        let largest = expected
            .iter()
            .flat_map(|(_, (_, v))| v)
            .fold(0.0f64, |m, v| m.max(v.abs()));
        let grads = loss.unwrap().backward();
        let found = self.gradients.take();
        for (key, (_, values)) in expected {
            let mut ours = found.get(key).unwrap_or_else(|| panic!("no {key}"))(&grads);
            if ours.is_empty() {
                ours = vec![0.0; values.len()];
            }
            // What is zero by symmetry is noise in both.
            let floor = if self.dtype == DType::F64 {
                1e-10
            } else {
                1e-6 * largest
            };
            report(key, &ours, values, loose, floor, &mut failures);
        }
        failures
    }
}

fn report(
    key: &str,
    ours: &[f64],
    theirs: &[f64],
    tolerance: f64,
    floor: f64,
    failures: &mut Vec<String>,
) {
    assert_eq!(ours.len(), theirs.len(), "length of {key}");
    let scale = theirs.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let error = ours
        .iter()
        .zip(theirs)
        .map(|(a, b)| (a - b).abs())
        .fold(
            0.0f64,
            |m, e| if e.is_nan() { f64::INFINITY } else { m.max(e) },
        );
    if error > (tolerance * scale).max(floor) {
        failures.push(format!("{key}: error {error:.3e}, largest {scale:.3e}"));
    }
}

struct Loader<'r, 'a, F> {
    run: &'r Run<'a>,
    theirs: F,
    path: Vec<(String, String)>,
    used: BTreeSet<String>,
}

struct Watcher<'r, 'a, F> {
    run: &'r Run<'a>,
    theirs: F,
    path: Vec<(String, String)>,
}

fn joined(path: &[(String, String)]) -> String {
    let names: Vec<&str> = path
        .iter()
        .filter(|(_, container)| !container.starts_with("Enum:"))
        .map(|(name, _)| name.as_str())
        .collect();
    names.join(".")
}

/// Burn's linear weights are `[in, out]`, the reference's `[out, in]`.
fn transposed(path: &[(String, String)], rank: usize) -> bool {
    rank == 2 && path.last().unwrap().1 == "Struct:Linear"
}

impl<F: Fn(&str) -> String> ModuleMapper for Loader<'_, '_, F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.into(), container.into()));
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let key = format!("param/{}", (self.theirs)(&joined(&self.path)));
        let (shape, values) = (self.run.case.tensors.get(&key)).unwrap_or_else(|| panic!("{key}"));
        self.used.insert(key);
        let data = TensorData::from(values.as_slice());
        let flat = Tensor::<1>::from_data(data, (&self.run.device, self.run.dtype));
        let dims = param.lazy_shape();
        let tensor: Tensor<D> = if transposed(&self.path, D) {
            assert_eq!((dims[0], dims[1]), (shape[1], shape[0]));
            flat.reshape([dims[1], dims[0]]).transpose().reshape(dims)
        } else {
            flat.reshape(dims)
        };
        let tracked = param.is_require_grad();
        Param::initialized(param.id, tensor.detach().set_require_grad(tracked))
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(!self.run.case.eval)
    }
}

impl<F: Fn(&str) -> String> ModuleVisitor for Watcher<'_, '_, F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.into(), container.into()));
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = (self.theirs)(&joined(&self.path));
        let (leaf, turn) = (param.val(), transposed(&self.path, D));
        self.run.gradients.borrow_mut().insert(
            format!("grad/{name}"),
            Box::new(move |grads| {
                let Some(grad) = leaf.grad(grads) else {
                    return Vec::new();
                };
                numbers(if turn { grad.transpose() } else { grad })
            }),
        );
    }
}
