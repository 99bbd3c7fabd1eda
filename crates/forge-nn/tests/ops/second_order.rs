//! The gradient of a gradient through each operation: `Autodiff<Autodiff<Flex>>` against finite
//! differences of the first gradient.

use burn::backend::autodiff::Autodiff;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{AutodiffBackend, Flex};
use burn::tensor::{DType, Device, Tensor};
use forge_nn::ops::{
    Activation, ActivationOps, AttentionOps, AttentionParams, BatchNormOps, BlockDiagonalOps,
    CausalConvOps, ChannelAffineOps, CosSinOps, DepthwiseOps, DropoutResidualOps, GluKind, GluOps,
    LinearActivation, LinearOps, LstmOps, MatmulOps, MaxScanOps, OptionalBool, OptionalFloat,
    PackedHeads, PartGradients, PartsOps, RotaryLayout, RotaryOps, RowNorm, RowNormOps,
    SelectiveScanOps, SlstmOps, SoftmaxOps, SsdOps, StopGradientOps, TttOps, stop_gradient,
};

use super::evaluation::{tensor, values};

type Once = Autodiff<Flex>;
type Twice = Autodiff<Autodiff<Flex>>;
type Op<B> = fn(FloatTensor<B>) -> FloatTensor<B>;

fn reshape<B: burn::backend::Backend>(x: FloatTensor<B>, shape: &[usize]) -> FloatTensor<B> {
    B::float_reshape(x, shape.to_vec().into())
}

/// `Σ op(x) · c · op(x)`: not linear in the operation's output.
fn loss<B: burn::backend::Backend>(y: FloatTensor<B>) -> FloatTensor<B> {
    let rows = B::float_mul(y.clone(), y.clone());
    B::float_sum(B::float_mul(rows, B::float_add_scalar(y, 0.3.into())))
}

fn first_gradient(op: Op<Once>, x: &[f64]) -> Vec<f64> {
    let x = tensor(x, DType::F64, &Device::flex().autodiff())
        .try_into_primitive::<Once>()
        .unwrap();
    let x = Once::float_set_require_grad(x, true);
    let grads = Once::backward(loss::<Once>(op(x.clone())));
    let gradient = Once::grad(&x, &grads).unwrap();
    Tensor::<1>::from_primitive::<Flex>(gradient)
        .into_data()
        .iter()
        .collect()
}

/// `d (∇loss · direction) / dx` by differentiating twice.
fn hessian_product(op: Op<Twice>, x: &[f64], direction: &[f64]) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let x = tensor(x, DType::F64, &device).require_grad();
    let inner = x.clone().try_into_primitive::<Once>().unwrap();
    let outer = Twice::float_set_require_grad(Twice::from_inner(inner), true);
    let grads = Twice::backward(loss::<Twice>(op(outer.clone())));
    let gradient = Twice::grad(&outer, &grads).unwrap();
    let gradient = Tensor::<1>::from_primitive::<Once>(gradient);
    let grads = (gradient * tensor(direction, DType::F64, &device))
        .sum()
        .backward();
    x.grad(&grads).unwrap().into_data().iter().collect()
}

fn check(name: &str, once: Op<Once>, twice: Op<Twice>, len: usize) {
    let x = values(31, len);
    let direction = values(32, len);
    let exact = hessian_product(twice, &x, &direction);
    let step = 1e-5;
    let at = |by: f64| -> Vec<f64> {
        let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + by * d).collect();
        first_gradient(once, &moved)
    };
    let (up, down) = (at(step), at(-step));
    let size = exact.iter().fold(0.0f64, |max, x| max.max(x.abs()));
    assert!(size > 1e-4, "{name}: no curvature to see");
    for ((exact, up), down) in exact.iter().zip(up).zip(down) {
        let numeric = (up - down) / (2.0 * step);
        assert!(
            (exact - numeric).abs() < 1e-6 * size.max(1.0),
            "{name}: {exact} but differences of the gradient say {numeric}"
        );
    }
}

fn constant<B: burn::backend::Backend>(
    like: &FloatTensor<B>,
    seed: u64,
    shape: &[usize],
) -> FloatTensor<B> {
    use burn::backend::TensorMetadata;
    let len = shape.iter().product();
    let data = burn::tensor::TensorData::new(values(seed, len), shape.to_vec());
    B::float_from_data(data, &like.device())
}

