# /// script
# dependencies = ["lightgbm", "numpy", "scikit-learn"]
# ///
"""Writes case.json: errors of scikit-learn's histogram boosting and of LightGBM, both at their defaults, on
tables that tests/boosting.rs makes by the same formulas. The target is standardised."""
import json
import math
import pathlib

import lightgbm
import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor


class Numbers:
    """Uniform in [0, 1), the same in both languages."""

    def __init__(self):
        self.state = 1

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) / 2**31

    def noise(self):
        return (self.next() + self.next() + self.next() + self.next() - 2) * math.sqrt(3)


def friedman(r):
    x = [r.next() for _ in range(6)]
    y = 10 * math.sin(math.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]
    return x, y + r.noise()


def chain(r):
    strike = 80 + 2.5 * math.floor(17 * r.next())
    days = [7, 14, 30, 60, 90, 180][math.floor(6 * r.next())]
    call = math.floor(2 * r.next())
    k = math.log(strike / 100) / math.sqrt(days / 365)
    return [strike, days, call], 0.2 + 0.05 * k**2 - 0.03 * k + 0.005 * r.noise()


def classes(r):
    x = [r.next() for _ in range(4)]
    z = 6 * (x[0] - 0.5) + 20 * (x[1] - 0.5) * (x[2] - 0.5)
    return x, float(r.next() < 1 / (1 + math.exp(-z)))


cases = {}
for make, train, test in ((friedman, 1500, 500), (chain, 62_000, 5_000), (classes, 3_000, 2_000)):
    r = Numbers()
    rows = [make(r) for _ in range(train + test)]
    x = np.array([row[0] for row in rows]).astype(np.float32).astype(float)
    y = np.array([row[1] for row in rows])
    errors = {}
    if make is classes:
        for name, model in (
            ("scikit-learn", HistGradientBoostingClassifier(random_state=0)),
            ("lightgbm", lightgbm.LGBMClassifier(verbose=-1)),
        ):
            p = model.fit(x[:train], y[:train]).predict_proba(x[train:])
            errors[name] = float(-np.log(p[range(test), y[train:].astype(int)]).mean())
    else:
        y = (y - y[:train].mean()) / y[:train].std()
        for name, model in (
            ("scikit-learn", HistGradientBoostingRegressor(random_state=0)),
            ("lightgbm", lightgbm.LGBMRegressor(verbose=-1)),
        ):
            predicted = model.fit(x[:train], y[:train]).predict(x[train:])
            errors[name] = float(np.sqrt(np.mean((predicted - y[train:]) ** 2)))
    cases[make.__name__] = errors
cases["versions"] = {"scikit-learn": sklearn.__version__, "lightgbm": lightgbm.__version__}
path = pathlib.Path(__file__).with_name("case.json")
path.write_text(json.dumps(cases, indent=1) + "\n")
