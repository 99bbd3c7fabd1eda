//! How models are trained where their authors say so for a set.

use volatilityforge::TrainingSettings;

/// Epochs, patience, learning rate and rows of a step, under our schedule (a warm-up and a cosine);
/// empty, the library's preset, where there is none. Those of `dlinear` on ETTh2, exchange_rate and
/// illness were compared with the authors' scripts; the others follow the papers and have not been, and
/// `nlinear` takes those of `dlinear`. The entry in the results file says which.
///
/// - `patch_tst` (Nie et al. 2023): 100 epochs, 128 rows, 1e-4. The model is the authors' small one (width 16, 4 heads, 128 hidden, dropout 0.3) unless
///   the strategy is `accurate`.
/// - `dlinear`, `nlinear` (Zeng et al. 2023), `scripts/EXP-LongForecasting/Linear/*.sh`: 10 epochs,
///   patience 3, the learning rate and batch of each set's script.
pub(crate) fn settings(set: &str, model: &str, horizon: usize) -> (TrainingSettings, &'static str) {
    let settings = |epochs, patience, batch, rate| TrainingSettings {
        epochs: Some(epochs),
        patience: Some(patience),
        batch_size: Some(batch),
        learning_rate: Some(rate),
        ..TrainingSettings::default()
    };
    let of_zeng = "Zeng et al. 2023, scripts/EXP-LongForecasting/Linear";
    let of_nie = "after Nie et al. 2023, not compared with their scripts";
    let not_compared = "after Zeng et al. 2023, not compared with their scripts";
    match (model, set) {
        ("patch_tst", "ETTh1" | "ETTh2" | "exchange_rate") => {
            (settings(100, 20, 128, 1e-4), of_nie)
        }
        ("patch_tst", "national_illness") => (settings(100, 20, 16, 2.5e-3), of_nie),
        ("dlinear" | "nlinear", "ETTh1") => (settings(10, 3, 32, 5e-3), not_compared),
        ("dlinear", "ETTh2") => (settings(10, 3, 32, 5e-2), of_zeng),
        ("nlinear", "ETTh2") => (settings(10, 3, 32, 5e-3), "as ETTh1"),
        ("dlinear" | "nlinear", "exchange_rate") => {
            let batch = if horizon < 336 { 8 } else { 32 };
            (settings(10, 3, batch, 5e-4), of_zeng)
        }
        ("dlinear" | "nlinear", "national_illness") => (settings(10, 3, 32, 1e-2), of_zeng),
        _ => (TrainingSettings::default(), "the library's preset"),
    }
}