macro_rules! twice {
    ($name:ident, $len:expr, $op:ident) => {
        #[test]
        fn $name() {
            check(stringify!($name), $op::<Once>, $op::<Twice>, $len);
        }
    };
}

fn linear<B: LinearOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[3, 5]);
    let weight = constant::<B>(&x, 1, &[5, 7]);
    let bias = OptionalFloat::Present(constant::<B>(&x, 2, &[7]));
    B::fused_linear(x, weight, bias, LinearActivation::Gelu)
}
twice!(through_linear, 15, linear);

fn linear_weight<B: LinearOps>(w: FloatTensor<B>) -> FloatTensor<B> {
    let x = constant::<B>(&w, 1, &[3, 5]);
    let w = reshape::<B>(w, &[5, 7]);
    B::fused_linear(x, w, OptionalFloat::Absent, LinearActivation::Silu)
}
twice!(through_linear_weight, 35, linear_weight);

fn layer_norm<B: RowNormOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[3, 5]);
    let weight = OptionalFloat::Present(constant::<B>(&x, 1, &[5]));
    let bias = OptionalFloat::Present(constant::<B>(&x, 2, &[5]));
    B::fused_row_norm(x, weight, bias, RowNorm::Layer, 1e-5)
}
twice!(through_layer_norm, 15, layer_norm);

fn batch_norm<B: BatchNormOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[2, 4, 3, 1]);
    let (weight, bias) = (constant::<B>(&x, 1, &[3]), constant::<B>(&x, 2, &[3]));
    B::fused_batch_norm(x, weight, bias, 1e-5).0
}
twice!(through_batch_norm, 24, batch_norm);

fn batch_norm_of_positions<B: BatchNormOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[1, 3, 2, 4]);
    let (weight, bias) = (constant::<B>(&x, 1, &[2]), constant::<B>(&x, 2, &[2]));
    B::fused_batch_norm(x, weight, bias, 1e-5).0
}
twice!(through_batch_norm_of_positions, 24, batch_norm_of_positions);

fn channel_affine<B: ChannelAffineOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[4, 3]);
    let [origin, scale, shift] = [1, 2, 3].map(|seed| constant::<B>(&x, seed, &[3]));
    let (origin, shift) = (Some(origin).into(), Some(shift).into());
    B::fused_channel_affine(x, origin, scale, shift, LinearActivation::Silu)
}
twice!(through_channel_affine, 12, channel_affine);

fn rms_norm<B: RowNormOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[3, 5]);
    let weight = OptionalFloat::Present(constant::<B>(&x, 1, &[5]));
    B::fused_row_norm(x, weight, OptionalFloat::Absent, RowNorm::Rms, 1e-5)
}
twice!(through_rms_norm, 15, rms_norm);

fn geglu<B: GluOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::fused_glu(reshape::<B>(x, &[3, 10]), GluKind::Gelu)
}
twice!(through_geglu, 30, geglu);

fn gated<B: GluOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let [value, gate] = [0, 15].map(|from| flat_part::<B>(&x, from, &[3, 5]));
    B::fused_gated(value, gate, GluKind::Silu)
}
twice!(through_gated, 30, gated);

fn slope_of_gelu<B: ActivationOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::fused_activation(x, Activation::GeluTanhSlope)
}
twice!(through_slope_of_gelu, 30, slope_of_gelu);

fn products<B: MatmulOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[2, 3, 5]);
    B::fused_matmul(x.clone(), B::float_transpose(x))
}
twice!(through_products, 30, products);

fn swiglu<B: GluOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::fused_glu(reshape::<B>(x, &[3, 10]), GluKind::Silu)
}
twice!(through_swiglu, 30, swiglu);

fn reglu<B: GluOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::fused_glu(reshape::<B>(x, &[3, 10]), GluKind::Relu)
}
twice!(through_reglu, 30, reglu);

fn softmax<B: SoftmaxOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::fused_softmax(reshape::<B>(x, &[3, 5]), 1)
}
twice!(through_softmax, 15, softmax);

fn cos_sin<B: CosSinOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::fused_cos_sin(reshape::<B>(x, &[3, 5]))
}
twice!(through_cosines_and_sines, 15, cos_sin);

