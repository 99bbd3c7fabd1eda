use forge_data::market::black76::{OptionType, implied_vol, price, vega};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

type Case = (bool, f64, f64, f64, f64, f64, f64, f64);

pub(crate) fn option(call: bool) -> OptionType {
    if call {
        OptionType::Call
    } else {
        OptionType::Put
    }
}

#[test]
fn prices_and_vegas_agree_with_80_digits() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("oracle/black76/case.json")).unwrap();
    assert_eq!(cases.len(), 176);
    for (call, f, k, vol, t, d, want, want_vega) in cases {
        let got = price(option(call), f, k, vol, t, d);
        let got_vega = vega(f, k, vol, t, d);
        // Where the price is tiny, the exponent x²/2s² of about 700 multiplies the rounding of x.
        let depth = ((f / k).ln() / (vol * t.sqrt())).powi(2).min(1500.0);
        let tolerance = 5e-16 * (10.0 + depth);
        let close = |a: f64, b: f64| (a - b).abs() <= tolerance * b.abs() + 1e-290;
        assert!(
            close(got, want),
            "{call} K {k} vol {vol} T {t}: {got:e} vs {want:e}"
        );
        assert!(
            close(got_vega, want_vega),
            "vega K {k} vol {vol} T {t}: {got_vega:e} vs {want_vega:e}"
        );
    }
}

#[test]
fn implied_vol_inverts_the_80_digit_prices() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("oracle/black76/case.json")).unwrap();
    let mut inverted = 0;
    for (call, f, k, vol, t, d, p, v) in cases {
        let condition = f64::EPSILON * p / (v * vol);
        if p < 1e-290 || condition.is_nan() || condition > 1e-9 {
            continue; // an f64 does not hold the volatility
        }
        inverted += 1;
        let got = implied_vol(option(call), p, f, k, t, d).unwrap();
        let error = (got / vol - 1.0).abs();
        assert!(
            error <= 1e-13 + 8.0 * condition,
            "{call} K {k} vol {vol} T {t}: {got}, {error:e}"
        );
    }
    assert!(inverted > 100, "{inverted}");
}

#[test]
fn limits_are_right() {
    let call = |k, vol, t| price(OptionType::Call, 100.0, k, vol, t, 0.9);
    assert_eq!(call(90.0, 0.0, 1.0), 9.0);
    assert_eq!(call(110.0, 0.2, 0.0), 0.0);
    assert!((call(110.0, 1e3, 1.0) - 90.0).abs() < 1e-12);
    assert_eq!(vega(100.0, 100.0, 0.2, 0.0, 1.0), 0.0);
    assert!(price(OptionType::Put, -1.0, 100.0, 0.2, 1.0, 1.0).is_nan());
    assert!(vega(100.0, 100.0, -0.2, 1.0, 1.0).is_nan());
}

#[test]
fn prices_without_a_volatility_say_what_is_allowed() {
    let iv = |option, p| implied_vol(option, p, 100.0, 90.0, 1.0, 0.9);
    for (option, p) in [
        (OptionType::Call, 9.0),
        (OptionType::Call, 90.0),
        (OptionType::Call, -1.0),
        (OptionType::Call, f64::NAN),
        (OptionType::Call, f64::INFINITY),
        (OptionType::Put, 0.0),
        (OptionType::Put, 81.0),
    ] {
        assert!(iv(option, p).unwrap_err().is_value(), "{p}");
    }
    let message = iv(OptionType::Call, 8.0).unwrap_err().to_string();
    assert!(message.contains("above 9 and below 90"), "{message}");
    for (f, k, t, d) in [
        (0.0, 90.0, 1.0, 1.0),
        (100.0, f64::NAN, 1.0, 1.0),
        (100.0, 90.0, -1.0, 1.0),
        (100.0, 90.0, 1.0, f64::INFINITY),
    ] {
        assert!(
            implied_vol(OptionType::Put, 5.0, f, k, t, d)
                .unwrap_err()
                .is_value()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn round_trips_over_wide_ranges(
        call in any::<bool>(),
        deviations in -12.0f64..12.0,
        log_vol in -4.6f64..1.6,
        log_time in -9.0f64..2.3,
        discount in 0.5f64..1.1,
    ) {
        // From 1 % to 500 % volatility, from an hour to ten years.
        let (vol, time) = (log_vol.exp(), log_time.exp());
        let (f, k) = (100.0, 100.0 * (deviations * vol * time.sqrt()).exp());
        let p = price(option(call), f, k, vol, time, discount);
        let v = vega(f, k, vol, time, discount);
        let condition = f64::EPSILON * p / (v * vol);
        if p < 1e-290 || condition > 1e-6 { return Ok(()) }
        let got = implied_vol(option(call), p, f, k, time, discount).unwrap();
        let error = (got / vol - 1.0).abs();
        prop_assert!(error <= 1e-12 + 8.0 * condition, "{} vs {}: {:e}", got, vol, error);
    }

    #[test]
    fn any_allowed_price_has_a_volatility_that_gives_it(
        share in 1e-6f64..0.999_999,
        exponent in 0i32..200,
        log_strike in -3.0f64..3.0,
        time in 0.001f64..10.0,
    ) {
        let (f, k) = (100.0, 100.0 * log_strike.exp());
        let option = if k < f { OptionType::Put } else { OptionType::Call };
        let p = share * 10f64.powi(-exponent) * f.min(k);
        let vol = implied_vol(option, p, f, k, time, 1.0).unwrap();
        let back = price(option, f, k, vol, time, 1.0);
        // The price's condition in the volatility, which is itself rounded.
        let condition = vega(f, k, vol, time, 1.0) * vol / p;
        prop_assert!((back / p - 1.0).abs() <= 1e-13 * (1.0 + condition), "{:e} vs {:e}", back, p);
    }

    #[test]
    fn put_call_parity_holds(
        log_strike in -1.0f64..1.0,
        vol in 0.01f64..2.0,
        time in 0.001f64..10.0,
        discount in 0.5f64..1.1,
    ) {
        let (f, k) = (100.0, 100.0 * log_strike.exp());
        let c = price(OptionType::Call, f, k, vol, time, discount);
        let p = price(OptionType::Put, f, k, vol, time, discount);
        prop_assert!((c - p - discount * (f - k)).abs() <= 1e-13 * (f + k), "{} {}", c, p);
    }

    #[test]
    fn vega_is_the_slope_of_the_price(
        log_strike in -0.5f64..0.5,
        vol in 0.1f64..1.0,
        time in 0.05f64..5.0,
    ) {
        let (f, k, h) = (100.0, 100.0 * log_strike.exp(), 1e-4);
        let at = |vol| price(OptionType::Call, f, k, vol, time, 0.95);
        let slope = (at(vol + h) - at(vol - h)) / (2.0 * h);
        prop_assert!((slope - vega(f, k, vol, time, 0.95)).abs() <= 1e-4 * slope.abs() + 1e-3);
    }
}
