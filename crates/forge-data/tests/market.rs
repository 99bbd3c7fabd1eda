use std::collections::BTreeMap;

use forge_data::market::Ssvi;
use forge_data::market::black76::{OptionType, implied_vol, price};
use forge_data::{ColumnValues, SyntheticMarketConfig, Table};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

fn numbers<'t>(table: &'t Table, name: &str) -> &'t [f64] {
    match &table.column(name).unwrap().values {
        ColumnValues::Numeric(values) => values,
        other => panic!("{name}: {other:?}"),
    }
}

fn dates(table: &Table) -> &[i64] {
    match &table.column("date").unwrap().values {
        ColumnValues::DateTime(values) => values,
        other => panic!("date: {other:?}"),
    }
}

fn is_call(table: &Table) -> Vec<bool> {
    match &table.column("option_type").unwrap().values {
        ColumnValues::Categorical(c) => c
            .codes
            .iter()
            .map(|i| c.categories[*i as usize] == "C")
            .collect(),
        other => panic!("option_type: {other:?}"),
    }
}

fn with_truth() -> SyntheticMarketConfig {
    SyntheticMarketConfig {
        true_vol: true,
        ..Default::default()
    }
}

#[test]
fn the_default_market_is_a_demo_of_the_right_size() {
    let t = SyntheticMarketConfig::default().generate().unwrap();
    let names: Vec<&str> = t.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "date",
            "strike",
            "spot",
            "forward",
            "discount",
            "time_to_maturity",
            "option_type",
            "bid",
            "ask",
            "mid",
            "implied_vol",
            "log_moneyness",
            "spot_return",
            "prev_vol_30d",
            "prev_vol_1y",
            "prev_skew_30d"
        ]
    );
    assert!(
        (20_000..=30_000).contains(&t.n_rows()),
        "{} quotes",
        t.n_rows()
    );
    let mut days = dates(&t).to_vec();
    days.dedup();
    assert_eq!(days.len(), 40);
    assert_eq!(days[0], 1_704_153_600_000); // 2024-01-02
    assert!(days.is_sorted());
    // Seen on real index chains: volatilities from single digits to near 100 %.
    let vols = numbers(&t, "implied_vol");
    let (low, high) = vols
        .iter()
        .fold((9.0f64, 0.0f64), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!(
        (0.03..0.2).contains(&low) && (0.3..2.0).contains(&high),
        "{low} to {high}"
    );
    let calls = is_call(&t).iter().filter(|c| **c).count();
    assert!(
        calls * 5 > t.n_rows() && calls * 2 < t.n_rows(),
        "{calls} calls"
    );
}

#[test]
fn quotes_are_consistent() {
    let config = with_truth();
    let t = config.generate().unwrap();
    let col = |name| numbers(&t, name);
    let (strike, spot, forward) = (col("strike"), col("spot"), col("forward"));
    let (discount, time, k) = (
        col("discount"),
        col("time_to_maturity"),
        col("log_moneyness"),
    );
    let (bid, ask, mid) = (col("bid"), col("ask"), col("mid"));
    let (vol, truth) = (col("implied_vol"), col("true_vol"));
    let ticks = |x: f64| (x / config.tick - (x / config.tick).round()).abs();
    for (i, call) in is_call(&t).into_iter().enumerate() {
        assert_eq!(call, strike[i] >= forward[i]); // out of the money only
        assert_eq!(k[i], (strike[i] / forward[i]).ln());
        assert!(bid[i] >= config.tick && ask[i] > bid[i]);
        assert_eq!(mid[i], 0.5 * (bid[i] + ask[i]));
        assert!(ticks(bid[i]) < 1e-6 && ticks(ask[i]) < 1e-6);
        assert!((discount[i] - (-config.rate * time[i]).exp()).abs() < 1e-15);
        let carry = ((config.rate - config.dividend) * time[i]).exp();
        assert!((forward[i] / spot[i] - carry).abs() < 1e-14);
        let option = if call {
            OptionType::Call
        } else {
            OptionType::Put
        };
        let back = implied_vol(option, mid[i], forward[i], strike[i], time[i], discount[i]);
        assert_eq!(back.unwrap(), vol[i]);
        // The noise in price is at most a few half-spreads and the rounding to ticks.
        let fair = price(
            option,
            forward[i],
            strike[i],
            truth[i],
            time[i],
            discount[i],
        );
        assert!(
            (mid[i] - fair).abs() <= 1.2 * (ask[i] - bid[i]) + config.tick,
            "row {i}"
        );
    }
}

