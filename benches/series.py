"""The PyTorch side of `models --series`: the authors' PatchTST at its settings for ETTh1.

`PATCHTST=FOLDER series.py` prints `patch_tst_series ms` like the Rust side
(crates/forge-models/benches/models/series.rs): an optimiser step on 128 windows of 336 steps of 7
variables, 96 steps ahead. FOLDER is a checkout of yuqinie98/PatchTST.
"""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

import torch

from harness import DEVICE, compiled, main, randn, train_step

SETTINGS = dict(
    enc_in=7, seq_len=336, pred_len=96, e_layers=3, n_heads=4, d_model=16, d_ff=128, dropout=0.3,
    fc_dropout=0.3, head_dropout=0.0, individual=0, patch_len=16, stride=8, padding_patch="end",
    revin=1, affine=0, subtract_last=0, decomposition=0, kernel_size=25,
)


def patch_tst():
    folder = os.path.join(os.environ["PATCHTST"], "PatchTST_supervised")
    sys.path.insert(0, folder)
    # By its file: a module `models` is here already.
    spec = spec_from_file_location("patch_tst", os.path.join(folder, "models", "PatchTST.py"))
    authors = module_from_spec(spec)
    spec.loader.exec_module(authors)
    model = compiled(authors.Model(SimpleNamespace(**SETTINGS)).to(DEVICE))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    x, target = randn(128, 336, 7), randn(128, 96, 7)
    return train_step(model, optimizer, lambda model: (model(x) - target).square().mean())


if __name__ == "__main__":
    main({"patch_tst_series": patch_tst})
