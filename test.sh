#!/usr/bin/env bash
# Installs what the tests need (an OpenCL driver for processors, espeak-ng, libsndfile), builds, runs every test. Last line: N passed, N failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1

eng/install-test-needs.sh
dotnet build I2M.sln -c Release -v quiet -nologo

# Each test project is a program of its own; one after the other, since the backends use all cores. Every figure that a test prints is in
# artifacts/test-logs/; those against PyTorch and of training are shown here.
mkdir -p artifacts/test-logs
passed=0 failed=0 skipped=0
for project in Kernels PtxEmulator Autograd Model Cli; do
    program="tests/I2M.$project.Tests/bin/Release/net10.0/I2M.$project.Tests"
    log="artifacts/test-logs/$project.log"
    echo "== I2M.$project.Tests"
    status=0
    timeout 1800 "$program" -noLogo -noColor -showLiveOutput "$@" >"$log" 2>&1 || status=$?
    sed -nE '/ Oracle_/d; s/^ +I2M\.[A-Za-z.]*(Reference|Training|Diffusion|Vocos)[A-Za-z.]*.*\[OUTPUT\] /  /p' "$log"
    grep -A 12 '\[FAIL\]' "$log" || true
    summary="$(grep -E '^ *I2M\.[A-Za-z.]+ +Total: ' "$log" | tail -n 1 || true)"
    value() { sed -nE "s/.*$1: ([0-9]+).*/\1/p" <<<"$summary"; }
    total="$(value Total)" bad="$(value Failed)" errors="$(value Errors)" skip="$(value Skipped)" notrun="$(value 'Not Run')"
    if [ -z "$total" ] || { [ "$status" != 0 ] && [ "${bad:-0}" = 0 ] && [ "${errors:-0}" = 0 ]; }; then
        echo "I2M.$project.Tests ended with status $status and no complete summary"
        failed=$((failed + 1))
    fi
    failed=$((failed + ${bad:-0} + ${errors:-0}))
    skipped=$((skipped + ${skip:-0} + ${notrun:-0}))
    passed=$((passed + ${total:-0} - ${bad:-0} - ${skip:-0} - ${notrun:-0}))
done

echo "$skipped skipped (each names the device or file that this machine lacks)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
