use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;

use crate::oracle::{OracleError, Session, Switches};

/// Fills a layer whose names follow the reference's, and sets it to the case's mode.
///
/// `theirs` turns a path of ours into the reference's name. A parameter may have axes of length 1
/// more or less than the reference's (a 1×1 convolution is a linear layer here), and a `Linear`'s
/// weight is the transpose of the reference's. Gradients are taken where the parameters come in, in
/// the reference's own layout.
pub(super) fn load<M: Module>(
    session: &Session<'_>,
    module: M,
    theirs: fn(&str) -> String,
) -> Result<M, OracleError> {
    let mut filler = Filler {
        session,
        theirs,
        path: vec![],
        error: None,
    };
    let module = module.map(&mut filler);
    match filler.error {
        Some(error) => Err(error),
        None => Ok(module.map(&mut Switches::new(session.case().mode))),
    }
}

/// The reference has the same names.
pub(super) fn same(name: &str) -> String {
    name.into()
}

struct Filler<'a, 'b> {
    session: &'a Session<'b>,
    theirs: fn(&str) -> String,
    /// Names, and the container each is in.
    path: Vec<(String, String)>,
    error: Option<OracleError>,
}

impl Filler<'_, '_> {
    fn tensor<const D: usize>(&self, shape: [usize; D]) -> Result<Tensor<D>, OracleError> {
        let names = self
            .path
            .iter()
            .filter(|(_, container)| !container.starts_with("Enum:"));
        let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
        let name = (self.theirs)(&names.join("."));
        let found = self.session.shape(&format!("param/{name}"))?;
        let container = self.path.last().map(|(_, container)| container.as_str());
        let transposed = D == 2 && container == Some("Struct:Linear");
        let mut expected = shape;
        if transposed {
            expected.swap(0, 1);
        }
        let long = |shape: &[usize]| -> Vec<usize> {
            shape
                .iter()
                .copied()
                .filter(|&length| length != 1)
                .collect()
        };
        if long(&found) != long(&expected) {
            let what = format!("param/{name} is {found:?}, expected {expected:?}");
            return Err(OracleError::new(what));
        }
        let tensor: Tensor<D> = match found.len() {
            1 => self.session.param::<1>(&name)?.reshape(expected),
            2 => self.session.param::<2>(&name)?.reshape(expected),
            3 => self.session.param::<3>(&name)?.reshape(expected),
            _ => self.session.param::<4>(&name)?.reshape(expected),
        };
        Ok(if transposed {
            tensor.transpose()
        } else {
            tensor
        })
    }
}

impl ModuleMapper for Filler<'_, '_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.into(), container.into()));
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.tensor(param.lazy_shape().dims()) {
            Ok(tensor) => Param::initialized(param.id, tensor),
            Err(error) => {
                self.error.get_or_insert(error);
                param
            }
        }
    }
}