fn rotary<B: RotaryOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[1, 2, 3, 4]);
    let [cos, sin] = [1, 2].map(|seed| constant::<B>(&x, seed, &[3, 2]));
    // Squared, since a rotation is linear.
    let y = B::fused_rotary(x, cos, sin, RotaryLayout::Interleaved);
    B::float_mul(y.clone(), y)
}
twice!(through_rotations, 24, rotary);

fn dropout_residual<B: DropoutResidualOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[3, 5]);
    B::fused_dropout_residual(x.clone(), x, 0.3, 7)
}
twice!(through_dropout_residual, 15, dropout_residual);

fn attention<B: AttentionOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[1, 2, 5, 6]);
    let bias = OptionalFloat::Present(constant::<B>(&x, 1, &[2, 5, 5]));
    let params = AttentionParams {
        scale: 0.8,
        causal: true,
        window_left: Some(3),
        window_right: None,
        softcap: Some(2.0),
        dropout: 0.2,
        seed: 5,
    };
    B::fused_attention(
        x.clone(),
        x.clone(),
        x,
        bias,
        OptionalBool::Absent,
        OptionalFloat::Absent,
        params,
    )
}
twice!(through_attention, 60, attention);

fn packed_attention<B: AttentionOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = reshape::<B>(x, &[2, 3, 16]);
    let params = AttentionParams {
        scale: 0.8,
        causal: false,
        window_left: None,
        window_right: None,
        softcap: None,
        dropout: 0.0,
        seed: 0,
    };
    let heads = PackedHeads {
        heads: 2,
        groups: 1,
    };
    B::fused_packed_attention(
        x,
        OptionalBool::Absent,
        OptionalFloat::Absent,
        heads,
        params,
    )
}
twice!(through_packed_attention, 96, packed_attention);

/// `Σ x · stop(x²)` has the gradient `x²` where `x` varies in the first factor alone, and no second
/// derivative: were the inner level not cut, it would be `2 x`.
#[test]
fn stop_gradient_stops_at_both_levels() {
    fn op<B: StopGradientOps>(x: FloatTensor<B>) -> FloatTensor<B> {
        let constant = B::stop_gradient(B::float_mul(x.clone(), x.clone()));
        B::float_mul(x, constant)
    }
    let point = values(41, 5);
    let device = Device::flex().autodiff();
    let x = tensor(&point, DType::F64, &device).require_grad();
    let squares: Vec<f64> = point.iter().map(|x| x * x).collect();
    let numbers = |x: Tensor<1>| x.into_data().iter::<f64>().collect::<Vec<_>>();

    let grads = (x.clone() * stop_gradient(x.clone() * x.clone()))
        .sum()
        .backward();
    assert_eq!(numbers(x.grad(&grads).unwrap()), squares);

    let inner = x.clone().try_into_primitive::<Once>().unwrap();
    let outer = Twice::float_set_require_grad(Twice::from_inner(inner), true);
    let grads = Twice::backward(Twice::float_sum(op::<Twice>(outer.clone())));
    let gradient = Twice::grad(&outer, &grads).unwrap();
    let gradient = Tensor::<1>::from_primitive::<Once>(gradient);
    assert_eq!(numbers(gradient.clone().inner()), squares);
    // The gradient is the constant: nothing of it depends on `x` any more.
    assert!(!gradient.is_tracked());
}

/// Part `from..from + len` of a flat tensor.
fn flat_part<B: burn::backend::Backend>(
    x: &FloatTensor<B>,
    from: usize,
    shape: &[usize],
) -> FloatTensor<B> {
    let len: usize = shape.iter().product();
    let range = burn::backend::Slice::from(from as isize..(from + len) as isize);
    reshape::<B>(B::float_slice(x.clone(), &[range]), shape)
}

/// Two chunks, two heads of one group.
fn ssd<B: SsdOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let y = B::fused_ssd(
        flat_part::<B>(&x, 0, &[1, 2, 66, 1]),
        flat_part::<B>(&x, 132, &[1, 2, 66]),
        B::float_mul_scalar(flat_part::<B>(&x, 264, &[1, 2, 66]), 0.1.into()),
        flat_part::<B>(&x, 396, &[1, 1, 66, 1]),
        flat_part::<B>(&x, 462, &[1, 1, 66, 1]),
        Some(flat_part::<B>(&x, 528, &[2])).into(),
    );
    reshape::<B>(y, &[132])
}
twice!(through_ssd, 530, ssd);

