"""Writes optimizers.json: trajectories of two parameters under given gradients, in float64.

SGD, Adam, AdamW and Muon are PyTorch's (2.15; Muon with its bf16 taken out), the others the formulas of
the papers and the authors' code, written out below. Run with PyTorch: `python optimizers.py`.
"""

import json
import types

import torch
import torch.optim._muon as muon_module

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
STEPS = 6
# Matrices as Burn has them, [inputs, outputs].
START = {"w": torch.randn(3, 5), "b": torch.randn(5)}
GRADS = [{"w": torch.randn(3, 5), "b": torch.randn(5)} for _ in range(STEPS)]
RATES = [0.0, 0.03, 0.06, 0.06, 0.05, 0.02]

# PyTorch's Newton-Schulz iteration in float64 instead of bfloat16.
shim = types.ModuleType("torch_in_float64")
shim.__getattr__ = lambda name: getattr(torch, name)
shim.bfloat16 = torch.float64
muon_module.torch = shim


def run(step):
    """`step(name, p, g, k, lr, state) -> p` for every parameter and step."""
    values, states, out = {n: v.clone() for n, v in START.items()}, {"w": {}, "b": {}}, []
    for k, grads in enumerate(GRADS):
        for n in values:
            values[n] = step(n, values[n], grads[n], k + 1, RATES[k], states[n])
        out.append({n: v.flatten().tolist() for n, v in values.items()})
    return out, states


def of_torch(make, transpose=False):
    def step(n, p, g, k, lr, s):
        turn = (lambda x: x.T.contiguous()) if transpose and n == "w" else (lambda x: x)
        if not s:
            s["p"] = torch.nn.Parameter(turn(p).clone())
            s["o"] = make(n)([s["p"]])
        for group in s["o"].param_groups:
            group["lr"] = lr
        s["p"].grad = turn(g).clone()
        s["o"].step()
        return turn(s["p"].detach()).clone()

    return run(step)[0]


def adan(betas, eps, wd, no_prox):
    b1, b2, b3 = betas

    def step(n, p, g, k, lr, s):
        diff = g - s.get("last", g)
        u = g + b2 * diff
        s["m"] = b1 * s.get("m", 0 * g) + (1 - b1) * g
        s["d"] = b2 * s.get("d", 0 * g) + (1 - b2) * diff
        s["n"] = b3 * s.get("n", 0 * g) + (1 - b3) * u * u
        s["last"] = g
        denom = s["n"].sqrt() / (1 - b3**k) ** 0.5 + eps
        update = (s["m"] / (1 - b1**k) + b2 * s["d"] / (1 - b2**k)) / denom
        return p * (1 - lr * wd) - lr * update if no_prox else (p - lr * update) / (1 + lr * wd)

    return run(step)[0]


def lion(betas, wd):
    def step(n, p, g, k, lr, s):
        m = s.get("m", 0 * g)
        s["m"] = betas[1] * m + (1 - betas[1]) * g
        return p * (1 - lr * wd) - lr * torch.sign(betas[0] * m + (1 - betas[0]) * g)

    return run(step)[0]


def lamb(betas, eps, wd):
    def step(n, p, g, k, lr, s):
        s["m"] = betas[0] * s.get("m", 0 * g) + (1 - betas[0]) * g
        s["v"] = betas[1] * s.get("v", 0 * g) + (1 - betas[1]) * g * g
        u = s["m"] / (1 - betas[0] ** k) / ((s["v"] / (1 - betas[1] ** k)).sqrt() + eps) + wd * p
        ratio = p.norm() / u.norm() if p.norm() > 0 and u.norm() > 0 else 1.0
        return p - lr * ratio * u

    return run(step)[0]


