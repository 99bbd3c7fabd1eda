//! What an attention call may ask for.

use core::ops::Range;

use burn::backend::Backend;
use burn::tensor::{Bool, Tensor, try_read_sync};

use crate::ops::dropout_mask::seed_of;
use crate::ops::optional::OptionalFloat;
use crate::{ForgeError, check};

/// The options of [`attention`](super::attention).
///
/// Applied in this order: scale, softcap, bias, mask (key validity, full mask, causality, window),
/// softmax, dropout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttentionOptions {
    /// What the products of queries and keys are multiplied by; `None` is `1 / sqrt(D)`.
    pub scale: Option<f64>,
    /// A query sees no later key. With unequal lengths the last query is aligned with the last
    /// key: query `i` sees key `j` iff `j <= i + Tk - Tq`.
    pub causal: bool,
    /// A query sees at most this many keys before its own position (itself not counted).
    pub window_left: Option<usize>,
    /// A query sees at most this many keys after its own position (itself not counted).
    pub window_right: Option<usize>,
    /// Scores are squashed to `c * tanh(score / c)`.
    pub softcap: Option<f64>,
    /// The probability with which a weight is dropped after the softmax, in `[0, 1)`. Acts on any
    /// device: whether to drop is the caller's to say.
    pub dropout: f64,
}

impl AttentionOptions {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        if let Some(scale) = self.scale
            && !scale.is_finite()
        {
            return Err(ForgeError::config("scale", scale, "finite"));
        }
        if let Some(softcap) = self.softcap {
            check::positive("softcap", softcap)?;
        }
        check::probability("dropout", self.dropout)
    }
}

/// Which keys a query may attend to, besides causality and windows: `true` means attend.
///
/// Both parts may be given; then both must allow a key. A query that may attend to nothing gets
/// zeros, and passes on zero gradients.
#[derive(Clone, Debug, Default)]
pub struct AttentionMask {
    /// `[B, Tk]`: which keys are real, the same for all queries and heads.
    pub key_valid: Option<Tensor<2, Bool>>,
    /// `[B or 1, H or 1, Tq or 1, Tk]`.
    pub full: Option<Tensor<4, Bool>>,
}

impl AttentionMask {
    /// Every query may attend to every key.
    pub fn none() -> Self {
        Self::default()
    }

    /// Only keys marked `true` in `[B, Tk]` are attended to.
    pub fn key_valid(key_valid: Tensor<2, Bool>) -> Self {
        Self {
            key_valid: Some(key_valid),
            full: None,
        }
    }

    /// A mask `[B or 1, H or 1, Tq or 1, Tk]`, `true` where a query attends to a key.
    pub fn full(full: Tensor<4, Bool>) -> Self {
        Self {
            key_valid: None,
            full: Some(full),
        }
    }

    /// Both parts as one `[B or 1, H or 1, Tq or 1, Tk]`; those without a pair to hide are left out.
    pub(crate) fn combined(self) -> Option<Tensor<4, Bool>> {
        let has_pairs = |shape: &[usize]| !shape.contains(&0);
        let key_valid = self.key_valid.filter(|mask| has_pairs(&mask.dims()));
        let full = self.full.filter(|mask| has_pairs(&mask.dims()));
        let key_valid = key_valid.map(|mask| {
            let [batch, keys] = mask.dims();
            mask.reshape([batch, 1, 1, keys])
        });
        match (key_valid, full) {
            (None, full) => full,
            (key_valid, None) => key_valid,
            (Some(key_valid), Some(full)) => {
                let [batch, ..] = key_valid.dims();
                let [b, heads, queries, keys] = full.dims();
                let shape = [batch.max(b), heads, queries, keys];
                Some(key_valid.expand(shape).bool_and(full.expand(shape)))
            }
        }
    }
}

/// [`AttentionOptions`] resolved for one call, as the operation's trait takes them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionParams {
    /// Multiplies the products of queries and keys.
    pub scale: f64,
    /// No later keys.
    pub causal: bool,
    /// Keys before the own position.
    pub window_left: Option<usize>,
    /// Keys after the own position.
    pub window_right: Option<usize>,
    /// `c * tanh(score / c)`.
    pub softcap: Option<f64>,
    /// Probability with which a weight is dropped.
    pub dropout: f64,
    /// Decides which weights are dropped, where the device has drawn nothing.
    pub seed: u64,
}

impl AttentionParams {
    /// Whether causality or a window hides keys.
    pub fn is_structured(&self) -> bool {
        self.causal || self.window_left.is_some() || self.window_right.is_some()
    }

    /// With the seed that the device drew. Waits for the device.
    ///
    /// # Panics
    /// If it cannot be read back: another seed would drop other weights than the forward pass did.
    pub(crate) fn with_drawn<B: Backend>(self, drawn: OptionalFloat<B>) -> Self {
        let Some(drawn) = drawn.into_option() else {
            return self;
        };
        match try_read_sync(B::float_into_data(drawn)) {
            Some(Ok(parts)) => Self {
                seed: seed_of(parts),
                ..self
            },
            Some(Err(error)) => panic!("attention: the seed of dropout cannot be read: {error}"),
            None => panic!("attention: the seed of dropout cannot be read without waiting"),
        }
    }

    /// The keys that query `query` of `queries` may see among `keys`; possibly empty.
    pub fn key_range(&self, query: usize, queries: usize, keys: usize) -> Range<usize> {
        let own = query as i128 + keys as i128 - queries as i128;
        let low = match self.window_left {
            Some(left) => own - left as i128,
            None => 0,
        };
        let mut high = match self.window_right {
            Some(right) => own + right as i128,
            None => keys as i128,
        };
        if self.causal {
            high = high.min(own);
        }
        let start = low.clamp(0, keys as i128) as usize;
        let end = (high + 1).clamp(0, keys as i128) as usize;
        start..end.max(start)
    }
}

/// How the features of a token are divided in [`attention_packed`](super::attention_packed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedHeads {
    /// Query heads, `H`.
    pub heads: usize,
    /// Key/value heads, `Hkv`; divides `heads`.
    pub groups: usize,
}

impl PackedHeads {
    /// As many key/value heads as query heads.
    pub fn equal(heads: usize) -> Self {
        Self {
            heads,
            groups: heads,
        }
    }
}