/// Two mini-batches, the second one shorter, of two heads; with a hidden layer.
fn ttt<B: TttOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let view = |i: usize| flat_part::<B>(&x, i * 20, &[1, 2, 5, 2]);
    let y = B::fused_ttt(
        view(0),
        view(1),
        view(2),
        B::float_mul_scalar(flat_part::<B>(&x, 60, &[1, 2, 5]), 0.1.into()),
        flat_part::<B>(&x, 70, &[3]),
        flat_part::<B>(&x, 73, &[2, 21]),
        Some(3),
    );
    reshape::<B>(y, &[20])
}
twice!(through_ttt, 115, ttt);

/// Two chunks.
fn selective_scan<B: SelectiveScanOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let y = B::fused_selective_scan(
        flat_part::<B>(&x, 0, &[1, 34, 2]),
        B::float_mul_scalar(flat_part::<B>(&x, 68, &[1, 34, 2]), 0.3.into()),
        flat_part::<B>(&x, 136, &[2, 1]),
        flat_part::<B>(&x, 138, &[1, 34, 1]),
        flat_part::<B>(&x, 172, &[1, 34, 1]),
        flat_part::<B>(&x, 206, &[1, 2, 1]),
    );
    reshape::<B>(y, &[68])
}
twice!(through_selective_scan, 208, selective_scan);

fn depthwise<B: DepthwiseOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let y = B::fused_depthwise(
        flat_part::<B>(&x, 0, &[2, 2, 7]),
        flat_part::<B>(&x, 28, &[2, 1, 3]),
    );
    reshape::<B>(y, &[28])
}
twice!(through_depthwise, 34, depthwise);

fn causal_conv<B: CausalConvOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let y = B::fused_causal_conv(
        flat_part::<B>(&x, 0, &[2, 7, 2]),
        flat_part::<B>(&x, 28, &[2, 1, 3]),
        OptionalFloat::Present(flat_part::<B>(&x, 34, &[2])),
    );
    reshape::<B>(y, &[28])
}
twice!(through_causal_convolutions, 36, causal_conv);

fn block_diagonal<B: BlockDiagonalOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let y = B::fused_block_diagonal(
        flat_part::<B>(&x, 0, &[3, 4]),
        flat_part::<B>(&x, 12, &[2, 2, 2]),
        OptionalFloat::Present(flat_part::<B>(&x, 20, &[4])),
    );
    reshape::<B>(y, &[12])
}
twice!(through_block_diagonals, 24, block_diagonal);

fn parts<B: PartsOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    let gradients = PartGradients::new(0, vec![7, 5, 7]);
    let whole = B::whole(x, gradients.clone());
    let [first, last] = [0, 2].map(|i| B::part(whole.clone(), gradients.clone(), i));
    B::float_mul(first, last)
}
twice!(through_parts, 19, parts);

fn max_scan<B: MaxScanOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::fused_max_scan(
        flat_part::<B>(&x, 0, &[2, 7]),
        flat_part::<B>(&x, 14, &[2, 7]),
    )
}
twice!(through_max_scan, 28, max_scan);

fn slstm<B: SlstmOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    // The stabiliser is a constant, and a normaliser not near 0.
    let state = flat_part::<B>(&x, 96, &[1, 2, 3, 2]);
    let size = B::float_add_scalar(B::float_powi_scalar(state, 2.into()), 1.0.into());
    let stabiliser = B::float_detach(flat_part::<B>(&x, 96, &[1, 2, 1, 2]));
    let stabiliser = B::float_mul_scalar(stabiliser, 0.0.into());
    let y = B::fused_slstm(
        flat_part::<B>(&x, 0, &[1, 2, 5, 8]),
        flat_part::<B>(&x, 80, &[1, 2, 8]),
        B::float_cat(vec![size, stabiliser], 2),
    );
    // But for the outputs, all depends on the stabiliser.
    let outputs = [1, 2, 5, 2].map(|end| burn::backend::Slice::from(0..end));
    B::float_slice(y, &outputs)
}
twice!(through_slstm, 108, slstm);

fn lstm<B: LstmOps>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::fused_lstm(
        flat_part::<B>(&x, 0, &[2, 3, 8]),
        flat_part::<B>(&x, 48, &[2, 8]),
        flat_part::<B>(&x, 64, &[2, 2]),
        flat_part::<B>(&x, 68, &[2, 2]),
    )
}
twice!(through_lstm, 72, lstm);
