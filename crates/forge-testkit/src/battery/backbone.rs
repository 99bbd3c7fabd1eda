//! What every backbone must do with padding, and every one that carries state token by token.

use burn::module::ModuleDisplay;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use forge_models::{Backbone, CarriesState};
use forge_nn::recurrent::Carried;
use forge_nn::{DeviceName, Mode, ModuleConfig, StateDict, set_mode};

use super::devices::{devices, rounds_factors};
use super::values::{assert_close, floats, values};
use crate::{Noise, gradients_by_name};

pub(super) const BATCH: usize = 3;
const TIME: usize = 11;

pub(super) fn tokens(noise: &mut Noise, time: usize, width: usize, device: &Device) -> Tensor<3> {
    floats(noise.tensor(&[BATCH, time, width]), device)
}

/// The outputs at valid tokens, one after the other.
fn at(valid: &[bool], outputs: Tensor<3>) -> Vec<f64> {
    let width = outputs.dims()[2];
    let values = values(outputs);
    let rows = values.chunks(width).zip(valid);
    rows.filter(|(_, valid)| **valid)
        .flat_map(|(row, _)| row.to_vec())
        .collect()
}

/// Whatever stands at tokens that do not count, and wherever they are, the outputs at those that
/// count are the same; and a sequence with padding behind it has the outputs of the sequence alone.
///
/// # Panics
/// With `name`, if an output differs by more than 1e-5 of the largest.
pub fn padding_changes_nothing<B: Backbone>(
    name: &str,
    backbone: &B,
    d_token: usize,
    device: &Device,
) {
    let mut noise = Noise::new(5);
    for round in 0..8 {
        let clean = tokens(&mut noise, TIME, d_token, device);
        let valid: Vec<bool> = (0..BATCH * TIME).map(|_| noise.code(3) > 0).collect();
        let mask = || {
            let data = TensorData::new(valid.clone(), [BATCH, TIME]);
            Tensor::<2, Bool>::from_data(data, device)
        };
        let absent = mask().bool_not().unsqueeze_dim::<3>(2);
        let absent = absent.expand([BATCH, TIME, d_token]);
        let junk = tokens(&mut noise, TIME, d_token, device) * 1e3;
        let padded = clean.clone().mask_where(absent, junk);
        let expected = at(&valid, backbone.forward(clean, Some(mask())));
        let found = at(&valid, backbone.forward(padded, Some(mask())));
        let title = format!("{name}: contents of padding, round {round}");
        assert_close(&title, &found, &expected, 1e-5, 0.0);
    }
    for time in [1, 4, TIME - 1] {
        let alone = tokens(&mut noise, time, d_token, device);
        let junk = tokens(&mut noise, TIME - time, d_token, device) * 1e3;
        let valid: Vec<bool> = (0..BATCH * TIME).map(|i| i % TIME < time).collect();
        let mask = TensorData::new(valid.clone(), [BATCH, TIME]);
        let mask = Tensor::<2, Bool>::from_data(mask, device);
        let padded = Tensor::cat(vec![alone.clone(), junk], 1);
        let found = at(&valid, backbone.forward(padded, Some(mask)));
        let expected = values(backbone.forward(alone, None));
        let title = format!("{name}: {time} tokens and padding behind");
        assert_close(&title, &found, &expected, 1e-5, 0.0);
    }
}

