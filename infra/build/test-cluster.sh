#!/usr/bin/env bash
# Starts services of its own on free ports, runs the suites that know how to use given ones against them, and takes them down again with
# their data, however it ends. What `make services-up` started is left alone. One summary at the end.
set -uo pipefail

export SERVICES_HOME=${PWD}/.services/test-cluster
export SERVICES_POSTGRES_PORT=0 SERVICES_REDIS_PORT=0 SERVICES_KAFKA_PORT=0 SERVICES_EVENTSTORE_PORT=0
BIN=node_modules/.bin
BOUND=()
if command -v timeout >/dev/null; then BOUND=(timeout --kill-after=10s "${PATIENCE:-20m}"); fi

taken_down= running=
take_down() {
  [ -z "$taken_down" ] || return
  taken_down=yes
  if [ -n "$running" ] && kill "$running" 2>/dev/null; then wait "$running"; fi
  printf '\n=== services down ===\n'
  "$BIN/tsx" test/support/services/main.ts down --wipe || { [ -z "${names+x}" ] || names+=('services down') results+=(FAILED) times+=(0); overall=1; }
}
trap take_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

printf '=== services up ===\n'
"$BIN/tsx" test/support/services/main.ts up || exit 1
. "$SERVICES_HOME/environment"
export TEST_DATABASE_URL=$DATABASE_URL TEST_REDIS_URL=$REDIS_URL TEST_KAFKA_BROKERS=$KAFKA_BROKERS EVENTSTORE_URL
unset DATABASE_URL REDIS_URL KAFKA_BROKERS

names=() results=() times=()
overall=0
suite() { # name file...
  local name=$1 started=$SECONDS result=passed
  shift
  printf '\n=== %s ===\n' "$name"
  # In the background, or a signal would wait for it.
  "${BOUND[@]}" "$BIN/mocha" --forbid-only --forbid-pending "$@" &
  running=$!
  wait "$running" || { result=FAILED; overall=1; }
  names+=("$name") results+=("$result") times+=("$((SECONDS - started))")
  running=
}

suite 'event log' test/infra/event-log/eventstore-log.int.test.ts test/infra/event-log/postgres-log.int.test.ts
suite 'redis' 'test/infra/redis/*.int.test.ts'
suite 'kafka' 'test/infra/kafka/*.int.test.ts'
suite 'projections' 'test/projections/**/*.int.test.ts'
suite 'ledger' test/ledger/exactly-ten.int.test.ts test/ledger/exactly-ten.e2e.test.ts

take_down
printf '\n=== summary ===\n'
for i in "${!names[@]}"; do printf '%-20s %5d s  %s\n' "${names[$i]}" "${times[$i]}" "${results[$i]}"; done
printf '%-20s %5d s  %s\n' everything "$SECONDS" "$([ $overall -eq 0 ] && echo passed || echo FAILED)"
exit $overall
