#!/usr/bin/env bash
# Unpacks artifacts/i2m-linux-x64.tar.xz elsewhere and runs it on the host and on OpenCL, with no dotnet to be found:
#   eng/check-bundle.sh CHECKPOINT PICTURE
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
[ $# = 2 ] || { sed -n '2,3s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
checkpoint="$(realpath "$1")" picture="$(realpath "$2")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

tar -C "$work" -xf "$root/artifacts/i2m-linux-x64.tar.xz"
cd "$work/i2m-linux-x64"

# Every command of this PATH but dotnet, which often lies among all others.
mkdir "$work/bin"
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do
    [ ! -d "$folder" ] || find "$folder" -maxdepth 1 -not -type d -not -name dotnet -exec ln -s -t "$work/bin" {} + 2>/dev/null || true
done
export PATH="$work/bin" HOME="$work/home"
unset DOTNET_ROOT DOTNET_ROOT_X64 DOTNET_HOST_PATH
mkdir "$HOME"
if command -v dotnet; then echo "check-bundle.sh: dotnet is still on the PATH" >&2; exit 1; fi

./i2m devices
I2M_ONLY_BACKENDS=host ./I2M.Kernels.Tests -noLogo -noColor -class '*.SoftmaxTests' -class '*.ConventionTests' -class '*.ReferenceOpsTests'
./i2m generate --device host --checkpoint "$checkpoint" --image "$picture" --out "$work/speech.wav" --steps 10
[ "$(head -c 4 "$work/speech.wav")" = RIFF ]
./run-gpu-checks.sh --device opencl --quick --out "$work/results"
test -s "$work/results/bench.json"
echo "the bundle runs without .NET"
