//! Recycled memory behind the results of the operations.
//!
//! A training step allocates and frees the same sizes over and over. The system allocator gives
//! blocks of megabytes back to the kernel and gets fresh pages for the next operation, and each
//! page costs a fault and a clear, which for memory-bound operations is more than the operation.
//! Here freed blocks wait in a list by size and are handed out again.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::backend::flex::{FlexTensor, Layout as TensorLayout};
use burn::backend::ops::FloatTensorOps;
use burn::backend::{AllocationProperty, Bytes, Flex, Shape};
use burn_std::{AccessError, AccessPolicy, AllocationController};

use super::Real;
use crate::ops::extent::elements;

/// A cache line, and the width of the widest vector registers.
const ALIGNMENT: usize = 64;

/// The alignment that a loan reports. `Bytes` makes copies with the reported one, and refuses more
/// than this in debug builds (it is the limit that it serialises with). A block is aligned for
/// it, and better.
const REPORTED_ALIGNMENT: usize = align_of::<u128>();

/// Smaller results come from the ordinary allocator, which keeps such blocks itself. Under Miri
/// small tensors must do.
const SMALLEST: usize = if cfg!(miri) { 64 } else { 32 << 10 };

/// Freed blocks beyond this many bytes go back to the system.
const RETAINED_LIMIT: usize = 1 << 30;

/// Memory that this module owns: always initialised (zeros at first, old contents later).
struct Block {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: a block is plain memory with one owner.
unsafe impl Send for Block {}
// SAFETY: shared access to a block only reads.
unsafe impl Sync for Block {}

impl Block {
    fn layout(len: usize) -> Layout {
        match Layout::from_size_align(len, ALIGNMENT) {
            Ok(layout) => layout,
            Err(_) => panic!("a buffer of {len} bytes exceeds the address space"),
        }
    }

    fn fresh(len: usize) -> Self {
        let layout = Self::layout(len);
        // SAFETY: `len` is at least `SMALLEST`.
        let start = unsafe { alloc_zeroed(layout) };
        match NonNull::new(start) {
            Some(start) => Self { start, len },
            None => handle_alloc_error(layout),
        }
    }

    fn release(self) {
        // SAFETY: allocated in `fresh` with this layout, and `self` is the only owner.
        unsafe { dealloc(self.start.as_ptr(), Self::layout(self.len)) }
    }
}

#[derive(Default)]
struct Pool {
    free: HashMap<usize, Vec<Block>>,
    retained: usize,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);

fn pool() -> MutexGuard<'static, Option<Pool>> {
    // The pool is consistent at every point where a panic could poison the lock.
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sizes are rounded up to eighths of a power of two, so that similar requests share blocks.
fn size_class(bytes: usize) -> usize {
    let step = (bytes.next_power_of_two() / 16).max(ALIGNMENT);
    bytes.div_ceil(step) * step
}

fn take(bytes: usize) -> Block {
    let len = size_class(bytes);
    let recycled = {
        let mut pool = pool();
        let pool = pool.get_or_insert_default();
        let block = pool.free.get_mut(&len).and_then(Vec::pop);
        if block.is_some() {
            pool.retained -= len;
        }
        block
    };
    recycled.unwrap_or_else(|| Block::fresh(len))
}

fn give_back(block: Block) {
    let mut guard = pool();
    let pool = guard.get_or_insert_default();
    if pool.retained + block.len > RETAINED_LIMIT {
        drop(guard);
        block.release();
    } else {
        pool.retained += block.len;
        pool.free.entry(block.len).or_default().push(block);
    }
}

/// Returns the memory kept for reuse to the system.
///
/// Results of the operations on the `flex` device live in blocks that are kept when the tensors
/// die, at most 1 GiB of them. A program that is done with training can call this.
pub fn release_buffers() {
    let freed = pool().take();
    for block in freed
        .into_iter()
        .flat_map(|pool| pool.free)
        .flat_map(|f| f.1)
    {
        block.release();
    }
}

/// A block on loan to a tensor's [`Bytes`].
struct Loan {
    block: Option<Block>,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            give_back(block);
        }
    }
}

impl Loan {
    fn parts(&self) -> (*mut u8, usize) {
        match &self.block {
            Some(block) => (block.start.as_ptr(), block.len),
            None => (NonNull::dangling().as_ptr(), 0),
        }
    }
}

impl AllocationController for Loan {
    fn alloc_align(&self) -> usize {
        REPORTED_ALIGNMENT
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(
        &mut self,
        _policy: AccessPolicy,
    ) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let (start, len) = self.parts();
        // SAFETY: the block is valid for `len` bytes and borrowed through `self`.
        Ok(unsafe { std::slice::from_raw_parts_mut(start.cast(), len) })
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let (start, len) = self.parts();
        // SAFETY: the block is valid for `len` bytes and borrowed through `self`.
        Ok(unsafe { std::slice::from_raw_parts(start.cast(), len) })
    }
}

/// Memory for a result, writable until it becomes a tensor. Its contents are arbitrary numbers.
pub(crate) struct Buffer<E: Real> {
    storage: Storage<E>,
    len: usize,
}

enum Storage<E> {
    Small(Vec<E>),
    Large(Loan),
}

impl<E: Real> Buffer<E> {
    /// For the elements of `shape`.
    ///
    /// # Panics
    /// If they are more than can be addressed.
    pub(crate) fn new(shape: &[usize]) -> Self {
        let len = elements(shape);
        let bytes = len * size_of::<E>();
        let storage = if bytes < SMALLEST {
            Storage::Small(vec![E::ZERO; len])
        } else {
            Storage::Large(Loan {
                block: Some(take(bytes)),
            })
        };
        Self { storage, len }
    }

    pub(crate) fn zeros(shape: &[usize]) -> Self {
        let mut buffer = Self::new(shape);
        buffer.as_mut().fill(E::ZERO);
        buffer
    }

    pub(crate) fn as_mut(&mut self) -> &mut [E] {
        match &mut self.storage {
            Storage::Small(values) => values,
            // SAFETY: the block holds at least `len` elements, is aligned for any of them, is
            // initialised, and every bit pattern is a float.
            Storage::Large(loan) => unsafe {
                std::slice::from_raw_parts_mut(loan.parts().0.cast(), self.len)
            },
        }
    }

    /// The contents as a contiguous tensor.
    ///
    /// What was written as `[B, T, H, D]`, seen as `[B, H, T, D]`, which is `shape`.
    ///
    /// # Panics
    /// As [`into_tensor`](Self::into_tensor).
    pub(crate) fn into_heads(self, shape: [usize; 4]) -> FlexTensor {
        let [batch, heads, time, width] = shape;
        Flex::float_swap_dims(self.into_tensor([batch, time, heads, width]), 1, 2)
    }

    /// # Panics
    /// If `shape` has another number of elements: the tensor would reach beyond the buffer.
    pub(crate) fn into_tensor(self, shape: impl Into<Shape>) -> FlexTensor {
        let shape = shape.into();
        assert_eq!(elements(&shape), self.len, "elements of {shape:?}");
        let bytes = match self.storage {
            Storage::Small(values) => Bytes::from_elems(values),
            // SAFETY: the block is initialised over its whole length.
            Storage::Large(loan) => unsafe {
                Bytes::from_controller(Box::new(loan), self.len * size_of::<E>())
            },
        };
        FlexTensor::new(bytes, TensorLayout::contiguous(shape), E::DTYPE)
    }
}
