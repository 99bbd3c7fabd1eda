#!/usr/bin/env python3
"""Gradient boosting on the rows of `cargo bench --bench tables`: LightGBM and CatBoost, each twice.

    cargo bench --bench tables -- --data FOLDER --out splits.json --splits --seeds 0 1 2
    python benches/tables_boosting.py FOLDER splits.json docs/results/boosting.json [SET…]

`default`: the library's defaults, fitted to the training and the validation rows, since nothing looks
at the latter. `stopped`: fitted to the training rows, at most 2,000 trees, stopped after 50 without a
better score on the validation rows; LightGBM with rate 0.06 and rows and columns sampled at 0.8 (that
of the data's page), CatBoost as it is. Categories are the libraries' own. What the results file has is
not fitted again. Prints RMSE or accuracy beside the best of ours in docs/results/tables.json on the same
seeds; the best is looked up by its test rows, as is the best of boosting.
                                                              (pip install lightgbm catboost pandas)
"""
import json
import os
import statistics
import sys
import time
from pathlib import Path

import catboost
import lightgbm
import numpy

from tables_rows import read

KINDS = ("lightgbm default", "lightgbm stopped", "catboost default", "catboost stopped")
STOPPED_LIGHTGBM = dict(
    n_estimators=2000, learning_rate=0.06, subsample=0.8, subsample_freq=1, colsample_bytree=0.8
)


def lightgbm_fitted(x, y, split, listed, seed, stopped):
    x = x.copy()
    for column in x.select_dtypes(exclude="number"):
        x[column] = x[column].astype("category")
    kind = lightgbm.LGBMClassifier if listed["score"] == "accuracy" else lightgbm.LGBMRegressor
    settings = STOPPED_LIGHTGBM if stopped else {}
    model = kind(n_jobs=1, random_state=seed, verbose=-1, **settings)
    if stopped:
        validation = split["validation"]
        model.fit(
            x.iloc[split["train"]],
            y[split["train"]],
            eval_X=x.iloc[validation],
            eval_y=y[validation],
            callbacks=[lightgbm.early_stopping(50, verbose=False)],
        )
    else:
        rows = split["train"] + split["validation"]
        model.fit(x.iloc[rows], y[rows])
    return model, x


def catboost_fitted(x, y, split, listed, seed, stopped):
    x = x.copy()
    texts = list(x.select_dtypes(exclude="number"))
    for column in texts:
        x[column] = x[column].fillna("").astype(str)
    classes = listed["score"] == "accuracy"
    kind = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
    settings = dict(iterations=2000, early_stopping_rounds=50) if stopped else {}
    model = kind(
        random_seed=seed, thread_count=1, verbose=False, allow_writing_files=False, cat_features=texts, **settings
    )
    if stopped:
        validation = split["validation"]
        model.fit(
            x.iloc[split["train"]], y[split["train"]], eval_set=(x.iloc[validation], y[validation])
        )
    else:
        rows = split["train"] + split["validation"]
        model.fit(x.iloc[rows], y[rows])
    return model, x


def fit(x, y, split, listed, seed, kind):
    library, how = kind.split()
    fitted = lightgbm_fitted if library == "lightgbm" else catboost_fitted
    started = time.perf_counter()
    model, x = fitted(x, y, split, listed, seed, how == "stopped")
    seconds = time.perf_counter() - started
    test = split["test"]
    predicted = numpy.asarray(model.predict(x.iloc[test])).reshape(-1)
    if listed["score"] == "accuracy":
        return float((predicted == y[test]).mean()), seconds
    return float(((predicted - y[test]) ** 2).mean() ** 0.5), seconds


def write(path, entries):
    scratch = path.with_suffix(".scratch")
    scratch.write_text(json.dumps(entries, indent=2) + "\n")
    os.replace(scratch, path)


def best_of_ours(runs, name, seeds, larger):
    """Model, preset and mean of the best that has all `seeds` among `runs` of the bench, no setting of
    which was changed by hand but the patience; without that, where there are both."""
    ours = {}
    for entry in sorted(runs, key=lambda entry: "asked" not in entry):
        asked = set(entry.get("asked", {})) - {"patience"}
        if entry["set"] == name and not (asked or entry.get("numeric") or entry.get("settings")):
            key = f"{entry['model']}, {entry['strategy']}"
            ours.setdefault(key, {})[entry["seed"]] = entry["value"]
    means = {
        key: statistics.mean(values[seed] for seed in seeds)
        for key, values in ours.items()
        if all(seed in values for seed in seeds)
    }
    if not means:
        return "none", float("nan")
    key = (max if larger else min)(means, key=means.get)
    return key, means[key]


def told(entries, sets):
    """On the seeds that every kind has."""
    runs = json.loads((Path(__file__).parent.parent / "docs/results/tables.json").read_text())
    print(f"\n{'':20}" + "".join(f"{kind:>24}" for kind in KINDS) + "  the best of ours")
    for name, listed in sets.items():
        by_kind = {kind: {} for kind in KINDS}
        for entry in entries:
            if entry["set"] == name:
                by_kind[entry["model"]][entry["seed"]] = entry["value"]
        seeds = sorted(set.intersection(*map(set, by_kind.values())))
        if not seeds:
            print(f"{name:20} not fitted by all")
            continue
        line = f"{name:20}"
        for values in by_kind.values():
            values = [values[seed] for seed in seeds]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            line += f"{statistics.mean(values):>14.4f} ± {spread:.4f}".rjust(24)
        key, mean = best_of_ours(runs, name, seeds, listed["score"] == "accuracy")
        print(f"{line}  {mean:.4f} ({key}; seeds {seeds})")


def main():
    folder, splits, out = map(Path, sys.argv[1:4])
    sets = json.loads(splits.read_text())
    sets = {name: sets[name] for name in sys.argv[4:] or sets}
    entries = json.loads(out.read_text()) if out.exists() else []
    done = {(entry["set"], entry["model"], entry["seed"]) for entry in entries}
    for name, listed in sets.items():
        x, y = read(folder / name, listed)
        for seed, split in listed["splits"].items():
            for kind in KINDS:
                if (name, kind, int(seed)) in done:
                    continue
                value, seconds = fit(x, y, split, listed, int(seed), kind)
                print(f"{name} {kind} {seed}: {value:.4f} in {seconds:.1f} s", flush=True)
                entries.append(
                    {
                        "set": name,
                        "model": kind,
                        "seed": int(seed),
                        "score": listed["score"],
                        "value": value,
                        "seconds": round(seconds, 2),
                    }
                )
                write(out, entries)
    told(entries, sets)


if __name__ == "__main__":
    main()
