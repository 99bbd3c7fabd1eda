//! What every backbone that carries state must do when sequences leave a batch or join one.

use burn::tensor::{Device, Tensor};
use forge_models::CarriesState;
use forge_nn::ForgeError;
use forge_nn::recurrent::Carried;

use super::backbone::{BATCH, tokens};
use super::values::{assert_close, values};
use crate::Noise;

/// Sequences taken out of a state, in another order and twice, go on as they do where they were, and those
/// of two states put beside each other as in their own. Where they have seen different numbers of tokens
/// that holds too if `apart` says so, of some before their first token and of some behind it, and is refused
/// otherwise; a sequence that is not there always is.
///
/// # Panics
/// With `name`, if it does not.
pub fn sequences_leave_and_join<B: CarriesState>(
    name: &str,
    backbone: &B,
    d_token: usize,
    apart: [bool; 2],
    device: &Device,
) {
    let mut noise = Noise::new(29);
    let mut after = |seen: usize| {
        let seen = tokens(&mut noise, seen, d_token, device);
        backbone.steps(seen, backbone.start(BATCH, device)).1
    };
    let states = [0, 1, 5, 23].map(|seen| (seen, [after(seen), after(seen)]));
    let next = tokens(&mut noise, 7, d_token, device);
    let outputs = |state: B::State, sequences: &[usize]| {
        let chosen = sequences
            .iter()
            .map(|i| next.clone().narrow(0, i % BATCH, 1));
        let tokens = Tensor::cat(chosen.collect(), 0);
        values(backbone.steps(tokens, state).0)
    };
    let all: Vec<usize> = (0..BATCH).collect();
    let each = 7 * d_token;
    for (seen, [one, other]) in states.clone() {
        let [expected, others] = [&one, &other].map(|state| outputs(state.clone(), &all));

        let places = [2, 0, 2];
        let chosen = one
            .clone()
            .select(&places)
            .expect("sequences that are there");
        let of = |place: &usize| &expected[place * each..][..each];
        let title = format!("{name}: sequences taken out after {seen} tokens");
        let rows = places.iter().flat_map(of).copied().collect::<Vec<f64>>();
        assert_close(&title, &outputs(chosen, &places), &rows, 1e-5, 1e-3);

        let joined = B::State::cat(vec![one, other]).expect("states of one length");
        let title = format!("{name}: beside each other after {seen} tokens");
        let rows = [expected, others].concat();
        let twice = [all.clone(), all.clone()].concat();
        assert_close(&title, &outputs(joined, &twice), &rows, 1e-5, 1e-3);
    }

    let [(_, [start, _]), _, (_, [five, _]), (_, [many, _])] = states;
    let firsts = [("the start", start.clone()), ("five tokens", five)];
    for ((what, first), allowed) in firsts.into_iter().zip(apart) {
        let joined = B::State::cat(vec![first.clone(), many.clone()]);
        assert_eq!(joined.is_ok(), allowed, "{name}: {what} beside 23");
        match joined {
            Ok(joined) => {
                let rows = [outputs(first, &all), outputs(many.clone(), &all)].concat();
                let found = outputs(joined, &[all.clone(), all.clone()].concat());
                let title = format!("{name}: {what} beside 23 tokens");
                assert_close(&title, &found, &rows, 1e-5, 1e-3);
            }
            Err(error) => said(name, &error, "put beside others"),
        }
    }
    let refused = |places: &[usize]| start.clone().select(places).err().expect("refused");
    said(name, &refused(&[0, BATCH]), &format!("number {BATCH}"));
    said(name, &refused(&[]), "none");
    let nothing = B::State::cat(vec![]).err().expect("refused");
    said(name, &nothing, "no state");
}

fn said(name: &str, error: &ForgeError, words: &str) {
    assert!(error.to_string().contains(words), "{name}: {error}");
}
