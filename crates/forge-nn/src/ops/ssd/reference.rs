//! The recurrence in chunks, made of Burn's operations.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Shape};

use super::CHUNK;
use crate::ops::expression::Expr;
use crate::ops::triangle::{Triangle, triangle};

/// The inputs cut into chunks of `q` tokens, and what both passes need of them.
struct Chunks<B: Backend> {
    q: usize,
    n: usize,
    /// `[B·H, n, q, P]`.
    x: Expr<B>,
    /// `[B·H, n, q, N]`.
    b: Expr<B>,
    /// `[B·H, n, q, N]`.
    c: Expr<B>,
    /// What is left at token t of what came in at token s, 0 for later ones: `[B·H, n, q, q]`.
    decay: Expr<B>,
    /// What is left at each token of the state before the chunk: `[B·H, n, q, 1]`.
    from_start: Expr<B>,
    /// What is left at the chunk's end of what came in at each token: `[B·H, n, q, 1]`.
    to_end: Expr<B>,
    /// What a whole chunk leaves: `[B·H, n, 1, 1]`.
    total: Expr<B>,
}

/// Pads time with zeros (a decay of 0 is none) and cuts it: `[…, T, W]` to `[rows, n, q, W]`.
fn cut<B: Backend>(x: Expr<B>, q: usize) -> Expr<B> {
    let [batch, heads, time, width] = x.shape().dims();
    let n = time.div_ceil(q);
    let x = match n * q - time {
        0 => x,
        more => {
            let zeros = x.zeros_like([batch, heads, more, width]);
            Expr::cat(vec![x, zeros], 2)
        }
    };
    x.reshape([batch * heads, n, q, width])
}

fn uncut<B: Backend>(x: Expr<B>, batch: usize, heads: usize, time: usize) -> Expr<B> {
    let [_, n, q, width] = x.shape().dims();
    let x = x.reshape([batch, heads, n * q, width]);
    x.narrow(2, 0, time)
}

/// A matrix beside batches of them.
fn square<B: Backend>(matrix: &Expr<B>) -> Expr<B> {
    let [rows, columns] = matrix.shape().dims();
    matrix.clone().reshape([1, 1, rows, columns])
}

/// Every head's own of what belongs to groups.
fn per_head<B: Backend>(x: Expr<B>, heads: usize) -> Expr<B> {
    let [batch, groups, time, width] = x.shape().dims();
    if groups == heads {
        return x;
    }
    let each = heads / groups;
    x.reshape([batch, groups, 1, time, width])
        .expand([batch, groups, each, time, width])
        .reshape([batch, heads, time, width])
}

/// The sum over the heads of each group.
fn per_group<B: Backend>(x: Expr<B>, groups: usize) -> Expr<B> {
    let [batch, heads, time, width] = x.shape().dims();
    if groups == heads {
        return x;
    }
    x.reshape([batch, groups, heads / groups, time, width])
        .sum_dim(2)
        .reshape([batch, groups, time, width])
}

impl<B: Backend> Chunks<B> {
    fn new(x: Expr<B>, log_decay: Expr<B>, b: Expr<B>, c: Expr<B>) -> Self {
        let [batch, heads, time, _] = x.shape().dims();
        let q = CHUNK.min(time);
        let log_decay = cut(log_decay.reshape([batch, heads, time, 1]), q);
        let n = time.div_ceil(q);
        let later = triangle(&log_decay, Triangle::Below, q);
        let reached = triangle(&log_decay, Triangle::BelowOrOn, q);
        // Sums over the tokens from s + 1 to t alone: differences of sums from the start lose what
        // is small beside them.
        let sums = (log_decay.clone() * square(&later)).cumsum(2);
        let decay = sums.exp() * square(&reached);
        let from_start = log_decay.cumsum(2).exp();
        Self {
            q,
            n,
            to_end: decay.clone().narrow(2, q - 1, q).transpose(),
            total: from_start.clone().narrow(2, q - 1, q),
            x: cut(x, q),
            b: cut(per_head(b, heads), q),
            c: cut(per_head(c, heads), q),
            decay,
            from_start,
        }
    }

