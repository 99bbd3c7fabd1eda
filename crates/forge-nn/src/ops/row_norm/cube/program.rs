//! The programs of LayerNorm and RMSNorm.
//!
//! A row belongs to `units` units of a cube; each strides over its vectors. Sums over a row go
//! through shared memory in one fixed order, so results do not depend on scheduling. With one
//! unit per row (processor cores) neither shared memory nor barriers are left in the program.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use crate::ops::cube::number::{lanes, number};

/// What is fixed when the program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Form {
    /// Whether the mean is taken away (LayerNorm).
    pub(super) centred: bool,
    /// Units that share a row.
    pub(super) units: usize,
    /// Rows that share a cube.
    pub(super) rows: usize,
}

/// The sums of `parts` over the units of a row, the same for all of them. Every unit of the cube
/// must come by.
#[cube]
fn row_sums<C: Float>(parts: &mut Array<C>, #[comptime] count: usize, #[comptime] form: Form) {
    if comptime![form.units > 1] {
        let mut scratch = Shared::<[C]>::new_slice(form.units * form.rows * count);
        let first = UNIT_POS_Y as usize * form.units * count;
        #[unroll]
        for part in 0..count {
            scratch[first + UNIT_POS_X as usize * count + part] = parts[part];
        }
        sync_cube();
        #[unroll]
        for part in 0..count {
            let mut total = number::<C>(0.0_f32);
            for unit in 0..form.units {
                total += scratch[first + unit * count + part];
            }
            parts[part] = total;
        }
        // The next sums may lie where these did.
        sync_cube();
    }
}

/// The sum over a row of one number per unit.
#[cube]
fn row_sum<C: Float>(part: C, #[comptime] form: Form) -> C {
    let mut parts = Array::<C>::new(1usize);
    parts[0] = part;
    row_sums::<C>(&mut parts, 1usize, form);
    parts[0]
}

/// The row that this unit works on, and whether it is its own: a unit without one goes along with
/// the last, for the barriers, and writes nothing.
#[cube]
fn own_row(rows: usize, #[comptime] form: Form) -> (usize, bool) {
    let wanted = CUBE_POS * form.rows + UNIT_POS_Y as usize;
    (min(wanted, rows - 1), wanted < rows)
}

/// What is taken away from a row's elements.
#[derive(Clone, Copy, CubeType)]
struct Level<C: Float> {
    /// An element of the row, for the size of the values.
    origin: C,
    /// The mean, from `origin` on. Of a row of equal elements it is exactly 0, where a mean of the
    /// elements is rounded to their size and need not be their value.
    mean: C,
}

/// The first element of the row from `start`, 0 where rows are not centred.
#[cube]
fn row_origin<E: Float, C: Float, N: Size>(
    x: &[Vector<E, N>],
    start: usize,
    #[comptime] centred: bool,
) -> C {
    let mut origin = number::<C>(0.0_f32);
    if comptime![centred] {
        origin = Vector::<C, N>::cast_from(x[start]).extract(0usize);
    }
    origin
}

/// The level of the row from `start`, 0 where rows are not centred.
#[cube]
fn row_level<E: Float, C: Float, N: Size>(
    x: &[Vector<E, N>],
    start: usize,
    width: usize,
    #[comptime] form: Form,
) -> Level<C> {
    let origin = row_origin::<E, C, N>(x, start, form.centred);
    let mut mean = number::<C>(0.0_f32);
    if comptime![form.centred] {
        let mut sum = lanes::<C, N>(0.0_f32);
        for at in range_stepped(UNIT_POS_X as usize, width, form.units) {
            sum += Vector::<C, N>::cast_from(x[start + at]) - Vector::new(origin);
        }
        mean = row_sum::<C>(sum.vector_sum(), form) / elements::<C, N>(width);
    }
    Level::<C> { origin, mean }
}

/// Elements without their row's level.
#[cube]
fn centred<E: Float, C: Float, N: Size>(x: Vector<E, N>, level: &Level<C>) -> Vector<C, N> {
    Vector::<C, N>::cast_from(x) - Vector::new(level.origin) - Vector::new(level.mean)
}

/// In `width` vectors.
#[cube]
fn elements<C: Float, N: Size>(width: usize) -> C {
    C::cast_from(width * N::value())
}

/// `1 / sqrt(variance + epsilon)`.
#[cube]
fn inverse_root<C: Float>(variance: C, epsilon: InputScalar) -> C {
    number::<C>(1.0_f32) / (variance + epsilon.get::<C>()).sqrt()
}

/// What `dy` is before the weight.
#[cube]
fn slope<E: Float, C: Float, N: Size>(
    dy: Vector<E, N>,
    weight: &ComptimeOption<&[Vector<E, N>]>,
    at: usize,
) -> Vector<C, N> {
    let mut slope = Vector::<C, N>::cast_from(dy);
    #[comptime]
    if let ComptimeOption::Some(weight) = &weight {
        slope *= Vector::cast_from(weight[at]);
    }
    slope
}

