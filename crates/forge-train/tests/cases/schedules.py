"""Writes schedules.json: the rates of PyTorch's schedulers (2.15), read before each optimiser step.

Run with PyTorch: `python schedules.py`.
"""

import json
import warnings

import torch
from torch.optim import lr_scheduler as s

warnings.filterwarnings("ignore")


def rates(base, make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    scheduler, out = make(optimizer), []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return out


def linear(o):
    return s.LinearLR(o, start_factor=0.25, end_factor=1.0, total_iters=5)


cases = [
    (
        {"name": "polynomial", "base_lr": 0.3, "power": 2.5, "total_steps": 17},
        rates(0.3, lambda o: s.PolynomialLR(o, 17, 2.5), 21),
    ),
    (
        {"name": "polynomial", "base_lr": 0.3, "total_steps": 7},
        rates(0.3, lambda o: s.PolynomialLR(o, 7), 9),
    ),
    (
        {"name": "step", "base_lr": 0.2, "every": 4, "gamma": 0.3},
        rates(0.2, lambda o: s.StepLR(o, 4, 0.3), 19),
    ),
    (
        {"name": "multi_step", "base_lr": 0.2, "milestones": [2, 5, 5, 11], "gamma": 0.5},
        rates(0.2, lambda o: s.MultiStepLR(o, [2, 5, 5, 11], 0.5), 15),
    ),
    (
        {"name": "exponential", "base_lr": 0.7, "gamma": 0.9, "every": 1},
        rates(0.7, lambda o: s.ExponentialLR(o, 0.9), 13),
    ),
    (
        {
            "name": "linear",
            "base_lr": 0.5,
            "start_factor": 0.25,
            "end_factor": 1.0,
            "total_steps": 5,
        },
        rates(0.5, linear, 9),
    ),
    (
        {"name": "one_cycle", "max_lr": 0.1, "total_steps": 19, "pct_start": 0.25, "anneal": "linear"},
        rates(
            0.1,
            lambda o: s.OneCycleLR(o, 0.1, 19, pct_start=0.25, anneal_strategy="linear"),
            18,
        ),
    ),
    (
        {"name": "one_cycle", "max_lr": 0.1, "total_steps": 29, "three_phase": True},
        rates(0.1, lambda o: s.OneCycleLR(o, 0.1, 29, three_phase=True), 28),
    ),
    (
        {"name": "cosine_warm_restarts", "base_lr": 0.1, "min_lr": 0.01, "t_0": 3, "t_mult": 3},
        rates(0.1, lambda o: s.CosineAnnealingWarmRestarts(o, 3, 3, 0.01), 31),
    ),
    (
        {
            "name": "sequential",
            "parts": [
                {
                    "steps": 5,
                    "schedule": {"name": "linear", "base_lr": 0.5, "start_factor": 0.25},
                },
                {
                    "steps": 6,
                    "schedule": {"name": "exponential", "base_lr": 0.5, "gamma": 0.8, "every": 1},
                },
                {"schedule": {"name": "step", "base_lr": 0.5, "gamma": 0.5, "every": 3}},
            ],
        },
        rates(
            0.5,
            lambda o: s.SequentialLR(
                o,
                [linear(o), s.ExponentialLR(o, 0.8), s.StepLR(o, 3, 0.5)],
                [5, 11],
            ),
            23,
        ),
    ),
    (
        {
            "name": "chained",
            "base_lr": 0.5,
            "factors": [
                {"name": "linear", "start_factor": 0.25, "total_steps": 5},
                {"name": "exponential", "gamma": 0.9, "every": 1},
            ],
        },
        rates(0.5, lambda o: s.ChainedScheduler([linear(o), s.ExponentialLR(o, 0.9)]), 14),
    ),
]
with open("schedules.json", "w") as file:
    json.dump([{"config": c, "lr": r} for c, r in cases], file, separators=(",", ":"))
