# /// script
# dependencies = ["scikit-learn"]
# ///
"""Writes case.json: probabilities of scikit-learn's LogisticRegression on small made-up tables."""
import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression

cases = []
for n_classes, c, weighted in ((2, 1.0, False), (2, 1.0, True), (4, 1.0, False), (3, 0.1, True)):
    rng = np.random.default_rng(n_classes)
    rows, columns = 61, 5
    # f32, which is what preprocessing gives; one column of another scale, one that says nothing.
    x = rng.normal(size=(rows, columns)).astype(np.float32)
    x[:, 1] *= np.float32(3)
    x[:, 4] = 1
    centres = rng.normal(size=(n_classes, columns))
    y = (x @ centres.T + rng.gumbel(size=(rows, n_classes))).argmax(1)
    y[:n_classes] = range(n_classes)
    w = rng.uniform(0.1, 2, size=rows) if weighted else None
    test = rng.normal(size=(17, columns)).astype(np.float32)
    model = LogisticRegression(C=c, tol=1e-12, max_iter=100_000).fit(x.astype(float), y, sample_weight=w)
    cases.append({
        "n_classes": n_classes,
        "c": c,
        "columns": columns,
        "train": x.ravel().tolist(),
        "labels": y.tolist(),
        "weights": None if w is None else w.tolist(),
        "test": test.ravel().tolist(),
        "probabilities": model.predict_proba(test.astype(float)).ravel().tolist(),
    })
path = pathlib.Path(__file__).with_name("case.json")
path.write_text("[" + ",\n".join(json.dumps(case) for case in cases) + "]\n")
