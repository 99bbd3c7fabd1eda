//! Features of option chains.

use forge_data::features::{
    BadCells, ChainColumns, ChainFeature, ChainFeatures, ChainOption, FeatureSet,
};
use forge_data::market::{Greeks, OptionType};
use forge_data::{Column, SyntheticMarketConfig, Table};

use super::numbers;

fn chain() -> Table {
    let market = SyntheticMarketConfig {
        days: 2,
        ..Default::default()
    };
    market.generate().unwrap()
}

#[test]
fn interactions_are_their_formulas() {
    let chain = chain();
    let set = FeatureSet::named("chain_interactions").unwrap();
    let (features, report) = ChainFeatures::new(set).apply(&chain).unwrap();
    assert!(report.missing.iter().all(|(_, missing)| *missing == 0));
    let of = |name: &str| numbers(&chain, name);
    let [forward, strike, time] = ["forward", "strike", "time_to_maturity"].map(of);
    for row in 0..chain.n_rows() {
        let (m, t) = (strike[row] / forward[row], time[row]);
        let k = m.ln();
        for (name, want) in [
            ("log_moneyness", k),
            ("log_moneyness_squared", k.powi(2)),
            ("sqrt_time", t.powf(0.5)),
            ("log_time", t.ln()),
            ("log_moneyness_time", k * t),
            ("log_moneyness_sqrt_time", k * t.powf(0.5)),
            ("moneyness_sqrt_time", m * t.powf(0.5)),
            ("standardized_moneyness", k / t.powf(0.5)),
            ("standardized_moneyness_squared", k.powi(2) / t),
        ] {
            let got = numbers(&features, name)[row];
            assert!(
                (got - want).abs() <= 1e-12 * want.abs().max(1e-3),
                "{name}: {got} vs {want}"
            );
        }
        if row > 50 {
            break;
        }
    }
}

#[test]
fn exact_greeks_need_a_volatility_and_are_blacks() {
    let chain = chain();
    let mut features = ChainFeatures::new(FeatureSet::named("greeks").unwrap());
    let error = features.apply(&chain).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the feature set 'greeks' needs vol, but columns.vol is none: name its column"
    );
    features.columns.vol = Some("prev_vol_30d".into());
    let (greeks, _) = features.apply(&chain).unwrap();
    let of = |name: &str| numbers(&chain, name);
    let [f, k, t, d, vol] = [
        "forward",
        "strike",
        "time_to_maturity",
        "discount",
        "prev_vol_30d",
    ]
    .map(of);
    for row in [0, 7, 200, chain.n_rows() - 1] {
        let option = if k[row] < f[row] {
            OptionType::Put
        } else {
            OptionType::Call
        };
        let want = Greeks::of(option, f[row], k[row], vol[row], t[row], d[row]);
        assert_eq!(numbers(&greeks, "delta")[row], want.delta);
        assert_eq!(numbers(&greeks, "theta")[row], want.theta);
    }
}

#[test]
fn proxies_are_near_the_greeks_of_their_volatility() {
    for (strike, time) in [
        (80.0, 0.5),
        (97.0, 0.1),
        (100.0, 1.0),
        (104.0, 0.02),
        (140.0, 2.0),
    ] {
        for option in [OptionType::Call, OptionType::Put] {
            let vol = 0.2;
            let row = ChainOption::new(option, 100.0, strike, time).with_vol(vol);
            let exact = row.greeks().unwrap();
            let value = |feature: ChainFeature| feature.value(&row).unwrap();
            // The half deviation of d₁ is left out, and the logistic distribution is not the normal:
            // the steepest slopes of both curves bound what that makes.
            let half = 0.5 * vol * time.sqrt();
            let slack = 0.0095 + 0.4 * half;
            let delta = value(ChainFeature::DeltaProxy { vol });
            assert!((delta - exact.delta).abs() < slack, "{delta} {exact:?}");
            let vega = value(ChainFeature::VegaProxy { vol });
            let like = exact.vega / 100.0 * 2.507 / time.sqrt();
            let shape = vega / time.sqrt();
            assert!((shape - like).abs() < 0.1 + 0.61 * half, "{shape} {like}");
            let theta = value(ChainFeature::ThetaProxy { vol });
            assert!(
                (theta + vega / (2.0 * time)).abs() < 1e-12 * theta.abs(),
                "{theta}"
            );
            // The slope of the delta, by differences in ln F.
            let h = 1e-5_f64;
            let at = |shift: f64| {
                let mut moved = row;
                moved.forward *= shift.exp();
                ChainFeature::DeltaProxy { vol }.value(&moved).unwrap()
            };
            let slope = (at(h) - at(-h)) / (2.0 * h);
            let gamma = value(ChainFeature::GammaProxy { vol });
            assert!(
                (gamma - slope).abs() < 1e-6 * gamma.max(1e-3),
                "{gamma} vs {slope}"
            );
        }
    }
    // Far out nothing overflows.
    let far = ChainOption::new(OptionType::Call, 1e-3, 1e9, 1e-6);
    assert_eq!(ChainFeature::DeltaProxy { vol: 0.2 }.value(&far), Some(0.0));
    assert_eq!(ChainFeature::GammaProxy { vol: 0.2 }.value(&far), Some(0.0));
}

#[test]
fn bad_options_are_refused_or_skipped() {
    let table = |strike: f64, time: f64, label: Option<&str>| {
        Table::new(vec![
            Column::numeric("forward", vec![100.0, 100.0]),
            Column::numeric("strike", vec![90.0, strike]),
            Column::numeric("time_to_maturity", vec![0.5, time]),
            Column::categorical("option_type", [Some("call"), label]),
        ])
        .unwrap()
    };
    let set = FeatureSet::named("greek_proxies").unwrap();
    let refuse = ChainFeatures {
        columns: ChainColumns {
            discount: None,
            ..Default::default()
        },
        ..ChainFeatures::new(set)
    };
    for (table, message) in [
        (
            table(-5.0, 0.5, Some("P")),
            "row 3: column 'strike': -5 is not usable: it must be above 0",
        ),
        (
            table(90.0, 0.0, Some("P")),
            "row 3: column 'time_to_maturity': 0 is not usable",
        ),
        (
            table(f64::NAN, 0.5, Some("P")),
            "row 3: column 'strike': is missing; mend the row",
        ),
        (
            table(90.0, 0.5, None),
            "row 3: column 'option_type': is missing",
        ),
        (
            table(90.0, 0.5, Some("straddle")),
            "row 3: column 'option_type': 'straddle' is no option type: allowed are C and P",
        ),
    ] {
        let error = refuse.apply(&table).unwrap_err();
        assert!(
            error.is_value() && error.to_string().starts_with(message),
            "{error}"
        );
        let skip = ChainFeatures {
            missing: BadCells::Skip,
            invalid: BadCells::Skip,
            ..refuse.clone()
        };
        let (features, report) = skip.apply(&table).unwrap();
        assert_eq!(report.skipped.len(), 1);
        assert_eq!(
            (report.skipped[0].count, report.skipped[0].first_row),
            (1, 3)
        );
        assert!(numbers(&features, "delta_proxy")[0].is_finite());
        assert!(numbers(&features, "delta_proxy")[1].is_nan());
    }
    let bars = ChainFeatures::new(FeatureSet::named("volatility").unwrap());
    let error = bars.apply(&table(90.0, 0.5, Some("P"))).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("is one of bars"),
        "{error}"
    );
}
