//! Sensitivities of Black's formula.

use forge_data::market::black76::price;
use forge_data::market::{Greeks, OptionType};

use crate::black76::option;

type Case = (bool, f64, f64, f64, f64, f64, f64, f64, f64, f64);

#[test]
fn they_agree_with_50_digits() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("oracle/greeks/case.json")).unwrap();
    assert_eq!(cases.len(), 42);
    for (call, f, k, vol, t, d, delta, gamma, vega, theta) in cases {
        let got = Greeks::of(option(call), f, k, vol, t, d);
        // The exponent of what lies far out multiplies the rounding of d₁.
        let depth = ((f / k).ln() / (vol * t.sqrt())).powi(2).min(1500.0);
        for (name, got, want) in [
            ("delta", got.delta, delta),
            ("gamma", got.gamma, gamma),
            ("vega", got.vega, vega),
            ("theta", got.theta, theta),
        ] {
            let tolerance = 1e-14 * (10.0 + depth) * want.abs() + 1e-30;
            assert!(
                (got - want).abs() <= tolerance,
                "{name}, call {call}, K {k}, vol {vol}, T {t}: {got:e} vs {want:e}"
            );
        }
    }
}

#[test]
fn they_are_the_slopes_of_the_price() {
    for call in [true, false] {
        for (k, vol, t) in [(70.0, 0.3, 0.4), (100.0, 0.2, 1.0), (130.0, 0.5, 2.0)] {
            let rate: f64 = 0.04;
            let value =
                |f: f64, vol: f64, t: f64| price(option(call), f, k, vol, t, (-rate * t).exp());
            let got = Greeks::of(option(call), 100.0, k, vol, t, (-rate * t).exp());
            let slope = |at: &dyn Fn(f64) -> f64, h: f64| (at(h) - at(-h)) / (2.0 * h);
            let delta = slope(&|h| value(100.0 + h, vol, t), 1e-3);
            let vega = slope(&|h| value(100.0, vol + h, t), 1e-5);
            let theta = -slope(&|h| value(100.0, vol, t + h), 1e-5);
            let h = 0.05;
            let gamma = (value(100.0 + h, vol, t) - 2.0 * value(100.0, vol, t)
                + value(100.0 - h, vol, t))
                / (h * h);
            for (name, got, want) in [
                ("delta", got.delta, delta),
                ("gamma", got.gamma, gamma),
                ("vega", got.vega, vega),
                ("theta", got.theta, theta),
            ] {
                assert!(
                    (got - want).abs() <= 1e-6 * want.abs().max(1e-2),
                    "{name}: {got} vs {want}"
                );
            }
        }
    }
}

#[test]
fn limits_are_right() {
    let of = |option, k, vol, t| Greeks::of(option, 100.0, k, vol, t, 0.9);
    use OptionType::{Call, Put};
    assert_eq!(of(Call, 90.0, 0.0, 1.0).delta, 0.9);
    assert_eq!(of(Call, 110.0, 0.0, 1.0).delta, 0.0);
    assert_eq!(of(Put, 110.0, 0.2, 0.0).delta, -0.9);
    assert_eq!(of(Put, 100.0, 0.2, 0.0).delta, -0.45);
    assert_eq!(of(Call, 90.0, 0.0, 1.0).gamma, 0.0);
    assert_eq!(of(Call, 100.0, 0.0, 1.0).gamma, f64::INFINITY);
    assert_eq!(of(Call, 90.0, 0.2, 0.0).theta, 0.0);
    // Without volatility only the discount moves the price.
    let certain = of(Call, 90.0, 0.0, 2.0).theta;
    assert!(
        (certain + 0.9f64.ln() / 2.0 * 9.0).abs() < 1e-14,
        "{certain}"
    );
    for bad in [
        Greeks::of(Call, -1.0, 100.0, 0.2, 1.0, 1.0),
        Greeks::of(Call, 100.0, 100.0, -0.2, 1.0, 1.0),
        Greeks::of(Put, 100.0, 100.0, 0.2, 1.0, 0.0),
    ] {
        assert!(
            bad.delta.is_nan() && bad.gamma.is_nan() && bad.vega.is_nan() && bad.theta.is_nan()
        );
    }
    let (call, put) = (of(Call, 95.0, 0.3, 0.7), of(Put, 95.0, 0.3, 0.7));
    assert!((call.delta - put.delta - 0.9).abs() < 1e-15); // put-call parity
    assert_eq!((call.gamma, call.vega), (put.gamma, put.vega));
}
