"""The PyTorch side of `models`: the authors' code of each model at its default size.

`models.py [ITEM…]` prints `ITEM ms` like the Rust side; the work is that of the Rust side
(crates/forge-models/benches/models/main.rs): NAME_train a step on 256 rows, NAME_forward a forward
pass of 1,024, 40 numeric features. Items whose package is not installed are left out, with a line on
the standard error.

rtdl_revisiting_models: ft_transformer, tabular_resnet, tabular_mlp
"""

import sys

import torch

from harness import DEVICE, compiled, main, randn, train_step, without_gradients

FEATURES = 40


def ft_transformer():
    from rtdl_revisiting_models import FTTransformer

    options = FTTransformer.get_default_kwargs()
    # The optimiser here is the same for all.
    model = FTTransformer(n_cont_features=FEATURES, cat_cardinalities=[], d_out=1, **options)
    return model, lambda x: (x, None)


def tabular_resnet():
    from rtdl_revisiting_models import ResNet

    options = dict(n_blocks=2, d_block=192, d_hidden=None, d_hidden_multiplier=2.0)
    return ResNet(d_in=FEATURES, d_out=1, dropout1=0.15, dropout2=0.0, **options), lambda x: (x,)


def tabular_mlp():
    from rtdl_revisiting_models import MLP

    return MLP(d_in=FEATURES, d_out=1, n_blocks=3, d_block=256, dropout=0.1), lambda x: (x,)


MODELS = {make.__name__: make for make in (ft_transformer, tabular_resnet, tabular_mlp)}


def train(make):
    def work():
        model, inputs = make()
        model = compiled(model.to(DEVICE))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        x, target = randn(256, FEATURES), randn(256, 1)
        loss = lambda model: (model(*inputs(x)) - target).square().mean()
        return train_step(model, optimizer, loss)

    return work


def forward(make):
    def work():
        model, inputs = make()
        model = compiled(model.to(DEVICE)).eval()
        x = randn(1024, FEATURES)
        return without_gradients(lambda: model(*inputs(x)))

    return work


def installed(name, make):
    try:
        make()
        return True
    except ImportError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    there = {name: make for name, make in MODELS.items() if installed(name, make)}
    main({
        f"{name}_{what}": work(make)
        for name, make in there.items()
        for what, work in (("train", train), ("forward", forward))
    })
