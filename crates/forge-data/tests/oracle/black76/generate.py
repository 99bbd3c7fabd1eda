# /// script
# dependencies = ["mpmath"]
# ///
"""Writes case.json: Black-76 prices and vegas in 80 digits, rounded to f64 once."""
import itertools
import json
import pathlib

from mpmath import erfc, exp, log, mp, mpf, pi, sqrt

mp.dps = 80


def black(call, f, k, vol, t, d):
    f, k, vol, t, d = map(mpf, (f, k, vol, t, d))
    s = vol * sqrt(t)
    d1 = log(f / k) / s + s / 2
    d2 = d1 - s
    normal = lambda z: erfc(-z / sqrt(mpf(2))) / 2
    sign = 1 if call else -1
    price = d * sign * (f * normal(sign * d1) - k * normal(sign * d2))
    vega = d * f * exp(-d1 * d1 / 2) / sqrt(2 * pi) * sqrt(t)
    return float(price), float(vega)


cases = []
for k, (vol, t) in itertools.product(
    (1.0, 50.0, 80.0, 97.0, 99.999, 100.0, 100.001, 103.0, 130.0, 250.0, 9000.0),
    ((0.05, 1 / 365), (0.2, 1 / 365), (0.2, 1e-6), (0.08, 0.25), (0.2, 1.0), (0.9, 2.0), (3.0, 1.0), (5.0, 4.0)),
):
    for call in (True, False):
        price, vega = black(call, 100.0, k, vol, t, 0.97)
        cases.append([call, 100.0, k, vol, t, 0.97, price, vega])
path = pathlib.Path(__file__).with_name("case.json")
path.write_text("[" + ",\n".join(json.dumps(c) for c in cases) + "]\n")
