"""The PyTorch side: `peer.py [ITEM…]` prints `ITEM ms`, medians of several runs, like the Rust side.

The work of an item is that of the Rust side: forward, and backward from a gradient of ones, at the
sizes of the block stack.
"""

import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

from block_stack import Block

ROWS = 256 * 41
RUNS = int(os.environ.get("RUNS", "7"))


def block_stack():
    return nn.Sequential(*[Block(192, 8, 256) for _ in range(3)])


def train():
    model, x = block_stack(), torch.randn(256, 41, 192)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def work():
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    return work


def forward():
    model, x = block_stack(), torch.randn(256, 41, 192)

    def work():
        with torch.no_grad():
            model(x)

    return work


def both(shapes, function):
    inputs = [torch.randn(shape, requires_grad=True) for shape in shapes]

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
    return lambda: both([(ROWS, 192)], norm)


def adamw():
    shapes = [(192, 576), (192, 192), (192, 512), (256, 192)] * 3
    weights = [nn.Parameter(torch.randn(shape)) for shape in shapes]
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


def main():
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    torch.manual_seed(0)
    wanted = sys.argv[1:] or list(ITEMS)
    for item in wanted:
        if item not in ITEMS:
            sys.exit(f"unknown item {item}; there are {' '.join(ITEMS)}")
    for item, make in ITEMS.items():
        if item not in wanted:
            continue
        work = make()
        for _ in range(3):
            work()
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1e3)
        print(f"{item} {statistics.median(times):.3f}")


if __name__ == "__main__":
    main()
