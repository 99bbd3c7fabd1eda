"""The PyTorch side of `models`: the authors' code of each model at its default size.

`models.py [ITEM…]` prints `ITEM ms` like the Rust side; the work is that of the Rust side
(crates/forge-models/benches/models/main.rs): NAME_train a step on 256 rows, NAME_forward a forward
pass of 1,024, 40 numeric features; NAME_block as blocks.py says. Items whose package is not installed are left out, with a line on
the standard error.

rtdl_revisiting_models: ft_transformer, tabular_resnet, tabular_mlp
pytorch_tabnet:         tabnet
tabm:                   tabm
pytabkit:               realmlp (what its regressor trains on numbers, preprocessing included)
tabicl:                 tabicl (its module alone, 256 labelled rows before the others)
checkouts in the folder that PEERS names:
                        saint (somepago): saint, with einops
                        TALENT (LAMDA-Tabular): modern_nca, tabr, with delu and faiss-cpu; 256 labelled
                        rows besides, as where they predict
"""

import sys

import torch

from blocks import BATCH, BLOCKS, TOKENS, checkout
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


class RealMlp(torch.nn.Module):
    """The network of a fit of one epoch, whose sizes and layers are those of the tuned defaults."""

    def __init__(self):
        super().__init__()
        from pytabkit import RealMLP_TD_Regressor

        some = randn(512, FEATURES + 1).cpu().numpy()
        fit = RealMLP_TD_Regressor(n_epochs=1, n_cv=1, random_state=0, device="cpu", verbosity=0)
        fit.fit(some[:, 1:], some[:, 0])
        self.network = fit.alg_interface_.model.model

    def forward(self, x):
        # One network of those that it trains at once. In training its layers ask for targets.
        rows = dict(x_cont=x[None], x_cat=torch.zeros(1, len(x), 0, dtype=torch.long, device=x.device))
        targets = dict(y=torch.zeros(1, len(x), 1, device=x.device)) if self.training else {}
        return self.network({**rows, **targets})["x_cont"]


def realmlp():
    return RealMlp(), lambda x: (x,)


class Saint(torch.nn.Module):
    """SAINT as its training script makes and calls it: a CLS token, no cell hidden."""

    def __init__(self):
        super().__init__()
        network = checkout("saint", "models/pretrainmodel.py", ".", "models.pretrainmodel")
        self.embed = checkout("saint", "augmentations.py").embed_data_mask
        self.network = network.SAINT(
            categories=(1,), num_continuous=FEATURES, dim=32, dim_out=1, depth=1, heads=4,
            attn_dropout=0.0, ff_dropout=0.8, mlp_hidden_mults=(4, 2), cont_embeddings="MLP",
            attentiontype="colrow", final_mlp_style="sep", y_dim=1,
        )

    def forward(self, x):
        cls = torch.zeros(len(x), 1, dtype=torch.long, device=x.device)
        seen = torch.ones(len(x), FEATURES, dtype=torch.long, device=x.device)
        _, cls, x = self.embed(cls, x, torch.ones_like(cls), seen, self.network)
        return self.network.mlpfory(self.network.transformer(cls, x)[:, 0, :])


def saint():
    return Saint(), lambda x: (x,)


def modern_nca():
    authors = checkout("TALENT", "TALENT/model/models/modernNCA.py", ".")
    embeddings = dict(
        type="PLREmbeddings", n_frequencies=77, frequency_scale=0.04431360576139521, d_embedding=34,
        lite=True,
    )
    model = authors.ModernNCA(
        d_in=FEATURES, d_num=FEATURES, d_out=1, dim=128, dropout=0.1, d_block=512, n_blocks=0,
        num_embeddings=embeddings,
    )
    rows, labels = randn(256, FEATURES), randn(256)
    return model, lambda x: (x, None, rows, labels, False)


class TabR(torch.nn.Module):
    def __init__(self):
        super().__init__()
        authors = checkout("TALENT", "TALENT/model/models/tabr.py", ".")
        self.network = authors.TabR(
            n_num_features=FEATURES, n_cat_features=0, n_classes=1, num_embeddings=None, d_main=265,
            d_multiplier=2.0, encoder_n_blocks=0, predictor_n_blocks=1, mixer_normalization="auto",
            context_dropout=0.38920071545944357, dropout0=0.38852797479169876, dropout1=0.0,
            normalization="LayerNorm", activation="ReLU",
        )
        self.rows, self.labels = randn(256, FEATURES), randn(256)

    def forward(self, x):
        return self.network(
            x_num=x, x_cat=None, y=None, candidate_x_num=self.rows, candidate_x_cat=None,
            candidate_y=self.labels, context_size=96, is_train=False,
        )


def tabr():
    return TabR(), lambda x: (x,)


MODELS = {
    make.__name__: make
    for make in (
        ft_transformer, tabular_resnet, tabular_mlp, tabnet, tabm, tabicl, realmlp, saint,
        modern_nca, tabr,
    )
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
