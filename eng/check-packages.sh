#!/usr/bin/env bash
# Builds samples/Embed from artifacts/packages as a user's project would, lets it speak, and installs the tool:
#   eng/check-packages.sh CHECKPOINT PICTURE
# I2M's packages are taken into a fresh package folder, so that none of an earlier build can stand in; all others come from the usual one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
[ $# = 2 ] || { sed -n '2,3s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

packages="${NUGET_PACKAGES:-$HOME/.nuget/packages}"
dotnet build samples/Embed/Embed.csproj -c Release -v quiet -nologo --artifacts-path "$work/build" -p:RestorePackagesPath="$work/packages" -p:RestoreFallbackFolders="$packages"
for package in kernels autograd model; do [ -d "$work/packages/i2m.$package" ] || { echo "check-packages.sh: I2M.$package came from $packages" >&2; exit 1; }; done

embed="$work/build/bin/Embed/release/Embed"
"$embed" "$1" "$2" "$work/speech.wav"
[ "$(head -c 4 "$work/speech.wav")" = RIFF ]

# What is wrong is one line that names it, and nothing is written.
if message="$("$embed" "$work/no-run" "$2" "$work/none.wav" 2>&1 >/dev/null)"; then echo "check-packages.sh: a missing checkpoint was accepted" >&2; exit 1; fi
[[ "$message" == "Embed: $work/no-run"* && "$message" != *$'\n'* && ! -e "$work/none.wav" ]] || { echo "check-packages.sh: unclear: $message" >&2; exit 1; }

dotnet tool install I2M.Cli --tool-path "$work/tool" --add-source artifacts/packages >"$work/log" || { cat "$work/log" >&2; exit 1; }
"$work/tool/i2m" info "$2"
echo "the packages build the sample and install the tool"