def schedule_free(betas, eps, wd, r, power):
    average = []

    def step(n, p, g, k, lr, s):
        z = s.get("z", p)
        s["v"] = betas[1] * s.get("v", 0 * g) + (1 - betas[1]) * g * g
        u = g / ((s["v"] / (1 - betas[1] ** k)).sqrt() + eps) + wd * p
        s["top"] = max(lr, s.get("top", 0.0))
        weight = k**r * s["top"] ** power
        s["sum"] = s.get("sum", 0.0) + weight
        c = weight / s["sum"] if s["sum"] > 0 else 0.0
        y = p + c * (z - p) + lr * (betas[0] * (1 - c) - 1) * u
        s["z"] = z - lr * u
        x = y + (1 - 1 / betas[0]) * (s["z"] - y)
        if n == "w":
            average.append({})
        average[-1][n] = x.flatten().tolist()
        return y

    return run(step)[0], average


def muon(adjust, nesterov, momentum, wd):
    def make(n):
        if n == "w":
            return lambda p: torch.optim.Muon(
                p, momentum=momentum, nesterov=nesterov, weight_decay=wd, adjust_lr_fn=adjust
            )
        return lambda p: torch.optim.AdamW(p, weight_decay=wd)

    return of_torch(make, transpose=True)


def agc(w, g, factor, eps):
    def norm(x):
        return x.norm(dim=0, keepdim=True) if x.dim() > 1 else x.norm()

    longest, length = norm(w).clamp(min=eps) * factor, norm(g)
    return torch.where(length < longest, g, g * longest / length.clamp(min=1e-6)).flatten().tolist()


O = torch.optim
free, average = schedule_free((0.9, 0.99), 1e-8, 0.1, 0.5, 2.0)
cases = [
    ({"name": "sgd", "momentum": 0.0}, of_torch(lambda n: lambda p: O.SGD(p))),
    (
        {"name": "sgd", "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1},
        of_torch(lambda n: lambda p: O.SGD(p, momentum=0.8, dampening=0.3, weight_decay=0.1)),
    ),
    (
        {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.05},
        of_torch(lambda n: lambda p: O.SGD(p, momentum=0.9, nesterov=True, weight_decay=0.05)),
    ),
    ({"name": "adam"}, of_torch(lambda n: lambda p: O.Adam(p))),
    (
        {"name": "adam", "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4, "weight_decay": 0.2},
        of_torch(lambda n: lambda p: O.Adam(p, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.2)),
    ),
    (
        {"name": "adam_w", "weight_decay": 0.3},
        of_torch(lambda n: lambda p: O.AdamW(p, weight_decay=0.3)),
    ),
    ({"name": "adan", "weight_decay": 0.2}, adan((0.98, 0.92, 0.99), 1e-8, 0.2, False)),
    (
        {"name": "adan", "beta_1": 0.9, "no_prox": True, "weight_decay": 0.2},
        adan((0.9, 0.92, 0.99), 1e-8, 0.2, True),
    ),
    ({"name": "lion", "weight_decay": 0.4}, lion((0.9, 0.99), 0.4)),
    ({"name": "lamb", "weight_decay": 0.1}, lamb((0.9, 0.999), 1e-6, 0.1)),
    (
        {"name": "muon", "adjust_lr": "original", "nesterov": False, "weight_decay": 0.1},
        muon("original", False, 0.95, 0.1),
    ),
    (
        {"name": "muon", "momentum": 0.9, "weight_decay": 0.2},
        muon("match_rms_adamw", True, 0.9, 0.2),
    ),
    (
        {"name": "schedule_free_adam_w", "beta_2": 0.99, "weight_decay": 0.1, "r": 0.5},
        free,
    ),
]
clip = {"factor": 0.4, "epsilon": 1e-3}
result = {
    "rates": RATES,
    "start": {n: v.flatten().tolist() for n, v in START.items()},
    "gradients": [{n: v.flatten().tolist() for n, v in g.items()} for g in GRADS],
    "cases": [{"config": c, "steps": s} for c, s in cases],
    "average": average,
    "clip_adaptive": {
        **clip,
        **{n: agc(START[n], GRADS[0][n], 0.4, 1e-3) for n in START},
    },
}
with open("optimizers.json", "w") as file:
    json.dump(result, file, separators=(",", ":"))
