#!/usr/bin/env bash
# Runs commands side by side: most tests wait for servers and disks. The first one's output is seen as it comes, the others' behind it,
# each whole. Fails if any of them does.
set -uo pipefail

folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$folder"' EXIT

first=$1
shift
for lane in "$@"; do
  bash -c "$lane" >"$folder/${#pids[@]}" 2>&1 &
  pids+=("$!")
done
bash -c "$first"
result=$?
for i in "${!pids[@]}"; do
  wait "${pids[$i]}" || result=1
  cat "$folder/$i"
done
pids=()
exit "$result"
