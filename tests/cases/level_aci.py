"""Adaptive conformal inference (Gibbs and Candes 2021, equation 2) on bands [-1, 1] and [-0.3, 0.3] of noise
whose deviation doubles: levels, reaches and misses by numpy alone. Writes level_aci.json beside it.

    python level_aci.py
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(12)
calibration = rng.normal(size=40).astype(np.float32)
outcomes = np.concatenate([rng.normal(size=60), 2 * rng.normal(size=240)]).astype(np.float32)
gamma = 0.1
bands = []
for alpha, end in [(0.2, np.float32(1.0)), (0.5, np.float32(0.3))]:
    scores = list(np.abs(calibration) - end)
    level, levels, reaches, misses = alpha, [], [], []
    for y in outcomes:
        ordered = np.sort(scores)
        # What rounding adds to a whole number must not cost a rank.
        rank = int(np.ceil((1 - level) * (len(ordered) + 1) - 1e-9))
        reach = ordered[min(max(rank, 1), len(ordered)) - 1]
        miss = bool(abs(y) > end + reach)
        levels.append(level)
        reaches.append(float(reach))
        misses.append(miss)
        level += gamma * (alpha - miss)
        scores.append(abs(y) - end)
    bands.append({"alpha": alpha, "end": float(end), "levels": levels, "reaches": reaches, "misses": misses})
    print(alpha, "missed", np.mean(misses), "of the last 200", np.mean(misses[-200:]), "levels", min(levels), max(levels))
case = {
    "gamma": gamma,
    "calibration": [float(v) for v in calibration],
    "outcomes": [float(v) for v in outcomes],
    "bands": bands,
}
Path(__file__).with_suffix(".json").write_text(json.dumps(case) + "\n")
