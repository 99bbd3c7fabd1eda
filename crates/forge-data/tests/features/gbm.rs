//! Volatility estimators on a simulated Brownian motion, of which the volatility is known.

use forge_data::features::{Bar, BarFeature, FeatureMachine, RangeEstimator};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const BARS: usize = 4000;
const STEPS: usize = 60;

/// Bars of a log price with `sigma` per bar and `drift` per bar, a gap of variance `gap²` between two,
/// and a jump of `jump` in every 50th bar.
fn simulate(sigma: f64, drift: f64, gap: f64, jump: f64) -> Vec<Bar> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let dt = 1.0 / STEPS as f64;
    let mut x = 0.0;
    (0..BARS)
        .map(|t| {
            x += gap * normal();
            let open = x;
            let (mut high, mut low) = (x, x);
            for _ in 0..STEPS {
                let step = drift * dt + sigma * dt.sqrt() * normal();
                // The extremes of a Brownian bridge over the step: exact, as if it were continuous.
                let spread = 2.0 * sigma * sigma * dt;
                let mut reach = || (step * step - spread * uniform(normal()).ln()).sqrt();
                high = high.max(x + 0.5 * (step + reach()));
                low = low.min(x + 0.5 * (step - reach()));
                x += step;
            }
            if t % 50 == 0 {
                x += jump;
                high = high.max(x);
            }
            Bar::new(open.exp(), high.exp(), low.exp(), x.exp())
        })
        .collect()
}

/// Uniform in (0, 1) from a standard normal: any strictly increasing distribution function does.
fn uniform(z: f64) -> f64 {
    (0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)).clamp(1e-300, 1.0)
}

/// The variance over all bars, and its standard error from 40 blocks.
fn variance(feature: impl Fn(u32) -> BarFeature, bars: &[Bar]) -> (f64, f64) {
    let block = BARS / 40;
    let blocks: Vec<f64> = bars
        .chunks(block)
        .map(|bars| {
            let mut machine = FeatureMachine::new(&feature(block as u32 - 1)).unwrap();
            let last = bars.iter().fold(None, |_, bar| machine.push(bar));
            last.unwrap().powi(2)
        })
        .collect();
    let n = blocks.len() as f64;
    let mean = blocks.iter().sum::<f64>() / n;
    let spread = blocks.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (spread / n).sqrt())
}

fn range(estimator: RangeEstimator) -> impl Fn(u32) -> BarFeature {
    move |period| BarFeature::Range {
        estimator,
        period,
        periods_per_year: None,
    }
}

fn close_to_close(period: u32) -> BarFeature {
    BarFeature::CloseToClose {
        period,
        periods_per_year: None,
    }
}

fn yang_zhang(period: u32) -> BarFeature {
    BarFeature::YangZhang {
        period,
        periods_per_year: None,
    }
}

fn bipower(period: u32) -> BarFeature {
    BarFeature::Bipower {
        period,
        periods_per_year: None,
    }
}

fn assert_unbiased(name: &str, (estimate, error): (f64, f64), truth: f64) {
    assert!(
        (estimate - truth).abs() < 4.0 * error && error < 0.05 * truth,
        "{name}: {estimate:e} ± {error:e}, truth {truth:e}"
    );
}

#[test]
fn all_are_unbiased_without_drift_and_gaps() {
    let sigma = 0.02;
    let bars = simulate(sigma, 0.0, 0.0, 0.0);
    let truth = sigma * sigma;
    let mut errors = Vec::new();
    let mut check = |name, found: (f64, f64)| {
        assert_unbiased(name, found, truth);
        errors.push(found.1);
    };
    check("close to close", variance(close_to_close, &bars));
    check(
        "Parkinson",
        variance(range(RangeEstimator::Parkinson), &bars),
    );
    check(
        "Garman-Klass",
        variance(range(RangeEstimator::GarmanKlass), &bars),
    );
    check(
        "Rogers-Satchell",
        variance(range(RangeEstimator::RogersSatchell), &bars),
    );
    check("Yang-Zhang", variance(yang_zhang, &bars));
    check("bipower", variance(bipower, &bars));
    // In theory 1/√5.2 and 1/√7.4 of the noise of closes.
    assert!(
        errors[1] < 0.65 * errors[0] && errors[2] < 0.55 * errors[0],
        "{errors:?}"
    );
}

#[test]
fn drift_gaps_and_jumps_do_what_the_papers_say() {
    let sigma = 0.02;
    let truth = sigma * sigma;
    let drifting = simulate(sigma, 0.02, 0.0, 0.0);
    assert_unbiased(
        "RS, drift",
        variance(range(RangeEstimator::RogersSatchell), &drifting),
        truth,
    );
    assert_unbiased("YZ, drift", variance(yang_zhang, &drifting), truth);
    let (parkinson, error) = variance(range(RangeEstimator::Parkinson), &drifting);
    assert!(parkinson > truth + 8.0 * error, "{parkinson:e} ± {error:e}");

    let gaps = simulate(sigma, 0.0, 0.01, 0.0);
    let whole = truth + 0.01f64.powi(2);
    assert_unbiased("YZ, gaps", variance(yang_zhang, &gaps), whole);
    assert_unbiased("closes, gaps", variance(close_to_close, &gaps), whole);
    assert_unbiased(
        "GK, gaps",
        variance(range(RangeEstimator::GarmanKlass), &gaps),
        truth,
    );

    let jumps = simulate(sigma, 0.0, 0.0, 0.2);
    let (closes, _) = variance(close_to_close, &jumps);
    let (bipower, _) = variance(bipower, &jumps);
    // One jump of ten deviations in 99 returns: a variance of two, and of 1 + π/2·2·10·√(2/π)/98.
    assert!(closes > 1.9 * truth, "{closes:e}");
    assert!(
        bipower > 1.1 * truth && bipower < 1.4 * truth,
        "{bipower:e}"
    );
}

#[test]
fn a_year_is_the_root_of_its_bars() {
    let bars = simulate(0.02, 0.0, 0.0, 0.0);
    let last = |periods_per_year| {
        let feature = BarFeature::CloseToClose {
            period: 20,
            periods_per_year,
        };
        let mut machine = FeatureMachine::new(&feature).unwrap();
        let last = bars[..60].iter().fold(None, |_, bar| machine.push(bar));
        last.unwrap()
    };
    let ratio = last(Some(252.0)) / last(None);
    assert!((ratio - 252f64.sqrt()).abs() < 1e-12, "{ratio}");
}
