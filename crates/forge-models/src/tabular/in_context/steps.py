"""Makes steps.json: scikit-learn 1.9.1's quantile transform and truncated SVD on small tables."""
import json

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import QuantileTransformer, StandardScaler

rng = np.random.default_rng(5)
cases = []
for values, count in [
    (rng.normal(size=23), 7),
    (rng.integers(0, 5, size=31).astype(float), 6),  # many ties
    (np.exp(rng.normal(size=11)), 40),  # more quantiles than rows
    (np.array([2.0, np.nan, 5.0, 3.0, np.nan, 4.5, 2.0]), 3),
]:
    values = np.round(values, 6)
    fitted = QuantileTransformer(output_distribution="uniform", n_quantiles=count).fit(values[:, None])
    given = np.concatenate([values[~np.isnan(values)], [-9.0, 99.0, 2.5, 1.0]])
    cases.append({
        "count": count,
        "train": [None if np.isnan(x) else x for x in values],
        "given": given.tolist(),
        "out": fitted.transform(given[:, None])[:, 0].tolist(),
    })
table = np.round(rng.normal(size=(13, 4)) @ rng.normal(size=(4, 4)) + [1.0, 0.0, -2.0, 5.0], 6)
scaled = StandardScaler(with_mean=False).fit(table)
svd = TruncatedSVD(2, algorithm="arpack", random_state=0).fit(scaled.transform(table))
more = np.round(rng.normal(size=(2, 4)), 6)
along = svd.transform(scaled.transform(np.vstack([table, more])))
json.dump(
    {"quantiles": cases, "svd": {"table": table.tolist(), "more": more.tolist(), "along": along.tolist()}},
    open("steps.json", "w"),
)
