//! Where the gradients of a tensor's parts wait for each other.

use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What the parts of one tensor share: where they lie, and on a backend that differentiates their
/// gradients, until all are there.
#[derive(Clone, Debug)]
pub struct PartGradients(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    axis: usize,
    sizes: Vec<usize>,
    /// One for each part whose gradient has come, on the backend's own primitives.
    gradients: Mutex<Vec<Option<Box<dyn Any + Send>>>>,
    /// Of the next level of differentiation.
    inner: OnceLock<PartGradients>,
}

impl PartGradients {
    /// For parts of `sizes` along `axis`.
    #[must_use]
    pub fn new(axis: usize, sizes: Vec<usize>) -> Self {
        Self(Arc::new(Shared {
            axis,
            gradients: Mutex::new(sizes.iter().map(|_| None).collect()),
            sizes,
            inner: OnceLock::new(),
        }))
    }

    /// Of the same parts, for the backend below `Autodiff`.
    pub(super) fn inner(&self) -> Self {
        let new = || Self::new(self.0.axis, self.0.sizes.clone());
        self.0.inner.get_or_init(new).clone()
    }

    pub(super) fn axis(&self) -> usize {
        self.0.axis
    }

    pub(super) fn count(&self) -> usize {
        self.0.sizes.len()
    }

    pub(super) fn size(&self, index: usize) -> usize {
        self.0.sizes[index]
    }

    /// From where to where part `index` goes.
    pub(super) fn range(&self, index: usize) -> [usize; 2] {
        let from = self.0.sizes[..index].iter().sum();
        [from, from + self.size(index)]
    }

    pub(super) fn put(&self, index: usize, gradient: impl Any + Send) {
        let mut gradients = self.lock();
        gradients[index] = Some(Box::new(gradient));
    }

    /// Those that have come, which are gone from here then.
    pub(super) fn take<T: Any>(&self) -> Vec<Option<T>> {
        let mut gradients = self.lock();
        let each = gradients.iter_mut().map(Option::take);
        each.map(|gradient| gradient?.downcast().ok().map(|gradient| *gradient))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Option<Box<dyn Any + Send>>>> {
        let locked = self.0.gradients.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}
