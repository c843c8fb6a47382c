#!/usr/bin/env bash
# Makes `CREATE EXTENSION vector` work on the PostgreSQL server of a Debian machine.
#
#   infra/build/pgvector.sh [folder of the server's binaries]
#
# Debian's stable release carries no recent pgvector, so its source package of a later release is fetched through apt (which checks the
# signatures) and compiled. The result is kept in the user's cache and only copied the next time.
# Nothing but the server headers is needed of postgresql-server-dev: they are unpacked beside the source unless installed.
set -euo pipefail

SUITE=trixie
say() { echo "pgvector: $*" >&2; }
die() { say "$*"; exit 1; }
trap 'say "failed in line $LINENO"' ERR

find_bin() {
  local bin
  for bin in /usr/lib/postgresql/*/bin; do [ -x "$bin/postgres" ] && echo "$bin"; done | sort -V | tail -n 1
}
BIN=${1:-$(find_bin)}
[ -n "$BIN" ] && [ -x "$BIN/postgres" ] || die "no PostgreSQL server found; install one (apt-get install postgresql) or name the folder of its binaries."
MAJOR=$("$BIN/postgres" --version | grep -oE '[0-9]+' | head -n 1)
if [ -x "$BIN/pg_config" ]; then
  EXTENSIONS=$("$BIN/pg_config" --sharedir)/extension
  LIBRARIES=$("$BIN/pg_config" --pkglibdir)
  HEADERS=$("$BIN/pg_config" --includedir-server)
else
  EXTENSIONS=/usr/share/postgresql/$MAJOR/extension
  LIBRARIES=/usr/lib/postgresql/$MAJOR/lib
  HEADERS=/usr/include/postgresql/$MAJOR/server
fi

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/oblivious
mkdir -p "$CACHE"
exec 9>"$CACHE/pgvector.lock"
command -v flock >/dev/null && flock 9

[ -e "$EXTENSIONS/vector.control" ] && [ -e "$LIBRARIES/vector.so" ] && exit 0
[ -w "$EXTENSIONS" ] && [ -w "$LIBRARIES" ] ||
  die "not installed, and $EXTENSIONS is not writable by $(id -un). As root, run: infra/build/pgvector.sh $BIN"

BUILT=$CACHE/pgvector-pg$MAJOR-$(uname -m)
install_built() {
  install -m 644 "$BUILT"/extension/* "$EXTENSIONS/"
  install -m 644 "$BUILT/vector.so" "$LIBRARIES/"
  say "installed for PostgreSQL $MAJOR from $BUILT."
}
if [ -e "$BUILT/vector.so" ]; then install_built; exit 0; fi

command -v apt-get >/dev/null || die "not installed. Install the pgvector extension for PostgreSQL $MAJOR with your system's packages."
STARTED=$SECONDS
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# An archive of the machine's own configuration that carries this release: the same host is asked for the later suite.
. /etc/os-release
ARCHIVE=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v release="${VERSION_CODENAME:-}" '$2 == release && $3 == "main" {print $1; exit}')
[ -n "$ARCHIVE" ] || die "apt knows no Debian archive of this release (${VERSION_CODENAME:-unknown}); install pgvector for PostgreSQL $MAJOR by hand."
for KEYS in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do [ -e "$KEYS" ] && break; done
mkdir -p "$WORK/lists/partial" "$WORK/cache/archives/partial"
printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$ARCHIVE" "$SUITE" "$KEYS" >"$WORK/$SUITE.sources"
later_apt() {
  apt-get -q -o "Dir::Etc::sourcelist=$WORK/$SUITE.sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$WORK/lists" \
    -o "Dir::Cache=$WORK/cache" -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"
}
own_apt() { apt-get -q -o Acquire::Retries=3 "$@"; }

cd "$WORK"
say "fetching its source from the machine's Debian archive, suite $SUITE"
{ later_apt update && later_apt source --download-only pgvector; } >apt.log 2>&1 || { cat apt.log >&2; die "its source could not be fetched."; }
mkdir source
tar -xf pgvector_*.orig.tar.* -C source --strip-components=1

refreshed=
with_lists() { # the machine's package lists may be missing or stale: refresh them once and try again
  "$@" >>apt.log 2>&1 && return
  [ -z "$refreshed" ] || return 1
  refreshed=1
  own_apt update >>apt.log 2>&1 && "$@" >>apt.log 2>&1
}
if [ ! -e "$HEADERS/postgres.h" ]; then
  say "fetching the headers of PostgreSQL $MAJOR"
  with_lists own_apt -o APT::Sandbox::User=root download "postgresql-server-dev-$MAJOR" || { cat apt.log >&2; die "postgresql-server-dev-$MAJOR could not be fetched."; }
  dpkg-deb -x postgresql-server-dev-"$MAJOR"_*.deb dev
  HEADERS=$WORK/dev/usr/include/postgresql/$MAJOR/server
fi
if ! command -v gcc >/dev/null || [ ! -e /usr/include/stdio.h ]; then
  say "installing a C compiler"
  with_lists own_apt install -y --no-install-recommends gcc libc6-dev || { cat apt.log >&2; die "a C compiler could not be installed."; }
fi

say "compiling $(sed -n "s/^default_version = '\(.*\)'/\1/p" source/vector.control)"
compile() {
  gcc -O2 -fPIC -fno-strict-aliasing -fwrapv -ftree-vectorize -fassociative-math -fno-signed-zeros -fno-trapping-math \
    -D_GNU_SOURCE -I"$HEADERS" -c "$1" -o "${1%.c}.o"
}
export -f compile
export HEADERS
printf '%s\0' source/src/*.c | xargs -0 -n 1 -P "$(nproc)" bash -c 'compile "$1"' compile >gcc.log 2>&1 || { cat gcc.log >&2; die "it did not compile."; }
gcc -shared -o vector.so source/src/*.o -lm
nm -D vector.so | grep Pg_magic_func >magic.log || die "the library it was linked to is no PostgreSQL module."

rm -rf "$BUILT.part"
mkdir -p "$BUILT.part/extension"
VERSION=$(sed -n "s/^default_version = '\(.*\)'/\1/p" source/vector.control)
cp source/vector.control source/sql/vector--*--*.sql "$BUILT.part/extension/"
cp source/sql/vector.sql "$BUILT.part/extension/vector--$VERSION.sql"
cp vector.so "$BUILT.part/"
rm -rf "$BUILT"
mv "$BUILT.part" "$BUILT"
install_built
say "took $((SECONDS - STARTED)) s"
