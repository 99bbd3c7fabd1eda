"""The PyTorch side of the items `NAME_block`: one layer of the authors' code at our default width
(crates/forge-models/benches/models/blocks.rs), an optimiser step over 8 sequences of 512 tokens.

mambapy:       mamba
transformers:  mamba2 (its chunked path in plain PyTorch)
xlstm:         xlstm_mlstm (parallel form), xlstm_slstm (its `vanilla` backend); with omegaconf, dacite
x-transformers: modern_transformer, parallel_transformer (its layers have attention and feed-forward part
               one after the other, of the same sizes), hybrid_transformer; attention by PyTorch's own
checkouts in the folder that PEERS names:
               ttt-lm-pytorch (test-time-training): ttt_linear, ttt_mlp (with transformers)
               hypermixing (idiap): hyper_mixer
               ModernTCN (luodhhh): modern_tcn
"""

import os
import sys
import types
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location

import torch
from torch import nn

BATCH, TOKENS = 8, 512


def checkout(folder, file, root=None, name=None):
    """A module of a checkout by its file; `root` is the folder that its imports count from, `name` what it
    is called there, where it imports what is beside it."""
    peers = os.environ.get("PEERS")
    path = peers and os.path.join(peers, folder, file)
    if not path or not os.path.exists(path):
        raise ImportError(f"no checkout of {folder} in the folder that PEERS names")
    if root:
        root = os.path.join(peers, folder, root)
        sys.path.insert(0, root)
        # A module `models` is here already, and theirs is a folder without `__init__`.
        sys.modules["models"] = types.ModuleType("models")
        sys.modules["models"].__path__ = [os.path.join(root, "models")]
    if name:
        return import_module(name)
    spec = spec_from_file_location(f"{folder}_peer".replace("-", "_"), path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Residual(nn.Module):
    """`x + layer(norm(x))`."""

    def __init__(self, norm, layer):
        super().__init__()
        self.norm, self.layer = norm, layer

    def forward(self, x):
        return x + self.layer(self.norm(x))


def mamba():
    from mambapy.mamba import MambaConfig, ResidualBlock

    return ResidualBlock(MambaConfig(d_model=768, n_layers=1)), 768


def mamba2():
    from transformers import Mamba2Config
    from transformers.models.mamba2.modeling_mamba2 import Mamba2Block

    config = Mamba2Config(
        hidden_size=768, num_heads=24, head_dim=64, state_size=128, n_groups=1, num_hidden_layers=1
    )
    return Mamba2Block(config, layer_idx=0), 768


def xlstm_mlstm():
    from xlstm import mLSTMBlock, mLSTMBlockConfig, mLSTMLayerConfig

    layer = mLSTMLayerConfig(
        conv1d_kernel_size=4, qkv_proj_blocksize=4, num_heads=4, embedding_dim=128, context_length=TOKENS
    )
    config = mLSTMBlockConfig(mlstm=layer, _num_blocks=1, _block_idx=0)
    config.__post_init__()
    return mLSTMBlock(config), 128


def xlstm_slstm():
    from xlstm import FeedForwardConfig, sLSTMBlock, sLSTMBlockConfig, sLSTMLayerConfig

    layer = sLSTMLayerConfig(backend="vanilla", num_heads=4, conv1d_kernel_size=4, embedding_dim=128)
    feedforward = FeedForwardConfig(proj_factor=1.3, act_fn="gelu", embedding_dim=128)
    config = sLSTMBlockConfig(slstm=layer, feedforward=feedforward, _num_blocks=1, _block_idx=0)
    config.__post_init__()
    return sLSTMBlock(config), 128


class Ttt(nn.Module):
    def __init__(self, kind):
        super().__init__()
        authors = checkout("ttt-lm-pytorch", "ttt.py")
        config = authors.TTTConfig(
            hidden_size=768, intermediate_size=2048, num_attention_heads=12, num_hidden_layers=1,
            ttt_layer_type=kind, mini_batch_size=16, ttt_base_lr={"linear": 1.0, "mlp": 0.1}[kind],
        )
        self.block = authors.Block(config, 0)
        self.register_buffer("positions", torch.arange(TOKENS)[None])

    def forward(self, x):
        return self.block(x, position_ids=self.positions)


def ttt_linear():
    return Ttt("linear"), 768


def ttt_mlp():
    return Ttt("mlp"), 768


class Mixing(nn.Module):
    def __init__(self):
        super().__init__()
        authors = checkout("hypermixing", "hypermixing/hypermixing.py")
        self.layer = authors.HyperMixing(192, 384, num_heads=1, hypernetwork_bias=True)

    def forward(self, x):
        return self.layer(x, x, x)


def hyper_mixer():
    feedforward = nn.Sequential(nn.Linear(192, 384), nn.GELU(), nn.Linear(384, 192))
    layers = [Residual(nn.LayerNorm(192), layer) for layer in (Mixing(), feedforward)]
    return nn.Sequential(*layers), 192


class Tcn(nn.Module):
    """The authors' block over `[B, T, D]`: one variable whose patches are the tokens."""

    def __init__(self):
        super().__init__()
        root = "ModernTCN-Long-term-forecasting"
        authors = checkout("ModernTCN", f"{root}/models/ModernTCN.py", root)
        self.block = authors.Block(large_size=51, small_size=5, dmodel=64, dff=64, nvars=1, drop=0.3)

    def forward(self, x):
        return self.block(x.transpose(1, 2)[:, None])[:, 0].transpose(1, 2)


def modern_tcn():
    return Tcn(), 64


def transformer(depth, hidden, **options):
    from x_transformers import Decoder

    model = Decoder(
        dim=192, depth=depth, heads=8, attn_dim_head=24, attn_flash=True, rotary_pos_emb=True,
        rotary_emb_dim=24, ff_mult=hidden / 192, ff_glu=True, ff_swish=True, ff_no_bias=True,
        verbose=False, **options,
    )
    return model, 192


def modern_transformer():
    return transformer(1, 512, use_rmsnorm=True)


def parallel_transformer():
    return transformer(1, 768, attn_kv_heads=1)


def hybrid_transformer():
    return transformer(2, 512, use_rmsnorm=True)


BLOCKS = {
    f"{make.__name__}_block": make
    for make in (
        mamba, mamba2, xlstm_mlstm, xlstm_slstm, ttt_linear, ttt_mlp, hyper_mixer, modern_tcn,
        modern_transformer, parallel_transformer, hybrid_transformer,
    )
}
