"""Writes metrics.json: scikit-learn's and scipy's values for the tests of the metrics.

Needs scikit-learn 1.9.1, scipy 1.17.1, numpy; run it in this folder.
"""

import json

import numpy as np
from scipy import integrate, stats
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.utils.class_weight import compute_class_weight

rng = np.random.default_rng(7)


def rounded(values):
    return [round(float(v), 6) for v in np.ravel(values)]


def binary(n, ties):
    y = rng.integers(0, 2, n)
    y[:2] = [0, 1]
    p = np.clip(0.3 * y + 0.7 * rng.random(n), 0.001, 0.999)
    p = np.round(p, 1 if ties else 6)
    if ties:
        p[0], p[1] = 1.0, 0.0  # wrong with certainty: the clipping
    cases = []
    for w in [None, np.round(rng.random(n) + 0.1, 3) * (np.arange(n) % 5 != 3)]:
        predicted = (p >= 0.5).astype(int)
        both = np.stack([1 - p, p], 1)
        fpr, tpr, thresholds = metrics.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
        case = {
            "labels": y.tolist(),
            "p": [float(v) for v in p],
            "weights": None if w is None else w.tolist(),
            "log_loss": metrics.log_loss(y, both, sample_weight=w),
            "auroc": metrics.roc_auc_score(y, p, sample_weight=w),
            "average_precision": metrics.average_precision_score(y, p, sample_weight=w),
            "accuracy": metrics.accuracy_score(y, predicted, sample_weight=w),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted, sample_weight=w),
            "f1": metrics.f1_score(y, predicted, sample_weight=w),
            "mcc": metrics.matthews_corrcoef(y, predicted, sample_weight=w),
            "precision": metrics.precision_score(y, predicted, sample_weight=w),
            "recall": metrics.recall_score(y, predicted, sample_weight=w),
            "brier": metrics.brier_score_loss(y, p, sample_weight=w),
            "confusion": metrics.confusion_matrix(y, predicted, sample_weight=w).ravel().tolist(),
            "fpr": fpr.tolist(),
            "tpr": tpr.tolist(),
            "thresholds": thresholds[1:].tolist(),
        }
        if w is None:
            observed, mean = calibration_curve(y, p, n_bins=5, strategy="uniform")
            case["observed"], case["predicted"] = observed.tolist(), mean.tolist()
            bins = np.searchsorted(np.linspace(0, 1, 6)[1:-1], p)
            share = np.bincount(bins, minlength=5)
            share = share[share > 0] / n
            case["ece"] = float(np.sum(share * np.abs(observed - mean)))
        cases.append(case)
    return cases


def multiclass(n, c):
    y = rng.integers(0, c, n)
    y[:c] = np.arange(c)
    p = rng.dirichlet(np.ones(c), n) * 0.6
    p[np.arange(n), y] += 0.4
    predicted = p.argmax(1)
    return {
        "n_classes": c,
        "labels": y.tolist(),
        "p": p.ravel().tolist(),
        "log_loss": metrics.log_loss(y, p),
        "auroc": metrics.roc_auc_score(y, p, multi_class="ovr", average="macro"),
        "accuracy": metrics.accuracy_score(y, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted),
        "mcc": metrics.matthews_corrcoef(y, predicted),
        "brier": metrics.brier_score_loss(y, p, labels=np.arange(c)),
        "class_weights": compute_class_weight("balanced", classes=np.arange(c), y=y).tolist(),
    }


def regression(n, s):
    target = np.array(rounded(rng.normal(size=(n, s)) * [1, 10, 100][:s] + 5)).reshape(n, s)
    pred = np.array(rounded(target + rng.normal(size=(n, s)))).reshape(n, s)
    return {
        "slots": s,
        "target": target.ravel().tolist(),
        "pred": pred.ravel().tolist(),
        "rmse": metrics.root_mean_squared_error(target, pred),
        "mae": metrics.mean_absolute_error(target, pred),
        "r2": metrics.r2_score(target, pred),
        "pinball": {q: metrics.mean_pinball_loss(target[:, 0], pred[:, 0], alpha=float(q))
                    for q in ["0.1", "0.5", "0.95"]},
    }


def crps(frozen, z):
    """Gneiting and Raftery's definition, by quadrature."""
    below = integrate.quad(lambda x: frozen.cdf(x) ** 2, -np.inf, z, epsabs=1e-13, epsrel=1e-12)
    above = integrate.quad(lambda x: frozen.sf(x) ** 2, z, np.inf, epsabs=1e-13, epsrel=1e-12)
    return below[0] + above[0]


def distribution(df):
    frozen = stats.norm() if df is None else stats.t(df)
    z = [-40.0, -7.5, -1.3, -1e-3, 0.0, 0.4, 2.0, 11.0]
    q = [1e-10, 1e-3, 0.05, 0.3, 0.5, 0.7, 0.975, 1 - 1e-9]
    return {
        "df": df,
        "z": z,
        "ln_density": frozen.logpdf(z).tolist(),
        "cdf": frozen.cdf(z).tolist(),
        "crps": [crps(frozen, v) for v in z if abs(v) < 12],
        "crps_z": [v for v in z if abs(v) < 12],
        "q": q,
        "quantile": frozen.ppf(q).tolist(),
    }


cases = {
    "binary": binary(23, False) + binary(41, True),
    "multiclass": [multiclass(29, 3), multiclass(53, 5)],
    "regression": [regression(17, 1), regression(19, 3)],
    "distribution": [distribution(df) for df in [None, 2.01, 2.5, 5.06, 30.0, 1e3, 1e6]],
}
with open("metrics.json", "w") as file:
    json.dump(cases, file, separators=(",", ":"))
    file.write("\n")
