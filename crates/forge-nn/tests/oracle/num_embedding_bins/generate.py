"""Writes cases of bins from scikit-learn's trees, as compute_bins of rtdl_num_embeddings makes them.

    pip install scikit-learn==1.9.1 safetensors
    python generate.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).parent
# Name, seed, rows, most bins, fewest rows of a leaf, least decrease of the impurity.
CASES = [
    ("tree_classification", 1403, 97, 7, 5, 1e-4),
    # More equally good splits than leaves: which come first is the heap's to say.
    ("tree_classification_ties", 1, 500, 48, 1, 0.0),
    # The decrease ends it.
    ("tree_classification_decrease", 4, 300, 12, 3, 0.01),
]


def edges(tree, x, y):
    tree.fit(x.reshape(-1, 1), y)
    inner = tree.tree_.threshold[tree.tree_.feature >= 0]
    return np.unique(np.concatenate([[x.min(), x.max()], inner]).astype(np.float64))


for name, seed, rows, n_bins, leaf, decrease in CASES:
    rng = np.random.default_rng(seed)
    x = np.stack(
        [rng.normal(size=rows), np.round(rng.normal(size=rows), 1), rng.exponential(size=rows)], axis=1
    ).astype(np.float32)
    signal = np.sin(2 * x[:, 0]) + 0.7 * x[:, 1] + 0.2 * rng.normal(size=rows)
    y = np.digitize(signal, [-0.8, 0.1, 1.0]).astype(np.int64)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=n_bins, min_samples_leaf=leaf, min_impurity_decrease=decrease, random_state=0
    )
    found = [edges(tree, x[:, j], y) for j in range(x.shape[1])]
    config = dict(
        kind="tree_classification",
        n_bins=n_bins,
        min_samples_leaf=leaf,
        min_impurity_decrease=decrease,
    )
    save_file(
        {
            "input/x": x.astype(np.float64),
            "input/y": y,
            "output/edges": np.concatenate(found),
            "output/n_edges": np.array([len(f) for f in found], dtype=np.int64),
        },
        HERE / f"{name}.safetensors",
        metadata=dict(
            model="num_embedding_bins",
            case=name,
            config=json.dumps(config),
            mode="eval",
            source=f"scikit-learn=={sklearn.__version__}",
            seed=str(seed),
            note="",
        ),
    )
