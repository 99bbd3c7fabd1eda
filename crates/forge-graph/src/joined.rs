//! Linear layers that were recorded as a product and a sum.

use std::collections::HashMap;

use burn_ir::{
    BaseOperationIr, FloatOperationIr, LinearOpIr, MatmulOpIr, ModuleOperationIr,
    NumericOperationIr, OperationIr,
};

use crate::capture::slot;
use crate::{Slot, Step};

/// `steps` with each product of rows and a matrix, to which a vector is then added, as one operation: what
/// a backend has a kernel for, and whose gradients are known.
pub(crate) fn joined(steps: Vec<Step>, outputs: &[Slot]) -> Vec<Step> {
    let mut reads: HashMap<Slot, usize> = HashMap::new();
    let read = steps
        .iter()
        .flat_map(|step| step.operation.inputs().map(slot).collect::<Vec<_>>());
    for slot in read.chain(outputs.iter().copied()) {
        *reads.entry(slot).or_default() += 1;
    }
    let read_once = |slot: Slot| reads.get(&slot) == Some(&1);
    let mut all = vec![];
    let mut steps = steps.into_iter();
    while let Some(step) = steps.next() {
        let layer = linear(&step, steps.as_slice());
        let layer = layer.filter(|(_, between)| between.iter().copied().all(read_once));
        all.push(match layer {
            Some((layer, _)) => {
                // What makes a row of the bias, and the sum.
                steps.by_ref().take(2).for_each(drop);
                let operation = OperationIr::Module(ModuleOperationIr::Linear(layer));
                Step { operation, ..step }
            }
            None => step,
        });
    }
    all
}

/// Whether a product is one of rows with a matrix.
pub(crate) fn is_layer(op: &MatmulOpIr) -> bool {
    [&op.lhs, &op.rhs]
        .iter()
        .all(|tensor| tensor.shape.num_dims() == 2)
}

/// The layer that a step and the two after it are, and the values between them, if they are one.
fn linear(step: &Step, after: &[Step]) -> Option<(LinearOpIr, [Slot; 2])> {
    let OperationIr::Float(_, FloatOperationIr::Matmul(product)) = &step.operation else {
        return None;
    };
    let [reshape, sum, ..] = after else {
        return None;
    };
    let OperationIr::BaseFloat(BaseOperationIr::Reshape(row)) = &reshape.operation else {
        return None;
    };
    let OperationIr::NumericFloat(_, NumericOperationIr::Add(sum)) = &sum.operation else {
        return None;
    };
    let outputs = *product.rhs.shape.last()?;
    let fits =
        is_layer(product) && row.input.shape[..] == [outputs] && row.out.shape[..] == [1, outputs];
    let between = [slot(&product.out), slot(&row.out)];
    let adds = [slot(&sum.lhs), slot(&sum.rhs)] == between;
    (fits && adds).then(|| {
        let layer = LinearOpIr {
            x: product.lhs.clone(),
            weight: product.rhs.clone(),
            bias: Some(row.input.clone()),
            out: sum.out.clone(),
        };
        (layer, between)
    })
}
