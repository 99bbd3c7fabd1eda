//! Linear layers that were recorded as a product and a sum.

use std::collections::HashMap;

use burn_ir::{
    BaseOperationIr, FloatOperationIr, LinearOpIr, ModuleOperationIr, NumericOperationIr,
    OperationIr,
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
    let mut rest = &steps[..];
    while let [step, after @ ..] = rest {
        rest = after;
        match linear(step, after).filter(|(_, between)| between.iter().copied().all(read_once)) {
            Some((layer, _)) => {
                all.push(Step {
                    operation: OperationIr::Module(ModuleOperationIr::Linear(layer)),
                    ..step.clone()
                });
                rest = &after[2..];
            }
            None => all.push(step.clone()),
        }
    }
    all
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
    let fits = product.lhs.shape.num_dims() == 2
        && product.rhs.shape.num_dims() == 2
        && row.input.shape[..] == [outputs]
        && row.out.shape[..] == [1, outputs];
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
