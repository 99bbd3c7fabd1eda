//! Recurrent layers.

use burn::tensor::{DType, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::recurrent::{LstmConfig, LstmState};

use crate::checks::{close, device, in_f64, normal};

#[test]
fn a_sequence_is_its_steps_and_goes_on_from_its_state() {
    let layer = in_f64(LstmConfig::new(3, 5).init(&device()));
    let x = normal::<3>([2, 7, 3]);
    assert_eq!(x.dtype(), DType::F64);
    let start = LstmState {
        hidden: normal::<2>([2, 5]),
        cell: normal::<2>([2, 5]),
    };
    let (whole, last) = layer.forward(x.clone(), start.clone());
    let mut state = start.clone();
    for t in 0..7 {
        state = layer.step(x.clone().narrow(1, t, 1).squeeze_dim(1), state);
        let expected = whole.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
        close(state.hidden.clone(), expected, 1e-14);
    }
    close(state.cell, last.cell.clone(), 1e-14);
    let (first, middle) = layer.forward(x.clone().narrow(1, 0, 4), start);
    let (second, end) = layer.forward(x.narrow(1, 4, 3), middle);
    close(Tensor::cat(vec![first, second], 1), whole, 1e-14);
    close(end.hidden, last.hidden, 1e-14);
}