/// `y = (x - mean) / sqrt(var + eps) · weight + bias`, or `x / sqrt(mean(x²) + eps) · weight`.
///
/// `x`, `y`: `[rows, width]`, `weight`, `bias`: `[width]`, in vectors.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn forward<E: Float, C: Float, N: Size>(
    x: &[Vector<E, N>],
    weight: ComptimeOption<&[Vector<E, N>]>,
    bias: ComptimeOption<&[Vector<E, N>]>,
    y: &mut [Vector<E, N>],
    rows: usize,
    width: usize,
    epsilon: InputScalar,
    #[comptime] form: Form,
    #[define(E, C)] _dtypes: [ElemType; 2],
) {
    let (row, is_own) = own_row(rows, form);
    let start = row * width;
    let unit = UNIT_POS_X as usize;
    let length = elements::<C, N>(width);
    let level = row_level::<E, C, N>(x, start, width, form);
    let mut squares = lanes::<C, N>(0.0_f32);
    for at in range_stepped(unit, width, form.units) {
        let centred = centred::<E, C, N>(x[start + at], &level);
        squares += centred * centred;
    }
    let variance = row_sum::<C>(squares.vector_sum(), form) / length;
    let inverse = inverse_root::<C>(variance, epsilon);

    if is_own {
        for at in range_stepped(unit, width, form.units) {
            let centred = centred::<E, C, N>(x[start + at], &level);
            let mut value = centred * Vector::new(inverse);
            #[comptime]
            if let ComptimeOption::Some(weight) = &weight {
                value *= Vector::cast_from(weight[at]);
            }
            #[comptime]
            if let ComptimeOption::Some(bias) = &bias {
                value += Vector::cast_from(bias[at]);
            }
            y[start + at] = Vector::cast_from(value);
        }
    }
}

/// `dx`, and each row's mean (from its first element on) and inverse deviation for
/// [`parameter_gradients`].
///
/// `x`, `dy`, `dx`: `[rows, width]`, `weight`: `[width]`, in vectors; `statistics`: `[rows, 2]`.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn backward<E: Float, C: Float, N: Size>(
    x: &[Vector<E, N>],
    weight: ComptimeOption<&[Vector<E, N>]>,
    dy: &[Vector<E, N>],
    dx: &mut [Vector<E, N>],
    statistics: &mut [C],
    rows: usize,
    width: usize,
    epsilon: InputScalar,
    #[comptime] form: Form,
    #[define(E, C)] _dtypes: [ElemType; 2],
) {
    let (row, is_own) = own_row(rows, form);
    let start = row * width;
    let unit = UNIT_POS_X as usize;
    let length = elements::<C, N>(width);
    let level = row_level::<E, C, N>(x, start, width, form);
    let mut squares = lanes::<C, N>(0.0_f32);
    let mut slopes = lanes::<C, N>(0.0_f32);
    let mut products = lanes::<C, N>(0.0_f32);
    for at in range_stepped(unit, width, form.units) {
        let centred = centred::<E, C, N>(x[start + at], &level);
        let slope = slope::<E, C, N>(dy[start + at], &weight, at);
        squares += centred * centred;
        slopes += slope;
        products += slope * centred;
    }
    let mut sums = Array::<C>::new(3usize);
    sums[0] = squares.vector_sum();
    sums[1] = products.vector_sum();
    sums[2] = slopes.vector_sum();
    row_sums::<C>(&mut sums, 3usize, form);
    let variance = sums[0] / length;
    let inverse = inverse_root::<C>(variance, epsilon);
    let along = sums[1] * inverse / length;
    let mut shift = number::<C>(0.0_f32);
    if comptime![form.centred] {
        shift = sums[2] / length;
    }

    if is_own {
        for at in range_stepped(unit, width, form.units) {
            let centred = centred::<E, C, N>(x[start + at], &level);
            let slope = slope::<E, C, N>(dy[start + at], &weight, at);
            let normal = centred * Vector::new(inverse);
            let value =
                (slope - Vector::new(shift) - normal * Vector::new(along)) * Vector::new(inverse);
            dx[start + at] = Vector::cast_from(value);
        }
        if unit == 0 {
            statistics[2 * row] = level.mean;
            statistics[2 * row + 1] = inverse;
        }
    }
}

/// What each chunk of rows adds to the gradients of weight and bias.
///
/// One unit takes one vector of columns in one chunk. `x`, `dy`: `[rows, width]`,
/// `dweight`, `dbias`: `[chunks, width]`, in vectors; `statistics`: `[rows, 2]`.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn parameter_gradients<E: Float, C: Float, N: Size>(
    x: &[Vector<E, N>],
    dy: &[Vector<E, N>],
    statistics: &[C],
    dweight: &mut [Vector<C, N>],
    dbias: &mut [Vector<C, N>],
    rows: usize,
    width: usize,
    chunk: usize,
    #[comptime] is_centred: bool,
    #[define(E, C)] _dtypes: [ElemType; 2],
) {
    if ABSOLUTE_POS >= rows.div_ceil(chunk) * width {
        terminate!();
    }
    let column = ABSOLUTE_POS % width;
    let first = ABSOLUTE_POS / width * chunk;
    let last = min(first + chunk, rows);
    let mut weight = lanes::<C, N>(0.0_f32);
    let mut bias = lanes::<C, N>(0.0_f32);
    for row in first..last {
        let at = row * width + column;
        let level = Level::<C> {
            origin: row_origin::<E, C, N>(x, row * width, is_centred),
            mean: statistics[2 * row],
        };
        let inverse = Vector::new(statistics[2 * row + 1]);
        let slope = Vector::<C, N>::cast_from(dy[at]);
        weight += slope * centred::<E, C, N>(x[at], &level) * inverse;
        bias += slope;
    }
    dweight[ABSOLUTE_POS] = weight;
    dbias[ABSOLUTE_POS] = bias;
}
