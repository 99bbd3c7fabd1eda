"""Alternates a Rust benchmark binary with its PyTorch side and prints the medians."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

THREADS = os.environ.get("THREADS", "2")
ROUNDS = int(os.environ.get("ROUNDS", "5"))
ENVIRONMENT = dict(os.environ, RAYON_NUM_THREADS=THREADS, OMP_NUM_THREADS=THREADS)


def lines(command):
    """What `command` prints."""
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")
    return done.stdout.splitlines()


def run(command):
    """The figure of each item that `command` prints."""
    return {item: float(figure) for item, figure in (line.split() for line in lines(command))}


def main():
    binary, items = sys.argv[1], sys.argv[2:]
    own = (name for name in ("models", "functional") if Path(binary).name.startswith(name))
    script = next(own, "peer")
    peer = [sys.executable, str(Path(__file__).with_name(f"{script}.py"))]
    sides = {"peer": peer, "ours": [binary]}
    if script != "peer":
        # Without names, those that the other side can run.
        items = items or lines([*peer, "--list"])
    else:
        sides["stock"] = [binary, "--stock"]
    times = {side: {} for side in sides}
    # The most memory of a process is that of its only item.
    parts = [[item] for item in items] if os.environ.get("MEASURE") == "memory" else [items]
    for _ in range(ROUNDS):
        for part in parts:
            for side, command in sides.items():
                for item, figure in run(command + part).items():
                    times[side].setdefault(item, []).append(figure)
    worst = ("", 0.0)
    for item in times["ours"]:
        of = {side: statistics.median(times[side][item]) for side in sides}
        ratio = of["ours"] / of["peer"]
        stock = f" {of['stock']:.2f}" if "stock" in of else ""
        print(f"{item} {of['ours']:.2f} {of['peer']:.2f} {ratio:.2f}{stock}")
        worst = max(worst, (item, ratio), key=lambda pair: pair[1])
    print(f"worst {worst[0]} {worst[1]:.2f}")


if __name__ == "__main__":
    main()
