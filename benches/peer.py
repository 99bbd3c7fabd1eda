"""The PyTorch side of `compare`: `peer.py [ITEM…]` prints `ITEM ms`, medians of several runs, like
the Rust side. harness.py says where it runs.

The work of an item is that of the Rust side: forward, and backward from a gradient of ones, at the
sizes of the block stack.
"""

import torch
import torch.nn.functional as F
from torch import nn

from block_stack import Block
from harness import DEVICE, compiled, main, randn, train_step, without_gradients

ROWS = 256 * 41


def block_stack():
    return compiled(nn.Sequential(*[Block(192, 8, 256) for _ in range(3)]).to(DEVICE))


def train():
    model, x = block_stack(), randn(256, 41, 192)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    return train_step(model, optimizer, lambda model: model(x).square().mean())


def forward():
    model, x = block_stack(), randn(256, 41, 192)
    return without_gradients(lambda: model(x))


def both(shapes, function, dtype=torch.float32):
    inputs = [randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]
    function = compiled(function)

    def work():
        for leaf in inputs:
            leaf.grad = None
        output = function(*inputs)
        output.backward(torch.ones_like(output))

    return work


def gated(activation):
    def function(x):
        value, gate = x.chunk(2, dim=-1)
        return value * activation(gate)

    return lambda: both([(ROWS, 512)], function)


def normed(norm):
    return lambda: both([(ROWS, 192)], norm.to(DEVICE))


def adamw():
    shapes = [(192, 576), (192, 192), (192, 512), (256, 192)] * 3
    weights = [nn.Parameter(randn(shape)) for shape in shapes]
    for weight in weights:
        weight.grad = torch.randn_like(weight)
    return torch.optim.AdamW(weights, lr=1e-4).step


HEADS = (256, 8, 41, 24)
ITEMS = {
    "block_stack_train": train,
    "block_stack_forward": forward,
    "attention": lambda: both([HEADS] * 3, F.scaled_dot_product_attention),
    "linear": lambda: both([(ROWS, 192), (576, 192), (576,)], F.linear),
    "layer_norm": normed(nn.LayerNorm(192)),
    "rms_norm": normed(nn.RMSNorm(192)),
    "reglu": gated(F.relu),
    "geglu": gated(F.gelu),
    "swiglu": gated(F.silu),
    "softmax": lambda: both([(256, 8, 41, 41)], lambda x: x.softmax(-1)),
    "adamw": adamw,
    "dropout_residual": lambda: both([(256, 41, 192)] * 2, lambda x, r: r + F.dropout(x, 0.1)),
}
TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def long_attention(dtype, tokens):
    shapes = [(4, 8, tokens, 64)] * 3
    return lambda: both(shapes, F.scaled_dot_product_attention, TYPES[dtype])


if __name__ == "__main__":
    named = {
        f"attention_{dtype}_{tokens}": long_attention(dtype, tokens)
        for dtype in TYPES
        for tokens in (512, 2048, 8192)
    }
    main(ITEMS, named)