/// Token by token with the state handed on, the outputs are those of the whole sequence, for lengths
/// from 1, and so they are in pieces of several tokens; a state that was kept can be gone back to; and an output depends on tokens up to its own.
///
/// # Panics
/// With `name`, if an output differs by more than 1e-5 of the largest.
pub fn steps_equal_the_sequence<B: CarriesState>(
    name: &str,
    backbone: &B,
    d_token: usize,
    device: &Device,
) {
    assert!(
        backbone.is_causal(),
        "{name} carries state and is not causal"
    );
    let none = backbone.forward(floats(no_tokens(d_token), device), None);
    assert_eq!(none.dims(), [BATCH, 0, d_token], "{name}: no tokens");
    let mut noise = Noise::new(7);
    for time in [1, 2, TIME, 37] {
        let tokens = tokens(&mut noise, time, d_token, device);
        let whole = backbone.forward(tokens.clone(), None);
        let token = |t| tokens.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
        let mut state = backbone.start(BATCH, device);
        for t in 0..time {
            let kept = state.clone();
            let (y, next) = backbone.step(token(t), state);
            let (again, _) = backbone.step(token(t), kept);
            state = next;
            let title = format!("{name}: token {t} of {time}");
            let expected = values(whole.clone().narrow(1, t, 1));
            let y = values(y);
            assert_close(&title, &y, &expected, 1e-5, 1e-3);
            assert_close(&title, &values(again), &y, 0.0, 1e-3);
        }
        pieces_equal_the_sequence(name, backbone, &tokens, &whole);
        let prefix = time.div_ceil(2);
        let short = backbone.forward(tokens.clone().narrow(1, 0, prefix), None);
        let title = format!("{name}: first {prefix} of {time} tokens alone");
        let expected = values(whole.narrow(1, 0, prefix));
        assert_close(&title, &values(short), &expected, 1e-5, 1e-3);
    }
}

fn no_tokens(d_token: usize) -> TensorData {
    TensorData::new::<f64, _>(vec![], [BATCH, 0, d_token])
}

/// Cut into pieces, of no token too, with steps between, the outputs are those of the whole.
fn pieces_equal_the_sequence<B: CarriesState>(
    name: &str,
    backbone: &B,
    tokens: &Tensor<3>,
    whole: &Tensor<3>,
) {
    let [_, time, d_token] = tokens.dims();
    for lengths in [[time, 1, 0], [1, 3, 16], [5, 0, 1], [17, 2, 4]] {
        let mut state = backbone.start(BATCH, &tokens.device());
        let (mut from, mut turn) = (0, 0);
        while from < time {
            let length = lengths[turn % lengths.len()].min(time - from);
            turn += 1;
            let piece = match length {
                0 => floats(no_tokens(d_token), &tokens.device()),
                _ => tokens.clone().narrow(1, from, length),
            };
            let y = match (length, turn % 2) {
                (1, 0) => {
                    let (y, next) = backbone.step(piece.squeeze_dim(1), state);
                    state = next;
                    y.unsqueeze_dim(1)
                }
                _ => {
                    let (y, next) = backbone.steps(piece, state);
                    state = next;
                    y
                }
            };
            assert_eq!(y.dims()[1], length, "{name}: a piece of {length} tokens");
            if length > 0 {
                let title =
                    format!("{name}: {length} tokens from {from} of {time}, pieces {lengths:?}");
                let expected = values(whole.clone().narrow(1, from, length));
                assert_close(&title, &values(y), &expected, 1e-5, 1e-3);
            }
            from += length;
        }
    }
}

