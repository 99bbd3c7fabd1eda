//! Padding of causal stacks.

use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor};

/// Runs a causal stack on the tokens that count alone: padding moves behind them, where no token
/// that counts sees it, and the outputs move back.
///
/// So an output at a valid token is that of the sequence without its padding, wherever the padding
/// stands and whatever is in it, and convolutions, positions and states need no masks of their own.
/// Outputs at padding mean nothing.
///
/// # Shapes
/// - tokens, output: `[B, T, D]`
/// - valid: `[B, T]`, true for tokens that count
///
/// # Panics
/// If `valid` is not `[B, T]`.
pub fn over_valid(
    tokens: Tensor<3>,
    valid: Option<Tensor<2, Bool>>,
    run: impl FnOnce(Tensor<3>) -> Tensor<3>,
) -> Tensor<3> {
    let [batch, time, width] = tokens.dims();
    // No tokens, no outputs: backends refuse many operations on empty tensors.
    if batch * time * width == 0 {
        return tokens;
    }
    let Some(valid) = valid else {
        return run(tokens);
    };
    assert!(
        valid.dims() == [batch, time],
        "valid {:?} does not fit tokens {:?}",
        valid.dims(),
        tokens.dims()
    );
    let shape = [batch, time, width];
    let absent = valid.clone().bool_not();
    let places = places(valid)
        .unsqueeze_dim::<3>(2)
        .expand([batch, time, width]);
    let absent = absent.unsqueeze_dim::<3>(2).expand(shape);
    // What is not finite in padding would come back as 0 · ∞ from the gradients of those before.
    let tokens = tokens.mask_fill(absent, 0.0);
    let sorted = tokens
        .zeros_like()
        .scatter(1, places.clone(), tokens, IndexingUpdateOp::Add);
    run(sorted).gather(1, places)
}

/// Where each token goes: those that count first, both kinds in their order.
///
/// # Shapes
/// - valid, output: `[B, T]`
fn places(valid: Tensor<2, Bool>) -> Tensor<2, Int> {
    let valid = valid.int();
    let before = valid.clone().cumsum(1);
    let all = valid.clone().sum_dim(1);
    let absent = valid.clone().neg() + 1;
    let absent_before = absent.clone().cumsum(1) + all;
    valid * (before - 1) + absent * (absent_before - 1)
}
