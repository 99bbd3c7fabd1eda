"""The PyTorch side of `models`: the authors' code of each model at its default size.

`models.py [ITEM…]` prints `ITEM ms` like the Rust side; the work is that of the Rust side
(crates/forge-models/benches/models/main.rs): NAME_train a step on 256 rows, NAME_forward a forward
pass of 1,024, 40 numeric features; NAME_block as blocks.py says. Items whose package is not installed are left out, with a line on
the standard error.

rtdl_revisiting_models: ft_transformer, tabular_resnet, tabular_mlp
pytorch_tabnet:         tabnet
tabm:                   tabm
tabicl:                 tabicl (its module alone, 256 labelled rows before the others)
"""

import sys

import torch

from blocks import BATCH, BLOCKS, TOKENS
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


def tabnet():
    from pytorch_tabnet.tab_network import TabNet

    # Which columns share a mask: none.
    groups = torch.eye(FEATURES, device=DEVICE)
    model = TabNet(input_dim=FEATURES, output_dim=1, group_attention_matrix=groups)
    return model, lambda x: (x,)


def tabm():
    from tabm import TabM

    return TabM.make(n_num_features=FEATURES, d_out=1, k=32), lambda x: (x,)


def tabicl():
    from tabicl._model.tabicl import TabICL

    context, target = randn(256, FEATURES), randn(1, 256)
    return TabICL(max_classes=0), lambda x: (torch.cat([context, x])[None], target)


MODELS = {
    make.__name__: make
    for make in (ft_transformer, tabular_resnet, tabular_mlp, tabnet, tabm, tabicl)
}


def predictions(output):
    """`[rows, …]` of what a model returns: TabNet its penalty besides, TabICL a batch of one table."""
    output = output[0] if isinstance(output, tuple) else output
    return output[0] if output.dim() == 3 and output.shape[0] == 1 else output


def train(make):
    def work():
        model, inputs = make()
        model = compiled(model.to(DEVICE))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        x, target = randn(256, FEATURES), randn(256, 1)

        def loss(model):
            y = predictions(model(*inputs(x)))
            return (y - target.reshape(-1, *[1] * (y.dim() - 1))).square().mean()

        return train_step(model, optimizer, loss)

    return work


def forward(make):
    def work():
        model, inputs = make()
        model = compiled(model.to(DEVICE)).eval()
        x = randn(1024, FEATURES)
        return without_gradients(lambda: model(*inputs(x)))

    return work


def block(make):
    def work():
        model, width = make()
        model = compiled(model.to(DEVICE))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        x, target = randn(BATCH, TOKENS, width), randn(BATCH, TOKENS, width)

        def loss(model):
            y = model(x)
            y = y[0] if isinstance(y, tuple) else y
            return (y - target).square().mean()

        return train_step(model, optimizer, loss)

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
    items = {
        f"{name}_{what}": work(make)
        for name, make in there.items()
        for what, work in (("train", train), ("forward", forward))
    }
    items.update((name, block(make)) for name, make in BLOCKS.items() if installed(name, make))
    main(items)
