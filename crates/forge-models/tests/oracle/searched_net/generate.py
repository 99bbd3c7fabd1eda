"""Cases of `searched_net` and `searched_tokens`: a program of its own, number by number, with gradients by
reverse differentiation of scalars. Python alone: python3 generate.py, beside the cases of searched_net.
"""

import json
import math
import os
import random
import struct


class V:
    """A number and what it was made of."""

    __slots__ = ("x", "made", "g")

    def __init__(self, x, made=()):
        self.x, self.made, self.g = float(x), made, 0.0

    def __add__(self, o):
        o = o if isinstance(o, V) else V(o)
        return V(self.x + o.x, ((self, 1.0), (o, 1.0)))

    def __mul__(self, o):
        o = o if isinstance(o, V) else V(o)
        return V(self.x * o.x, ((self, o.x), (o, self.x)))

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, o):
        return self + (o if isinstance(o, V) else V(o)) * -1.0

    def of(self, y, slope):
        return V(y, ((self, slope),))


def exp(v):
    y = math.exp(v.x)
    return v.of(y, y)


def inv(v):
    return v.of(1.0 / v.x, -1.0 / v.x**2)


def root(v):
    y = math.sqrt(v.x)
    return v.of(y, 0.5 / y)


def tanh(v):
    y = math.tanh(v.x)
    return v.of(y, 1.0 - y * y)


def sigmoid(v):
    y = 1.0 / (1.0 + math.exp(-v.x))
    return v.of(y, y * (1.0 - y))


def silu(v):
    return v * sigmoid(v)


def relu(v):
    return v.of(max(v.x, 0.0), 1.0 if v.x > 0 else 0.0)


def gelu(v):
    cdf = 0.5 * (1.0 + math.erf(v.x / math.sqrt(2.0)))
    density = math.exp(-0.5 * v.x**2) / math.sqrt(2.0 * math.pi)
    return v.of(v.x * cdf, cdf + v.x * density)


def backward(root_):
    order, seen = [], set()
    stack = [(root_, False)]
    while stack:
        v, ready = stack.pop()
        if ready:
            order.append(v)
        elif id(v) not in seen:
            seen.add(id(v))
            stack.append((v, True))
            stack.extend((p, False) for p, _ in v.made)
    root_.g = 1.0
    for v in reversed(order):
        for parent, slope in v.made:
            parent.g += v.g * slope


