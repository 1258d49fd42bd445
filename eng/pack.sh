#!/usr/bin/env bash
# Packs I2M.Kernels, I2M.Autograd, I2M.Model and the tool I2M.Cli (command i2m), with symbols, into artifacts/packages:
#   eng/pack.sh [--no-build]     --no-build takes what a Release build of I2M.sln left
# The version is Version in Directory.Build.props.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

case "${1:-}" in
    "") dotnet build I2M.sln -c Release -v quiet -nologo ;;
    --no-build) ;;
    *) echo "pack.sh: $1: unknown argument, expected --no-build" >&2; exit 2 ;;
esac
# The tool is packed from its publication folder, whatever lies there.
rm -rf artifacts/packages src/I2M.Cli/bin/Release/net10.0/publish
dotnet pack I2M.sln -c Release --no-build -v quiet -nologo -o artifacts/packages
ls -sh1 artifacts/packages
