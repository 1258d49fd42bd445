#!/usr/bin/env bash
# Unpacks ptxas, cuobjdump and nvdisasm from the distribution's own nvidia-cuda-toolkit package into artifacts/ptxas, without installing
# anything and without touching the system's package lists. The mirrors are those of the machine's own sources; only the component differs.
# Prints the folder with the programs. A failure is an error where CI=true and a message with status 0 elsewhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package=nvidia-cuda-toolkit
target="$PWD/artifacts/ptxas"
programs=(ptxas cuobjdump nvdisasm)

give_up() {
    echo "install-ptxas: $1" >&2
    if [ -n "${onpath:-}" ]; then dirname "$onpath"; exit 0; fi
    [ "${CI:-}" = true ] && exit 1
    echo "install-ptxas: skipped; ptx-report then checks nothing that needs an assembler" >&2
    exit 0
}

if [ -x "$target/ptxas" ]; then echo "$target"; exit 0; fi
# One on PATH serves if it is the version that the budgets were made with.
wanted="$(sed -n 's/.*"assembler": "\([0-9.]*\)".*/\1/p' eng/ptx-report/budgets.json)"
onpath="$(command -v ptxas || true)"
if [ -n "$onpath" ] && "$onpath" --version | grep -q "V$wanted\$"; then dirname "$onpath"; exit 0; fi
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || give_up "no apt-get here; put ptxas on PATH"

# shellcheck source=/dev/null
component="$(. /etc/os-release && if [ "${ID:-}" = ubuntu ]; then echo multiverse; else echo non-free; fi)"
# shellcheck source=/dev/null
suites="^($(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")|stable|testing|unstable|sid)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial"

# The distribution's own archives among the machine's sources, with that component instead of "main": one-line files and deb822 files.
sources="$work/toolkit.sources"
shopt -s nullglob
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    case "$file" in
        *.sources)
            awk -v component="$component" -v suites="$suites" 'BEGIN { RS = ""; FS = "\n" }
                /(^|\n)Components:[^\n]*main/ && !/(^|\n)Enabled: *no/ {
                    for (i = 1; i <= NF; i++) if ($i ~ /^Suites:/) { split($i, words, / +/); if (words[2] !~ suites) next }
                    for (i = 1; i <= NF; i++) if ($i !~ /^#/) print ($i ~ /^Components:/ ? "Components: " component : $i)
                    print ""
                }' "$file" >>"$sources" ;;
        *)
            awk -v component="$component" -v suites="$suites" '$1 == "deb" {
                    options = ""; i = 2
                    if ($2 ~ /^\[/) { for (; i <= NF; i++) { options = options " " $i; if ($i ~ /\]$/) { i++; break } } }
                    if ($0 !~ / main/ || $(i + 1) !~ suites) next
                    print "Types: deb\nURIs: " $i "\nSuites: " $(i + 1) "\nComponents: " component
                    if (match(options, /signed-by=[^] ]+/)) print "Signed-By: " substr(options, RSTART + 10, RLENGTH - 10)
                    print ""
                }' "$file" >>"$sources" ;;
    esac
done
[ -s "$sources" ] || give_up "no package source with the component main found in /etc/apt"

apt=(apt-get -qq -o Dir::Etc::sourcelist="$sources" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$work/lists"
    -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives" -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::http::Timeout=30)
"${apt[@]}" update >"$work/log" 2>&1 || true
(cd "$work" && "${apt[@]}" download "$package" >>"$work/log" 2>&1) || give_up "cannot download $package ($component): $(grep -m 1 '^[EW]:' "$work/log" || true)"
dpkg-deb --fsys-tarfile "$work/$package"_*.deb | tar -x -C "$work" --wildcards "${programs[@]/#/*/bin/}" 2>>"$work/log" || true

mkdir -p "$work/bin" "$work/usr"
for program in "${programs[@]}"; do
    found="$(find "$work/usr" -type f -name "$program" -perm -u+x -print -quit)"
    if [ -n "$found" ]; then cp "$found" "$work/bin/"; fi
done
[ -x "$work/bin/ptxas" ] || give_up "no ptxas in $package"
mkdir -p "$(dirname "$target")"
rm -rf "$target"
mv "$work/bin" "$target"
echo "$target"
