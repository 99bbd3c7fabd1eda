"""Cases of `act_mlp`: a program of its own after the equations of arXiv 1603.08983, section 2, row by row and
step by step, with gradients by reverse differentiation of scalars (../searched_net/generate.py has the
numbers and the file format). Python alone: python3 generate.py, beside the cases.
"""

import json
import math
import os
import random
import sys
from importlib.util import module_from_spec, spec_from_file_location

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
spec = spec_from_file_location("numbers_of_cases", os.path.join(HERE, "..", "searched_net", "generate.py"))
numbers = module_from_spec(spec)
spec.loader.exec_module(numbers)
V, backward, exp, flat, inv = numbers.V, numbers.backward, numbers.exp, numbers.flat, numbers.inv
relu, sigmoid, tanh, tensor, write = numbers.relu, numbers.sigmoid, numbers.tanh, numbers.tensor, numbers.write


def cos(v):
    return v.of(math.cos(v.x), -math.sin(v.x))


class Net:
    def __init__(self, rng, spread):
        self.rng, self.spread, self.params = rng, spread, {}

    def get(self, name, shape, around=0.0):
        if name not in self.params:
            draw = lambda: V(around + self.spread * self.rng.gauss(0, 1))
            self.params[name] = (shape, [draw() for _ in range(math.prod(shape))])
        values = self.params[name][1]
        for size in reversed(shape[1:]):
            values = [values[i : i + size] for i in range(0, len(values), size)]
        return values

    def linear(self, name, x, out, around=0.0):
        w, b = self.get(name + ".weight", [out, len(x)]), self.get(name + ".bias", [out], around)
        return [sum((wi * xi for wi, xi in zip(w[o], x)), b[o]) for o in range(out)]

    def superposed(self, name, x, out, bases):
        """The weights are a mixture of basis weights, each by the cosine of its phase."""
        basis = self.get(name + ".basis_weights", [bases, len(x), out])
        mixing, phases = self.get(name + ".mixing", [bases]), self.get(name + ".phases", [bases])
        raised = [exp(m) for m in mixing]
        total = inv(sum(raised, V(0)))
        amount = [r * total * cos(p) for r, p in zip(raised, phases)]
        bias = self.get(name + ".bias", [out])
        weight = lambda i, o: sum((a * basis[k][i][o] for k, a in enumerate(amount)), V(0))
        return [sum((weight(i, o) * xi for i, xi in enumerate(x)), bias[o]) for o in range(out)]


def row(net, config, x):
    """The output of a row, its ponder cost N + R, and N."""
    width = config["d_hidden"]
    if config.get("n_basis"):
        hidden = net.superposed("first", x, width, config["n_basis"])
    else:
        hidden = net.linear("first", x, width)
    hidden = [relu(v) for v in hidden]
    state = [V(0)] * width
    spent, states, weights = V(0), [], []
    for n in range(1, config["max_steps"] + 1):
        flagged = hidden + [V(1.0 if n == 1 else 0.0)]
        inner = zip(net.linear("ponder.input", flagged, width), net.linear("ponder.recurrent", state, width))
        state = [tanh(a + b) for a, b in inner]
        halt = sigmoid(net.linear("ponder.halt", state, 1, 1.0)[0])
        states.append(state)
        last = spent.x + halt.x >= 1.0 - config["epsilon"] or n == config["max_steps"]
        rest = V(1) - spent
        weights.append(rest if last else halt)
        if last:
            mean = [sum((w * s[i] for w, s in zip(weights, states)), V(0)) for i in range(width)]
            return net.linear("ponder.output", mean, config["d_out"]), V(n) + rest, n
        spent = spent + halt


def case(name, seed, config, batch, note, spread):
    rng = random.Random(seed)
    net = Net(rng, spread)
    x = [[V(rng.gauss(0, 1)) for _ in range(config["d_in"])] for _ in range(batch)]
    said = [row(net, config, each) for each in x]
    steps = [n for _, _, n in said]
    ends = flat([y for y, _, _ in said])
    cotangent = [rng.gauss(0, 1) for _ in ends]
    backward(sum((v * c for v, c in zip(ends, cotangent)), V(0)))
    inputs = flat(x)
    shape = [batch, config["d_out"]]
    floats = {
        "input/x_num": tensor([batch, config["d_in"]], inputs),
        "grad_input/x_num": ([batch, config["d_in"]], [v.g for v in inputs]),
        "output/y": tensor(shape, ends),
        "cotangent/y": (shape, cotangent),
    }
    for key, (of, values) in net.params.items():
        floats["param/" + key] = tensor(of, values)
        floats["grad/" + key] = (of, [v.g for v in values])
    metadata = {
        "model": "act_mlp", "case": name, "mode": "eval", "seed": str(seed),
        "note": f"{note}; steps {sorted(set(steps))}",
        "config": json.dumps(config), "source": "house program act_mlp/generate.py, after arXiv 1603.08983 section 2",
    }
    write(os.path.join(HERE, name + ".safetensors"), metadata, floats, {})
    print(name, steps)


if __name__ == "__main__":
    plain = {"d_in": 3, "d_out": 2, "d_hidden": 5, "epsilon": 0.01, "max_steps": 9, "ponder_cost": 0.001}
    case("rows_halt_apart", 8101, plain, 11, "rows halt at steps of their own", 1.6)
    case("superposed_first_layer", 8102, dict(plain, n_basis=3, d_out=1), 7, "the first layer is a superposition", 1.2)
    case("cut_off", 8103, dict(plain, max_steps=2, epsilon=0.001), 5, "at the last step the weight is the remainder", 1.0)