/// Gradients flow from piece to piece through the state: those of tokens and parameters are those of the
/// whole sequence. Behind a detached state the outputs are the same, and earlier tokens have none.
///
/// # Panics
/// With `name`, if one differs by more than 1e-4 of the largest.
pub fn gradients_flow_through_the_state<B: CarriesState>(
    name: &str,
    backbone: &B,
    d_token: usize,
    device: &Device,
) {
    // Without dropout, which draws for a piece what it did not draw for the whole.
    let backbone = &set_mode(backbone.clone(), Mode::Evaluate);
    let mut noise = Noise::new(13);
    let tokens = tokens(&mut noise, 23, d_token, device).require_grad();
    let weights = floats(noise.tensor(&[BATCH, 23, d_token]), device);
    let whole = backbone.forward(tokens.clone(), None);
    let mut state = backbone.start(BATCH, device);
    let mut outputs = vec![];
    let mut from = 0;
    for length in [7, 1, 15] {
        let piece = tokens.clone().narrow(1, from, length);
        let (y, next) = backbone.steps(piece, state);
        state = next;
        outputs.push(y);
        from += length;
    }
    let gradients = |y: Tensor<3>| {
        let gradients = (y * weights.clone()).sum().backward();
        let mut found = gradients_by_name(backbone, &gradients);
        let of_tokens = tokens.grad(&gradients).expect("a gradient of the tokens");
        found.insert("tokens".into(), of_tokens.into_data());
        found
    };
    let (whole, pieces) = (gradients(whole), gradients(Tensor::cat(outputs, 1)));
    assert!(whole.keys().eq(pieces.keys()), "{name}: other parameters");
    for ((parameter, expected), found) in whole.iter().zip(pieces.values()) {
        let [expected, found] = [expected, found].map(|data| data.iter().collect::<Vec<f64>>());
        let title = format!("{name}: the gradient of {parameter}");
        assert_close(&title, &found, &expected, 1e-4, 1e-3);
    }
    let (_, state) = backbone.steps(
        tokens.clone().narrow(1, 0, 7),
        backbone.start(BATCH, device),
    );
    let later = tokens.clone().narrow(1, 7, 9).detach().require_grad();
    let (linked, _) = backbone.steps(later.clone(), state.clone());
    let (cut, _) = backbone.steps(later.clone(), state.detached());
    let title = format!("{name}: outputs behind a detached state");
    assert_close(&title, &values(cut.clone()), &values(linked), 0.0, 1e-3);
    let gradients = cut.sum().backward();
    assert!(
        later.grad(&gradients).is_some(),
        "{name}: no gradient of later tokens"
    );
    assert!(
        tokens.grad(&gradients).is_none(),
        "{name}: a gradient passes a detached state"
    );
}

/// On every other device that is tested, a sequence in three pieces has the outputs that it has as a whole on
/// flex, with states of some sequences put beside those of the others between pieces, to 1e-4 of the largest; to 1e-2 where products round their factors.
///
/// # Panics
/// With `name`, if an output differs by more.
pub fn pieces_on_devices_equal_flex<B, C>(name: &str, config: &C, d_token: usize)
where
    B: CarriesState + ModuleDisplay,
    C: ModuleConfig<Module = B>,
{
    let flex = Device::flex();
    let backbone = config.init(&flex);
    let data = Noise::new(17).tensor(&[BATCH, 23, d_token]);
    let whole = values(backbone.forward(floats(data.clone(), &flex), None));
    let state = StateDict::from_module(&backbone).expect("the weights");
    for (device_name, device) in devices() {
        // `cpu` compiles every kernel for every shape anew.
        if matches!(device_name, DeviceName::Flex | DeviceName::Cpu) {
            continue;
        }
        let backbone = state.clone().load_into(config.init(&device));
        let backbone = backbone.expect("the same module");
        let tokens: Tensor<3> = floats(data.clone(), &device);
        let mut state = backbone.start(BATCH, &device);
        let mut outputs = vec![];
        for (from, length) in [(0, 7), (7, 1), (8, 15)] {
            let (y, next) = backbone.steps(tokens.clone().narrow(1, from, length), state);
            outputs.push(y);
            // Sequences that leave and come back.
            let apart = [&[0][..], &[1, 2]].map(|places| next.clone().select(places));
            let apart = apart.into_iter().collect::<Result<Vec<_>, _>>();
            state = apart.and_then(B::State::cat).expect("all of them");
        }
        let found = values(Tensor::cat(outputs, 1));
        let tolerance = if rounds_factors(&device) { 1e-2 } else { 1e-4 };
        let title = format!("{name} on {device_name}");
        assert_close(&title, &found, &whole, tolerance, 0.0);
    }
}

