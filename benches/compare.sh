#!/bin/sh
# Times this library beside PyTorch: its operations (and stock Burn's), its models and their authors'
# code, or its derivatives and torch.func's.
#
#   benches/compare.sh [ITEM…]
#   benches/compare.sh models [ITEM…]
#   benches/compare.sh functional [ITEM…]
#
# Builds the Rust side, then runs the sides in turn, five times each, and prints a line an item,
#
#   ITEM ours_ms peer_ms ratio [stock_ms]
#
# medians, and last the worst ratio. Items: see ITEMS in crates/forge-nn/benches/compare/main.rs, and
# the head of crates/forge-models/benches/models/main.rs; of the models, those whose authors' package
# is installed (benches/models.py names it); the head of crates/forge-meta/benches/functional.rs.
#
# PYTHON   the interpreter that has torch (default: python3)
# THREADS  threads of every side (default: 2)
# ROUNDS   how often the sides alternate (default: 5)
# CLOCK    cpu: time on a processor instead of time that passed, for machines that others use too (with
#          THREADS=1: threads that wait for each other there may be counted)
# MEASURE  memory (models): the most memory in MiB instead of times, each item in a process of its own, beyond
#          what the process had before, with PyTorch loaded
# PEERS    a folder with checkouts of what is no package (benches/blocks.py names them)
set -eu
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import torch' 2>/dev/null; then
    echo "PyTorch is missing from $PYTHON: pip install torch, or set PYTHON" >&2
    exit 1
fi

crate=forge-nn bench=compare
case ${1:-} in
models) shift; crate=forge-models bench=models ;;
functional) shift; crate=forge-meta bench=functional ;;
esac
built=$(cargo bench --no-run --message-format=json-render-diagnostics -p "$crate" --bench "$bench" |
    "$PYTHON" benches/built.py bench "$bench")

exec "$PYTHON" benches/compare.py "${built#* }" "$@"
