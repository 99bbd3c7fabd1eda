# /// script
# dependencies = ["numpy", "pandas", "TA-Lib==0.8.2", "pandas-ta-classic==0.8.32"]
# ///
"""Writes bars.csv, simulated bars with quotes, and expected.csv, their features.

RSI, ATR, EMA, Bollinger bands and means by TA-Lib; MACD by pandas-ta-classic, whose averages start each
from its own first values; the rest with pandas from the papers' equations. Empty is missing.
"""
import pathlib

import numpy as np
import pandas as pd
import pandas_ta_classic as ta
import talib

rng = np.random.default_rng(12)
rows, steps = 90, 40
price, records = 100.0, []
for t in range(rows):
    if t % 5 == 0:  # a gap between bars
        price *= np.exp(0.012 * rng.standard_normal())
    path = price * np.exp(np.cumsum(0.0025 * rng.standard_normal(steps)))
    path = np.round(np.concatenate([[price], path]), 2)
    price = path[-1] if t % 11 else path[0]  # now and then the close is the open
    close = price
    previous = records[-1][3] if records else None
    if t in (30, 31, 60):  # unchanged closes
        close = price = previous
        path = np.append(path, close)
    volume = 0 if t in (17, 44) else int(rng.lognormal(9, 0.6))
    half = 0.01 * rng.integers(1, 5)
    mid = round(close, 2)
    records.append(
        (path[0], path.max(), path.min(), close, volume)
        + (round(mid - half, 2), int(rng.integers(0, 50)) * 100)
        + (round(mid + half * rng.integers(1, 3), 2), int(rng.integers(1, 50)) * 100)
    )
names = ["open", "high", "low", "close", "volume", "bid", "bid_size", "ask", "ask_size"]
bars = pd.DataFrame(records, columns=names)
here = pathlib.Path(__file__).parent
bars.to_csv(here / "bars.csv", index=False)

o, h, l, c, v = (bars[n].astype(float) for n in names[:5])
series = lambda values: pd.Series(np.asarray(values, dtype=float))
e = pd.DataFrame()
r = np.log(c).diff()
e["log_volume"] = np.log1p(v)
e["returns"] = r
e["rsi"] = series(talib.RSI(c.values, 14))
macd = ta.macd(c, 12, 26, 9, talib=False)
e["macd"], e["macd_signal"] = macd.iloc[:, 0], macd.iloc[:, 2]
e["volatility"] = r.rolling(20).std()
e["atr"] = series(talib.ATR(h.values, l.values, c.values, 14))
upper, middle, lower = talib.BBANDS(c.values, 20, 2, 2, 0)
e["bollinger_upper"], e["bollinger_middle"], e["bollinger_lower"] = map(series, (upper, middle, lower))
e["ema_short"] = series(talib.EMA(c.values, 12))
e["ema_long"] = series(talib.EMA(c.values, 26))
e["volume_ratio"] = v / series(talib.SMA(v.values, 20))
e["relative_volume"] = v / v.rolling(50).mean().shift()
e["dollar_volume"] = c * v
typical = series(talib.TYPPRICE(h.values, l.values, c.values))
e["vwap"] = (typical * v).rolling(20).sum() / v.rolling(20).sum()
e["vwap_distance"] = (c - e["vwap"]) / e["vwap"]
sign = np.sign(c.diff()).replace(0, np.nan).ffill()
e["order_flow_imbalance"] = (sign * v).rolling(20).sum() / v.where(sign.notna()).rolling(20).sum()
e["trade_intensity"] = series(talib.EMA(v.values, 5)) / series(talib.EMA(v.values, 50))
e["tick_rule"] = sign

spreads = [np.nan]
for t in range(1, rows):  # Corwin and Schultz 2012, with their correction of gaps
    hi, lo = h[t], l[t]
    if c[t - 1] < lo:
        hi, lo = hi - (lo - c[t - 1]), c[t - 1]
    elif c[t - 1] > hi:
        hi, lo = c[t - 1], lo + (c[t - 1] - hi)
    beta = np.log(h[t - 1] / l[t - 1]) ** 2 + np.log(hi / lo) ** 2
    gamma = np.log(max(h[t - 1], hi) / min(l[t - 1], lo)) ** 2
    root = 3 - 2 * np.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / root - np.sqrt(gamma / root)
    spreads.append(max(0, 2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))))
e["spread_proxy"] = series(spreads).rolling(20).mean()

n, year = 10, 252
u, d, b = np.log(h / o), np.log(l / o), np.log(c / o)
mean = lambda x: x.rolling(n).mean()
e["close_to_close_10"] = np.sqrt(year * r.rolling(n).var())
e["parkinson_10"] = np.sqrt(year * mean((u - d) ** 2) / (4 * np.log(2)))
e["garman_klass_10"] = np.sqrt(year * mean((u - d) ** 2 / 2 - (2 * np.log(2) - 1) * b**2))
rs = mean(u * (u - b) + d * (d - b))
e["rogers_satchell_10"] = np.sqrt(year * rs)
k = 0.34 / (1.34 + (n + 1) / (n - 1))
gap = np.log(o / c.shift())
within = b.where(gap.notna())
yz = gap.rolling(n).var() + k * within.rolling(n).var() + (1 - k) * rs
e["yang_zhang_10"] = np.sqrt(year * yz)
a = r.abs()
e["bipower_10"] = np.sqrt(year * np.pi / 2 * (a * a.shift()).rolling(n - 1).sum() / (n - 1))

bid, bs, ask, az = (bars[x].astype(float) for x in names[5:])
mid = (bid + ask) / 2
e["mid"] = mid
e["quoted_spread"] = (ask - bid) / mid
e["microprice"] = (ask * bs + bid * az) / (bs + az)
e["microprice_distance"] = (e["microprice"] - mid) / mid
e["effective_spread"] = 2 * (c - mid).abs() / mid
e["order_imbalance"] = (bs - az) / (bs + az)
pb, pbs, pa, pas = (x.shift() for x in (bid, bs, ask, az))  # Cont, Kukanov and Stoikov 2014
flow = np.where(bid >= pb, bs, 0) - np.where(bid <= pb, pbs, 0)
flow = flow - np.where(ask <= pa, az, 0) + np.where(ask >= pa, pas, 0)
flow = series(flow).where(pb.notna())
depth = ((bs + az) / 2).where(pb.notna())
e["quote_flow_imbalance"] = flow.rolling(20).sum() / depth.rolling(20).mean()

# A zero of rolling sums is one to rounding only.
e.to_csv(here / "expected.csv", index=False, float_format="%.12g")
print(e.notna().idxmax().to_string())
