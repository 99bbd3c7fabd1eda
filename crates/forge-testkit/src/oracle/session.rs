//! One run of a case in one element type: what a model or component reads and hands in.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use burn::module::Module;
use burn::tensor::{Bool, DType, Device, Gradients, Int, Tensor, TensorData};
use forge_nn::StateDict;
use forge_nn::parameters::KeyMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::switches::Switches;
use super::{Case, Mode, OracleError, Precision};
use crate::gradients_by_name;

type Found = BTreeMap<String, TensorData>;
type Collector = Box<dyn FnOnce(&Gradients) -> Result<Found, OracleError>>;

/// No case has a size above this; a config that does would only exhaust memory.
const LARGEST_SIZE: u64 = 1_000_000;

/// One run of a case in one element type.
///
/// A component reads its config, parameters and inputs from it and hands in outputs; the gradients
/// of everything read are then taken and compared by the runner. Reading is by the reference's
/// names.
pub struct Session<'a> {
    case: &'a Case,
    dtype: DType,
    device: Device,
    used: RefCell<BTreeSet<String>>,
    collectors: RefCell<Vec<Collector>>,
    loss: RefCell<Option<Tensor<1>>>,
    found: RefCell<Found>,
    tracked: Cell<bool>,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("case", &self.case.name)
            .field("dtype", &self.dtype)
            .finish_non_exhaustive()
    }
}

impl<'a> Session<'a> {
    /// A run of `case` on `device`, which must be an autodiff one.
    pub(super) fn new(case: &'a Case, precision: Precision, device: &Device) -> Self {
        Self {
            case,
            dtype: precision.dtype(),
            device: device.clone(),
            used: RefCell::default(),
            collectors: RefCell::default(),
            loss: RefCell::default(),
            found: RefCell::default(),
            tracked: Cell::new(false),
        }
    }

    /// The case.
    #[must_use]
    pub fn case(&self) -> &Case {
        self.case
    }

    /// Where to make modules: an autodiff device.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether batch statistics are on.
    #[must_use]
    pub fn is_train(&self) -> bool {
        self.case.mode == Mode::Train
    }

