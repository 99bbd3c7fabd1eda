//! Results whose heads do not lie beside each other in memory.

use std::marker::PhantomData;

use super::Real;

/// A result `[B, H, T, D]`, stored as `[B, T, H, D]`, of which several threads write their heads.
pub(crate) struct HeadsOut<'a, E> {
    start: *mut E,
    /// `H`, `T`, `D`.
    sizes: [usize; 3],
    borrowed: PhantomData<&'a mut [E]>,
}

// SAFETY: what is written through it are disjoint heads, by the contract of `head`.
unsafe impl<E: Send> Sync for HeadsOut<'_, E> {}

impl<'a, E: Real> HeadsOut<'a, E> {
    /// # Panics
    /// If `values` are not whole sequences.
    pub(crate) fn new(values: &'a mut [E], [heads, time, width]: [usize; 3]) -> Self {
        assert!(values.len().is_multiple_of(heads * time * width));
        Self {
            start: values.as_mut_ptr(),
            sizes: [heads, time, width],
            borrowed: PhantomData,
        }
    }

    /// # Safety
    /// The sequence is one of the result's, the head one of its, and nobody else writes to it meanwhile.
    pub(crate) unsafe fn head(&self, batch: usize, head: usize) -> HeadOut<'_, E> {
        let [heads, time, width] = self.sizes;
        HeadOut {
            // SAFETY: within the result, by the caller.
            start: unsafe { self.start.add((batch * time * heads + head) * width) },
            stride: heads * width,
            time,
            width,
            borrowed: PhantomData,
        }
    }
}

/// Where the tokens of one head go.
pub(crate) struct HeadOut<'a, E> {
    start: *mut E,
    stride: usize,
    time: usize,
    width: usize,
    borrowed: PhantomData<&'a mut [E]>,
}

impl<E: Real> HeadOut<'_, E> {
    /// Writes tokens from `first` on.
    ///
    /// # Panics
    /// If they are more than there are.
    pub(crate) fn store(&mut self, first: usize, rows: &[E]) {
        assert!(first + rows.len() / self.width <= self.time);
        for (token, row) in (first..).zip(rows.chunks_exact(self.width)) {
            // SAFETY: the token is one of the head's, which is this value's alone to write.
            let out = unsafe {
                std::slice::from_raw_parts_mut(self.start.add(token * self.stride), self.width)
            };
            out.copy_from_slice(row);
        }
    }
}