/// A token of another batch than the state's is refused with both batches, and so is a token of another
/// width, and the state of `other`, a backbone of other widths, with what they are.
///
/// # Panics
/// With `name`, if one is not.
pub fn states_of_others_are_refused<B: CarriesState>(
    name: &str,
    backbone: &B,
    d_token: usize,
    (other, d_other): (&B, usize),
    device: &Device,
) {
    assert_ne!(d_token, d_other, "{name}: a backbone of another width");
    let mut noise = Noise::new(3);
    let mut token = |batch, width| -> Tensor<2> {
        let token = tokens(&mut noise, 1, width, device);
        token.narrow(0, 0, batch).squeeze_dim(1)
    };
    let (_, state) = backbone.step(token(BATCH, d_token), backbone.start(BATCH, device));
    let (_, others) = other.step(token(BATCH, d_other), other.start(BATCH, device));
    let sizes = [BATCH, BATCH - 1].map(|size| size.to_string());
    // One token, and one as a piece.
    let step = |token: Tensor<2>, state: B::State| drop(backbone.step(token, state));
    let steps = |token: Tensor<2>, state: B::State| {
        drop(backbone.steps(token.unsqueeze_dim(1), state));
    };
    let ways: [&dyn Fn(Tensor<2>, B::State); 2] = [&step, &steps];
    for take in ways {
        for state in [backbone.start(BATCH, device), state.clone()] {
            let text = refusal(name, "the state of another batch", || {
                take(token(BATCH - 1, d_token), state);
            });
            let both = sizes.iter().all(|size| text.contains(size));
            assert!(both && text.contains("state"), "{name}, batch: {text}");
        }
        let widths = [d_token, d_other].map(|size| size.to_string());
        let text = refusal(name, "a token of another width", || {
            take(token(BATCH, d_other), state.clone());
        });
        let both = widths.iter().all(|size| text.contains(size));
        assert!(both, "{name}, width of the token: {text}");
        let text = refusal(name, "the state of a backbone of another width", || {
            take(token(BATCH, d_token), others.clone());
        });
        assert!(text.contains("state"), "{name}, state of another: {text}");
    }
}

/// What is said when `step` is refused.
fn refusal<T>(name: &str, what: &str, step: impl FnOnce() -> T) -> String {
    let step = std::panic::AssertUnwindSafe(|| drop(step()));
    let Err(panic) = std::panic::catch_unwind(step) else {
        panic!("{name} takes {what}");
    };
    let said = panic.downcast_ref::<&str>().map(ToString::to_string);
    said.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

/// Sequences of no token and of one, with and without padding, and sequences that are padding alone:
/// outputs of the tokens' shape, finite, and finite gradients.
///
/// # Panics
/// With `name`, if they are not.
pub fn shortest_sequences_are_right<B: Backbone>(
    name: &str,
    backbone: &B,
    d_token: usize,
    device: &Device,
) {
    for (time, valid) in [
        (0, None),
        (0, Some(true)),
        (1, None),
        (1, Some(true)),
        (1, Some(false)),
        (5, Some(false)),
    ] {
        let title = format!("{name}: {time} tokens, valid {valid:?}");
        let shape = [BATCH, time, d_token];
        let tokens = Tensor::<3>::full(shape, 0.5, device).require_grad();
        let mask = valid.map(|valid| {
            let data = TensorData::new(vec![valid; BATCH * time], [BATCH, time]);
            Tensor::<2, Bool>::from_data(data, device)
        });
        let y = backbone.forward(tokens.clone(), mask);
        assert_eq!(y.dims(), shape, "{title}");
        let finite = |x: Tensor<3>| values(x).iter().all(|x| x.is_finite());
        if time == 0 {
            continue;
        }
        let gradients = y.clone().sum().backward();
        // Outputs at padding mean nothing.
        assert!(finite(y) || valid == Some(false), "{title}: outputs");
        if valid != Some(false) {
            let gradient = tokens.grad(&gradients);
            assert!(gradient.is_some_and(finite), "{title}: gradients");
        }
    }
}

/// Tokens of 1e3 give finite outputs and gradients.
///
/// # Panics
/// With `name`, if they do not.
pub fn large_tokens_stay_finite<B: Backbone>(
    name: &str,
    backbone: &B,
    d_token: usize,
    device: &Device,
) {
    let tokens = tokens(&mut Noise::new(9), 37, d_token, device) * 1e3;
    let tokens = tokens.require_grad();
    let y = backbone.forward(tokens.clone(), None);
    let gradients = y.clone().sum().backward();
    let finite = |x: Tensor<3>| values(x).iter().all(|x| x.is_finite());
    assert!(finite(y), "{name}: outputs");
    assert!(
        tokens.grad(&gradients).is_some_and(finite),
        "{name}: gradients"
    );
}