    /// The config.
    ///
    /// # Errors
    /// If it does not fit `T`, or asks for a size that no case has.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, OracleError> {
        if let Some(size) = largest(&self.case.config).filter(|size| *size > LARGEST_SIZE) {
            return Err(OracleError::new(format!(
                "'config' has {size}, above {LARGEST_SIZE}"
            )));
        }
        serde_json::from_value(self.case.config.clone())
            .map_err(|e| OracleError::new(format!("'config' does not fit: {e}")))
    }

    /// Checks that the case's config has every field of `config` but those `spared`: a default filled
    /// in would test something else than the reference did.
    ///
    /// # Errors
    /// Naming a field that is not there.
    pub fn states_in_full(
        &self,
        config: &impl Serialize,
        spared: impl Fn(&str) -> bool,
    ) -> Result<(), OracleError> {
        let whole = serde_json::to_value(config).map_err(OracleError::new)?;
        let fields = whole.as_object().into_iter();
        let mut fields = fields.flat_map(|fields| fields.keys());
        let stated = &self.case.config;
        match fields.find(|field| !spared(field) && stated.get(field).is_none()) {
            Some(field) => Err(OracleError::new(format!("'config' lacks '{field}'"))),
            None => Ok(()),
        }
    }

    /// Whether the file has `key` (`input/key_valid`, say).
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.case.get(key).is_some()
    }

    /// The shape of `key`.
    ///
    /// # Errors
    /// If the file does not have it.
    pub fn shape(&self, key: &str) -> Result<Vec<usize>, OracleError> {
        Ok(self.raw(key)?.shape().to_vec())
    }

    /// The element type of `key` in the file.
    ///
    /// # Errors
    /// If the file does not have it.
    pub fn dtype_of(&self, key: &str) -> Result<DType, OracleError> {
        Ok(self.raw(key)?.dtype())
    }

    /// Integers as floats of this run's type.
    #[must_use]
    pub fn floats<const D: usize>(&self, integers: Tensor<D, Int>) -> Tensor<D> {
        integers.float().cast(self.dtype)
    }

    /// The values of `key` as they are in the file.
    ///
    /// # Errors
    /// If the file does not have it.
    pub fn values(&self, key: &str) -> Result<Vec<f64>, OracleError> {
        Ok(self.take(key)?.iter::<f64>().collect())
    }

    /// A parameter of the reference in the reference's layout. Its gradient is compared if the
    /// file has one.
    ///
    /// # Errors
    /// If the file does not have it, or at another rank.
    pub fn param<const D: usize>(&self, name: &str) -> Result<Tensor<D>, OracleError> {
        self.float(&format!("param/{name}"), &format!("grad/{name}"), None)
    }

    /// A float input. Its gradient is compared if the file has one.
    ///
    /// # Errors
    /// If the file does not have it, or at another rank.
    pub fn input<const D: usize>(&self, name: &str) -> Result<Tensor<D>, OracleError> {
        self.float(
            &format!("input/{name}"),
            &format!("grad_input/{name}"),
            None,
        )
    }

    /// A float input of any rank with its leading axes flattened, for what acts on the last axis.
    ///
    /// # Errors
    /// If the file does not have it, or without axes.
    pub fn input_rows(&self, name: &str) -> Result<Tensor<2>, OracleError> {
        let shape = self.shape(&format!("input/{name}"))?;
        let Some((&last, leading)) = shape.split_last() else {
            return Err(OracleError::new(format!("input/{name} has no axes")));
        };
        let rows = vec![leading.iter().product(), last];
        self.float(
            &format!("input/{name}"),
            &format!("grad_input/{name}"),
            Some(rows),
        )
    }

    /// [`input`](Self::input), if the file has it.
    ///
    /// # Errors
    /// If the file has it at another rank.
    pub fn optional_input<const D: usize>(
        &self,
        name: &str,
    ) -> Result<Option<Tensor<D>>, OracleError> {
        if !self.has(&format!("input/{name}")) {
            return Ok(None);
        }
        self.input(name).map(Some)
    }

    /// An integer input, if the file has it.
    ///
    /// # Errors
    /// If the file has it at another rank or as floats.
    pub fn optional_int<const D: usize>(
        &self,
        name: &str,
    ) -> Result<Option<Tensor<D, Int>>, OracleError> {
        let key = format!("input/{name}");
        if !self.has(&key) {
            return Ok(None);
        }
        let data = self.take(&key)?;
        if data.dtype().is_float() {
            return Err(OracleError::new(format!(
                "{key} holds floats, expected integers"
            )));
        }
        self.rank::<D>(&key, &data)?;
        Ok(Some(Tensor::from_data(data.clone(), &self.device)))
    }

    /// A mask (integers 0 and 1), if the file has it.
    ///
    /// # Errors
    /// As [`optional_int`](Self::optional_int).
    pub fn optional_mask<const D: usize>(
        &self,
        name: &str,
    ) -> Result<Option<Tensor<D, Bool>>, OracleError> {
        Ok(self.optional_int(name)?.map(|mask| mask.not_equal_elem(0)))
    }

    /// All parameters under the reference's names, for modules that load them by a key map.
    #[must_use]
    pub fn params(&self) -> StateDict {
        let mut state = StateDict::default();
        for (key, data) in &self.case.tensors.tensors {
            if let Some(name) = key.strip_prefix("param/") {
                self.used.borrow_mut().insert(key.clone());
                state
                    .tensors
                    .insert(name.into(), self.convert(data.clone()));
            }
        }
        state
    }

    /// Loads all parameters into a module of ours, sets it to the case's mode, and has its
    /// gradients compared.
    ///
    /// # Errors
    /// A parameter that is missing, left over or misshapen, on either side.
    pub fn load<M: Module + 'static>(&self, module: M, keys: KeyMap) -> Result<M, OracleError> {
        let params = self.params();
        let there: usize = params.tensors.values().map(TensorData::num_elements).sum();
        // Parameters are made when first read: until then a hostile size has cost nothing.
        let needed = module.num_params();
        if needed > there {
            let what = format!("the config needs {needed} values, param/… has {there}");
            return Err(OracleError::new(what));
        }
        let like = StateDict::from_module(&module)?;
        let module = keys.to_module(&params, &like)?.load_into(module)?;
        Ok(self.track(module, keys))
    }

    /// Sets a module that is already loaded to the case's mode and has its gradients compared.
    #[must_use]
    pub fn track<M: Module + 'static>(&self, module: M, keys: KeyMap) -> M {
        let module = module.map(&mut Switches::new(self.case.mode));
        let copy = module.clone();
        self.tracked.set(true);
        self.collectors
            .borrow_mut()
            .push(Box::new(move |gradients| {
                let gradients = keys.to_reference(&gradients_by_name(&copy, gradients))?;
                Ok(gradients
                    .into_iter()
                    .map(|(name, data)| (format!("grad/{name}"), data))
                    .collect())
            }));
        module
    }

    /// Hands in the output `name`.
    ///
    /// # Errors
    /// If the file's cotangent has another shape.
    pub fn output<const D: usize>(&self, name: &str, output: Tensor<D>) -> Result<(), OracleError> {
        let key = format!("cotangent/{name}");
        if self.has(&key) {
            let cotangent = self.take(&key)?;
            let shape = output.dims();
            if cotangent.shape().as_slice() != shape {
                let found = cotangent.shape().as_slice();
                return Err(OracleError::new(format!(
                    "{key} is {found:?}, the output {shape:?}"
                )));
            }
            let cotangent = Tensor::<D>::from_data(cotangent, (&self.device, self.dtype));
            let term = (output.clone() * cotangent).sum();
            let mut loss = self.loss.borrow_mut();
            *loss = Some(match loss.take() {
                Some(loss) => loss + term,
                None => term,
            });
        }
        self.compare(&format!("output/{name}"), output.into_data());
        Ok(())
    }

    /// [`output`](Self::output) with its leading axes flattened, as
    /// [`input_rows`](Self::input_rows) gives them.
    ///
    /// # Errors
    /// If the file has no such output, or of another size.
    pub fn output_rows(&self, name: &str, output: Tensor<2>) -> Result<(), OracleError> {
        let shape = self.shape(&format!("output/{name}"))?;
        if shape.iter().product::<usize>() != output.shape().num_elements() {
            let found = output.dims();
            return Err(OracleError::new(format!(
                "output/{name} is {found:?}, not {shape:?}"
            )));
        }
        match *shape.as_slice() {
            [a] => self.output(name, output.reshape([a])),
            [a, b] => self.output(name, output.reshape([a, b])),
            [a, b, c] => self.output(name, output.reshape([a, b, c])),
            [a, b, c, d] => self.output(name, output.reshape([a, b, c, d])),
            _ => Err(OracleError::new(format!(
                "output/{name} is {shape:?}: rank 1 to 4 only"
            ))),
        }
    }

    /// Hands in any other result: `key` is the file's own (`output/lr`, `grad_mean/pred`).
    pub fn compare(&self, key: &str, data: TensorData) {
        self.found.borrow_mut().insert(key.into(), data);
    }

    /// Takes the gradients. Everything computed, by key, and the keys that were never read.
    pub(super) fn finish(self) -> Result<(Found, Vec<String>), OracleError> {
        let mut found = self.found.into_inner();
        let wanted = self.case.expected().any(|(key, _)| key.starts_with("grad"));
        if let Some(loss) = self
            .loss
            .into_inner()
            .filter(|_| wanted && self.tracked.get())
        {
            let gradients = loss.backward();
            for collector in self.collectors.into_inner() {
                found.extend(collector(&gradients)?);
            }
        }
        let used = self.used.into_inner();
        let unread = self.case.given().filter(|key| !used.contains(*key));
        Ok((found, unread.map(str::to_string).collect()))
    }

    fn float<const D: usize>(
        &self,
        key: &str,
        gradient: &str,
        shape: Option<Vec<usize>>,
    ) -> Result<Tensor<D>, OracleError> {
        let mut data = self.convert(self.take(key)?);
        if !data.dtype().is_float() {
            return Err(OracleError::new(format!(
                "{key} holds integers, expected floats"
            )));
        }
        let original = data.shape().to_vec();
        if let Some(shape) = shape {
            data = TensorData::from_bytes(data.bytes().clone(), shape, data.dtype());
        }
        self.rank::<D>(key, &data)?;
        let tensor = Tensor::<D>::from_data(data, (&self.device, self.dtype));
        if !self.has(gradient) {
            return Ok(tensor);
        }
        let leaf = tensor.require_grad();
        let (copy, gradient) = (leaf.clone(), gradient.to_string());
        self.tracked.set(true);
        self.collectors
            .borrow_mut()
            .push(Box::new(move |gradients| {
                let Some(data) = copy.grad(gradients).map(Tensor::into_data) else {
                    return Ok(Found::new());
                };
                let data = TensorData::from_bytes(data.bytes().clone(), original, data.dtype());
                Ok(Found::from([(gradient, data)]))
            }));
        Ok(leaf)
    }

    fn raw(&self, key: &str) -> Result<&TensorData, OracleError> {
        self.case
            .get(key)
            .ok_or_else(|| OracleError::new(format!("{key} is missing")))
    }

    fn take(&self, key: &str) -> Result<TensorData, OracleError> {
        let data = self.raw(key)?.clone();
        self.used.borrow_mut().insert(key.into());
        Ok(data)
    }

    fn convert(&self, data: TensorData) -> TensorData {
        if data.dtype().is_float() {
            data.convert_dtype(self.dtype)
        } else {
            data
        }
    }

    fn rank<const D: usize>(&self, key: &str, data: &TensorData) -> Result<(), OracleError> {
        if data.rank() == D {
            return Ok(());
        }
        let shape = data.shape().as_slice();
        Err(OracleError::new(format!(
            "{key} is {shape:?}, expected {D} axes"
        )))
    }
}

/// The largest integer anywhere in a JSON value.
fn largest(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::Array(values) => values.iter().filter_map(largest).max(),
        Value::Object(fields) => fields.values().filter_map(largest).max(),
        _ => None,
    }
}
