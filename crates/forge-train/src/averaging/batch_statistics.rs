//! Batch statistics of weights that were never trained with them.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use forge_nn::ForgeError;

/// What a running statistic starts from where its momentum is measured, above its own size: large
/// enough that the difference is not lost in rounding.
const PROBE: f64 = 1024.0;

/// Computes the running statistics (batch normalisation) of `module` anew: each is the mean of
/// the statistics of all batches, every batch with the same weight whatever its size (PyTorch's
/// `update_bn`, which is `momentum = None`).
///
/// `batches` are their numbers of rows; `forward(module, k)` runs `module` forward on batch `k` in training
/// mode. It is called more often than once for the first batch and the first of each number of rows, and has
/// to do the same each time. The weights stay as they are. `module` and the result are in inference mode.
///
/// Works for any buffer `r` that training moves by `r ← (1 - m) r + m s` with a momentum `m` that
/// is the same for batches of as many rows (it may follow the rows, as in ghost batch normalisation): nothing
/// else has to be known of the layers. Started from 0, one batch leaves `m s`; `m` is measured from two
/// starting values. A module without such buffers comes back after one batch.
///
/// # Errors
/// What `forward` finds.
pub fn recompute_statistics<M: Module>(
    module: &M,
    batches: &[usize],
    mut forward: impl FnMut(&M, usize) -> Result<(), ForgeError>,
) -> Result<M, ForgeError> {
    let before = module.valid();
    if batches.is_empty() {
        return Ok(before);
    }
    // One batch from other starting values; `before` itself is never written to.
    let mut run = |start: Option<&Buffers>, k: usize| -> Result<M, ForgeError> {
        let mut module = before.valid();
        if let Some(start) = start {
            module = module.map(&mut Put(start));
        }
        let module = module.train();
        forward(&module, k)?;
        Ok(module.valid())
    };
    let after = Buffers::of(&run(None, 0)?);
    // Frozen weights are buffers by their looks, but no forward pass moves them.
    let moving = Buffers::of(&before).differing(&after);
    if moving.0.is_empty() {
        return Ok(before);
    }
    let zeros = moving.map(|r| r.zeros_like());
    // Of batches of as many rows the sum of `m s`, and `m`.
    let mut sums: Vec<(usize, Buffers, Buffers)> = vec![];
    for (k, rows) in batches.iter().enumerate() {
        let ms = Buffers::of(&run(Some(&zeros), k)?).only(&moving);
        if let Some((_, sum, _)) = sums.iter_mut().find(|(of, ..)| of == rows) {
            *sum = sum.zip(&ms, Tensor::add);
            continue;
        }
        // `(1 - m) p + m s` of the same batch.
        let probe = ms.map(|ms| ms.clone().abs().add_scalar(1.0).mul_scalar(PROBE));
        let probed = Buffers::of(&run(Some(&probe), k)?).only(&moving);
        let momentum = probed
            .zip(&ms, |probed, ms| probed.sub(ms))
            .zip(&probe, |kept, p| kept.div(p).neg().add_scalar(1.0));
        sums.push((*rows, ms, momentum));
    }
    let share = 1.0 / batches.len() as f64;
    let mean = sums.into_iter().fold(zeros, |mean, (_, sum, momentum)| {
        let part = sum.zip(&momentum, |sum, m| sum.div(m).mul_scalar(share));
        mean.zip(&part, Tensor::add)
    });
    Ok(before.map(&mut Put(&mean)))
}

/// Float tensors that are not trained, flat, by parameter id.
struct Buffers(HashMap<ParamId, Tensor<1>>);

impl Buffers {
    fn of<M: Module>(module: &M) -> Self {
        struct Take(HashMap<ParamId, Tensor<1>>);
        impl ModuleVisitor for Take {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.insert(param.id, param.base().flatten(0, D - 1));
            }
        }
        let mut take = Take(HashMap::new());
        module.visit(&mut take);
        Self(take.0)
    }

    fn differing(self, other: &Self) -> Self {
        let differs = |id: &ParamId, value: &Tensor<1>| {
            other
                .0
                .get(id)
                .is_some_and(|other| value.clone().not_equal(other.clone()).any().into_scalar())
        };
        let differing = self.0.into_iter().filter(|(id, v)| differs(id, v));
        Self(differing.collect())
    }

    fn only(self, those: &Self) -> Self {
        let kept = self
            .0
            .into_iter()
            .filter(|(id, _)| those.0.contains_key(id));
        Self(kept.collect())
    }

    fn map(&self, f: impl Fn(&Tensor<1>) -> Tensor<1>) -> Self {
        Self(self.0.iter().map(|(id, value)| (*id, f(value))).collect())
    }

    fn zip(&self, other: &Self, f: impl Fn(Tensor<1>, Tensor<1>) -> Tensor<1>) -> Self {
        let pairs = self.0.iter().filter_map(|(id, a)| {
            let b = other.0.get(id)?;
            Some((*id, f(a.clone(), b.clone())))
        });
        Self(pairs.collect())
    }
}

/// Puts values in.
struct Put<'a>(&'a Buffers);

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.0.get(&param.id) {
            Some(value) => param.map(|old| value.clone().reshape(old.shape())),
            None => param,
        }
    }
}
