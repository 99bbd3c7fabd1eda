# /// script
# dependencies = ["scikit-learn==1.9.1", "numpy"]
# ///
"""Writes case.json: scikit-learn's QuantileTransformer(output_distribution="normal").

scikit-learn computes the position of a quantile in floating point, where 2/12 * 210 is below 35;
a run of ties then loses its first member to the interpolation (0.9999999999999929 among 1.0), and
the run's middle moves by half a step. The quantiles are therefore replaced by exact ones, after a
check that these are the same to rounding.
"""
import json
import pathlib

import numpy as np
from sklearn.preprocessing import QuantileTransformer

rng = np.random.default_rng(7)
columns = {
    "normal": rng.normal(size=997),
    "lognormal": np.exp(3 * rng.normal(size=499)),
    "ties": rng.integers(0, 5, size=211).astype(float),
    "mostly_zero": np.where(rng.random(331) < 0.8, 0.0, rng.normal(size=331)),
    "few": rng.normal(size=7) * 1e6,
}
cases = []
for name, x in columns.items():
    for n_quantiles in (2, 13, 100, None):
        n = n_quantiles or max(min(len(x) // 30, 1000), 10)
        n = min(n, len(x))
        t = QuantileTransformer(n_quantiles=n, output_distribution="normal", subsample=None)
        t.fit(x[:, None])
        low, rest = np.divmod(np.arange(n) * (len(x) - 1), n - 1)
        ordered = np.append(np.sort(x), x.max())
        weight = rest / (n - 1)
        exact = ordered[low] * (1 - weight) + ordered[low + 1] * weight
        exact = np.where(ordered[low] == ordered[low + 1], ordered[low], exact)
        np.testing.assert_allclose(t.quantiles_[:, 0], exact, rtol=1e-12, atol=1e-12)
        t.quantiles_[:, 0] = exact
        span = x.max() - x.min()
        probe = np.concatenate(
            [x[:29], np.linspace(x.min() - span, x.max() + span, 31), [x.min(), x.max(), 0.0]]
        )
        cases.append(
            {
                "name": f"{name}/{n_quantiles}",
                "n_quantiles": n_quantiles,
                "train": x.tolist() if n_quantiles == 2 else None,
                "probe": probe.tolist(),
                "expected": t.transform(probe[:, None])[:, 0].tolist(),
            }
        )
path = pathlib.Path(__file__).with_name("case.json")
path.write_text(json.dumps(cases))
