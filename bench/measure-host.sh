#!/usr/bin/env bash
# Measures the host backend on this machine and writes bench/results/host/<processor>-<threads>t-<day>.json:
#   bench/measure-host.sh [--threads N] [--seconds S] [--cases a,b]
# and, where OpenBLAS is installed, openblas-<processor>-2t-<day>.json beside it. Takes some minutes; leave the machine alone meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p bench/results/host
./i2m bench --device host --json bench/results/host "$@"
dotnet run -c Release --project bench/I2M.Bench -- openblas --json bench/results/host