#[test]
fn noise_is_small_near_the_money_and_spreads_grow_outwards() {
    let t = with_truth().generate().unwrap();
    let (vol, truth) = (numbers(&t, "implied_vol"), numbers(&t, "true_vol"));
    let (k, time) = (
        numbers(&t, "log_moneyness"),
        numbers(&t, "time_to_maturity"),
    );
    let (bid, ask, mid) = (numbers(&t, "bid"), numbers(&t, "ask"), numbers(&t, "mid"));
    let mut near = Vec::new();
    let (mut relative_near, mut relative_far) = (Vec::new(), Vec::new());
    for i in 0..t.n_rows() {
        let distance = k[i].abs() / (truth[i] * time[i].sqrt());
        let relative = (ask[i] - bid[i]) / mid[i];
        if distance < 0.5 {
            near.push((vol[i] - truth[i]).powi(2));
            relative_near.push(relative);
        } else if distance > 1.5 {
            relative_far.push(relative);
        }
    }
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let rms = mean(&near).sqrt();
    assert!((1e-4..1.5e-3).contains(&rms), "{rms}");
    assert!(mean(&relative_far) > 3.0 * mean(&relative_near));
}

#[test]
fn the_surface_has_no_arbitrage_on_any_day() {
    for seed in 0..3 {
        let config = SyntheticMarketConfig {
            seed,
            days: 120,
            shape_vol: 2.0,
            ..Default::default()
        };
        let days = config.simulate().unwrap();
        assert_eq!(days.len(), 120);
        for day in days {
            for i in -60..=60 {
                let k = f64::from(i) * 0.05;
                let mut before = 0.0;
                for time in [1.0 / 365.0, 0.02, 0.1, 0.3, 0.7, 1.0, 1.5, 2.0, 5.0] {
                    let w = day.surface.total_variance(k, time);
                    assert!(w >= before, "calendar: k {k}, T {time}: {w} < {before}");
                    before = w;
                    let theta = day.surface.atm_total_variance(time);
                    let g = day.surface.smile.density_factor(k, theta);
                    assert!(g >= 0.0, "butterfly: k {k}, T {time}: {g}");
                }
            }
        }
    }
}

#[test]
fn call_prices_fall_and_are_convex_in_the_strike() {
    // The same statement as g ≥ 0, but through prices and none of the surface's own formulas.
    let days = SyntheticMarketConfig::default().simulate().unwrap();
    for day in days.iter().step_by(7) {
        for time in [0.02, 0.25, 2.0] {
            let call = |strike: f64| {
                let vol = day.surface.vol((strike / 100.0).ln(), time);
                price(OptionType::Call, 100.0, strike, vol, time, 1.0)
            };
            for i in 1..80 {
                let strike = 40.0 + 1.5 * f64::from(i);
                let (a, b, c) = (call(strike - 1.0), call(strike), call(strike + 1.0));
                assert!(a >= b && b >= c && a - b <= 1.0 + 1e-12);
                assert!(a - 2.0 * b + c >= -1e-12, "K {strike}, T {time}");
            }
        }
    }
}

#[test]
fn parameters_with_arbitrage_cannot_be_made() {
    assert!(Ssvi::new(-0.7, Ssvi::max_eta(-0.7), 0.5).is_ok());
    for (rho, eta, gamma, field) in [
        (-1.0, 0.5, 0.4, "rho"),
        (f64::NAN, 0.5, 0.4, "rho"),
        (-0.7, 1.2, 0.4, "eta"),
        (-0.7, 0.0, 0.4, "eta"),
        (-0.7, 0.5, 0.6, "gamma"),
        (-0.7, 0.5, 0.0, "gamma"),
    ] {
        let error = Ssvi::new(rho, eta, gamma).unwrap_err();
        assert!(
            error.is_config() && error.to_string().starts_with(field),
            "{error}"
        );
    }
}

