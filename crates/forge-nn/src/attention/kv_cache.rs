//! Keys and values that were seen.

use burn::tensor::{Bool, Tensor};

use crate::carried;

/// Keys and values that a causal layer has seen, so that the next piece of a sequence can attend
/// to them without recomputing them.
///
/// One cache per layer and batch. With a window only the keys that a later query can still see are
/// kept, so memory stays bounded.
///
/// ```
/// use forge_nn::attention::{GroupedQueryAttentionConfig, KvCache};
/// use forge_nn::burn::tensor::{Device, Distribution, Tensor};
/// use forge_nn::{ModuleConfig, ops::AttentionMask};
///
/// let device = Device::flex();
/// let layer = GroupedQueryAttentionConfig::new(6, 3, 1).with_causal(true).init(&device);
/// let x = Tensor::<3>::random([2, 5, 6], Distribution::Default, &device);
/// let whole = layer.forward(x.clone(), AttentionMask::none(), None);
///
/// let mut cache = KvCache::new();
/// layer.forward_cached(x.clone().narrow(1, 0, 4), None, &mut cache);
/// let last = layer.forward_cached(x.narrow(1, 4, 1), None, &mut cache);
/// let difference = (whole.narrow(1, 4, 1) - last).abs().max().into_scalar::<f32>();
/// assert!(difference < 1e-5);
/// ```
#[derive(Debug, Clone, Default)]
pub struct KvCache {
    parts: Option<Parts>,
    seen: usize,
}

#[derive(Debug, Clone)]
struct Parts {
    /// `[B, Hkv, T, D]`.
    keys: Tensor<4>,
    /// `[B, Hkv, T, D]`.
    values: Tensor<4>,
    /// `[B, T]`, once any piece had a mask.
    valid: Option<Tensor<2, Bool>>,
}

/// What the current piece's queries attend to: all that is cached, and the piece itself.
pub(super) struct Context {
    pub(super) keys: Tensor<4>,
    pub(super) values: Tensor<4>,
    pub(super) valid: Option<Tensor<2, Bool>>,
}

carried!(KvCache { parts, seen });
carried!(Parts {
    keys,
    values,
    valid
});

impl KvCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Positions read so far, whether still kept or not: the position of the next token.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// Positions kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.parts.as_ref().map_or(0, |parts| parts.keys.dims()[2])
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Adds a piece, and keeps for later no more than the last `window` positions.
    pub(super) fn push(
        &mut self,
        keys: Tensor<4>,
        values: Tensor<4>,
        valid: Option<Tensor<2, Bool>>,
        window: Option<usize>,
    ) -> Context {
        self.seen += keys.dims()[2];
        let all = match self.parts.take() {
            None => Parts {
                keys,
                values,
                valid,
            },
            Some(old) => old.followed_by(Parts {
                keys,
                values,
                valid,
            }),
        };
        self.parts = match window {
            Some(0) => None,
            Some(window) => Some(all.clone().last(window)),
            None => Some(all.clone()),
        };
        Context {
            keys: all.keys,
            values: all.values,
            valid: all.valid,
        }
    }
}

impl Parts {
    fn followed_by(self, next: Self) -> Self {
        let valid = match (&self.valid, &next.valid) {
            (None, None) => None,
            _ => Some(Tensor::cat(vec![self.validity(), next.validity()], 1)),
        };
        Self {
            keys: Tensor::cat(vec![self.keys, next.keys], 2),
            values: Tensor::cat(vec![self.values, next.values], 2),
            valid,
        }
    }

    fn validity(&self) -> Tensor<2, Bool> {
        let [batch, _, time, _] = self.keys.dims();
        let device = self.keys.device();
        let all = || Tensor::<2>::zeros([batch, time], &device).equal_scalar(0.0);
        self.valid.clone().unwrap_or_else(all)
    }

    fn last(self, window: usize) -> Self {
        let time = self.keys.dims()[2];
        let kept = window.min(time);
        Self {
            keys: self.keys.narrow(2, time - kept, kept),
            values: self.values.narrow(2, time - kept, kept),
            valid: self.valid.map(|valid| valid.narrow(1, time - kept, kept)),
        }
    }
}
