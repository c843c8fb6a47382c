#!/usr/bin/env bash
# Everything there is to check, one phase after another, with one summary at the end. A failed phase does not hide the next ones.
# What each phase printed is kept in test-results/, and what failed is said once more before the summary, for readers of the end alone.
# System packages install in the background while lint and build run, which need none of them.
set -uo pipefail

names=() results=() times=()
overall=0
mkdir -p test-results

log_of() { printf 'test-results/%s.txt' "${1// /-}"; }
run() { # name command...
  local name=$1 log started=$SECONDS result=passed copying tries
  shift
  log=$(log_of "$name")
  printf '\n=== %s ===\n' "$name"
  # Not a pipe: the command must run in this shell, whose background job one of the phases waits for.
  exec 3> >(exec tee "$log")
  copying=$!
  "$@" >&3 2>&1 3>&- || { result=FAILED; overall=1; }
  exec 3>&-
  # The copy ends with its last writer. A process that a phase left behind must not hold up the next one.
  for ((tries = 0; tries < 50; tries++)); do kill -0 "$copying" 2>/dev/null && sleep 0.1 || break; done
  names+=("$name") results+=("$result") times+=("$((SECONDS - started))")
}
# The failing tests of each run of a test runner, or where none counted any, the last lines.
failures_of() { # log
  local places place
  places=$(grep -nE '^[^[:alnum:]]*(\[[0-9;]*m)?[[:space:]]*[0-9]+ failing' "$1" | cut -d : -f 1)
  if [ -z "$places" ]; then
    tail -n 60 "$1"
  else
    for place in $places; do tail -n "+$place" "$1" | head -n 100; done
  fi | cut -c 1-600
}
skip() {
  names+=("$1") results+=("FAILED (not run: $2)") times+=(0)
  overall=1
}
await_packages() {
  wait "$packages"
  local status=$?
  cat test-results/installation.txt
  return $status
}

"$(dirname "$0")/system-packages.sh" >test-results/installation.txt 2>&1 &
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

for i in "${!names[@]}"; do
  if [ "${results[$i]}" = FAILED ]; then
    printf '\n=== failures: %s ===\n' "${names[$i]}"
    failures_of "$(log_of "${names[$i]}")"
  fi
done

printf '\n=== summary ===\n'
for i in "${!names[@]}"; do printf '%-20s %5d s  %s\n' "${names[$i]}" "${times[$i]}" "${results[$i]}"; done
printf '%-20s %5d s  %s\n' everything "$((SECONDS - began))" "$([ $overall -eq 0 ] && echo passed || echo FAILED)"
exit $overall