class Net:
    def __init__(self, rng):
        self.rng, self.params = rng, {}

    def get(self, name, shape):
        """Made at first use, the same from then on; as nested lists."""
        if name not in self.params:
            count = math.prod(shape)
            around = 1.0 if name.endswith("norm.weight") else 0.0
            values = [V(around + 0.5 * self.rng.gauss(0, 1)) for _ in range(count)]
            self.params[name] = (shape, values)
        shape, values = self.params[name]
        for size in reversed(shape[1:]):
            values = [values[i : i + size] for i in range(0, len(values), size)]
        return values

    def linear(self, name, x, out):
        w, b = self.get(name + ".weight", [out, len(x)]), self.get(name + ".bias", [out])
        return [sum((wi * xi for wi, xi in zip(w[o], x)), b[o]) for o in range(out)]

    def norm(self, name, x):
        d = len(x)
        mean = sum(x, V(0)) * (1.0 / d)
        var = sum(((v - mean) * (v - mean) for v in x), V(0)) * (1.0 / d)
        scale = inv(root(var + 1e-5))
        w, b = self.get(name + ".weight", [d]), self.get(name + ".bias", [d])
        return [(v - mean) * scale * w[i] + b[i] for i, v in enumerate(x)]

    def operation(self, op, name, tokens, valid):
        """Of one sequence, a list of tokens."""
        d, n = len(tokens[0]), len(tokens)
        zero = [V(0)] * d
        each = lambda act: [[act(v) for v in self.linear(name + "linear", x, d)] for x in tokens]
        if op == "none":
            return [zero for _ in tokens]
        if op == "skip_connect":
            return tokens
        if op.startswith("linear_"):
            return each({"relu": relu, "silu": silu, "tanh": tanh, "gelu": gelu}[op[7:]])
        if op == "gated_linear":
            both = [self.linear(name + "gated.linear", x, 2 * d) for x in tokens]
            return [[b[i] * sigmoid(b[d + i]) for i in range(d)] for b in both]
        if op == "residual_linear":
            inner = [self.linear(name + "linear", self.norm(name + "norm", x), d) for x in tokens]
            return [[v + relu(h) for v, h in zip(x, i)] for x, i in zip(tokens, inner)]
        if op.startswith("separable_conv_"):
            k = int(op[15:])
            w = self.get(name + "filter.weight", [d, 1, k])
            filtered = []
            for t in range(n):
                near = [(j, t + j - k // 2) for j in range(k)]
                near = [(j, s) for j, s in near if 0 <= s < n and valid[s]]
                filtered.append([sum((w[c][0][j] * tokens[s][c] for j, s in near), V(0)) for c in range(d)])
            return [[silu(v) for v in self.linear(name + "linear", x, d)] for x in filtered]
        if op == "average_pool_3":
            near = [[s for s in (t - 1, t, t + 1) if 0 <= s < n and valid[s]] for t in range(n)]
            return [[sum((tokens[s][c] for s in own), V(0)) * (1.0 / max(len(own), 1)) for c in range(d)] for own in near]
        if op == "feed_forward":
            inner = [self.linear(name + "hidden", self.norm(name + "norm", x), 2 * d) for x in tokens]
            return [self.linear(name + "linear", [gelu(v) for v in i], d) for i in inner]
        if op == "self_attention":
            heads = 4 if d % 4 == 0 else (2 if d % 2 == 0 else 1)
            size = d // heads
            qkv = [self.linear(name + "attention.in_proj", self.norm(name + "norm", x), 3 * d) for x in tokens]
            out = []
            for t in range(n):
                mixed = []
                for h in range(heads):
                    at = range(h * size, (h + 1) * size)
                    keys = [s for s in range(n) if valid[s]]
                    raised = [exp(sum((qkv[t][i] * qkv[s][d + i] for i in at), V(0)) * (1.0 / math.sqrt(size))) for s in keys]
                    total = inv(sum(raised, V(0)))
                    mixed += [sum((r * total * qkv[s][2 * d + i] for r, s in zip(raised, keys)), V(0)) for i in at]
                out.append(self.linear(name + "attention.out_proj", mixed, d))
            return out
        raise ValueError(op)

    def stack(self, tokens, valid, d, n_cells, genotype):
        stem = lambda k: [[tanh(v) for v in self.linear(f"stack.stems.{k}", x, d)] for x in tokens]
        before, last = stem(0), stem(1)
        for c in range(n_cells):
            states = [before, last]
            for i, edges in enumerate(genotype["nodes"]):
                said = [
                    self.operation(e["operation"], f"stack.cells.{c}.nodes.{i}.edges.{j}.", states[e["source"]], valid)
                    for j, e in enumerate(edges)
                ]
                states.append([[sum(vs, V(0)) for vs in zip(*each)] for each in zip(*said)])
            nodes = [sum(each, []) for each in zip(*states[2:])]
            if c + 1 < n_cells:
                before, last = last, [[tanh(v) for v in self.linear(f"stack.between.{c}", x, d)] for x in nodes]
        return nodes


def tensor(shape, values):
    return shape, [v.x for v in values]


def write(path, metadata, floats, ints):
    header, blob = {"__metadata__": metadata}, b""
    for (tensors, kind, code) in ((floats, "F64", "d"), (ints, "I64", "q")):
        for name, (shape, values) in sorted(tensors.items()):
            data = struct.pack(f"<{len(values)}{code}", *values)
            header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(blob), len(blob) + len(data)]}
            blob += data
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + blob)


def flat(nested):
    return [v for part in nested for v in (flat(part) if isinstance(part, list) else [part])]


