//! One call: inputs, and what all programs are told.

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{DType, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::ir::{AddressType, ElemType};
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim, InputScalar};
use burn_cubecl::tensor::CubeTensor;

use super::super::AttentionParams;
use super::form::{FAR, NO_MASK, Plan, ProblemLaunch};
use super::forward;
use super::heads::Heads;
use super::matrix;
use crate::ops::compute_dtype::compute_dtype;
use crate::ops::cube::launch::{address_type, element, empty, heavy, packed};
use crate::ops::dropout_mask::DropoutMask;
use crate::ops::optional::{OptionalBool, OptionalFloat};
use crate::ops::same_dtype::assert_same_dtype;

/// Launches a program: what all are told, and `buffers` and `layouts` of its own. Its units own
/// what `$owned` of [`Owns`] says; `$touched` are the heads that it reads or writes besides.
macro_rules! launch {
    (
        $module:ident :: $program:ident, $call:expr, $owned:ident,
        touches [$($touched:expr),*],
        buffers [$($buffer:expr),*],
        layouts [$($layout:expr),*] $(,)?
    ) => {{
        let call: &$crate::ops::attention::cube::call::Call = $call;
        let plan = call.plan(&[$($touched),*]);
        let vector = plan.features;
        let [q, k, v] = [&call.q, &call.k, &call.v];
        let (count, dim) = call.units(
            $crate::ops::attention::cube::call::Owns::$owned,
            plan.rows,
        );
        let address = call.address_type(&[$(&$touched.tensor),*]);
        // SAFETY: units that own nothing stop; indices of rows are clamped to those that exist.
        unsafe {
            $module::$program::launch_unchecked(
                &q.tensor.client,
                count,
                dim,
                address,
                vector,
                plan.rows,
                q.tensor.clone().into_buffer_arg(),
                k.tensor.clone().into_buffer_arg(),
                v.tensor.clone().into_buffer_arg(),
                call.bias.clone().map(CubeTensor::into_buffer_arg).into(),
                call.mask.clone().map(CubeTensor::into_buffer_arg).into(),
                call.drawn.clone().map(CubeTensor::into_buffer_arg).into(),
                $($buffer.clone().into_buffer_arg(),)*
                q.strides.launch(vector),
                k.strides.launch(vector),
                v.strides.launch(vector),
                $($layout.strides.launch(vector),)*
                call.problem(),
                plan.form,
                call.dtypes(),
            );
        }
    }};
}
pub(super) use launch;

/// What the units of a program own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owns {
    Queries,
    Keys,
    /// Queries of a head, the same for all samples.
    QueriesOnce,
}

pub(super) struct Call {
    pub(super) q: Heads,
    pub(super) k: Heads,
    pub(super) v: Heads,
    /// `[H, Tq, Tk]`.
    pub(super) bias: Option<CubeTensor>,
    /// `[B or 1, H or 1, Tq or 1, Tk]`.
    pub(super) mask: Option<CubeTensor>,
    /// The seed of dropout, four numbers.
    pub(super) drawn: Option<CubeTensor>,
    pub(super) params: AttentionParams,
}

impl Call {
    /// # Panics
    /// If the element types of queries, keys, values and bias differ, or the seed is not of f32: the
    /// programs do not look.
    pub(super) fn new(
        [q, k, v]: [Heads; 3],
        bias: OptionalFloat<CubeBackend>,
        mask: OptionalBool<CubeBackend>,
        drawn: OptionalFloat<CubeBackend>,
        params: AttentionParams,
    ) -> Self {
        let drawn = drawn
            .into_option()
            .or_else(|| (params.dropout > 0.0).then(|| seed(&q, params.seed)));
        let call = Self {
            q,
            k,
            v,
            bias: bias.into_option().map(packed),
            mask: mask.into_option().map(packed),
            drawn: drawn.map(packed),
            params,
        };
        call.assert_types(&[]);
        let seed = call.drawn.as_ref().map(|drawn| drawn.dtype);
        assert_same_dtype(
            "attention",
            &[("f32", Some(DType::F32)), ("the seed", seed)],
        );
        call
    }

    /// Refuses inputs and `others` that are not of the type of the queries.
    pub(super) fn assert_types(&self, others: &[(&str, &Heads)]) {
        let bias = self.bias.as_ref().map(|bias| bias.dtype);
        let mut types = vec![
            ("q", Some(self.dtype())),
            ("k", Some(self.k.tensor.dtype)),
            ("v", Some(self.v.tensor.dtype)),
            ("bias", bias),
        ];
        types.extend(
            others
                .iter()
                .map(|(name, of)| (*name, Some(of.tensor.dtype))),
        );
        assert_same_dtype("attention", &types);
    }

