//! Temperatures, intervals and sets of classes.

use forge_train::calibration::{
    ClassScore, ConformalClasses, ConformalQuantiles, SplitConformal, Temperature, conformal_rank,
};

/// Made by a linear congruence, so that Python makes the same.
fn numbers(n: usize) -> Vec<f64> {
    let mut state = 12345_u64;
    let mut next = || {
        state = (state * 1_103_515_245 + 12345) % 2_147_483_648;
        state as f64 / 2_147_483_648.0
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn the_temperature_is_that_of_scipy() {
    let u = numbers(40 * 4);
    let logits: Vec<f64> = (0..120).map(|i| 6.0 * u[i] - 3.0).collect();
    let label = |row: usize| {
        let z = &logits[row * 3..row * 3 + 3];
        let top = (0..3).fold(0, |a, b| if z[b] > z[a] { b } else { a });
        let u = u[120 + row];
        if u < 0.6 {
            top
        } else {
            (u * 1000.0) as usize % 3
        }
    };
    let labels: Vec<usize> = (0..40).map(label).collect();
    let found = Temperature::fit(&logits, 3, &labels).unwrap().temperature();

    assert!((found / SCIPY - 1.0).abs() < 1e-7, "{found}");
}

/// `scipy.optimize.minimize_scalar` (bounded, xatol 1e-12) of the same rows.
const SCIPY: f64 = 2.145_583_513_114_756_7;

#[test]
fn temperatures_that_do_not_exist_are_refused() {
    let error = |logits: &[f64], classes, labels: &[usize]| {
        Temperature::fit(logits, classes, labels)
            .unwrap_err()
            .to_string()
    };
    assert!(error(&[1.0, 2.0], 1, &[0, 0]).contains("n_classes = 1"));
    assert!(error(&[1.0, 0.0], 2, &[0]).contains("goes to 0"));
    assert!(error(&[1.0, 0.0, 1.0, 0.0], 2, &[0, 1]).contains("goes to infinity"));
    assert!(error(&[1.0, f64::NAN], 2, &[0]).contains("row 0, class 1"));
    assert!(error(&[1.0, 0.0], 2, &[2]).contains("below 2"));
}

#[test]
fn intervals_hold_what_they_promise() {
    let u = numbers(4000);
    // The deviation of each row is known: intervals scale with it.
    let sigma: Vec<f64> = (0..2000).map(|i| 0.5 + u[i]).collect();
    let y: Vec<f64> = (0..2000).map(|i| sigma[i] * (u[2000 + i] - 0.5)).collect();
    let said = vec![0.0; 2000];
    let fitted = SplitConformal::fit(&said[..500], Some(&sigma[..500]), &y[..500], 0.1).unwrap();
    let held = (500..2000).filter(|i| {
        let (low, high) = fitted.interval(0.0, sigma[*i]);
        low <= y[*i] && y[*i] <= high
    });
    let share = held.count() as f64 / 1500.0;
    assert!((share - 0.9).abs() < 0.03, "{share}");
    assert!((fitted.reach() - 0.45).abs() < 0.02);

    let error = SplitConformal::fit(&said[..8], None, &y[..8], 0.1).unwrap_err();
    assert!(error.to_string().contains("at least 9"), "{error}");
    assert!(SplitConformal::fit(&said[..9], None, &y[..9], 0.1).is_ok());
    assert!(SplitConformal::fit(&said[..9], None, &y[..9], 0.0).is_err());
    assert!(SplitConformal::fit(&said[..9], Some(&said[..9]), &y[..9], 0.1).is_err());
    assert_eq!(conformal_rank(9, 0.1), Some(9));
}

#[test]
fn sets_of_classes_are_those_by_hand() {
    let said = [0.7, 0.2, 0.1, 0.5, 0.4, 0.1, 0.6, 0.3, 0.1];
    let labels = [0, 1, 0];
    // Adaptive scores: 0.7, 0.9, 0.6; of rank ⌈0.75 · 4⌉ = 3: 0.9.
    let sets = ConformalClasses::fit(&said, 3, &labels, ClassScore::Adaptive, 0.25).unwrap();
    assert!((sets.bound() - 0.9).abs() < 1e-12);
    assert_eq!(sets.set(&[0.1, 0.6, 0.3]), [1, 2]);
    assert_eq!(sets.set(&[0.02, 0.95, 0.03]), [1]);
    // Of 1 - p: 0.3, 0.6, 0.4; of rank ⌈0.5 · 4⌉ = 2: 0.4.
    let sets = ConformalClasses::fit(&said, 3, &labels, ClassScore::LeastAmbiguous, 0.5).unwrap();
    assert!((sets.bound() - 0.4).abs() < 1e-12);
    assert_eq!(sets.set(&[0.3, 0.3, 0.4]), [2]);
    assert!(ConformalClasses::fit(&said, 3, &labels, ClassScore::Adaptive, 0.2).is_err());
    assert!(ConformalClasses::fit(&[1.0], 1, &[0], ClassScore::Adaptive, 0.5).is_err());
}

/// Of 31 scores that can be exchanged, the new one is as likely at any rank: 3 in 31 lie beyond the 28th.
#[test]
fn quantiles_hold_the_share_that_ranks_say() {
    let (rows, trials) = (30, 4_000);
    // One long tail, which each end follows by itself; the model is off by 5 in the second target.
    let tail = |u: f64| -(1.0 - u).ln();
    let u = numbers((rows + 1) * trials);
    let levels = [0.1, 0.9];
    let (mut below, mut above, mut widths) = (0, 0, [0.0, 0.0]);
    for draw in u.chunks_exact(rows + 1) {
        let target: Vec<f64> = draw.iter().flat_map(|u| [tail(*u), tail(*u)]).collect();
        let (target, new) = target.split_at(2 * rows);
        let said = [0.0, 0.0, 5.0, 5.0];
        let fitted = ConformalQuantiles::fit(&levels, &said.repeat(rows), target, 2).unwrap();
        assert_eq!((fitted.rows(), fitted.levels()), (rows, &levels[..]));
        let mut said = said;
        fitted.apply(&mut said);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(near(said[0], said[2]) && near(said[1], said[3]), "{said:?}");
        below += usize::from(new[0] < said[0]);
        above += usize::from(new[0] > said[1]);
        widths = [widths[0] + said[0], widths[1] + said[1]];
    }
    let expected = 3.0 / 31.0;
    let deviation = (expected * (1.0 - expected) / trials as f64).sqrt();
    for count in [below, above] {
        let share = count as f64 / trials as f64;
        assert!(
            (share - expected).abs() < 4.0 * deviation,
            "{share}, {expected}"
        );
    }
    let [low, high] = widths.map(|sum| sum / trials as f64);
    assert!(low < 0.15 && high > 2.0, "{low} {high}");
}

#[test]
fn quantiles_that_would_cross_are_equal_and_the_median_stays() {
    let said = [-5.0, 0.0, 5.0].repeat(20);
    let fitted = ConformalQuantiles::fit(&[0.1, 0.5, 0.9], &said, &[0.0; 20], 1).unwrap();
    assert_eq!(fitted.offsets(), [5.0, 0.0, -5.0]);
    let mut narrow = [-1.0, 0.0, 1.0];
    fitted.apply(&mut narrow);
    assert_eq!(narrow, [0.0; 3]);
}

#[test]
fn quantiles_refuse_too_few_rows_and_what_does_not_fit() {
    assert_eq!(ConformalQuantiles::least_rows(&[0.05, 0.5, 0.9]), 19);
    let fit = |levels: &[f64], rows: usize, said: f64| {
        let said = vec![said; rows * levels.len()];
        ConformalQuantiles::fit(levels, &said, &vec![0.0; rows], 1).map_err(|e| e.to_string())
    };
    assert!(fit(&[0.05, 0.95], 19, 0.0).is_ok());
    let refused = [
        (fit(&[0.05, 0.95], 18, 0.0), "at least 19"),
        (fit(&[0.0, 0.95], 50, 0.0), "quantiles[0]"),
        (fit(&[0.9, 0.1], 50, 0.0), "above the one before"),
        (fit(&[0.1], 50, f64::NAN), "calibration row 0"),
        (
            ConformalQuantiles::fit(&[0.1], &[0.0; 3], &[0.0; 2], 1).map_err(|e| e.to_string()),
            "3 quantiles, 2 targets",
        ),
    ];
    for (found, what) in refused {
        let error = found.unwrap_err();
        assert!(error.contains(what), "{error}");
    }
    let fitted = fit(&[0.1, 0.9], 30, 0.0).unwrap();
    assert!(fitted.check(1).is_ok() && fitted.check(2).is_err());
}
