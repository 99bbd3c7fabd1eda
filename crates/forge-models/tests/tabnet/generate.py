"""Writes cases of pytorch-tabnet 4.1.0 in float64.

    pip install torch pytorch-tabnet==4.1.0 safetensors
    python generate.py

`../oracle/tabnet/*.safetensors` are cases of the network in the format of the oracle runner;
`pretrainer.safetensors` is one of the pre-training network: its loss, the gradients of the loss, and
the running statistics after the step; `hidden` has the numeric columns first.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
torch.set_default_dtype(torch.float64)
# The package asks for float32 in two places: the root of one half, and numeric columns beside
# embeddings.
torch.FloatTensor = lambda values: torch.tensor(values, dtype=torch.float64)
torch.Tensor.float = torch.Tensor.double

from pytorch_tabnet.metrics import UnsupervisedLoss  # noqa: E402
from pytorch_tabnet.tab_network import TabNet, TabNetPretraining  # noqa: E402

SIZES = dict(epsilon=1e-15, momentum=0.1, gamma=1.4)
CASES = {
    # Categorical columns between numeric ones, no shared layers, parts of 4, 4 and 3 rows.
    "interleaved_no_shared_entmax_train": (
        dict(SIZES, input_dim=7, output_dim=2, n_d=3, n_a=2, n_steps=4, cat_idxs=[1, 4],
             cat_dims=[4, 3], cat_emb_dim=[3, 2], n_independent=2, n_shared=0,
             virtual_batch_size=4, mask_type="entmax"),
        "train", 11, 9101,
    ),
    # Categorical columns alone, one number each, no layers of a step's own.
    "categorical_no_own_sparsemax_eval": (
        dict(SIZES, input_dim=3, output_dim=1, n_d=2, n_a=5, n_steps=2, cat_idxs=[0, 1, 2],
             cat_dims=[2, 5, 3], cat_emb_dim=[1, 1, 1], n_independent=0, n_shared=3,
             virtual_batch_size=128, mask_type="sparsemax", epsilon=1e-6),
        "eval", 7, 9102,
    ),
    # Parts of one size, one layer of either kind, one step.
    "equal_parts_one_step_train": (
        dict(SIZES, input_dim=5, output_dim=3, n_d=4, n_a=3, n_steps=1, cat_idxs=[], cat_dims=[],
             cat_emb_dim=[], n_independent=1, n_shared=1, virtual_batch_size=6,
             mask_type="sparsemax"),
        "train", 15, 9103,
    ),
}
PRETRAINER = dict(SIZES, input_dim=6, n_d=3, n_a=4, n_steps=2, cat_idxs=[2, 5], cat_dims=[4, 3],
                  cat_emb_dim=[2, 3], n_independent=1, n_shared=2, virtual_batch_size=5,
                  mask_type="sparsemax")
DECODER = dict(n_shared_decoder=1, n_indep_decoder=2)


def randomise(module):
    """Parameters and running statistics away from where they begin."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer += 0.2 * torch.randn_like(buffer)
            if name.endswith("running_var"):
                buffer *= 0.5 + torch.rand_like(buffer)


def rows_of(config, rows):
    """All columns in one matrix as the package takes them, numeric ones and codes apart."""
    numeric = [i for i in range(config["input_dim"]) if i not in config["cat_idxs"]]
    x = torch.empty(rows, config["input_dim"])
    x_num = torch.randn(rows, len(numeric)) * 1.5 + 0.3
    x_cat = torch.stack([torch.randint(n, (rows,)) for n in config["cat_dims"]], 1) if config[
        "cat_dims"] else None
    x_num.requires_grad_(len(numeric) > 0)
    if numeric:
        x[:, numeric] = x_num
    if x_cat is not None:
        x[:, config["cat_idxs"]] = x_cat.double()
    return x, x_num if numeric else None, x_cat, numeric


def state_of(module):
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def gradients_of(module):
    """Of every name, aliases of shared weights included."""
    tensors = module.state_dict(keep_vars=True).items()
    return {f"grad/{name}": t.grad.clone() for name, t in tensors if t.grad is not None}


def write(path, tensors, **metadata):
    save_file({k: t.contiguous().clone() for k, t in tensors.items()}, path, metadata)
    print(path.name, path.stat().st_size)


def inputs(x_num, x_cat):
    found = {}
    if x_num is not None:
        found["input/x_num"] = x_num.detach()
        if x_num.grad is not None:
            found["grad_input/x_num"] = x_num.grad
    if x_cat is not None:
        found["input/x_cat"] = x_cat
    return found


def network_case(name, config, mode, rows, seed):
    torch.manual_seed(seed)
    net = TabNet(**config, group_attention_matrix=torch.eye(config["input_dim"]))
    randomise(net)
    net.train(mode == "train")
    before = state_of(net)
    x, x_num, x_cat, numeric = rows_of(config, rows)
    y, m_loss = net(x)
    cotangent = torch.randn_like(y)
    (y * cotangent).sum().backward()
    tensors = {f"param/{n}": t for n, t in before.items()} | gradients_of(net)
    net.load_state_dict(before)
    explain, _ = net.forward_masks(x)
    # Back from embedded columns to columns, numeric ones first.
    widths = [1] * config["input_dim"]
    for position, width in zip(config["cat_idxs"], config["cat_emb_dim"]):
        widths[position] = width
    columns = torch.stack([part.sum(1) for part in explain.split(widths, 1)], 1)
    mask = columns[:, numeric + config["cat_idxs"]]
    tensors |= inputs(x_num, x_cat) | {"cotangent/y": cotangent}
    tensors |= {"output/y": y, "output/mask": mask, "output/m_loss": m_loss}
    write(HERE / f"../oracle/tabnet/{name}.safetensors", {k: t.detach() for k, t in tensors.items()},
          model="tabnet", case=name, mode=mode, seed=str(seed), config=json.dumps(config),
          source="pytorch-tabnet==4.1.0:pytorch_tabnet.tab_network.TabNet",
          note="mask with the numeric columns first")


def pretrainer_case(config, rows, seed):
    torch.manual_seed(seed)
    net = TabNetPretraining(**config, **DECODER,
                            group_attention_matrix=torch.eye(config["input_dim"]))
    randomise(net)
    net.train()
    before = state_of(net)
    x, x_num, x_cat, numeric = rows_of(config, rows)
    obfuscated = torch.bernoulli(0.4 * torch.ones(rows, config["input_dim"]))
    obfuscated[3] = 0
    obfuscated[7] = 1
    bernoulli, torch.bernoulli = torch.bernoulli, lambda _: obfuscated
    y, embedded, cells = net(x)
    torch.bernoulli = bernoulli
    loss = UnsupervisedLoss(y, embedded, cells)
    loss.backward()
    tensors = {f"param/{n}": t for n, t in before.items()} | gradients_of(net)
    after = {f"after/{n}": t for n, t in state_of(net).items() if "running" in n}
    net.load_state_dict(before)
    net.eval()
    validation = UnsupervisedLoss(*net(x))
    tensors |= inputs(x_num, x_cat) | after | {"output/loss": loss, "output/validation_loss": validation}
    tensors["input/hidden"] = obfuscated[:, numeric + config["cat_idxs"]]
    write(HERE / "pretrainer.safetensors", {k: t.detach() for k, t in tensors.items()},
          seed=str(seed), config=json.dumps(config), decoder=json.dumps(DECODER),
          source="pytorch-tabnet==4.1.0:pytorch_tabnet.tab_network.TabNetPretraining")


for name, case in CASES.items():
    network_case(name, *case)
pretrainer_case(PRETRAINER, 13, 9104)
