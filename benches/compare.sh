#!/bin/sh
# Times this library's operations beside PyTorch's and stock Burn's.
#
#   benches/compare.sh [ITEM…]
#
# Builds the Rust side, then runs the sides in turn, five times each, and prints a line an item,
#
#   ITEM ours_ms peer_ms ratio stock_ms
#
# medians, and last the worst ratio. Items: see ITEMS in crates/forge-nn/benches/compare/main.rs.
#
# PYTHON   the interpreter that has torch (default: python3)
# THREADS  threads of every side (default: 2)
# ROUNDS   how often the sides alternate (default: 5)
set -eu
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import torch' 2>/dev/null; then
    echo "PyTorch is missing from $PYTHON: pip install torch, or set PYTHON" >&2
    exit 1
fi

cargo bench --no-run -p forge-nn --bench compare
binary=$(cargo bench --quiet --no-run --message-format=json -p forge-nn --bench compare |
    "$PYTHON" -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "compare":
        print(message["executable"])')

exec "$PYTHON" benches/compare.py "$binary" "$@"
