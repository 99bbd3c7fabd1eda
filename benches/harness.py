"""What the PyTorch sides share: where they run, how they are timed, what they print.

PEER_DEVICE   cpu (default) or cuda
PEER_COMPILE  1: models and functions go through torch.compile
RUNS          runs of which the median is printed (default: 7)
CLOCK         cpu: time that the process was on a processor, instead of the time that passed
MEASURE       memory: instead of a time the most memory in MiB that an item takes beyond what the process,
              with PyTorch in it, has before; right for the first item of a process
"""

import ctypes
import gc
import os
import statistics
import sys
import time
from pathlib import Path

import torch

DEVICE = os.environ.get("PEER_DEVICE", "cpu")
COMPILE = os.environ.get("PEER_COMPILE") == "1"
RUNS = int(os.environ.get("RUNS", "7"))
MEMORY = os.environ.get("MEASURE") == "memory"
NOW = time.process_time if os.environ.get("CLOCK") == "cpu" else time.perf_counter


def compiled(what):
    """A module or function as it is, or through torch.compile."""
    return torch.compile(what) if COMPILE else what


def randn(*shape, **options):
    return torch.randn(*shape, device=DEVICE, **options)


def train_step(model, optimizer, loss):
    """An optimiser step: forward, the loss of it, backward, step."""

    def work():
        optimizer.zero_grad()
        loss(model).backward()
        optimizer.step()

    return work


def without_gradients(function):
    def work():
        with torch.no_grad():
            function()

    return work


def _timed(work):
    start = NOW()
    work()
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return (NOW() - start) * 1e3


def _memory(what):
    """A line of what the kernel knows of this process, in MiB."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith(what))


def _begin():
    """Memory before an item: what was made before is given back, what PyTorch loads at first use is there."""
    torch.nn.Linear(8, 8)(torch.randn(8, 8)).sum().backward()
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def main(items, named=None):
    """Prints `ITEM ms` for the items that the command line names, or all of `items`; those of
    `named` only if they are named. With `--list`, the names of `items`, and nothing runs."""
    if sys.argv[1:] == ["--list"]:
        return print(*items, sep="\n")
    known = {**items, **(named or {})}
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    torch.manual_seed(0)
    wanted = sys.argv[1:] or list(items)
    for item in wanted:
        if item not in known:
            sys.exit(f"unknown item {item}; there are {' '.join(known)}")
    for item in wanted:
        before = _begin() if MEMORY else 0
        work = known[item]()
        for _ in range(3):
            _timed(work)
        figure = statistics.median(_timed(work) for _ in range(RUNS))
        if MEMORY:
            figure = _memory("VmHWM") - before
        print(f"{item} {figure:.3f}", flush=True)
