#!/usr/bin/env bash
# Measures everything on a machine with a GPU and keeps it in bench/results/<device>/<day>-<commit>/:
#   bench/measure-gpu.sh [--device cuda|opencl] [--seconds S] [--cases a,b] [--out FOLDER]
# In this order: the kernels' tests with the device required, the choice of tiles (bench --tune), all cases, and on CUDA the same work in PyTorch where
# this machine has one that sees the device (I2M_PYTHON names another interpreter than python3). Any step that fails fails the whole at the end; the others still
# run. In the repository the .NET SDK builds first; in a bundle with the programs i2m and I2M.Kernels.Tests beside this script, none is needed. I2M_PROGRAM and
# I2M_KERNEL_TESTS name other places.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
usage() { sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

device=cuda seconds=2 cases="" out=""
while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h) usage; exit 0 ;;
        --device | --seconds | --cases | --out)
            [ $# -ge 2 ] || { echo "measure-gpu.sh: $1: a value is missing" >&2; exit 2; }
            declare "${1#--}=$2"
            shift 2 ;;
        *) echo "measure-gpu.sh: $1: unknown argument" >&2; usage >&2; exit 2 ;;
    esac
done
case "$device" in cuda | opencl) ;; *) echo "measure-gpu.sh: --device $device: expected cuda or opencl" >&2; exit 2 ;; esac

if [ -n "${I2M_PROGRAM:-}" ]; then
    program="$I2M_PROGRAM" tests="${I2M_KERNEL_TESTS:-}"
elif [ -x "$here/i2m" ]; then
    program="$here/i2m" tests="$here/I2M.Kernels.Tests"
else
    root="$(dirname "$here")"
    dotnet build "$root/I2M.sln" -c Release -v quiet -nologo || exit 1
    program="$root/i2m" tests="$root/tests/I2M.Kernels.Tests/bin/Release/net10.0/I2M.Kernels.Tests"
fi

facts="$("$program" devices 2>&1)" || { echo "$facts" >&2; exit 1; }
name=""
if [ "$device" = cuda ] && command -v nvidia-smi >/dev/null; then name="$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)"; fi
[ -n "$name" ] || name="$device-device"
slug="$(tr '[:upper:]' '[:lower:]' <<<"$name" | tr -cs '[:alnum:]' '-' | sed 's/^-*//; s/-*$//')"
if [ -f "$here/commit" ]; then
    commit="$(cat "$here/commit")"
else
    commit="$(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)"
    [ -z "$(git -C "$here" status --porcelain 2>/dev/null)" ] || commit="$commit-changed"
fi
folder="${out:-$here/results/$slug}/$(date -u +%Y%m%d)-$commit"
mkdir -p "$folder" || exit 1

failed=()
step() {
    local log="$1"
    shift
    echo "== $log: $*"
    "$@" 2>&1 | tee "$folder/$log.log"
    [ "${PIPESTATUS[0]}" = 0 ] || failed+=("$log")
}

{
    echo "date: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "commit: $commit"
    echo "device: $name"
    command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=driver_version,memory.total,clocks.max.sm,clocks.max.memory,power.limit --format=csv
    echo "$facts"
} | tee "$folder/machine.txt"

if [ -n "$tests" ] && [ -x "$tests" ]; then
    step tests env I2M_REQUIRE_BACKENDS="$device" I2M_ONLY_BACKENDS="$device" "$tests" -noLogo -noColor
else
    echo "no test program: the kernels' tests are left out" | tee "$folder/tests.log"
    failed+=(tests)
fi
step tune "$program" bench --device "$device" --tune
step bench "$program" bench --device "$device" --seconds "$seconds" ${cases:+--cases "$cases"} --json "$folder/bench.json"

python="${I2M_PYTHON:-python3}"
if [ "$device" != cuda ]; then
    echo "PyTorch is compared on CUDA only" | tee "$folder/pytorch.log"
elif [ -f "$here/pytorch_peer.py" ] && "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' >/dev/null 2>&1; then
    beside=()
    [ ! -f "$folder/bench.json" ] || beside=(--beside "$folder/bench.json")
    step pytorch "$python" "$here/pytorch_peer.py" --json "$folder/pytorch.json" ${beside[@]+"${beside[@]}"}
else
    echo "no PyTorch here: comparison left out" | tee "$folder/pytorch.log"
fi

if [ "${#failed[@]}" -gt 0 ]; then
    echo "measure-gpu.sh: failed: ${failed[*]}; see $folder" >&2
    exit 1
fi
echo "$folder"
