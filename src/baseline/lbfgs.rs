//! Minimising a smooth function of many variables.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use nalgebra::DVector;

/// Steps remembered.
const MEMORY: usize = 10;
/// Most halvings of one step.
const HALVINGS: usize = 40;

/// Limited-memory BFGS with backtracking (Nocedal and Wright, *Numerical Optimization*, algorithms
/// 7.4 and 3.1), from `start` until no element of the gradient is above `tolerance`.
///
/// `value_and_gradient` must be bounded below; of one that is not convex a local minimum is found. Ends also after `steps` steps, or when
/// rounding stops it from getting lower; and without a result once `stop` is set.
pub(crate) fn minimize(
    start: DVector<f64>,
    tolerance: f64,
    steps: usize,
    stop: &AtomicBool,
    value_and_gradient: impl Fn(&DVector<f64>) -> (f64, DVector<f64>),
) -> Option<DVector<f64>> {
    let mut x = start;
    let (mut value, mut gradient) = value_and_gradient(&x);
    let mut memory: VecDeque<Pair> = VecDeque::new();
    for _ in 0..steps {
        if gradient.amax() <= tolerance {
            break;
        }
        let direction = -apply(&memory, &gradient);
        let slope = direction.dot(&gradient);
        // The first step knows nothing of the curvature.
        let mut length = if memory.is_empty() {
            1.0 / gradient.norm().max(1.0)
        } else {
            1.0
        };
        let mut next = None;
        for _ in 0..HALVINGS {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let candidate = &x + &direction * length;
            let (v, g) = value_and_gradient(&candidate);
            if v <= value + 1e-4 * length * slope {
                next = Some((candidate, v, g));
                break;
            }
            length *= 0.5;
        }
        let Some((candidate, v, g)) = next else {
            break;
        };
        let (step, change) = (&candidate - &x, &g - &gradient);
        let product = step.dot(&change);
        if product > 1e-12 * change.norm_squared() {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back(Pair {
                step,
                change,
                product,
            });
        }
        (x, value, gradient) = (candidate, v, g);
    }
    Some(x)
}

struct Pair {
    step: DVector<f64>,
    change: DVector<f64>,
    product: f64,
}

/// The approximate inverse Hessian times `gradient`: the two-loop recursion.
fn apply(memory: &VecDeque<Pair>, gradient: &DVector<f64>) -> DVector<f64> {
    let mut q = gradient.clone();
    let mut factors = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let factor = pair.step.dot(&q) / pair.product;
        q.axpy(-factor, &pair.change, 1.0);
        factors.push(factor);
    }
    if let Some(last) = memory.back() {
        q *= last.product / last.change.norm_squared();
    }
    for (pair, factor) in memory.iter().zip(factors.into_iter().rev()) {
        let correction = pair.change.dot(&q) / pair.product;
        q.axpy(factor - correction, &pair.step, 1.0);
    }
    q
}