    pub(super) fn dtype(&self) -> DType {
        self.q.tensor.dtype
    }

    /// In which type sums and statistics are kept.
    pub(super) fn compute(&self) -> DType {
        compute_dtype(self.dtype())
    }

    /// Of elements, sums and mask.
    pub(super) fn dtypes(&self) -> [ElemType; 3] {
        let mask = self.mask.as_ref().map_or(NO_MASK, |mask| mask.dtype);
        [self.dtype(), self.compute(), mask].map(element)
    }

    /// The layout for the programs that also touch `others`.
    pub(super) fn plan(&self, others: &[&Heads]) -> Plan {
        let inputs = [&self.q, &self.k, &self.v];
        let strides: Vec<_> = inputs
            .into_iter()
            .chain(others.iter().copied())
            .flat_map(|heads| heads.strides.list())
            .collect();
        Plan::new(
            &self.q.tensor,
            [self.q.dims[3], self.v.dims[3]],
            &strides,
            self.mask.as_ref(),
            &self.params,
        )
    }

    /// Cubes and units for a program whose units own `rows` rows each.
    pub(super) fn units(&self, owns: Owns, rows: usize) -> (CubeCount, CubeDim) {
        let [batch, heads, queries, _] = self.q.dims;
        let [_, groups, keys, _] = self.k.dims;
        let units = match owns {
            Owns::Queries => batch * heads * queries.div_ceil(rows),
            Owns::Keys => batch * groups * keys.div_ceil(rows),
            Owns::QueriesOnce => heads * queries.div_ceil(rows),
        };
        heavy(&self.q.tensor, units)
    }

    pub(super) fn problem(&self) -> ProblemLaunch {
        let [batch, heads, queries, _] = self.q.dims;
        let [_, groups, keys, _] = self.k.dims;
        let params = &self.params;
        let limit = |window: Option<usize>| {
            window.map_or(FAR, |window| i32::try_from(window).unwrap_or(FAR).min(FAR))
        };
        let right = limit(params.window_right);
        let [mask_batch, mask_head, mask_row] = self.mask_strides();
        let compute = element(self.compute());
        let number = |value: f64| InputScalar::new(value, compute);
        let (keep_scale, drop_threshold) =
            DropoutMask::new(0, params.dropout).scale_and_threshold();
        ProblemLaunch::new(
            batch,
            heads,
            heads / groups,
            queries,
            keys,
            limit(params.window_left),
            if params.causal { 0 } else { right },
            mask_batch,
            mask_head,
            mask_row,
            number(params.scale),
            number(params.softcap.unwrap_or(1.0)),
            number(keep_scale),
            drop_threshold,
        )
    }

    /// Over samples, heads and queries; 0 where the mask is the same for all.
    fn mask_strides(&self) -> [usize; 3] {
        let Some(mask) = &self.mask else {
            return [0; 3];
        };
        let shape = mask.shape();
        let stride = |axis: usize| {
            let inner: usize = (axis + 1..4).map(|axis| shape[axis]).product();
            if shape[axis] == 1 { 0 } else { inner }
        };
        [stride(0), stride(1), stride(2)]
    }

    pub(super) fn address_type(&self, others: &[&CubeTensor]) -> AddressType {
        let inputs = [&self.q, &self.k, &self.v].map(|heads| &heads.tensor);
        let optional = [&self.bias, &self.mask].into_iter().flatten();
        let all: Vec<_> = inputs
            .into_iter()
            .chain(optional)
            .chain(others.iter().copied())
            .collect();
        address_type(&all)
    }

    /// The output, and `[B, H, Tq, 2]` for the backward pass.
    pub(super) fn forward(&self) -> (Heads, CubeTensor) {
        let [batch, heads, queries, _] = self.q.dims;
        let dims = [batch, heads, queries, self.v.dims[3]];
        let like = &self.q.tensor;
        let output = Heads::empty(like, dims, self.dtype());
        let softmax = empty(like, [batch, heads, queries, 2], self.compute());
        if dims.contains(&0) || self.k.dims[2] == 0 {
            let zeros = CubeBackend::float_zeros(dims.into(), &like.device, self.dtype().into());
            return (Heads::new(zeros), softmax);
        }
        if matrix::pays(self) {
            return matrix::forward(self);
        }
        launch!(
            forward::forward,
            self,
            Queries,
            touches [&output],
            buffers [output.tensor, softmax],
            layouts [output],
        );
        (output, softmax)
    }
}

/// As the device itself would have drawn it.
fn seed(like: &Heads, seed: u64) -> CubeTensor {
    let parts = [48, 32, 16, 0].map(|shift| (seed >> shift & 0xFFFF) as f32);
    CubeBackend::float_from_data(TensorData::from(parts), &like.tensor.device)
}
