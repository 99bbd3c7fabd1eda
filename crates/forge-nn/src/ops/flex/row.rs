//! Loops over one row, which may be short.
//!
//! A row is taken in blocks of [`LANES`], one of [`HALF`] if there is room, and what is then left
//! in a block of [`HALF`] that ends with the row: it repeats some elements rather than to leave a
//! scalar rest, which for a row of 41 tokens would take most of the time. (A copy of the rest,
//! filled up, would have to wait for its own stores.)

use super::Real;

/// Two of the widest registers of `f32`, for two running sums.
const LANES: usize = 32;

/// The widest register of `f32`.
const HALF: usize = LANES / 2;

/// A row that is shorter than a block, filled up with `fill`.
#[inline(always)]
fn padded<E: Real>(row: &[E], fill: E) -> [E; HALF] {
    let mut block = [fill; HALF];
    block[..row.len()].copy_from_slice(row);
    block
}

/// `x ← f(x)` for all elements.
#[inline(always)]
pub(crate) fn map<E: Real>(values: &mut [E], f: impl Fn(E) -> E) {
    let len = values.len();
    if len < HALF {
        let mut block = padded(values, E::ZERO);
        for x in &mut block {
            *x = f(*x);
        }
        return values.copy_from_slice(&block[..len]);
    }
    // The last block before any other is written, since it repeats elements of them.
    let mut last = [E::ZERO; HALF];
    for (last, &x) in last.iter_mut().zip(&values[len - HALF..]) {
        *last = f(x);
    }
    let mut blocks = values.chunks_exact_mut(LANES);
    for block in &mut blocks {
        for x in block {
            *x = f(*x);
        }
    }
    let rest = blocks.into_remainder();
    if rest.len() > HALF {
        for x in &mut rest[..HALF] {
            *x = f(*x);
        }
    }
    if !rest.is_empty() {
        values[len - HALF..].copy_from_slice(&last);
    }
}

/// `out = f(a, b)` for all elements of equally long slices.
#[inline(always)]
pub(crate) fn combine<E: Real>(a: &[E], b: &[E], out: &mut [E], f: impl Fn(E, E) -> E) {
    let len = out.len();
    let (a, b) = (&a[..len], &b[..len]);
    if len < HALF {
        let (a, b) = (padded(a, E::ZERO), padded(b, E::ZERO));
        let mut block = [E::ZERO; HALF];
        for lane in 0..HALF {
            block[lane] = f(a[lane], b[lane]);
        }
        return out.copy_from_slice(&block[..len]);
    }
    let blocks = a.chunks_exact(LANES).zip(b.chunks_exact(LANES));
    for ((a, b), out) in blocks.zip(out.chunks_exact_mut(LANES)) {
        for lane in 0..LANES {
            out[lane] = f(a[lane], b[lane]);
        }
    }
    for start in half_blocks(len) {
        let range = start..start + HALF;
        let (a, b, out) = (&a[range.clone()], &b[range.clone()], &mut out[range]);
        for lane in 0..HALF {
            out[lane] = f(a[lane], b[lane]);
        }
    }
}

/// Where the blocks after those of [`LANES`] start: the last one may repeat elements.
#[inline(always)]
fn half_blocks(len: usize) -> impl Iterator<Item = usize> {
    let (full, rest) = (len - len % LANES, len % LANES);
    let whole = (rest >= HALF).then_some(full);
    let last = (rest % HALF > 0).then_some(len.wrapping_sub(HALF));
    whole.into_iter().chain(last)
}

/// The sum of `f(a, b)` over two equally long slices, in a fixed number of running sums so that
/// the loop vectorises (and rounds less than one running sum would).
#[inline(always)]
pub(crate) fn reduce<E: Real>(a: &[E], b: &[E], f: impl Fn(E, E) -> E) -> E {
    let len = a.len();
    let b = &b[..len];
    let mut lanes = [E::ZERO; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            lanes[lane] += f(a[lane], b[lane]);
        }
    }
    let (full, rest) = (len - len % LANES, len % HALF);
    if len - full >= HALF {
        let (a, b) = (&a[full..full + HALF], &b[full..full + HALF]);
        for lane in 0..HALF {
            lanes[lane] += f(a[lane], b[lane]);
        }
    }
    if len < HALF {
        let (a, b) = (padded(a, E::ZERO), padded(b, E::ZERO));
        for lane in 0..HALF {
            let value = f(a[lane], b[lane]);
            lanes[lane] += if lane < len { value } else { E::ZERO };
        }
    } else if rest > 0 {
        let (a, b) = (&a[len - HALF..], &b[len - HALF..]);
        for lane in 0..HALF {
            let value = f(a[lane], b[lane]);
            // Those before are in one of the blocks above.
            lanes[lane] += if lane >= HALF - rest { value } else { E::ZERO };
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            let other = lanes[lane + half];
            lanes[lane] += other;
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest element, [`Real::LOWEST`] at least. NaN may be passed over.
#[inline(always)]
pub(crate) fn maximum<E: Real>(values: &[E]) -> E {
    let len = values.len();
    let mut lanes = [E::LOWEST; LANES];
    if len < HALF {
        let block = padded(values, E::LOWEST);
        for lane in 0..HALF {
            lanes[lane] = block[lane].larger(lanes[lane]);
        }
    } else {
        for block in values.chunks_exact(LANES) {
            for lane in 0..LANES {
                lanes[lane] = block[lane].larger(lanes[lane]);
            }
        }
        for start in half_blocks(len) {
            let block = &values[start..start + HALF];
            for lane in 0..HALF {
                lanes[lane] = block[lane].larger(lanes[lane]);
            }
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = lanes[lane].larger(lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::{combine, map, maximum, reduce};

    /// Whole numbers, so that sums are exact in any order.
    fn row(len: usize, factor: usize) -> Vec<f32> {
        (0..len).map(|i| (i * factor % 89) as f32 - 44.0).collect()
    }

    #[test]
    fn every_element_counts_once_at_every_length() {
        for len in 0..=131 {
            let (a, b) = (row(len, 37), row(len, 53));
            let mut mapped = a.clone();
            map(&mut mapped, |x| 3.0 * x + 1.0);
            let expected: Vec<f32> = a.iter().map(|x| 3.0 * x + 1.0).collect();
            assert_eq!(mapped, expected, "map of {len}");

            let mut combined = vec![0.0; len];
            combine(&a, &b, &mut combined, |a, b| a - 2.0 * b);
            let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - 2.0 * b).collect();
            assert_eq!(combined, expected, "combine of {len}");

            let expected: f32 = a.iter().zip(&b).map(|(a, b)| a * b + 1.0).sum();
            assert_eq!(
                reduce(&a, &b, |a, b| a * b + 1.0),
                expected,
                "reduce of {len}"
            );

            let expected = a.iter().copied().fold(f32::MIN, f32::max);
            assert_eq!(maximum(&a), expected, "maximum of {len}");
            // The largest element in each place.
            for place in 0..len {
                let mut peak = a.clone();
                peak[place] = 100.0;
                assert_eq!(maximum(&peak), 100.0, "maximum at {place} of {len}");
            }
        }
    }
}
