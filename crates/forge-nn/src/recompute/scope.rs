//! Where blocks are computed again.

use std::cell::Cell;

/// The seed of the next block.
#[derive(Debug, Clone, Copy)]
struct Scope {
    seed: u64,
    blocks: u64,
}

thread_local! {
    static SCOPE: Cell<Option<Scope>> = const { Cell::new(None) };
}

/// Runs the forward pass `pass` so that every block which goes through
/// [`recomputed`](super::recomputed) keeps its input alone, and is computed again when its gradients
/// are asked for (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", one segment per
/// block).
///
/// What a backward pass needs is then one input per block, and the inside of one block at a time:
/// less memory for about one more forward pass. Gradients are the same but for rounding.
///
/// Each block draws its random numbers (dropout) from a seed of its own, which follows from `seed`
/// and its place: both times the same. So dropout is another than without recomputation. The device's
/// random numbers are somewhere else after the backward pass; seed it again where it matters.
///
/// Holds on this thread, for the forward pass; within each other the innermost counts.
pub fn with_recomputation<R>(seed: u64, pass: impl FnOnce() -> R) -> R {
    let scope = Scope { seed, blocks: 0 };
    within(Some(scope), pass)
}

/// Runs `pass` outside of any scope: a block within a block is part of it.
pub(super) fn without_recomputation<R>(pass: impl FnOnce() -> R) -> R {
    within(None, pass)
}

/// Where a thread is, for another that goes on from there.
pub(crate) struct Carried(Option<Scope>);

/// Where this thread is.
pub(crate) fn carried() -> Carried {
    Carried(SCOPE.get())
}

impl Carried {
    /// Runs `pass` from there on, and says where it ended.
    pub(crate) fn run<R>(self, pass: impl FnOnce() -> R) -> (R, Self) {
        within(self.0, || {
            let done = pass();
            (done, carried())
        })
    }

    /// This thread is there from now on.
    pub(crate) fn put_back(self) {
        SCOPE.set(self.0);
    }
}

fn within<R>(scope: Option<Scope>, pass: impl FnOnce() -> R) -> R {
    /// Also where `pass` panics.
    struct Restore(Option<Scope>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SCOPE.set(self.0);
        }
    }
    let _restore = Restore(SCOPE.replace(scope));
    pass()
}

/// The seed of the next block, where there is a scope.
pub(super) fn next_seed() -> Option<u64> {
    let scope = SCOPE.get()?;
    SCOPE.set(Some(Scope {
        blocks: scope.blocks + 1,
        ..scope
    }));
    // SplitMix64: neighbouring places get unrelated seeds.
    let mut z = scope.seed.wrapping_add(
        scope
            .blocks
            .wrapping_add(1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15),
    );
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    Some(z ^ (z >> 31))
}
