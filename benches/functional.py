"""The PyTorch side of `functional`: derivatives by torch.func.

`functional.py [ITEM…]` prints `ITEM ms` like the Rust side, whose head says what the items are
(crates/forge-meta/benches/functional.rs), of networks of the same sizes from rtdl_revisiting_models.
"""

import torch
from torch.func import functional_call, grad, grad_and_value, jvp, stack_module_state, vmap

from harness import DEVICE, main, randn, without_gradients

FEATURES, ROWS, MEMBERS = 40, 256, 8


def tabular_mlp():
    from rtdl_revisiting_models import MLP

    return MLP(d_in=FEATURES, d_out=1, n_blocks=3, d_block=128, dropout=0.0)


def tabular_resnet():
    from rtdl_revisiting_models import ResNet

    return ResNet(
        d_in=FEATURES, d_out=1, n_blocks=2, d_block=96, d_hidden_multiplier=2.0, dropout1=0.0, dropout2=0.0
    )


def item(make, kind):
    def setup():
        model = make().to(DEVICE).eval()
        rows = 1 if kind in ("one_sample", "one_of_one_row", "members_of_one_row") else ROWS
        x, y = randn(rows, FEATURES), randn(rows, 1)
        buffers = dict(model.named_buffers())
        params = {name: p.detach() for name, p in model.named_parameters()}

        def call(params, x):
            return functional_call(model, (params, buffers), (x,))

        def loss(params, x, y):
            return ((call(params, x) - y) ** 2).mean()

        def row(params, x, y):
            return loss(params, x[None], y[None])

        if kind == "direct":
            return lambda: ((model(x) - y) ** 2).mean().backward()
        if kind in ("gradient", "one_sample"):
            return lambda: grad_and_value(loss)(params, x, y)
        if kind == "hvp":
            direction = grad(loss)(params, x, y)
            return lambda: jvp(lambda p: grad(loss)(p, x, y), (params,), (direction,))
        if kind == "per_sample":
            return lambda: vmap(grad(row), (None, 0, 0))(params, x, y)
        if kind.startswith("one"):
            return without_gradients(lambda: call(params, x))
        members, _ = stack_module_state([make().to(DEVICE).eval() for _ in range(MEMBERS)])
        members = {name: p.detach() for name, p in members.items()}
        return without_gradients(lambda: vmap(call, (0, None))(members, x))

    return setup


KINDS = [
    "direct", "gradient", "hvp", "per_sample", "one_sample", "one", "members", "one_of_one_row",
    "members_of_one_row",
]
MODELS = {"tabular_mlp": tabular_mlp, "tabular_resnet": tabular_resnet}

if __name__ == "__main__":
    main({f"{name}_{kind}": item(make, kind) for name, make in MODELS.items() for kind in KINDS})
