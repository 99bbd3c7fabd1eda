"""QLIKE `y/f - ln(y/f) - 1` (Patton 2011) of variances and forecasts by numpy in f64, with its derivative in the
forecast's standardised logarithm by central differences. Writes qlike.json beside it.
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(3)
scale, centre = 1.1, -9.5
z_y, z_f = rng.normal(size=24), rng.normal(size=24)
z_y[0], z_f[0] = 0.25, 0.25
z_y[1], z_f[1] = 8.0, -8.0


def qlike(z_f):
    y, f = np.exp(centre + scale * z_y), np.exp(centre + scale * z_f)
    return y / f - np.log(y / f) - 1


h = 1e-6
case = {
    "scale": scale,
    "target": z_y.tolist(),
    "pred": z_f.tolist(),
    "loss": qlike(z_f).tolist(),
    "gradient": ((qlike(z_f + h) - qlike(z_f - h)) / (2 * h)).tolist(),
}
Path(__file__).with_suffix(".json").write_text(json.dumps(case) + "\n")
