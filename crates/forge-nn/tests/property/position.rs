//! Positions and times.

use burn::tensor::{DType, Tensor};
use forge_nn::position::{
    CalendarEncodingConfig, CalendarTime, LearnedPositionsConfig, RotaryEmbeddingConfig,
    RotaryLayout, SinusoidalPositionsConfig, Time2VecConfig,
};
use forge_nn::{ModuleConfig, burn};

use crate::checks::{check_input, check_parameters, close, device, in_f64, normal, numbers};

#[test]
fn rotary_scores_depend_on_distances_only() {
    for layout in [RotaryLayout::HalfSplit, RotaryLayout::Interleaved] {
        let config = RotaryEmbeddingConfig::new(6).with_layout(layout);
        let module = config.init(&device());
        let (q, k) = (normal::<4>([2, 3, 5, 7]), normal::<4>([2, 3, 5, 7]));
        let scores = |offset| {
            let q = module.forward(q.clone(), offset);
            q.matmul(module.forward(k.clone(), offset).swap_dims(2, 3))
        };
        close(scores(1000), scores(0), 1e-11);
        // Turning keeps lengths.
        let lengths = |x: Tensor<4>| x.square().sum_dim(3);
        close(
            lengths(module.forward(q.clone(), 77)),
            lengths(q.clone()),
            1e-13,
        );
        let first = module.forward(q.clone(), 0).narrow(2, 0, 1);
        close(first, q.clone().narrow(2, 0, 1), 1e-15);
    }
}

#[test]
fn rotary_tables_stay_exact_far_out_in_f32() {
    let module = RotaryEmbeddingConfig::new(2).init(&device());
    let far = 16_777_217;
    let tables = module.tables(&[far], &device(), DType::F32);
    let error = numbers(tables.cos)[0] - (far as f64).cos();
    assert!(error.abs() < 1e-7, "{error}");
}

#[test]
fn sinusoidal_positions_follow_the_paper_for_any_offset_and_odd_widths() {
    let module = SinusoidalPositionsConfig::new(5).init(&device());
    let code = numbers(module.encode(3, 2, &device(), DType::F64));
    let slow = 10000f64.powf(-2.0 / 5.0);
    let slower = 10000f64.powf(-4.0 / 5.0);
    let expected = [3.0, 4.0].map(|p: f64| {
        [
            p.sin(),
            p.cos(),
            (p * slow).sin(),
            (p * slow).cos(),
            (p * slower).sin(),
        ]
    });
    assert_eq!(code, expected.concat());
    let x = normal::<3>([2, 7, 5]);
    let whole = module.forward(x.clone(), 0);
    close(
        module.forward(x.narrow(1, 4, 3), 4),
        whole.narrow(1, 4, 3),
        1e-15,
    );
}

#[test]
fn learned_positions_are_added_and_learn() {
    let module = in_f64(LearnedPositionsConfig::new(7, 3).init(&device()));
    let x = normal::<3>([2, 5, 3]);
    let expected = x.clone() + module.weight.val().narrow(0, 2, 5).unsqueeze();
    close(module.forward(x.clone(), 2), expected, 1e-15);
    check_parameters(module, |m| m.forward(x.clone(), 1).powi_scalar(2).sum());
}

#[test]
#[should_panic(expected = "positions 5..8 of 7 learned ones")]
fn learned_positions_end() {
    let module = LearnedPositionsConfig::new(7, 3).init(&device());
    module.forward(Tensor::zeros([1, 3, 3], &device()), 5);
}

#[test]
fn time2vec_is_linear_then_periodic() {
    let module = in_f64(Time2VecConfig::new(5).init(&device()));
    let time = normal::<3>([2, 7, 1]);
    let y = module.forward(time.clone());
    assert_eq!(y.dims(), [2, 7, 5]);
    let frequency = module.frequency.val().reshape([1, 1, 5]);
    let turn = Tensor::<3>::ones([2, 7, 5], (&device(), DType::F64)) * std::f64::consts::TAU;
    // One period later every periodic feature is back, and the linear one is not.
    for feature in 1..5 {
        let period = turn.clone().narrow(2, 0, 1) / frequency.clone().narrow(2, feature, 1);
        let later = module.forward(time.clone() + period);
        close(
            later.narrow(2, feature, 1),
            y.clone().narrow(2, feature, 1),
            1e-9,
        );
    }
    let slope = module.forward(time.clone() + 1.0) - y;
    close(
        slope.narrow(2, 0, 1),
        frequency.narrow(2, 0, 1).expand([2, 7, 1]),
        1e-12,
    );
    let single = in_f64(Time2VecConfig::new(1).init(&device()));
    assert_eq!(single.forward(time.clone()).dims(), [2, 7, 1]);
    let weights = normal::<3>([2, 7, 5]);
    check_input(time.clone(), |t| {
        (module.forward(t) * weights.clone()).sum()
    });
    check_parameters(module, |m| {
        (m.forward(time.clone()) * weights.clone()).sum()
    });
}

