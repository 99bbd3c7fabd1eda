use burn::module::Module;
use forge_nn::parameters::KeyMap;

use crate::oracle::{OracleError, Session};

/// Fills a layer whose structure is the reference's, and sets it to the case's mode: `theirs` turns
/// a path of ours into the reference's name, [`KeyMap::by_path`] does the rest.
pub(super) fn load<M: Module + 'static>(
    session: &Session<'_>,
    module: M,
    theirs: fn(&str) -> String,
) -> Result<M, OracleError> {
    let keys = KeyMap::by_path(&module, &session.params(), theirs);
    session.load(module, keys)
}

/// The reference has the same names.
pub(super) fn same(name: &str) -> String {
    name.into()
}
