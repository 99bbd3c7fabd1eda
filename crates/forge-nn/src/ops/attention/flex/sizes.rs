//! The sizes of a call, checked: the kernels reach into memory by them.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

/// The sizes of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) batch: usize,
    pub(super) heads: usize,
    pub(super) groups: usize,
    pub(super) queries: usize,
    pub(super) keys: usize,
    pub(super) width: usize,
    pub(super) value_width: usize,
}

impl Sizes {
    /// The sizes of a call whose shapes fit.
    pub(super) fn of(
        q: &FlexTensor,
        k: &FlexTensor,
        v: &FlexTensor,
        bias: Option<&FlexTensor>,
        mask: Option<&FlexTensor>,
    ) -> Self {
        let (q, k, v) = (q.shape(), k.shape(), v.shape());
        let sizes = Self {
            batch: q[0],
            heads: q[1],
            groups: k[1],
            queries: q[2],
            keys: k[2],
            width: q[3],
            value_width: v[3],
        };
        let Self {
            batch,
            heads,
            groups,
            queries,
            keys,
            width,
            value_width,
        } = sizes;
        assert_eq!(k[..], [batch, groups, keys, width], "attention: k");
        assert_eq!(v[..], [batch, groups, keys, value_width], "attention: v");
        assert!(
            heads.is_multiple_of(groups),
            "attention: {heads} / {groups}"
        );
        if let Some(bias) = bias {
            assert_eq!(bias.shape()[..], [heads, queries, keys], "attention: bias");
        }
        sizes.assert_mask(mask);
        sizes
    }

    /// Query heads that share a key/value head.
    pub(super) fn sharing(&self) -> usize {
        self.heads / self.groups
    }

    /// Multiplications of a forward pass over so many queries of one head; a backward pass, which computes the
    /// scores again, has two and a half times as many.
    pub(super) fn multiplications(&self, queries: usize) -> usize {
        queries * self.keys * (self.width + self.value_width)
    }

    /// Refuses a mask that is not `[B or 1, H or 1, Tq or 1, Tk or 1]`.
    pub(super) fn assert_mask(&self, mask: Option<&FlexTensor>) {
        let Some(mask) = mask else { return };
        let shape = mask.shape();
        let wanted = [self.batch, self.heads, self.queries, self.keys];
        let fits = |(&len, wanted)| len == wanted || len == 1;
        assert!(
            shape.len() == 4 && shape.iter().zip(wanted).all(fits),
            "attention: mask {shape:?} does not fit {wanted:?}"
        );
    }

    /// Refuses what the forward pass did not leave, and a gradient of another shape than `output`,
    /// whose shape for these sizes is `output_shape`.
    pub(super) fn assert_saved(
        &self,
        output_shape: &[usize],
        [output, statistics, dy]: [&FlexTensor; 3],
    ) {
        let rows = [self.batch, self.heads, self.queries, 2];
        assert_eq!(output.shape()[..], *output_shape, "attention: output");
        assert_eq!(dy.shape()[..], *output_shape, "attention: dy");
        assert_eq!(statistics.shape()[..], rows, "attention: statistics");
    }
}
