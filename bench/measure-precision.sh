#!/usr/bin/env bash
# Does training in another precision follow float32? Draws quickstart's data, trains the preset nano on it with the same seeds in float32 and in the
# others, and compares the mean loss of the last 50 steps:
#   bench/measure-precision.sh [--steps 500] [--device host] [--keep folder]
# Fails where one is off by more than 2 %. Runs part ways over 500 steps: another order of summation in float32 alone (DOTNET_EnableAVX512=0) moves that
# mean by about 1 %. Some minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
steps=500 device=auto folder=
while [ $# -gt 0 ]; do
  case $1 in
    --steps) steps=$2 ;;
    --device) device=$2 ;;
    --keep) folder=$2 ;;
    *) echo "measure-precision: $1: expected --steps, --device or --keep" >&2; exit 2 ;;
  esac
  shift 2
done
if [ -z "$folder" ]; then folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; fi
i2m=${I2M:-./i2m}
"$i2m" quickstart --out "$folder/drawn" --minutes 0.05 --device "$device" > /dev/null
for precision in f32 tf32 bf16; do
  "$i2m" train --data "$folder/drawn/data/pairs.json" --out "$folder/$precision" --preset nano --eval 0 --steps "$steps" --save-every 1000000 --precision $precision --device "$device"
done
mean() { tail -n 50 "$folder/$1/train.jsonl" | sed 's/.*"loss":\([^,]*\),.*/\1/' | awk '{ sum += $1 } END { printf "%.6f", sum / NR }'; }
reference=$(mean f32)
echo "f32: mean loss $reference over the last 50 of $steps steps"
status=0
for precision in tf32 bf16; do
  loss=$(mean $precision)
  awk -v name=$precision -v loss="$loss" -v reference="$reference" 'BEGIN {
    share = loss / reference - 1
    printf "%s: mean loss %s, %+.3f %% of f32\n", name, loss, 100 * share
    exit !(share < 0.02 && share > -0.02)
  }' || status=1
done
exit $status
