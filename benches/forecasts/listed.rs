//! Figures of others, which stand beside ours.
//!
//! Long horizons: the mean over test windows, of which most published code drops the last incomplete
//! batch of 32 (`mse_batches`); `all windows` are those evaluated anew without the drop. PatchTST:
//! Nie et al. (2023); `DLinear`, `NLinear`: Zeng et al. (2023); `FITS`: Xu et al. (2024); M4:
//! Makridakis et al. (2020); stocks: Feng et al. (2019). The rest are plain baselines on the same
//! split.

/// Set, horizon, who, score, figure.
type Listed = (&'static str, usize, &'static str, &'static str, f64);

const ALL: &[Listed] = &[
    ("ETTh1", 96, "PatchTST, all windows", "mse", 0.385),
    ("ETTh1", 96, "DLinear, all windows", "mse", 0.384),
    ("ETTh1", 96, "FITS, all windows", "mse", 0.375),
    ("ETTh1", 96, "PatchTST/64", "mse_batches", 0.370),
    ("ETTh1", 96, "DLinear", "mse_batches", 0.375),
    ("ETTh1", 96, "NLinear", "mse_batches", 0.374),
    ("ETTh1", 96, "ridge", "mse_batches", 0.370),
    ("ETTh1", 96, "repeat", "mse_batches", 1.295),
    ("ETTh1", 720, "PatchTST, all windows", "mse", 0.456),
    ("ETTh1", 720, "DLinear, all windows", "mse", 0.504),
    ("ETTh1", 720, "FITS, all windows", "mse", 0.427),
    ("ETTh1", 720, "PatchTST/64", "mse_batches", 0.447),
    ("ETTh1", 720, "DLinear", "mse_batches", 0.472),
    ("ETTh1", 720, "NLinear", "mse_batches", 0.440),
    ("ETTh1", 720, "ridge", "mse_batches", 0.421),
    ("ETTh1", 720, "repeat", "mse_batches", 1.339),
    ("ETTh2", 96, "PatchTST/64", "mse_batches", 0.274),
    ("ETTh2", 96, "DLinear", "mse_batches", 0.289),
    ("ETTh2", 96, "NLinear", "mse_batches", 0.277),
    ("ETTh2", 96, "ridge", "mse_batches", 0.273),
    ("ETTh2", 96, "repeat", "mse_batches", 0.432),
    ("ETTh2", 720, "PatchTST/64", "mse_batches", 0.379),
    ("ETTh2", 720, "DLinear", "mse_batches", 0.605),
    ("ETTh2", 720, "NLinear", "mse_batches", 0.394),
    ("ETTh2", 720, "ridge", "mse_batches", 0.383),
    ("ETTh2", 720, "repeat", "mse_batches", 0.588),
    ("exchange_rate", 96, "DLinear", "mse_batches", 0.081),
    ("exchange_rate", 96, "NLinear", "mse_batches", 0.089),
    (
        "exchange_rate",
        96,
        "iTransformer, look-back 96",
        "mse_batches",
        0.086,
    ),
    ("exchange_rate", 96, "repeat", "mse_batches", 0.081),
    ("exchange_rate", 720, "DLinear", "mse_batches", 0.643),
    ("exchange_rate", 720, "NLinear", "mse_batches", 1.033),
    (
        "exchange_rate",
        720,
        "iTransformer, look-back 96",
        "mse_batches",
        0.847,
    ),
    ("exchange_rate", 720, "repeat", "mse_batches", 0.823),
    ("exchange_rate", 720, "repeat, all windows", "mse", 0.810),
    ("national_illness", 24, "PatchTST", "mse_batches", 1.319),
    ("national_illness", 24, "DLinear", "mse_batches", 2.215),
    ("national_illness", 24, "NLinear", "mse_batches", 1.683),
    ("national_illness", 24, "ridge", "mse_batches", 1.691),
    ("national_illness", 24, "repeat", "mse_batches", 6.587),
    ("national_illness", 24, "repeat, all windows", "mse", 6.213),
    ("national_illness", 60, "PatchTST", "mse_batches", 1.470),
    ("national_illness", 60, "DLinear", "mse_batches", 2.368),
    ("national_illness", 60, "NLinear", "mse_batches", 1.819),
    ("national_illness", 60, "ridge", "mse_batches", 1.849),
    ("national_illness", 60, "repeat", "mse_batches", 5.893),
    ("national_illness", 60, "repeat, all windows", "mse", 6.885),
    ("m4_hourly", 48, "ES-RNN", "owa", 0.440),
    ("m4_hourly", 48, "FFORMA", "owa", 0.484),
    ("m4_hourly", 48, "best of the competition", "owa", 0.410),
    ("m4_hourly", 48, "MLP", "owa", 0.921),
    ("m4_hourly", 48, "seasonal naive", "owa", 0.628),
    ("m4_hourly", 48, "naive", "owa", 3.593),
    ("stocks88_daily", 1, "Adv-ALSTM", "accuracy", 0.5720),
    ("stocks88_daily", 1, "ALSTM", "accuracy", 0.5490),
    ("stocks88_daily", 1, "LSTM", "accuracy", 0.5318),
    ("stocks88_daily", 1, "LightGBM", "accuracy", 0.5320),
    ("stocks88_daily", 1, "always up", "accuracy", 0.5129),
    ("stocks88_daily", 1, "Adv-ALSTM", "mcc", 0.1483),
    ("stocks88_daily", 1, "LightGBM", "mcc", 0.062),
    ("crypto_5min", 12, "last hour", "rmse", 0.467),
    ("crypto_5min", 12, "ridge", "rmse", 0.365),
    ("crypto_5min", 12, "LightGBM", "rmse", 0.372),
    ("spy_hour", 7, "last day", "rmse", 0.638),
    ("spy_hour", 7, "ridge", "rmse", 0.499),
    ("spy_hour", 7, "LightGBM", "rmse", 0.508),
    ("equity_minute", 15, "last 30 minutes", "rmse", 0.427),
    ("equity_minute", 15, "ridge", "rmse", 0.400),
    ("equity_minute", 15, "LightGBM", "rmse", 0.409),
    ("spx_realized", 1, "yesterday", "qlike", 0.2918),
    ("spx_realized", 1, "HAR", "qlike", 0.2842),
    ("spx_realized", 1, "log-HAR", "qlike", 0.2394),
    (
        "spx_realized",
        1,
        "log-HAR, VIX and negative return",
        "qlike",
        0.2037,
    ),
    ("spx_realized", 1, "GJR-GARCH", "qlike", 0.3529),
];

/// What others reached: `who (score)`, figure.
pub(crate) fn of(set: &str, horizon: usize) -> Vec<(String, f64)> {
    let here = ALL
        .iter()
        .filter(|listed| (listed.0, listed.1) == (set, horizon));
    here.map(|(_, _, who, score, figure)| (format!("{who} ({score})"), *figure))
        .collect()
}
