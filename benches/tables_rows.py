"""The rows of a table of `--bench tables`, as its `--splits` counts them."""
import pandas


def read(folder, listed):
    """Columns and target, rows of all files in their order; classes as their numbers."""
    parts = [pandas.read_csv(folder / name, skipinitialspace=True) for name in listed["files"]]
    rows = pandas.concat(parts, ignore_index=True)
    y = rows[listed["target"]]
    x = rows.drop(columns=[listed["target"], *listed["ignore"]])
    if listed["score"] == "accuracy":
        y = pandas.Series(pandas.factorize(y, sort=True)[0])
    return x, y.to_numpy()
