"""The PyTorch side of `models --series`, which prints the same items (the sizes are said in
crates/forge-models/benches/models/series.rs): optimiser steps of the authors' PatchTST at its settings
for ETTh1, and of neuralforecast's TFT.

PATCHTST        a checkout of yuqinie98/PatchTST
NEURALFORECAST  a checkout of Nixtla/neuralforecast; its model alone is used, nothing of its training
"""

import os
import sys
import types
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


class Windows(torch.nn.Module):
    """What the model asks of the class that trains it there."""

    def __init__(self, h, input_size, futr_exog_list=None, loss=None, **_):
        super().__init__()
        self.h, self.input_size, self.loss = h, input_size, loss
        self.futr_exog_size, self.hist_exog_size, self.stat_exog_size = len(futr_exog_list or []), 0, 0


class MeanAbsoluteError:
    outputsize_multiplier = 1


def loaded(name, **contents):
    module = types.ModuleType(name)
    module.__dict__.update(contents)
    sys.modules[name] = module


def tft():
    # A package of which the model's imports find what they need.
    for name in ("peer", "peer.models", "peer.common", "peer.losses"):
        loaded(name, __path__=[])
    loaded("peer.common._base_model", BaseModel=Windows)
    loaded("peer.losses.pytorch", MAE=MeanAbsoluteError)
    try:
        import pandas  # noqa: F401 (their annotations name it)
    except ImportError:
        loaded("pandas", DataFrame=object)
    file = os.path.join(os.environ["NEURALFORECAST"], "neuralforecast", "models", "tft.py")
    spec = spec_from_file_location("peer.models.tft", file)
    authors = module_from_spec(spec)
    spec.loader.exec_module(authors)
    model = authors.TFT(
        h=24, input_size=168, hidden_size=64, n_head=4, dropout=0.1, loss=MeanAbsoluteError(),
        futr_exog_list=["a", "b", "c", "d"],
    )
    model = compiled(model.to(DEVICE))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    past, known, target = randn(128, 168, 1), randn(128, 192, 4), randn(128, 24, 1)
    batch = dict(insample_y=past, futr_exog=known, hist_exog=None, stat_exog=None)
    return train_step(model, optimizer, lambda model: (model(batch) - target).square().mean())


if __name__ == "__main__":
    main({"patch_tst_series": patch_tst, "tft_168_series": tft})
