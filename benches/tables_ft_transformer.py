"""The FT-Transformer of its authors (`rtdl_revisiting_models`) trained on the rows of `--bench tables`.

    python benches/tables_ft_transformer.py FOLDER SPLITS SET [SEED…]

FOLDER has the tables, SPLITS is what `cargo bench --bench tables -- --data FOLDER --out SPLITS --splits` wrote.
As Gorishniy et al., arXiv 2106.11959, train on regression tables: numbers by quantiles to a normal
distribution (fitted with a little noise), the standardised target, batches of 256, AdamW at a rate of
1e-4 with a decay of 1e-5 where their function says so, the epoch of the best validation RMSE after 16
without a better one. Missing numbers are the column's mean. Prints RMSE on the test rows, epochs and
seconds for each seed, on the number of threads that OMP_NUM_THREADS says.
                                       (pip install rtdl_revisiting_models torch scikit-learn pandas)
"""
import json
import os
import sys
import time
from pathlib import Path

import numpy
import pandas
import torch
from rtdl_revisiting_models import FTTransformer
from sklearn.preprocessing import QuantileTransformer

from tables_rows import read

BATCH, PATIENCE = 256, 16


def columns(folder, listed, train):
    rows, target = read(folder, listed)
    is_number = [pandas.api.types.is_numeric_dtype(rows[name]) for name in rows]
    numbers = rows.loc[:, is_number].to_numpy(float)
    numbers = numpy.where(numpy.isnan(numbers), numpy.nanmean(numbers[train], axis=0), numbers)
    codes = [pandas.factorize(rows[name])[0] for name in rows.columns[[not n for n in is_number]]]
    codes = numpy.stack(codes, 1) if codes else None
    return numbers, codes, target.astype(float)


def quantiles(numbers, train, seed):
    known = numbers[train]
    noise = numpy.random.default_rng(seed).normal(size=known.shape)
    spread = known.std(axis=0, keepdims=True)
    count = max(min(len(train) // 30, 1000), 10)
    to_normal = QuantileTransformer(n_quantiles=count, output_distribution="normal", subsample=10**9, random_state=seed)
    to_normal.fit(known + 1e-3 / numpy.maximum(spread, 1e-3) * noise)
    return torch.tensor(to_normal.transform(numbers), dtype=torch.float32)


def fit(folder, listed, seed):
    torch.manual_seed(seed)
    parts = {name: torch.tensor(rows) for name, rows in listed["splits"][str(seed)].items()}
    train = parts["train"].numpy()
    numbers, codes, target = columns(folder, listed, train)
    x = quantiles(numbers, train, seed)
    c = None if codes is None else torch.tensor(codes)
    mean, spread = target[train].mean(), target[train].std()
    y = torch.tensor((target - mean) / spread, dtype=torch.float32)
    cardinalities = [] if codes is None else [int(column.max()) + 1 for column in codes.T]
    model = FTTransformer(
        n_cont_features=x.shape[1], cat_cardinalities=cardinalities, d_out=1, **FTTransformer.get_default_kwargs()
    )
    optimizer = model.make_default_optimizer()

    def answer(rows):
        return model(x[rows], None if c is None else c[rows]).squeeze(-1)

    def rmse(rows):
        model.eval()
        with torch.no_grad():
            found = torch.cat([answer(part) for part in rows.split(1024)])
        return float(((found - y[rows]) ** 2).mean().sqrt()) * spread

    best, kept, epoch, start = float("inf"), (0, 0.0), 0, time.time()
    while epoch - kept[0] < PATIENCE:
        model.train()
        for rows in parts["train"][torch.randperm(len(train))].split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(answer(rows), y[rows]).backward()
            optimizer.step()
        epoch += 1
        score = rmse(parts["validation"])
        if score < best:
            best, kept = score, (epoch, rmse(parts["test"]))
    print(f"seed {seed}: RMSE {kept[1]:.5g} of epoch {kept[0]}, {epoch} epochs, {time.time() - start:.0f} s", flush=True)
    return kept[1]


def main():
    folder, splits, name, *seeds = sys.argv[1:]
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    listed = json.loads(Path(splits).read_text())[name]
    found = [fit(Path(folder) / name, listed, int(seed)) for seed in seeds or listed["splits"]]
    print(f"{name}: {numpy.mean(found):.5g} ± {numpy.std(found, ddof=min(1, len(found) - 1)):.2g}")


if __name__ == "__main__":
    main()
