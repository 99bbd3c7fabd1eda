//! A teacher's distribution, as a student of another family can learn from it.

use forge_nn::{BarDistribution, ForgeError};

use super::outputs::ln_probability;
use super::{Predictions, Scale, view};

/// Levels of the teacher's distribution that stand for the whole of it, and what each counts: the rule
/// of Gauss and Legendre of 12 points for `u = v²(3 - 2v)` over `v` in `(0, 1)`. The substitution takes
/// away what logarithms and tails are at the ends: of a normal distribution the variance comes out
/// right to 5e-4, twelve even steps would give 4 % less.
const LEVELS: [(f64, f64); 12] = [
    (0.000_253_440_263_884_780_47, 0.001_292_794_851_245_535),
    (0.006_674_750_880_947_642, 0.014_643_093_905_150_045),
    (0.036_662_971_471_653_89, 0.048_893_909_139_169_55),
    (0.110_159_247_443_054_12, 0.099_814_778_345_299_48),
    (0.236_568_277_276_770_2, 0.151_425_745_217_476_32),
    (0.406_565_965_233_027_3, 0.183_929_678_541_658_84),
    (0.593_434_034_766_972_7, 0.183_929_678_541_658_84),
    (0.763_431_722_723_229_8, 0.151_425_745_217_476_32),
    (0.889_840_752_556_946, 0.099_814_778_345_299_48),
    (0.963_337_028_528_346_1, 0.048_893_909_139_169_55),
    (0.993_325_249_119_052_4, 0.014_643_093_905_150_045),
    (0.999_746_559_736_115_1, 0.001_292_794_851_245_535),
];

/// Points per target.
pub(super) const POINTS: usize = LEVELS.len();

/// What each point counts; together 1.
pub(super) fn weights() -> [f64; POINTS] {
    LEVELS.map(|(_, weight)| weight)
}

/// Means and standard deviations on the student's scale, `[N, S·2]`: all that the nearest normal
/// distribution depends on, whatever the teacher's family (`argmin KL(teacher ‖ normal)` has the
/// teacher's moments).
///
/// # Errors
/// An unsupported error for a teacher without distributions; a shape error for another number of
/// targets.
pub(super) fn moments(teacher: &Predictions, scales: &[Scale]) -> Result<Vec<f64>, ForgeError> {
    let slots = scales.len();
    check(teacher, scales)?;
    let std = teacher.std().unwrap_or_default();
    let pairs = teacher.point().into_iter().zip(std.iter().copied());
    let each = pairs.enumerate().flat_map(|(at, (mean, std))| {
        let scale = &scales[at % slots];
        [scale.standardise(mean), std / scale.scale]
    });
    Ok(each.collect())
}

/// Quantiles at the levels on the student's scale, `[N, K·S]`, point after point.
///
/// # Errors
/// As [`moments`].
pub(super) fn points(teacher: &Predictions, scales: &[Scale]) -> Result<Vec<f64>, ForgeError> {
    let slots = scales.len();
    check(teacher, scales)?;
    let each = LEVELS.map(|(level, _)| teacher.quantile(level));
    let each = each.into_iter().collect::<Result<Vec<_>, _>>()?;
    let row = |row: usize| {
        let points = each.iter().flat_map(move |all| {
            let of_row = &all[row * slots..(row + 1) * slots];
            of_row.iter().zip(scales)
        });
        points.map(|(y, scale)| scale.standardise(*y))
    };
    Ok((0..teacher.rows()).flat_map(row).collect())
}

/// Logarithms of the probabilities of a student's buckets, `[N, S·W]`; `bars` are on its scale.
///
/// # Errors
/// As [`moments`].
pub(super) fn ln_masses(
    teacher: &Predictions,
    bars: &BarDistribution,
    scales: &[Scale],
) -> Result<Vec<f64>, ForgeError> {
    check(teacher, scales)?;
    let moved = scales.iter().map(|at| bars.moved(at.scale, at.center));
    let masses = teacher.masses(&moved.collect::<Result<Vec<_>, _>>()?);
    Ok(masses.into_iter().map(ln_probability).collect())
}

/// `scales` are the student's, one per target.
fn check(teacher: &Predictions, scales: &[Scale]) -> Result<(), ForgeError> {
    if !matches!(
        teacher,
        Predictions::Distribution { .. } | Predictions::Bars { .. }
    ) {
        return Err(ForgeError::unsupported(format!(
            "a student that predicts a distribution cannot learn from a teacher of {}, which says \
             nothing of spread: train the teacher with 'distribution' or 'bars' (of any family), or the \
             student with 'regression' or 'quantiles'",
            teacher.kind()
        )));
    }
    view::same_slots(teacher.slots(), scales.len())
}