#[test]
fn calendar_times_agree_with_known_dates() {
    let known = [
        // Unix seconds; weekday (Monday 0), day of month, days in month, day of year, days in year.
        (0, [3, 0, 31, 0, 365]),
        (-1, [2, 30, 31, 364, 365]),
        (951_782_400, [1, 28, 29, 59, 366]),
        (1_704_067_199, [6, 30, 31, 364, 365]),
        (1_709_164_800, [3, 28, 29, 59, 366]),
        (4_107_542_400, [0, 0, 31, 59, 365]),
        (-2_203_891_200, [3, 0, 31, 59, 365]),
    ];
    for (seconds, [weekday, day, month, day_of_year, year]) in known {
        let time = CalendarTime::from_unix(seconds);
        let found = [
            time.day_of_week,
            time.day_of_month,
            time.days_in_month,
            time.day_of_year,
            time.days_in_year,
        ];
        assert_eq!(found, [weekday, day, month, day_of_year, year], "{seconds}");
    }
    // Every day for 1200 years: the calendar goes on by one day at a time.
    let mut previous = CalendarTime::from_date(1600, 1, 1, 0).unwrap();
    let start = CalendarTime::from_unix(-11_676_096_000);
    assert_eq!(previous, start);
    for day in 1..=438_291 {
        let time = CalendarTime::from_unix(-11_676_096_000 + day * 86_400);
        assert_eq!(time.day_of_week, (previous.day_of_week + 1) % 7);
        let same_month = previous.day_of_month + 1 < previous.days_in_month;
        assert_eq!(
            time.day_of_month,
            if same_month {
                previous.day_of_month + 1
            } else {
                0
            }
        );
        let same_year = previous.day_of_year + 1 < previous.days_in_year;
        assert_eq!(
            time.day_of_year,
            if same_year {
                previous.day_of_year + 1
            } else {
                0
            }
        );
        previous = time;
    }
    let date = CalendarTime::from_date(2024, 2, 29, 55_801).unwrap();
    assert_eq!(date, CalendarTime::from_unix(1_709_220_601));
}

#[test]
fn calendar_refuses_dates_that_do_not_exist() {
    let error = CalendarTime::from_date(2023, 2, 29, 0).unwrap_err();
    assert_eq!(error.to_string(), "config: day = 29, must be in 1..=28");
    assert!(
        CalendarTime::from_date(2023, 13, 1, 0)
            .unwrap_err()
            .to_string()
            .contains("month")
    );
    assert!(CalendarTime::from_date(2023, 1, 1, 86_400).is_err());
    let times = [CalendarTime::from_unix(0); 5];
    assert!(
        CalendarTime::to_tensor(&times, 2, &device())
            .unwrap_err()
            .is_shape()
    );
}

#[test]
fn calendar_harmonics_are_exact() {
    let config = CalendarEncodingConfig::new().with_time_of_day(1440);
    let module = config.init(&device());
    let times: Vec<CalendarTime> = (0..14)
        .map(|i| CalendarTime::from_unix(1_709_164_800 + i * 40_111))
        .collect();
    let fields = CalendarTime::to_tensor(&times, 2, &device()).unwrap();
    let y = module.features(fields.clone(), DType::F32);
    assert_eq!(y.dims(), [2, 7, config.n_features()]);
    let found = numbers(y);
    let mut expected = Vec::new();
    for time in &times {
        let clocks = [
            (time.second_of_day, 86_400, 1440),
            (time.day_of_week, 7, 3),
            (time.day_of_month, time.days_in_month, 8),
            (time.day_of_year, time.days_in_year, 16),
        ];
        for (value, period, harmonics) in clocks {
            // Reduced in integers, so the reference is exact as well.
            let angle = |h: u32| {
                let residue = u64::from(h) * u64::from(value) % u64::from(period);
                std::f64::consts::TAU * residue as f64 / f64::from(period)
            };
            expected.extend((1..=harmonics).map(|h| angle(h).sin()));
            expected.extend((1..=harmonics).map(|h| angle(h).cos()));
        }
    }
    for (a, b) in found.iter().zip(&expected) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    // A harmonic of the day is over the same at the same time tomorrow, bit for bit.
    let later = CalendarTime::from_unix(1_709_164_800 + 86_400);
    let tomorrow = CalendarTime::to_tensor(&[later], 1, &device()).unwrap();
    let tomorrow = numbers(module.features(tomorrow, DType::F32));
    assert_eq!(tomorrow[..2880], found[..2880]);
}

#[test]
fn calendar_projects_and_skips_clocks() {
    let config = CalendarEncodingConfig::new()
        .with_day_of_week(0)
        .with_d_model(Some(5));
    let module = in_f64(config.init(&device()));
    assert_eq!(config.n_features(), 80);
    let times = [
        CalendarTime::from_unix(7),
        CalendarTime::from_unix(8_000_000),
    ];
    let fields = CalendarTime::to_tensor(&times, 2, &device()).unwrap();
    assert_eq!(module.forward(fields.clone()).dims(), [2, 1, 5]);
    let plain = CalendarEncodingConfig::default().init(&device());
    assert_eq!(plain.forward(fields.clone()).dims(), [2, 1, 86]);
    check_parameters(module, |m| m.forward(fields.clone()).powi_scalar(2).sum());
}

#[test]
fn configs_name_the_bad_field() {
    let calendar = CalendarEncodingConfig::new();
    let errors = [
        (
            RotaryEmbeddingConfig::new(5).validate(),
            "rotary_dim = 5, must be even",
        ),
        (
            RotaryEmbeddingConfig::new(4).with_theta(0.0).validate(),
            "theta",
        ),
        (SinusoidalPositionsConfig::new(0).validate(), "d_model"),
        (LearnedPositionsConfig::new(0, 3).validate(), "max_len"),
        (Time2VecConfig::new(0).validate(), "d_out"),
        (
            calendar.clone().with_day_of_week(4).validate(),
            "day_of_week = 4, must be in 0..=3",
        ),
        (
            calendar.clone().with_day_of_year(183).validate(),
            "day_of_year",
        ),
        (calendar.with_d_model(Some(0)).validate(), "d_model"),
    ];
    for (result, text) in errors {
        let error = result.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(text),
            "{error}"
        );
    }
}
