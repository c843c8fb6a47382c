#!/usr/bin/env bash
# Fetches an Apache Kafka broker from Maven Central into the user's cache and prints the folder on standard output:
#
#   *.jar         the broker and what it needs at run time
#   classes.jsa   its classes as the JVM loads them, which halves the time a start takes; may be missing
#
# Java 17 or newer and Maven must be there. What is in the cache already is only named.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
say() { echo "kafka: $*" >&2; }
die() { say "$*"; exit 1; }
trap 'say "failed in line $LINENO"' ERR

VERSION=$(sed -n '/<artifactId>kafka_2.13</{n;s/.*<version>\(.*\)<.*/\1/p;}' "$HERE/kafka-pom.xml")
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/oblivious
FOLDER=$CACHE/kafka-$VERSION
# Replaced as a whole, so what is there is complete.
if [ -e "$FOLDER/kafka_2.13-$VERSION.jar" ]; then echo "$FOLDER"; exit 0; fi

for tool in java mvn; do
  command -v "$tool" >/dev/null || die "$tool is missing (Debian, Ubuntu: apt-get install default-jre-headless maven)."
done
MAJOR=$(java -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p')
[ "${MAJOR:-0}" -ge 17 ] || die "Java 17 or newer is needed; this is ${MAJOR:-unknown}."

mkdir -p "$CACHE"
exec 9>"$CACHE/kafka.lock"
if command -v flock >/dev/null; then flock 9; fi
if [ -e "$FOLDER/kafka_2.13-$VERSION.jar" ]; then echo "$FOLDER"; exit 0; fi

STARTED=$SECONDS
say "fetching Apache Kafka $VERSION from Maven Central"
PART=$FOLDER.part
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
rm -rf "$PART"
mvn -B -q -f "$HERE/kafka-pom.xml" dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$PART" >"$WORK/mvn.log" 2>&1 9>&- ||
  { tail -n 40 "$WORK/mvn.log" >&2; die 'Maven could not fetch it.'; }
rm -rf "$FOLDER"
mv "$PART" "$FOLDER"

free_port() { # below the range that kernels hand out to outgoing connections
  local port
  while port=$((18000 + RANDOM % 14000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}
# One start and stop of a broker with nothing in it, to learn its classes. Without them a start merely takes longer.
learn_classes() {
  local port control pid class_path tries
  port=$(free_port) control=$(free_port)
  class_path=$(printf '%s:' "$FOLDER"/*.jar)
  printf '%s\n' process.roles=broker,controller node.id=1 "controller.quorum.voters=1@127.0.0.1:$control" controller.listener.names=CONTROLLER \
    "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$control" "log.dirs=$WORK/data" >"$WORK/server.properties"
  java -cp "$class_path" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$WORK/server.properties" >"$WORK/format.log" 2>&1 9>&- || return 1
  java -XX:+UseSerialGC "-XX:ArchiveClassesAtExit=$WORK/classes.jsa" -Xmx256m -cp "$class_path" kafka.Kafka "$WORK/server.properties" >"$WORK/server.log" 2>&1 9>&- &
  pid=$!
  for ((tries = 0; tries < 600; tries++)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  sleep 1
  kill "$pid"
  wait "$pid" || true
  mv "$WORK/classes.jsa" "$FOLDER/classes.jsa"
}
learn_classes || say 'its classes could not be archived; starts will take longer.'
say "took $((SECONDS - STARTED)) s"
echo "$FOLDER"
