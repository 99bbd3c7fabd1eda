//! Work on one of the threads that compute.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tracing::dispatcher::{get_default, with_default};

use crate::device::is_host;
use crate::recompute::carried_scope;
use crate::regularisation::{current_dropout_factor, with_dropout_factor};

/// As deep as a main thread's, which work that comes from there may count on.
const STACK: usize = 8 << 20;

/// Runs `work` on one of the threads that `device`'s operations are shared among, and waits for it.
///
/// An operation that is called from elsewhere hands all of its parts to those threads, sleeps and is
/// woken: up to half of the time of a training step of a small network. Called on one of them, it keeps
/// a part for itself. The trainer and predictions of many rows go this way; a loop of your own over
/// modules can as well. Results are the same to the last bit.
///
/// It is another thread: thread-local values of yours are not those of the caller, but for the rate of
/// [`with_dropout_factor`], the place in [`with_recomputation`](crate::with_recomputation) and what
/// `tracing` has set. `work` runs on the calling thread where nothing is to be gained or the place is
/// taken: on a device that is not the host, on a thread of a rayon pool, or while another thread's work is
/// there. With a single thread per computation (`RAYON_NUM_THREADS=1`) there is a place for every caller.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::on_worker;
///
/// let device = Device::default();
/// let ones = Tensor::<2>::ones([64, 64], &device);
/// let sum = on_worker(&device, || ones.clone().matmul(ones).sum().into_scalar::<f32>());
/// assert_eq!(sum, 64.0 * 64.0 * 64.0);
/// ```
///
/// # Panics
/// Where `work` panics, with what it panicked with.
pub fn on_worker<R: Send>(device: &Device, work: impl FnOnce() -> R + Send) -> R {
    if !is_host(device) || rayon::current_thread_index().is_some() {
        return work();
    }
    let taken = Taken::pool();
    let Some(pool) = &taken.0 else {
        return work();
    };
    let factor = current_dropout_factor();
    let scope = carried_scope();
    let (dispatch, span) = (get_default(Clone::clone), tracing::Span::current());
    let (done, scope) = pool.install(|| {
        let work = || span.in_scope(|| with_dropout_factor(factor, work));
        with_default(&dispatch, || scope.run(work))
    });
    scope.put_back();
    done
}

/// The pools that nobody uses, and how many there are in all.
struct Pools {
    free: Vec<ThreadPool>,
    made: usize,
}

impl Pools {
    fn all() -> MutexGuard<'static, Self> {
        static POOLS: Mutex<Pools> = Mutex::new(Pools {
            free: Vec::new(),
            made: 0,
        });
        POOLS.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pool that is one caller's: work that waits for a part of its own could otherwise be given the whole of
/// another's to do meanwhile, and wait for that.
struct Taken(Option<ThreadPool>);

impl Taken {
    /// None where all are taken, or none can be started.
    fn pool() -> Self {
        let mut pools = Pools::all();
        if let Some(pool) = pools.free.pop() {
            return Self(Some(pool));
        }
        // As many as rayon's own has. Several pools of several threads would be too many for the machine.
        let threads = rayon::current_num_threads();
        if pools.made > 0 && threads > 1 {
            return Self(None);
        }
        let builder = ThreadPoolBuilder::new()
            .num_threads(threads)
            .stack_size(STACK)
            .thread_name(|i| format!("forge-{i}"));
        let pool = builder.build().ok();
        pools.made += usize::from(pool.is_some());
        Self(pool)
    }
}

impl Drop for Taken {
    /// Also where the work panicked.
    fn drop(&mut self) {
        Pools::all().free.extend(self.0.take());
    }
}
