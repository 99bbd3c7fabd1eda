#!/bin/sh
# Runs the kernels for flex under Miri, which finds reads and writes out of bounds, data races, wrong
# aliasing and uninitialised memory.
#
#   benches/miri.sh [FILTER…]
#
# What is run are the operations' own tests, on the crate as it is: under Miri tiles, tasks and recycled
# blocks are a few elements large (`cfg!(miri)` beside the constants), so that small inputs reach every
# loop over them, and threads. Miri knows no vector instructions beyond the build target's: the
# loops run as they are compiled for that; `level()` in ops/flex/simd.rs picks it by itself.
#
# Slow: cloning one result of 64 KiB takes a minute, the test of attention more than seven; name tests
# to run fewer.
#
# Needs a nightly compiler with the components miri and rust-src, and says so where they are missing.
#
# TOOLCHAIN  the compiler (default: nightly)
# SEEDS      how many orders of threads are tried (default: 1)
set -eu
cd "$(dirname "$0")/.."

TOOLCHAIN=${TOOLCHAIN:-nightly}
SEEDS=${SEEDS:-1}
if ! cargo "+$TOOLCHAIN" miri --version >/dev/null 2>&1; then
    echo "not run: the $TOOLCHAIN compiler has no Miri on this machine;" >&2
    echo "  rustup toolchain install $TOOLCHAIN --component miri --component rust-src" >&2
    exit 1
fi

if [ $# = 0 ]; then
    set -- ops::awkward::attention::plain_loops_agree ops::awkward::empty::attention \
        ops::awkward::empty::linear ops::agreement::linear ops::agreement::norms \
        ops::agreement::batch_norms ops::agreement::channel_affines ops::agreement::ssd \
        ops::agreement::softmax ops::agreement::gated_units ops::recycled
fi

# Not under isolation: the tests read environment variables and the number of processors. Tree
# borrows, since rayon's queues are not written for stacked ones.
export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-tree-borrows -Zmiri-ignore-leaks ${MIRIFLAGS:-}"
export RAYON_NUM_THREADS=${RAYON_NUM_THREADS:-3}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/miri
seed=0
while [ "$seed" -lt "$SEEDS" ]; do
    MIRIFLAGS="$MIRIFLAGS -Zmiri-seed=$seed" \
        cargo "+$TOOLCHAIN" miri test -p forge-nn --test main -- "$@"
    seed=$((seed + 1))
done