def case(model, name, seed, config, batch, time, note, padded=False):
    rng = random.Random(seed)
    net = Net(rng)
    d, n_cells, genotype = config["d_model"], config["n_cells"], config["genotype"]
    rows = model == "searched_net"
    width = config["d_in"] if rows else d
    x = [[[V(rng.gauss(0, 1)) for _ in range(width)] for _ in range(time)] for _ in range(batch)]
    valid = [[not padded or t < time - 1 - b for t in range(time)] for b in range(batch)]
    y = []
    for sequence, own in zip(x, valid):
        nodes = net.stack(sequence, own, d, n_cells, genotype)
        if rows:
            y.append(net.linear("output", nodes[0], config["d_out"]))
        else:
            merged = [net.linear("merge", v, d) for v in nodes]
            y.append([net.norm("norm", [a + b for a, b in zip(s, m)]) for s, m in zip(sequence, merged)])
    ends = flat(y)
    cotangent = [rng.gauss(0, 1) for _ in ends]
    backward(sum((v * c for v, c in zip(ends, cotangent)), V(0)))
    shape = [batch, config["d_out"]] if rows else [batch, time, d]
    given = "x_num" if rows else "x"
    given_shape = [batch, width] if rows else [batch, time, width]
    inputs = flat(x)
    floats = {
        f"input/{given}": tensor(given_shape, inputs),
        f"grad_input/{given}": (given_shape, [v.g for v in inputs]),
        "output/y": tensor(shape, ends),
        "cotangent/y": (shape, cotangent),
    }
    for key, (of, values) in net.params.items():
        floats["param/" + key] = tensor(of, values)
        floats["grad/" + key] = (of, [v.g for v in values])
    ints = {"input/key_valid": ([batch, time], [int(v) for v in flat(valid)])} if padded else {}
    metadata = {
        "model": model, "case": name, "mode": "eval", "seed": str(seed), "note": note,
        "config": json.dumps(config), "source": "house program searched_net/generate.py, after arXiv 1806.09055 section 2.1",
    }
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", model)
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, name + ".safetensors"), metadata, floats, ints)


def cell(*nodes):
    return {"nodes": [[{"operation": o, "source": s} for o, s in node] for node in nodes]}


ROWS = cell(
    [("linear_relu", 0), ("linear_silu", 1)],
    [("gated_linear", 1), ("residual_linear", 2)],
    [("linear_tanh", 2), ("linear_gelu", 3), ("none", 0)],
    [("skip_connect", 0), ("linear_gelu", 1)],
)
TOKENS = cell(
    [("self_attention", 0), ("separable_conv_3", 1)],
    [("average_pool_3", 1), ("feed_forward", 2)],
    [("separable_conv_5", 3), ("skip_connect", 2)],
    [("separable_conv_7", 0), ("none", 4)],
)

if __name__ == "__main__":
    of_rows = {"d_in": 3, "d_out": 2, "d_model": 5, "n_cells": 1, "dropout": 0.0, "genotype": ROWS}
    case("searched_net", "every_row_operation", 7101, of_rows, 7, 1, "each operation for rows")
    several = dict(of_rows, d_model=4, n_cells=3)
    case("searched_net", "three_cells", 7102, several, 5, 1, "each cell reads the two before it")
    mixing = dict(of_rows, d_model=2, genotype=TOKENS)
    case("searched_net", "token_operations", 7103, mixing, 5, 1, "operations for sequences on rows, which are one token")
    tokens = {"d_model": 4, "n_cells": 1, "genotype": TOKENS}
    case("searched_tokens", "every_token_operation", 7111, tokens, 2, 7, "each operation for sequences; four heads")
    case("searched_tokens", "two_cells_padded", 7112, dict(tokens, d_model=6, n_cells=2), 3, 5, "two heads; padding on the right", True)
    one = dict(tokens, d_model=3)
    case("searched_tokens", "short_sequence", 7113, one, 3, 2, "one head; filters longer than the sequence")
