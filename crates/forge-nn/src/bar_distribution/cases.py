"""Makes cases.json: readings of a mixture of even buckets with half-normal outer ones."""
import json

import numpy as np
from scipy import integrate, optimize, stats

borders = np.array([-1.5, -0.25, 0.5, 0.5, 2.0, 3.25])
logits = np.array([0.3, -0.2, -5.0, 1.1, 0.4])
p = np.exp(logits) / np.exp(logits).sum()
scale = np.diff(borders)[[0, -1]] / stats.halfnorm.ppf(0.5)
low = lambda y: stats.halfnorm.pdf(borders[1] - y, scale=scale[0])
high = lambda y: stats.halfnorm.pdf(y - borders[-2], scale=scale[1])
even = lambda i, y: stats.uniform.pdf(y, borders[i], borders[i + 1] - borders[i])


def density(y):
    """The bucket without width is a point and has no density."""
    if y <= borders[1]:
        return p[0] * low(y)
    if y > borders[-2]:
        return p[4] * high(y)
    return p[1] * even(1, y) if y <= borders[2] else p[3] * even(3, y)


def expect(f):
    parts = [(-np.inf, borders[1]), (borders[1], borders[2]), (borders[3], borders[4]), (borders[4], np.inf)]
    total = sum(integrate.quad(lambda y: f(y) * density(y), a, b, epsabs=1e-13)[0] for a, b in parts)
    return total + p[2] * f(borders[2])


mean = expect(lambda y: y)
cumulative = lambda y: float(np.interp(y, borders, np.append(0, np.cumsum(p))))
quantile = lambda q: float(optimize.brentq(lambda y: cumulative(y) - q, borders[0], borders[-1], xtol=1e-14))
points = [-9.0, -1.0, -0.25, 0.1, 0.4, 1.7, 3.0, 40.0]
out = {
    "mean": mean,
    "variance": expect(lambda y: (y - mean) ** 2),
    "mode": 0.125 if p[1] / 0.75 > p[3] / 1.5 else 1.25,
    "ln_density": [[y, float(np.log(density(y)))] for y in points],
    "cumulative": [[y, cumulative(y)] for y in points],
    "quantile": [[q, quantile(q)] for q in [0.05, 0.2, 0.5, 0.8, 0.97]],
}
json.dump(out, open("cases.json", "w"), indent=1)
