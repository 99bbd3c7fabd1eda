# /// script
# dependencies = ["mpmath", "py_vollib==1.0.12"]
# ///
"""Writes case.json: Black-76 sensitivities, the price in 50 digits differentiated numerically.

Checked against the analytical ones of py_vollib, whose vega is per 1 % and whose theta is per day.
"""
import itertools
import json
import pathlib

from mpmath import diff, erfc, exp, log, mp, mpf, sqrt
from py_vollib.black.greeks import analytical

mp.dps = 50
rate = mpf("0.03")


def price(call, f, k, vol, t):
    s = vol * sqrt(t)
    d1 = log(f / k) / s + s / 2
    normal = lambda z: erfc(-z / sqrt(mpf(2))) / 2
    sign = 1 if call else -1
    return exp(-rate * t) * sign * (f * normal(sign * d1) - k * normal(sign * (d1 - s)))


cases = []
for k, (vol, t), call in itertools.product(
    (40.0, 80.0, 99.0, 100.0, 101.0, 130.0, 400.0),
    ((0.1, 7 / 365), (0.2, 0.5), (0.8, 2.0)),
    (True, False),
):
    point = [mpf(100), mpf(vol), mpf(t)]
    value = lambda f, v, m: price(call, f, mpf(k), v, m)
    partial = lambda *orders: float(diff(value, tuple(point), orders))
    greeks = [partial(1, 0, 0), partial(2, 0, 0), partial(0, 1, 0), -partial(0, 0, 1)]
    flag, r = "c" if call else "p", float(rate)
    theirs = [
        getattr(analytical, name)(flag, 100.0, k, t, r, vol) for name in ("delta", "gamma", "vega", "theta")
    ]
    theirs[2] *= 100
    theirs[3] *= 365
    for ours, other in zip(greeks, theirs):
        assert abs(ours - other) <= 1e-9 * max(1, abs(ours)), (k, vol, t, call, greeks, theirs)
    cases.append([call, 100.0, k, vol, t, float(exp(-rate * mpf(t)))] + greeks)
path = pathlib.Path(__file__).with_name("case.json")
path.write_text("[" + ",\n".join(json.dumps(c) for c in cases) + "]\n")
