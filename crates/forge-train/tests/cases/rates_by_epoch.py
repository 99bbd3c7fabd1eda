"""Learning rates by epoch where a script sets them after each epoch with the number of epochs done: halved each
time (`type1`: lr * 0.5 ** (n - 1)), or a tenth less from the third on (`type3`: lr * 0.9 ** (n - 3)). Writes
rates_by_epoch.json beside it.
"""

import json
from pathlib import Path


def rates(lr, epochs, rule):
    now, all_rates = lr, []
    for epoch in range(epochs):
        all_rates.append(now)
        now = rule(lr, epoch + 1)
    return all_rates


def type1(lr, done):
    return lr * 0.5 ** (done - 1)


def type3(lr, done):
    return lr if done < 3 else lr * 0.9 ** (done - 3)


cases = [
    {"flat": 1, "gamma": 0.5, "rates": rates(5e-3, 10, type1)},
    {"flat": 3, "gamma": 0.9, "rates": rates(1e-4, 100, type3)},
]
Path(__file__).with_suffix(".json").write_text(json.dumps(cases) + "\n")
