#!/usr/bin/env bash
# The GPU kit: what has to be right and fast on a CUDA GPU, in two halves, so that the machine with
# the GPU needs no Rust.
#
#   benches/gpu.sh build          builds the binaries, strips and packs them into target/gpu-kit
#   benches/gpu.sh run [PART…]    unpacks and runs them: agreement battery compare (default: all).
#                                 Only what the parts need has to be there:
#                                 forge-nn-tests.xz; forge-models-tests.xz; compare.xz models.xz
#
# agreement   the operations beside their formulas on the device, in f32, f16, bf16 (f64 where it is)
# battery     the models' batteries there
# compare     operations, attention over long sequences, the block stack and three models beside
#             PyTorch, eager and compiled; prints one table
#
# `run` takes under eight minutes and leaves its logs in $OUT (default: target/gpu-run).
#
# PYTHON   the interpreter that has torch (default: python3)
# DEVICE   the device (default: cuda); the features follow it
set -euo pipefail
cd "$(dirname "$0")/.."
DEVICE=${DEVICE:-cuda}
KIT=target/gpu-kit

build() {
    local features=forge-nn/$DEVICE,forge-nn/fusion,forge-models/$DEVICE,forge-models/fusion
    mkdir -p "$KIT"
    rm -f "$KIT"/*
    pack() { # NAME BINARY
        strip -o "$KIT/$1" "$2"
        xz -T0 -1 "$KIT/$1"
    }
    local list path name
    list=$(mktemp)
    cargo test --release --no-run --message-format=json-render-diagnostics -p forge-nn \
        -p forge-models --features "$features" | built test main >"$list"
    cargo bench --no-run --message-format=json-render-diagnostics -p forge-nn -p forge-models \
        --bench compare --bench models --features "$features" | built bench compare models >>"$list"
    while read -r name path; do pack "$name" "$path"; done <"$list"
    ls -l "$KIT"
}

built() { "${PYTHON:-python3}" benches/built.py "$@"; }

run() {
    export OUT=${OUT:-target/gpu-run}
    mkdir -p "$OUT"
    local unpacked packed name
    unpacked=$(mktemp -d)
    for packed in "$KIT"/*.xz; do
        name=$(basename "$packed" .xz)
        xz -dc "$packed" >"$unpacked/$name"
        chmod +x "$unpacked/$name"
    done
    "${PYTHON:-python3}" benches/gpu.py "$unpacked" "$DEVICE" "$@"
}

case ${1:-} in
build) build ;;
run) shift; run "$@" ;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 1 ;;
esac
