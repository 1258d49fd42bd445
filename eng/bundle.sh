#!/usr/bin/env bash
# Builds artifacts/i2m-linux-x64.tar.xz: the program with its benches, and its tests, for a machine without .NET:
#   eng/bundle.sh [--no-build]     --no-build takes what a Release build of I2M.sln left
# The .NET runtime lies in it once, taken from the SDK that builds; all programs share one folder, so every file is there once. The same commit and SDK give
# the same archive: files are sorted, dated by the commit and owned by nobody in particular.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 LC_ALL=C
fail() { echo "bundle.sh: $*" >&2; exit 1; }

name=i2m-linux-x64 build=yes most=$((60 * 1000 * 1000))
case "${1:-}" in --no-build) build=no ;; "") ;; *) fail "$1: unknown argument, expected --no-build" ;; esac
[ "$(uname -sm)" = "Linux x86_64" ] || fail "builds on Linux x86-64 alone: this is $(uname -sm)"

# The newest runtime that the programs would take here. Those that Linux distributions build themselves need that distribution's libraries.
read -r version shared < <(dotnet --list-runtimes | sed -nE 's/^Microsoft\.NETCore\.App (10\.0\.[0-9]+) \[(.*)\]$/\1 \2/p' | sort -V | tail -n 1) || fail "no .NET 10 runtime found"
installed="$(dirname "$(dirname "$shared")")"
grep -q '"name": ".NETCoreApp,Version=v10.0/linux-x64"' "$shared/$version/Microsoft.NETCore.App.deps.json" \
    || fail "$shared/$version: built for this distribution alone; use the portable SDK of https://dot.net"

[ "$build" = no ] || dotnet build I2M.sln -c Release -v quiet -nologo
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
dotnet msbuild eng/bundle/programs.proj -nologo -v:quiet -m -nodeReuse:false "-p:Out=$work/published"

# One folder for all programs. A program that another one references is taken from its own publication; any other file must be the same wherever it occurs.
root="$work/$name"
mkdir -p "$root/programs" "$root/dotnet/host/fxr" "$root/dotnet/shared/Microsoft.NETCore.App"
find "$work/published" \( -name '*.pdb' -o -name '*.xml' -o -name createdump \) -delete
mapfile -t foreign < <(find "$work/published" -type d -path '*/runtimes/*' -prune -not -name linux-x64 -not -name linux -not -name unix)
rm -rf "${foreign[@]}"
rm -f "$work"/published/*.Tests/{i2m,ptx-report,kernel-generator,I2M.PtxEmulator}
for program in "$work"/published/*/; do
    while read -r file; do
        if [ -e "$root/programs/$file" ]; then
            cmp -s "$program$file" "$root/programs/$file" || fail "$file: $(basename "$program") needs another one than the programs before it"
        else
            install -D -p "$program$file" "$root/programs/$file"
        fi
    done < <(cd "$program" && find . -type f -printf '%P\n')
done

cp -r "$shared/$version" "$root/dotnet/shared/Microsoft.NETCore.App/"
cp -r "$installed/host/fxr/$version" "$root/dotnet/host/fxr/"
# What only debuggers, tracing and another garbage collector load.
rm -f "$root/dotnet/shared/Microsoft.NETCore.App/$version"/lib{mscordaccore,mscordbi,clrgc,clrgcexp,coreclrtraceptprovider}.so
for file in LICENSE.txt ThirdPartyNotices.txt; do [ ! -f "$installed/$file" ] || cp "$installed/$file" "$root/dotnet/"; done

# The tests read their reference numbers, and some check the sources. The voice lies in I2M.Model.dll already.
git ls-files -z --cached --others --exclude-standard -- I2M.sln 'Directory.*.props' global.json src tests bench eng docs ':!src/*.safetensors' | xargs -0 cp --parents -t "$root"
commit="$(git rev-parse --short HEAD)"
[ -z "$(git status --porcelain)" ] || commit="$commit-changed"
echo "$commit" >"$root/commit"
cp bench/measure-gpu.sh eng/bundle/run-gpu-checks.sh "$root/"
sed "s/@COMMIT@/$commit/; s/@RUNTIME@/$version/" eng/bundle/README.txt >"$root/README.txt"
for program in i2m "$root"/programs/I2M.*.Tests; do ln -s "programs/$(basename "$program")" "$root/$(basename "$program")"; done

mkdir -p artifacts
archive="artifacts/$name.tar.xz"
tar -C "$work" --sort=name --mtime="@$(git log -1 --format=%ct)" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' --format=gnu -cf - "$name" \
    | xz --x86 --lzma2=preset=6,dict=64MiB >"$archive.tmp"
mv "$archive.tmp" "$archive"
size="$(stat -c %s "$archive")"
echo "$archive: $((size / 1000000)) MB ($(du -sm "$root" | cut -f 1) MB unpacked), commit $commit, .NET $version"
[ "$size" -le "$most" ] || fail "$archive is larger than $((most / 1000000)) MB"
