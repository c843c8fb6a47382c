#!/usr/bin/env bash
# Everything there is to check, one phase after another, with one summary at the end. A failed phase does not hide the next ones.
# System packages install in the background while lint and build run, which need none of them.
set -uo pipefail

names=() results=() times=()
overall=0
mkdir -p test-results

run() { # name command...
  local name=$1 started=$SECONDS result=passed
  shift
  printf '\n=== %s ===\n' "$name"
  "$@" || { result=FAILED; overall=1; }
  names+=("$name") results+=("$result") times+=("$((SECONDS - started))")
}
skip() {
  names+=("$1") results+=("FAILED (not run: $2)") times+=(0)
  overall=1
}
await_packages() {
  wait "$packages"
  local status=$?
  cat test-results/system-packages.txt
  return $status
}

"$(dirname "$0")/system-packages.sh" >test-results/system-packages.txt 2>&1 &
packages=$!
trap 'kill "$packages" 2>/dev/null' EXIT

began=$SECONDS
run lint make --no-print-directory lint
run build make --no-print-directory build
built=${results[1]}
run 'unit tests' make --no-print-directory test-unit
run 'system packages' await_packages
if [ "${results[3]}" = passed ]; then
  run 'integration tests' make --no-print-directory test-int
  if [ "$built" = passed ]; then run 'end-to-end tests' make --no-print-directory test-e2e; else skip 'end-to-end tests' 'nothing was built'; fi
else
  skip 'integration tests' 'system packages are missing'
  skip 'end-to-end tests' 'system packages are missing'
fi

printf '\n=== summary ===\n'
for i in "${!names[@]}"; do printf '%-20s %5d s  %s\n' "${names[$i]}" "${times[$i]}" "${results[$i]}"; done
printf '%-20s %5d s  %s\n' everything "$((SECONDS - began))" "$([ $overall -eq 0 ] && echo passed || echo FAILED)"
exit $overall
