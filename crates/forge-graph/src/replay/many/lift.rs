//! Operations with one more axis in front.

use burn::tensor::Slice;
use burn_ir::{
    ActivationOperationIr, BaseOperationIr, BoolOperationIr, FloatOperationIr, IntOperationIr,
    ModuleOperationIr, NumericOperationIr, OperationIr, ReduceDimOpIr, ReduceOpIr, TensorIr,
};
use forge_nn::ops::STOP_GRADIENT;

use super::align::Alignment;
use crate::capture::slot;

/// `operation` for `samples` samples at once, some operand of which has (`each`) a leading axis over them,
/// and how its operands must lie; none if there is no such operation.
pub(super) fn lifted(
    operation: &OperationIr,
    samples: usize,
    each: &impl Fn(&TensorIr) -> bool,
) -> Option<(OperationIr, Alignment)> {
    let mut operation = operation.clone();
    let alignment = match &mut operation {
        OperationIr::BaseFloat(op) | OperationIr::BaseInt(op) | OperationIr::BaseBool(op) => {
            base(op, samples, each)?
        }
        OperationIr::NumericFloat(_, op) | OperationIr::NumericInt(_, op) => numeric(op),
        OperationIr::Float(_, op) => match op {
            FloatOperationIr::Matmul(_)
            | FloatOperationIr::Powf(_)
            | FloatOperationIr::ArcTan2(_) => Alignment::Broadcast,
            _ => Alignment::Keep,
        },
        OperationIr::Bool(op) => match op {
            BoolOperationIr::And(_) | BoolOperationIr::Or(_) | BoolOperationIr::Xor(_) => {
                Alignment::Broadcast
            }
            _ => Alignment::Keep,
        },
        OperationIr::Int(IntOperationIr::IntoFloat(_)) => Alignment::Keep,
        OperationIr::Activation(op) => activation(op),
        // With weights of each sample, layers are run as what they are made of.
        OperationIr::Module(ModuleOperationIr::Linear(_) | ModuleOperationIr::LayerNorm(_)) => {
            Alignment::Keep
        }
        OperationIr::Custom(op) if op.id == STOP_GRADIENT => Alignment::Keep,
        _ => return None,
    };
    Some((operation, alignment))
}

fn base(
    op: &mut BaseOperationIr,
    samples: usize,
    each: &impl Fn(&TensorIr) -> bool,
) -> Option<Alignment> {
    use BaseOperationIr as Op;
    let longer = |shape: &[usize]| [vec![samples], shape.to_vec()].concat().into();
    let repeat = Alignment::Repeat { but: None };
    Some(match op {
        Op::Reshape(op) => {
            op.out.shape = longer(&op.out.shape.to_vec());
            Alignment::Keep
        }
        Op::Expand(op) => {
            let rank = op.out.shape.num_dims();
            op.out.shape = longer(&op.out.shape.to_vec());
            Alignment::Rank(rank)
        }
        Op::SwapDims(op) => {
            op.dim1 += 1;
            op.dim2 += 1;
            Alignment::Keep
        }
        Op::Permute(op) => {
            op.axes = std::iter::once(0)
                .chain(op.axes.iter().map(|axis| axis + 1))
                .collect();
            Alignment::Keep
        }
        Op::Flip(op) => {
            op.axes.iter_mut().for_each(|axis| *axis += 1);
            Alignment::Keep
        }
        Op::Unfold(op) => {
            op.dim += 1;
            Alignment::Keep
        }
        Op::Slice(op) => {
            op.ranges.insert(0, Slice::full());
            Alignment::Keep
        }
        Op::SliceAssign(op) => {
            op.ranges.insert(0, Slice::full());
            repeat
        }
        Op::Select(op) if !each(&op.indices) => {
            op.dim += 1;
            Alignment::Keep
        }
        Op::SelectAssign(op) if !each(&op.indices) => {
            op.dim += 1;
            let but = Some(slot(&op.indices));
            Alignment::Repeat { but }
        }
        Op::MaskWhere(_) | Op::MaskFill(_) => repeat,
        Op::Gather(op) => {
            op.dim += 1;
            repeat
        }
        Op::Scatter(op) => {
            op.dim += 1;
            repeat
        }
        Op::Cat(op) => {
            op.dim += 1;
            repeat
        }
        Op::RepeatDim(op) => {
            op.dim += 1;
            Alignment::Keep
        }
        Op::Equal(_) | Op::NotEqual(_) => Alignment::Broadcast,
        Op::EqualElem(_) | Op::NotEqualElem(_) | Op::Cast(_) => Alignment::Keep,
        Op::Any(of) => {
            *op = Op::AnyDim(along(of));
            Alignment::Flat
        }
        Op::All(of) => {
            *op = Op::AllDim(along(of));
            Alignment::Flat
        }
        Op::AnyDim(op) | Op::AllDim(op) => {
            op.axis += 1;
            Alignment::Keep
        }
        _ => return None,
    })
}

/// The reduction of vectors, sample by sample.
fn along(op: &ReduceOpIr) -> ReduceDimOpIr {
    ReduceDimOpIr {
        input: op.input.clone(),
        out: op.out.clone(),
        axis: 1,
        accumulator_len: 1,
    }
}

fn numeric(op: &mut NumericOperationIr) -> Alignment {
    use NumericOperationIr as Op;
    let whole = match op {
        Op::Mean(of) => Some(Op::MeanDim(along(of))),
        Op::Sum(of) => Some(Op::SumDim(along(of))),
        Op::Prod(of) => Some(Op::ProdDim(along(of))),
        Op::Max(of) => Some(Op::MaxDim(along(of))),
        Op::Min(of) => Some(Op::MinDim(along(of))),
        Op::MaxAbs(of) => Some(Op::MaxAbsDim(along(of))),
        _ => None,
    };
    if let Some(along) = whole {
        *op = along;
        return Alignment::Flat;
    }
    match op {
        Op::Add(_)
        | Op::Sub(_)
        | Op::Mul(_)
        | Op::Div(_)
        | Op::Greater(_)
        | Op::GreaterEqual(_)
        | Op::Lower(_)
        | Op::LowerEqual(_) => return Alignment::Broadcast,
        Op::MeanDim(op)
        | Op::SumDim(op)
        | Op::ProdDim(op)
        | Op::ArgMax(op)
        | Op::ArgMin(op)
        | Op::ArgTopK(op)
        | Op::TopK(op)
        | Op::MaxDim(op)
        | Op::MinDim(op)
        | Op::MaxAbsDim(op) => op.axis += 1,
        Op::SumDims(op) => op.axes.iter_mut().for_each(|axis| *axis += 1),
        Op::CumSum(op) | Op::CumProd(op) => op.axis += 1,
        Op::TopKWithIndices(op) => op.dim += 1,
        Op::MaxDimWithIndices(op) | Op::MinDimWithIndices(op) => op.dim += 1,
        Op::Sort(op) => op.dim += 1,
        Op::SortWithIndices(op) => op.dim += 1,
        Op::ArgSort(op) => op.dim += 1,
        Op::Pad(op) => op.padding.insert(0, (0, 0)),
        _ => {}
    }
    Alignment::Keep
}

fn activation(op: &mut ActivationOperationIr) -> Alignment {
    use ActivationOperationIr as Op;
    match op {
        Op::PRelu(_) => return Alignment::Broadcast,
        Op::Softmax(op) | Op::LogSoftmax(op) | Op::Softmin(op) => op.axis += 1,
        _ => {}
    }
    Alignment::Keep
}