    fn chunk(x: &Expr<B>, k: usize) -> Expr<B> {
        x.clone().narrow(1, k, k + 1)
    }

    /// The state before each chunk: `[B·H, n, N, P]`.
    fn starts(&self) -> Expr<B> {
        let added = (self.b.clone() * self.to_end.clone())
            .transpose()
            .matmul(self.x.clone());
        let [rows, _, n, p] = added.shape().dims();
        let mut state = added.zeros_like([rows, 1, n, p]);
        let mut starts = vec![];
        for k in 0..self.n {
            starts.push(state.clone());
            state = state * Self::chunk(&self.total, k) + Self::chunk(&added, k);
        }
        Expr::cat(starts, 1)
    }

    /// The gradient of the state after each chunk.
    fn end_gradients(&self, dy: &Expr<B>) -> Expr<B> {
        let added = (self.c.clone() * self.from_start.clone())
            .transpose()
            .matmul(dy.clone());
        let [rows, _, n, p] = added.shape().dims();
        let mut gradient = added.zeros_like([rows, 1, n, p]);
        let mut ends = vec![];
        for k in (0..self.n).rev() {
            ends.push(gradient.clone());
            gradient = gradient * Self::chunk(&self.total, k) + Self::chunk(&added, k);
        }
        ends.reverse();
        Expr::cat(ends, 1)
    }
}

/// `[H]` beside `[B, H, T, P]`.
fn of_heads<B: Backend>(skip: FloatTensor<B>) -> Expr<B> {
    let skip = Expr::<B>(skip);
    let [heads] = skip.shape().dims();
    skip.reshape([1, heads, 1, 1])
}

/// `[B, H, T]` beside `[B, H, T, P]`.
fn of_tokens<B: Backend>(gain: FloatTensor<B>) -> Expr<B> {
    let gain = Expr::<B>(gain);
    let [batch, heads, time] = gain.shape().dims();
    gain.reshape([batch, heads, time, 1])
}

pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    gain: FloatTensor<B>,
    log_decay: FloatTensor<B>,
    b: FloatTensor<B>,
    c: FloatTensor<B>,
    skip: Option<FloatTensor<B>>,
) -> FloatTensor<B> {
    let (x, log_decay, b, c) = (
        Expr::<B>(x),
        Expr::<B>(log_decay),
        Expr::<B>(b),
        Expr::<B>(c),
    );
    let [batch, heads, time, _] = x.shape().dims();
    if x.is_empty() {
        return x.0;
    }
    let skipped = skip.map(|skip| x.clone() * of_heads(skip));
    if b.is_empty() {
        return skipped.unwrap_or_else(|| x.zeros_like(x.shape())).0;
    }
    let chunks = Chunks::new(x * of_tokens(gain), log_decay, b, c);
    let pairs = chunks.c.clone().matmul(chunks.b.clone().transpose()) * chunks.decay.clone();
    let within = pairs.matmul(chunks.x.clone());
    let before = (chunks.c.clone() * chunks.from_start.clone()).matmul(chunks.starts());
    let y = uncut(within + before, batch, heads, time);
    match skipped {
        Some(skipped) => (y + skipped).0,
        None => y.0,
    }
}

/// Those of x, gain, `log_decay`, b, c and skip.
pub(super) type Gradients<B> = (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
);

pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    gain: FloatTensor<B>,
    log_decay: FloatTensor<B>,
    b: FloatTensor<B>,
    c: FloatTensor<B>,
    skip: Option<FloatTensor<B>>,
    dy: FloatTensor<B>,
) -> Gradients<B> {
    let (x, dy) = (Expr::<B>(x), Expr::<B>(dy));
    let (log_decay, b, c) = (Expr::<B>(log_decay), Expr::<B>(b), Expr::<B>(c));
    let [batch, heads, time, _] = x.shape().dims();
    let zeros = |x: &Expr<B>| x.zeros_like(x.shape()).0;
    let no_skip = x.zeros_like([heads]).0;
    if x.is_empty() {
        let (dgain, dlog_decay) = (zeros(&Expr(gain)), zeros(&log_decay));
        return (zeros(&x), dgain, dlog_decay, zeros(&b), zeros(&c), no_skip);
    }
    let dskip = (dy.clone() * x.clone()).sum_dim(3).sum_dim(2).sum_dim(0);
    let dskip = dskip.reshape([heads]).0;
    let skipped = skip.map(|skip| dy.clone() * of_heads(skip));
    if b.is_empty() {
        let dx = skipped.map_or_else(|| zeros(&x), |skipped| skipped.0);
        let (dgain, dlog_decay) = (zeros(&Expr(gain)), zeros(&log_decay));
        return (dx, dgain, dlog_decay, zeros(&b), zeros(&c), dskip);
    }
    let gain = of_tokens::<B>(gain);
    let (dinput, dlog_decay, db, dc) = without_skip(x.clone() * gain.clone(), log_decay, b, c, dy);
    let dgain = (dinput.clone() * x)
        .sum_dim(3)
        .reshape([batch, heads, time]);
    let dx = dinput * gain;
    let dx = match skipped {
        Some(skipped) => dx + skipped,
        None => dx,
    };
    (dx.0, dgain.0, dlog_decay.0, db.0, dc.0, dskip)
}

/// The gradients of what enters the state, `log_decay`, b and c.
fn without_skip<B: Backend>(
    x: Expr<B>,
    log_decay: Expr<B>,
    b: Expr<B>,
    c: Expr<B>,
    dy: Expr<B>,
) -> (Expr<B>, Expr<B>, Expr<B>, Expr<B>) {
    let [batch, heads, time, _] = x.shape().dims();
    let groups = b.shape()[1];
    let chunks = Chunks::new(x, log_decay, b, c);
    let dy = cut(dy, chunks.q);
    let (states, ends) = (chunks.starts(), chunks.end_gradients(&dy));
    let pairs = chunks.c.clone().matmul(chunks.b.clone().transpose()) * chunks.decay.clone();
    let dpairs = dy.clone().matmul(chunks.x.clone().transpose());
    let masked = dpairs.clone() * chunks.decay.clone();

    let from_states = dy.clone().matmul(states.clone().transpose()) * chunks.from_start.clone();
    let dc = masked.clone().matmul(chunks.b.clone()) + from_states.clone();
    let to_ends = chunks.x.clone().matmul(ends.clone().transpose()) * chunks.to_end.clone();
    let db = masked.transpose().matmul(chunks.c.clone()) + to_ends.clone();
    let dx = pairs.clone().transpose().matmul(dy)
        + (chunks.b.clone() * chunks.to_end.clone()).matmul(ends.clone());

    // A step's decay acts on what goes from before it to it or later: from a token of the chunk or
    // the state before it, to a token of the chunk or the state behind it.
    let q = chunks.q;
    let lower = triangle(&dpairs, Triangle::BelowOrOn, q);
    let strict = triangle(&dpairs, Triangle::Below, q);
    let between = pairs * dpairs;
    let shape = between.shape();
    let before = between.rows().matmul(strict.clone().transpose());
    let before = before.reshape(shape) * square(&lower);
    let within = before.sum_dim(2).transpose();
    let from_start = lower
        .transpose()
        .matmul_columns((from_states * chunks.c).sum_dim(3));
    let to_end = strict.matmul_columns((to_ends * chunks.b).sum_dim(3));
    let whole = (states * ends).sum_dim(3).sum_dim(2) * chunks.total;
    let dlog_decay = within + from_start + to_end + whole;

    let back = |x: Expr<B>| uncut(x, batch, heads, time);
    let shape: Shape = [batch, heads, time].into();
    (
        back(dx),
        back(dlog_decay).reshape(shape),
        per_group(back(db), groups),
        per_group(back(dc), groups),
    )
}
