//! Channels scaled and shifted by Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::LinearActivation;
use crate::ops::activation::reference::{activated, before_activation};
use crate::ops::expression::Expr;

fn centred<B: Backend>(x: Expr<B>, origin: Option<FloatTensor<B>>) -> Expr<B> {
    match origin {
        Some(origin) => x - Expr(origin).along_last(2),
        None => x,
    }
}

fn shifted<B: Backend>(centred: Expr<B>, scale: Expr<B>, shift: Option<FloatTensor<B>>) -> Expr<B> {
    let scaled = centred * scale.along_last(2);
    match shift {
        Some(shift) => scaled + Expr(shift).along_last(2),
        None => scaled,
    }
}

pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    origin: Option<FloatTensor<B>>,
    scale: FloatTensor<B>,
    shift: Option<FloatTensor<B>>,
    activation: LinearActivation,
) -> FloatTensor<B> {
    let x = Expr::<B>(x);
    if x.is_empty() {
        return x.0;
    }
    let z = shifted(centred(x, origin), Expr(scale), shift);
    match activation.on_its_own() {
        Some(activation) => activated(z, activation).0,
        None => z.0,
    }
}

pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    origin: Option<FloatTensor<B>>,
    scale: FloatTensor<B>,
    shift: Option<FloatTensor<B>>,
    dy: FloatTensor<B>,
    activation: LinearActivation,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (x, scale, dy) = (Expr::<B>(x), Expr::<B>(scale), Expr::<B>(dy));
    if x.is_empty() {
        let parameter = || scale.zeros_like(scale.shape()).0;
        return (dy.0, parameter(), parameter());
    }
    let centred = centred(x, origin);
    let dz = match activation.on_its_own() {
        Some(activation) => {
            let z = shifted(centred.clone(), scale.clone(), shift);
            before_activation(z, dy, activation)
        }
        None => dy,
    };
    let dscale = (dz.clone() * centred).sum_rows();
    let dshift = dz.clone().sum_rows();
    let dx = dz * scale.along_last(2);
    (dx.0, dscale.0, dshift.0)
}
