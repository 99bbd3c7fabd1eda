//! The networks in a file: the members of an ensemble, or one.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::TensorData;
use forge_nn::{ForgeError, StateDict, TensorFile};
use forge_train::precision::Precision;

use super::half_weights;
use crate::Error;

pub(crate) const MODEL: &str = "model.";
/// No ensemble is larger; a file that says so only asks for memory.
const MOST: usize = 1_024;

pub(crate) type Tensors = BTreeMap<String, TensorData>;

/// The weights of all members by name.
pub(crate) fn tensors<M: Module>(members: &[M], weights: Precision) -> Result<Tensors, Error> {
    let mut tensors = Tensors::new();
    for (i, member) in members.iter().enumerate() {
        let of_member = StateDict::from_module(member)?.tensors;
        let of_member = half_weights::shortened(of_member, weights)?;
        let prefix = prefix(i);
        let named = of_member.into_iter();
        tensors.extend(named.map(|(name, data)| (format!("{prefix}{name}"), data)));
    }
    Ok(tensors)
}

/// What a member's tensors begin with.
pub(crate) fn prefix(i: usize) -> String {
    format!("{MODEL}{i}.")
}

/// The models that a manifest asks for are no larger than the tensors in the file, so that making
/// them cannot allocate more than the file holds.
pub(crate) fn check_size(
    file: &TensorFile<()>,
    members: usize,
    parameters: usize,
) -> Result<(), ForgeError> {
    if !(1..=MOST).contains(&members) {
        return Err(file.error(format!("{members} members")));
    }
    let held = file.values_under(MODEL);
    let asked = parameters.saturating_mul(members);
    if asked as u64 > held {
        return Err(file.error(format!(
            "the model has {asked} parameters, the file holds {held} values for it"
        )));
    }
    Ok(())
}

/// Reads `members` networks that `build` makes. Every tensor of the file is one of theirs, or one
/// that `is_other` knows.
pub(crate) fn read<M: Module>(
    file: &TensorFile<()>,
    members: usize,
    build: impl Fn() -> Result<M, Error>,
    is_other: impl Fn(&str) -> bool,
) -> Result<Vec<M>, Error> {
    let names = StateDict::names_of(&build()?);
    for name in file.names() {
        let known = match name
            .strip_prefix(MODEL)
            .and_then(|name| name.split_once('.'))
        {
            Some((member, name)) => is_member(member, members) && names.contains(name),
            None => is_other(name),
        };
        if !known {
            let what = format!("tensor {name} belongs to no part of the model");
            return Err(file.error(what).into());
        }
    }
    (0..members)
        .map(|i| member(file, file.tensors(&prefix(i))?, build()?))
        .collect()
}

/// Whether this is the number of one of `members`, as [`prefix`] writes it.
pub(crate) fn is_member(text: &str, members: usize) -> bool {
    let i: Option<usize> = text.parse().ok();
    i.is_some_and(|i| i < members && i.to_string() == text)
}

/// `module` with the weights of a file.
pub(crate) fn member<M: Module>(
    file: &TensorFile<()>,
    tensors: Tensors,
    module: M,
) -> Result<M, Error> {
    let tensors = half_weights::lengthened(tensors).map_err(|e| file.error(e))?;
    let state = StateDict { tensors };
    Ok(state.load_into(module).map_err(|e| file.error(e))?)
}