#[test]
fn the_arbitrage_check_can_fail() {
    // Far beyond the bound, the classical counterexample: g turns negative. The check above is
    // worth something only if it sees that.
    let steep = |k: f64| {
        let (theta, rho, phi) = (0.04f64, -0.9f64, 60.0f64);
        let w = |k: f64| {
            let u = phi * k;
            0.5 * theta * (1.0 + rho * u + ((u + rho).powi(2) + 1.0 - rho * rho).sqrt())
        };
        price(
            OptionType::Call,
            100.0,
            100.0 * k.exp(),
            w(k).sqrt(),
            1.0,
            1.0,
        )
    };
    let convexity = |strike: f64| {
        let at = |s: f64| steep((s / 100.0).ln());
        at(strike - 1.0) - 2.0 * at(strike) + at(strike + 1.0)
    };
    assert!((20..200).any(|s| convexity(f64::from(s)) < -1e-9));
}

#[test]
fn the_seed_decides_everything() {
    let config = SyntheticMarketConfig {
        days: 5,
        ..Default::default()
    };
    let t = config.generate().unwrap();
    assert_eq!(config.generate().unwrap(), t);
    let other = SyntheticMarketConfig {
        seed: 1,
        ..config.clone()
    };
    assert_ne!(other.generate().unwrap(), t);
    // A longer history begins with the shorter one, quotes included.
    let longer = SyntheticMarketConfig { days: 9, ..config };
    let longer = longer.generate().unwrap();
    for name in ["strike", "bid", "ask", "implied_vol"] {
        assert_eq!(numbers(&longer, name)[..t.n_rows()], *numbers(&t, name));
    }
}

#[test]
fn volatility_rises_when_the_spot_falls() {
    let correlation = |leverage: f64| {
        let config = SyntheticMarketConfig {
            days: 1500,
            leverage,
            ..Default::default()
        };
        let days = config.simulate().unwrap();
        let pairs: Vec<(f64, f64)> = days
            .windows(2)
            .map(|d| {
                let vol = |i: usize| d[i].surface.vol(0.0, 0.1).ln();
                ((d[1].spot / d[0].spot).ln(), vol(1) - vol(0))
            })
            .collect();
        let n = pairs.len() as f64;
        let (mx, my) = pairs
            .iter()
            .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        for (x, y) in &pairs {
            xx += (x - mx).powi(2);
            yy += (y - my).powi(2);
            xy += (x - mx) * (y - my);
        }
        xy / (xx * yy).sqrt()
    };
    let c = correlation(-0.75);
    assert!((-0.85..-0.55).contains(&c), "{c}");
    assert!(correlation(0.0).abs() < 0.1);
}

#[test]
fn the_spot_moves_with_the_surface_s_own_volatility() {
    let config = SyntheticMarketConfig {
        days: 2000,
        ..Default::default()
    };
    let days = config.simulate().unwrap();
    let standardised: Vec<f64> = days
        .windows(2)
        .map(|d| {
            let variance = d[0].surface.short_variance / 252.0;
            ((d[1].spot / d[0].spot).ln()) / variance.sqrt()
        })
        .collect();
    let n = standardised.len() as f64;
    let variance = standardised.iter().map(|z| z * z).sum::<f64>() / n;
    assert!((variance - 1.0).abs() < 0.12, "{variance}");
}

