#!/usr/bin/env bash
# Installs what the tests need where it is missing: an OpenCL driver for processors (PoCL) and its loader, espeak-ng, libsndfile.
set -euo pipefail

missing=() libraries="$(ldconfig -p)"
[[ "$libraries" == *libOpenCL.so.1* ]] || missing+=(ocl-icd-libopencl1)
compgen -G '/etc/OpenCL/vendors/*.icd' >/dev/null || missing+=(pocl-opencl-icd)
command -v espeak-ng >/dev/null || missing+=(espeak-ng)
[[ "$libraries" == *libsndfile.so.1* ]] || missing+=(libsndfile1)
[ "${#missing[@]}" -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "install-test-needs.sh: please install: ${missing[*]}" >&2
    exit 1
fi
echo "installing ${missing[*]}"
apt-get update -qq -o DPkg::Lock::Timeout=120 >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends "${missing[@]}" >/dev/null
