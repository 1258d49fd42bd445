#!/usr/bin/env bash
# Checks and measures I2M on this machine's GPU and leaves a folder of results to send back:
#   run-gpu-checks.sh [--device cuda|opencl] [--out FOLDER] [--quick]
# In this order: what the machine is, the tests of all libraries with the device required, the choice of tiles, the kernel benches, a training of the nano
# preset on drawn pictures in every precision that there is, and speech from it. A step that fails does not stop the others; the exit status is 1 then.
# --quick takes a few tests, one bench and three steps of training, to see that everything runs. No root, no network, no .NET needed.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
fail() { echo "run-gpu-checks.sh: $*" >&2; exit 2; }

device=cuda out="" quick=""
while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
        --quick) quick=yes; shift ;;
        --device | --out) [ $# -ge 2 ] || fail "$1: a value is missing"; declare "${1#--}=$2"; shift 2 ;;
        *) fail "$1: unknown argument, see --help" ;;
    esac
done
case "$device" in cuda | opencl) ;; *) fail "--device $device: expected cuda or opencl" ;; esac
[ -x "$here/i2m" ] || fail "$here/i2m: not found: run this in an unpacked bundle"
commit="$(cat "$here/commit")"
folder="${out:-$PWD/i2m-results/$(date -u +%Y%m%d-%H%M%S)-$device-$commit}"
mkdir -p "$folder" || exit 2
folder="$(cd "$folder" && pwd)"

# A step: its name, then the command. All it prints goes to NAME.log.
failed=()
step() {
    local name="$1" start=$SECONDS status=0
    shift
    echo "== $name"
    { echo "\$ $*"; timeout --kill-after=30 "$limit" "$@"; } >"$folder/$name.log" 2>&1 || status=$?
    local outcome="ok"
    [ "$status" = 0 ] || { outcome="FAILED with status $status"; failed+=("$name"); tail -n 5 "$folder/$name.log" | sed 's/^/   /'; }
    echo "$name: $outcome, $((SECONDS - start)) s" | tee -a "$folder/summary.txt"
}
limit=3600

facts() {
    echo "commit: $commit"
    echo "date: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    uname -srm
    grep -h PRETTY_NAME /etc/os-release
    lscpu | grep -E '^(Model name|CPU\(s\)|Thread|Core|Socket|Flags)'
    grep MemTotal /proc/meminfo
    if command -v nvidia-smi >/dev/null; then nvidia-smi; nvidia-smi -q -d CLOCK,POWER,MEMORY; fi
    "$here/i2m" devices
}
facts >"$folder/machine.txt" 2>&1
step devices "$here/i2m" devices --json
tail -n +2 "$folder/devices.log" >"$folder/devices.json"

export I2M_REQUIRE_BACKENDS="$device" I2M_ONLY_BACKENDS="$device"
if [ -n "$quick" ]; then
    step tests-kernels "$here/I2M.Kernels.Tests" -noLogo -noColor -class '*.SoftmaxTests' -class '*.ReduceTests'
    step bench "$here/i2m" bench --device "$device" --seconds 0.1 --cases g0_copy --json "$folder/bench.json"
else
    step kernels "$here/measure-gpu.sh" --device "$device" --out "$folder/kernels"
    for library in Autograd Model; do step "tests-$library" "$here/I2M.$library.Tests" -noLogo -noColor -showLiveOutput; done
fi

# Quickstart draws the pairs that the trainings after it learn.
drawing="$device" minutes=1 steps=1000 denoising=50
[ -z "$quick" ] || { drawing=host minutes=0.05 steps=3 denoising=2; }
pairs="$folder/quickstart/data/pairs.json"
step quickstart "$here/i2m" quickstart --device "$drawing" --minutes "$minutes" --out "$folder/quickstart"
pictures=("$folder"/quickstart/data/images/*)
precisions=(f32)
if "$here/i2m" train --help | grep -q -- --precision; then precisions=(f32 tf32 bf16); fi
for precision in "${precisions[@]}"; do
    run="$folder/train-$precision" options=()
    [ "${#precisions[@]}" = 1 ] || options=(--precision "$precision")
    step "train-$precision" "$here/i2m" train --device "$device" --data "$pairs" --out "$run" --preset nano --steps "$steps" "${options[@]}"
    step "speak-$precision" "$here/i2m" generate --device "$device" --checkpoint "$run" --image "${pictures[@]:0:2}" --out "$run/speech" --steps "$denoising"
done
# What was drawn, spoken and cached can be made again; the figures remain.
rm -rf "$folder/quickstart/data" "$folder"/train-*/checkpoints "$folder"/quickstart/run/checkpoints

if [ "${#failed[@]}" -gt 0 ]; then
    echo "run-gpu-checks.sh: failed: ${failed[*]}; see $folder" >&2
    exit 1
fi
echo "everything passed; results: $folder"
