#!/usr/bin/env bash
# What the tests need besides npm packages: a Chromium for the console's tests, a PostgreSQL server with pgvector, Redis, and a Kafka broker
# with the Java to run it. `system-packages.sh servers` leaves the browser out.
# As root on Debian or Ubuntu, what is missing is installed; elsewhere this says what to install and fails.
set -euo pipefail

say() { echo "system packages: $*"; }
HERE=$(dirname "$0")

has_chromium() {
  [ -n "${CHROMIUM_PATH:-}" ] && [ -x "$CHROMIUM_PATH" ] && return
  command -v chromium || command -v chromium-browser || command -v google-chrome || command -v google-chrome-stable ||
    [ -x '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' ] || [ -x /Applications/Chromium.app/Contents/MacOS/Chromium ]
}
has_postgres() {
  command -v initdb || command -v /usr/local/pgsql/bin/initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' ||
    { command -v pg_config && [ -x "$(pg_config --bindir)/initdb" ]; }
}
has_java() {
  local major
  major=$(java -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p') && [ "${major:-0}" -ge 17 ]
}
# A Kafka given by its addresses needs neither Java nor Maven here.
own_kafka=$([ -n "${TEST_KAFKA_BROKERS:-}" ] || echo yes)

missing=()
[ "${1:-}" = servers ] || has_chromium >/dev/null 2>&1 || missing+=(chromium fonts-liberation)
has_postgres >/dev/null 2>&1 || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
if [ -n "$own_kafka" ]; then
  has_java || missing+=(default-jre-headless)
  command -v mvn >/dev/null 2>&1 || missing+=(maven)
fi

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "missing: ${missing[*]}." >&2
    say "Debian, Ubuntu: sudo apt-get install ${missing[*]}; macOS: brew install chromium postgresql@15 redis openjdk maven." >&2
    say "A Chromium elsewhere can be named in CHROMIUM_PATH." >&2
    exit 1
  fi
  say "installing ${missing[*]} with apt-get"
  log=$(mktemp)
  # Tests start servers of their own; those of the distribution stay off, which would take the usual ports.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get -q -o Acquire::Retries=3 update && apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    say "apt-get could not install ${missing[*]}." >&2
    exit 1
  fi
  rm -f "$log"
fi

# A server given by URL, or Docker's, brings its own pgvector.
if [ -z "${TEST_DATABASE_URL:-}" ] && ! docker info >/dev/null 2>&1; then "$HERE/pgvector.sh"; fi
if [ -n "$own_kafka" ]; then "$HERE/kafka.sh" >/dev/null; fi
say "${1:-Chromium and servers} in place"
