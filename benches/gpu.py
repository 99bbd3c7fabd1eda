"""The half of the GPU kit that runs on the machine with the GPU; see gpu.sh."""

import os
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
OUT = Path(os.environ["OUT"])
ROUNDS = int(os.environ.get("ROUNDS", "2"))
MODELS = ("ft_transformer", "tabular_resnet", "tabular_mlp")
# Where nothing else says what is measured: the items of one side of the comparison.
STACK = ["block_stack_train", "block_stack_forward"]
# In f64, which no device's matrix units round: what differs then is an error.
SAME = ["every_backend_gives_the_results_of_flex"]
# In f32; of the forecasters the first.
CHECKS = ["state_round_trip_is_bit_identical", "rows_stand_alone", "sixteen_rows_are_overfitted"]
OPERATIONS = ["attention", "linear", "layer_norm", "rms_norm", "reglu", "geglu", "swiglu", "softmax"]
OPERATIONS += ["adamw", "dropout_residual"]
LONG = [f"attention_{t}_{n}" for t in ("bf16", "f16", "f32") for n in (512, 2048, 8192)]
STEPS = [f"{model}_{what}" for model in MODELS for what in ("train", "forward")]


def call(name, command, limit, **environment):
    """Runs a command into a log; its output, and how it ended."""
    start = time.monotonic()
    environment = dict(os.environ, RUST_TEST_THREADS="1", RUST_BACKTRACE="1", **environment)
    try:
        done = subprocess.run(
            command, env=environment, text=True, timeout=limit, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output, ended = done.stdout, "ok" if done.returncode == 0 else f"failed ({done.returncode})"
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout or b""
        output, ended = output.decode(errors="replace"), f"stopped after {limit} s"
    with open(OUT / f"{name}.log", "a") as log:
        log.write(f"$ {' '.join(map(str, command))}\n{output}\n{ended}\n")
    print(f"{name}: {ended} in {time.monotonic() - start:.0f} s", flush=True)
    return output, ended


def tests(name, binary, filters, limit, device):
    output, ended = call(name, [binary, *filters], limit, FORGE_TEST_DEVICES=device)
    lines = output.splitlines()
    failed = [line for line in lines if line.startswith("test ") and not line.endswith(("... ok", "... ignored"))]
    for line in failed + [line for line in lines if line.startswith("test result")]:
        print("   ", line)
    if ended != "ok":
        show(lines)
    return ended == "ok"


def battery(binary, limit, device):
    """The batteries, each model in a process of its own: its kernels are compiled beside the others'."""
    good = True
    tasks = []
    for family, module in (("tabular", "battery"), ("forecast", "forecast_battery")):
        registry = (HERE.parent / f"crates/forge-models/src/{family}/mod.rs").read_text()
        checks = {"f64": SAME, "f32": CHECKS if family == "tabular" else CHECKS[:1]}
        for model in re.findall(r'^    "(\w+)" => ', registry, re.M):
            for dtype, names in checks.items():
                tasks.append((family, model, dtype, [f"{module}::{name}" for name in names]))

    def one(task):
        family, model, dtype, names = task
        where = {"FORGE_TEST_DEVICES": device, "FORGE_TEST_DTYPE": dtype, "FORGE_TEST_MODELS": model}
        return call(f"battery-{family}-{model}-{dtype}", [binary, "--exact", *names], limit, **where)

    with ThreadPoolExecutor(int(os.environ.get("JOBS", "6"))) as pool:
        for (family, model, dtype, _), (output, ended) in zip(tasks, pool.map(one, tasks)):
            good &= ended == "ok"
            if ended != "ok":
                print(f"    {family} {model}, {dtype}: {ended}")
                show(output.splitlines())
    return good


def show(lines):
    """What a failed test said."""
    marks = ("panicked at", "is off by", "error")
    told = [i for i, line in enumerate(lines) if any(mark in line for mark in marks)]
    for i in told[:8]:
        print("    |", "\n    | ".join(line[:400] for line in lines[i : i + 3]))


def items(name, command, limit, **environment):
    output, _ = call(name, command, limit, **environment)
    times = {}
    for line in output.splitlines():
        parts = line.split()
        if len(parts) == 2 and parts[1].replace(".", "", 1).isdigit():
            times[parts[0]] = float(parts[1])
    return times


def compare(kit, device):
    python = sys.executable
    ours = {"FORGE_BENCH_DEVICE": device, "RUNS": "15"}
    peer = {"PEER_DEVICE": "cuda", "RUNS": "15"}
    compiled = dict(peer, PEER_COMPILE="1")
    operations = [*STACK, *OPERATIONS, *LONG]
    sides = {
        "ours": [(kit / "compare", operations, ours), (kit / "models", STEPS, ours)],
        "eager": [(HERE / "peer.py", operations, peer), (HERE / "models.py", STEPS, peer)],
        "compiled": [(HERE / "peer.py", STACK, compiled), (HERE / "models.py", STEPS, compiled)],
        "stock": [(kit / "compare", ["--stock", *operations], ours)],
    }
    times = {side: {} for side in sides}
    for turn in range(ROUNDS):
        for side, parts in sides.items():
            if turn > 0 and side in ("compiled", "stock"):
                continue
            for program, names, environment in parts:
                command = [python, program, *names] if program.suffix else [program, *names]
                found = items(f"{side}-{program.stem}", command, 150, **environment)
                for item, ms in found.items():
                    times[side].setdefault(item, []).append(ms)
    print(f"\n| item | ours | PyTorch eager | ratio | compiled | stock Burn |\n|---|---:|---:|---:|---:|---:|")
    for item in [*operations, *STEPS]:
        of = {side: statistics.median(times[side][item]) for side in sides if item in times[side]}
        ms = {side: f"{of[side]:.3f}" if side in of else "–" for side in sides}
        ratio = f"{of['ours'] / of['eager']:.2f}" if {"ours", "eager"} <= set(of) else "–"
        print(f"| {item} | {ms['ours']} | {ms['eager']} | {ratio} | {ms['compiled']} | {ms['stock']} |")


def main():
    kit, device, parts = Path(sys.argv[1]), sys.argv[2], sys.argv[3:] or ["agreement", "battery", "compare"]
    call("machine", ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"], 30)
    print((OUT / "machine.log").read_text())
    good = True
    if "agreement" in parts:
        good &= tests("agreement", kit / "forge-nn-tests", ["device_"], 240, device)
    if "battery" in parts:
        good &= battery(kit / "forge-models-tests", 240, device)
    if "compare" in parts:
        compare(kit, device)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
