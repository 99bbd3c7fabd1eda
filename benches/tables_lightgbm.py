#!/usr/bin/env python3
"""LightGBM on the tables and splits of `cargo bench --bench tables`, for docs/models/choosing.md.

    python benches/tables_lightgbm.py FOLDER [SET…]      (pip install lightgbm pandas)

Nothing is tuned: 31 leaves, rate 0.06, row and column sampling 0.8, native categories, up to 2,000
trees, a stop after 50 without a better validation score. Of sets with listed splits a tenth of the
training rows validates, another tenth than that of `tables`. Prints mean, standard deviation and the
score of each of the seeds 0, 1 and 2: RMSE, or accuracy.
"""
import json
import sys
from pathlib import Path

import lightgbm
import numpy
import pandas

TARGETS = {
    "yacht": "target",
    "energy": "target",
    "concrete": "target",
    "wine-quality-red": "target",
    "kin8nm": "target",
    "credit-g": "class",
    "phoneme": "target",
    "churn_modelling": "Exited",
}
CLASSES = ("credit-g", "phoneme", "churn_modelling")
IDENTIFIERS = ["RowNumber", "CustomerId", "Surname"]


def split(folder, seed):
    listed = folder / "splits.json"
    if listed.exists():
        lists = json.loads(listed.read_text())
        train = numpy.random.default_rng(seed).permutation(lists["train"][seed])
        held_out = len(train) // 10
        return train[held_out:], train[:held_out], numpy.array(lists["test"][seed])
    part = pandas.read_csv(folder / "split.csv")[f"s{seed}"].to_numpy()
    return tuple(numpy.flatnonzero(part == k) for k in range(3))


def score(folder, name, seed):
    rows = pandas.read_csv(folder / "data.csv")
    y = rows[TARGETS[name]]
    y = pandas.factorize(y, sort=True)[0] if name in CLASSES else y.to_numpy()
    x = rows.drop(columns=[TARGETS[name], *(c for c in IDENTIFIERS if c in rows)])
    for column in x.select_dtypes(exclude="number"):
        x[column] = x[column].astype("category")
    train, validation, test = split(folder, seed)
    kind = lightgbm.LGBMClassifier if name in CLASSES else lightgbm.LGBMRegressor
    model = kind(
        n_estimators=2000,
        learning_rate=0.06,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.8,
        n_jobs=1,
        random_state=seed,
        verbose=-1,
    )
    model.fit(
        x.iloc[train],
        y[train],
        eval_X=x.iloc[validation],
        eval_y=y[validation],
        callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )
    predicted = model.predict(x.iloc[test])
    if name in CLASSES:
        return float((predicted == y[test]).mean())
    return float(((predicted - y[test]) ** 2).mean() ** 0.5)


def main():
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or TARGETS:
        scores = [score(folder / name, name, seed) for seed in range(3)]
        print(f"{name:18} {numpy.mean(scores):.4f} ± {numpy.std(scores, ddof=1):.4f}", scores, flush=True)


if __name__ == "__main__":
    main()