#[test]
fn expiries_age_day_by_day() {
    let t = SyntheticMarketConfig::default().generate().unwrap();
    let mut by_day: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (date, time) in dates(&t).iter().zip(numbers(&t, "time_to_maturity")) {
        let expiry = date / 86_400_000 + (time * 365.0).round() as i64;
        let listed = by_day.entry(*date).or_default();
        if !listed.contains(&expiry) {
            listed.push(expiry);
        }
    }
    let days: Vec<(&i64, &Vec<i64>)> = by_day.iter().collect();
    for pair in days.windows(2) {
        let today = pair[1].0 / 86_400_000;
        for expiry in pair[0].1 {
            assert!(
                *expiry <= today || pair[1].1.contains(expiry),
                "{expiry} vanished"
            );
        }
    }
    assert!(
        days.iter()
            .all(|(_, listed)| (12..=24).contains(&listed.len()))
    );
}

#[test]
fn bad_configs_are_named() {
    let refused = |json: &str, field: &str| {
        let config: SyntheticMarketConfig = serde_json::from_str(json).unwrap();
        let error = config.generate().unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(field),
            "{error}"
        );
    };
    refused(r#"{"days": 0}"#, "days = 0");
    refused(r#"{"start": "2024-02-30"}"#, "start = '2024-02-30'");
    refused(r#"{"leverage": -1.5}"#, "leverage = -1.5");
    refused(r#"{"curvature": 1.0}"#, "curvature = 1");
    refused(r#"{"decay": 0.0}"#, "decay = 0");
    refused(
        r#"{"weeklies": 0, "monthlies": 0, "quarterlies": 0}"#,
        "at least one expiry",
    );
    let config = SyntheticMarketConfig {
        spot: f64::NAN,
        ..Default::default()
    };
    assert!(
        config
            .validate()
            .unwrap_err()
            .to_string()
            .contains("spot = NaN")
    );
    assert!(serde_json::from_str::<SyntheticMarketConfig>(r#"{"sead": 1}"#).is_err());
    let nothing = SyntheticMarketConfig {
        spot: 1.0,
        tick: 10.0,
        ..Default::default()
    };
    assert!(nothing.generate().unwrap_err().is_value());
    assert!(
        SyntheticMarketConfig::default()
            .label()
            .contains("synthetic")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn extreme_markets_stay_finite_and_quoted_right(
        seed in any::<u64>(),
        short_vol in 0.01f64..2.0,
        long_vol in 0.01f64..2.0,
        vol_of_vol in 0.0f64..10.0,
        leverage in -1.0f64..1.0,
        skew in -0.99f64..0.99,
        curvature in 0.01f64..0.99,
        half_spread in 0.0f64..0.2,
        spot in 50.0f64..1e6,
    ) {
        let config = SyntheticMarketConfig {
            seed, short_vol, long_vol, vol_of_vol, leverage, skew, curvature, half_spread, spot,
            days: 6,
            shape_vol: 5.0,
            true_vol: true,
            ..Default::default()
        };
        let Ok(t) = config.generate() else { return Ok(()) };
        for column in t.columns() {
            if let ColumnValues::Numeric(values) = &column.values {
                prop_assert!(values.iter().all(|v| v.is_finite()), "{}", column.name);
            }
        }
        prop_assert!(numbers(&t, "implied_vol").iter().all(|v| *v > 0.0));
        for day in config.simulate().unwrap() {
            for i in -20..=20 {
                let theta = day.surface.atm_total_variance(0.1);
                prop_assert!(day.surface.smile.density_factor(f64::from(i) * 0.1, theta) >= 0.0);
            }
        }
    }
}

#[test]
fn what_is_known_before_is_the_close_of_the_day_before() {
    let config = SyntheticMarketConfig {
        days: 6,
        ..SyntheticMarketConfig::default()
    };
    let days = config.simulate().unwrap();
    let table = config.generate().unwrap();
    let dates = dates(&table).to_vec();
    let (vol, change) = (
        numbers(&table, "prev_vol_30d"),
        numbers(&table, "spot_return"),
    );
    for (row, date) in dates.iter().enumerate() {
        let today = days.iter().position(|d| d.date == *date).unwrap();
        let before = &days[today.saturating_sub(1)];
        assert_eq!(vol[row], before.surface.vol(0.0, 30.0 / 365.0));
        assert_eq!(change[row], (days[today].spot / before.spot).ln());
    }
    assert!(vol.iter().any(|v| *v != vol[0]));
}
