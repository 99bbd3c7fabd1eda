//! The same part of every class held out.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::DataError;

/// Splits `classes`, lists of rows, into `(kept, held out)`, both ascending: the part `fraction`
/// (in (0, 1)) of all rows held out, each class by its share, at least one row of a class of two.
///
/// A class of one row stays in training: what is held out has no class that training lacks. Where
/// classes are many, one row of each may be more than was asked for.
///
/// # Errors
/// A value error if so many classes have a single row that the others cannot fill the part.
pub(super) fn hold_out_of_each(
    mut classes: Vec<Vec<usize>>,
    fraction: f64,
    column: &str,
    rng: &mut ChaCha8Rng,
) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
    let rows: usize = sizes.iter().sum();
    let asked = ((fraction * rows as f64).round() as usize).clamp(1, rows - 1);
    let most: usize = sizes.iter().map(|n| n - 1).sum();
    if most < asked {
        let single = sizes.iter().filter(|n| **n == 1).count();
        return Err(DataError::value(format!(
            "cannot stratify: {single} of {} classes have one row only, so that at most {most} \
             of the {asked} rows asked for can be held out while training has every class; join \
             rare classes, hold out less, or split at random",
            sizes.len()
        ))
        .at_column(column));
    }
    let (mut kept, mut held) = (Vec::with_capacity(rows), Vec::with_capacity(asked));
    for (class, take) in classes.iter_mut().zip(shares(&sizes, fraction, asked)) {
        class.shuffle(rng);
        let (out, rest) = class.split_at(take);
        held.extend_from_slice(out);
        kept.extend_from_slice(rest);
    }
    held.sort_unstable();
    kept.sort_unstable();
    Ok((kept, held))
}

/// How many rows of each class are held out: `asked` in all if no class needs its one row beyond
/// that, by largest remainders; ties go to the class that comes first.
fn shares(sizes: &[usize], fraction: f64, asked: usize) -> Vec<usize> {
    let quota = |n: usize| fraction * n as f64;
    let least = |n: usize| usize::from(n > 1);
    let start = |n: &usize| (quota(*n).floor() as usize).clamp(least(*n), n - 1);
    let mut shares: Vec<usize> = sizes.iter().map(start).collect();
    let mut total: usize = shares.iter().sum();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    // The further below its quota a class is, the earlier it comes.
    let excess = |i: usize| shares[i] as f64 - quota(sizes[i]);
    order.sort_by(|a, b| excess(*a).total_cmp(&excess(*b)));
    while total != asked {
        let before = total;
        if total < asked {
            for &i in &order {
                if total < asked && shares[i] < sizes[i] - 1 {
                    shares[i] += 1;
                    total += 1;
                }
            }
        } else {
            for &i in order.iter().rev() {
                if total > asked && shares[i] > least(sizes[i]) {
                    shares[i] -= 1;
                    total -= 1;
                }
            }
        }
        if total == before {
            break;
        }
    }
    shares
}
