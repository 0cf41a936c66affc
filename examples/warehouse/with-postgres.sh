#!/usr/bin/env bash
# Runs a command with CUSTVAL_POSTGRES naming a PostgreSQL server that lives as long as the command:
#
#	examples/warehouse/with-postgres.sh go test ./examples/warehouse
#
# Where there is no server program it installs Debian's, as root. The server has a directory of its own, listens on a socket
# in it and on no port, and syncs nothing to disk.
set -euo pipefail

find_server() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

bin=$(find_server || true)
if [ -z "$bin" ]; then
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
	bin=$(find_server)
fi

home=$(mktemp -d /tmp/custval-postgres-XXXXXX)
as=()
if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
	chown postgres "$home"
	as=(setpriv --reuid postgres --regid postgres --init-groups)
fi
stop() {
	"${as[@]}" "$bin/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null 2>&1 || true
	rm -rf "$home"
}
trap stop EXIT

cd "$home"
"${as[@]}" "$bin/initdb" -D "$home/data" -U custval -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$home/initdb.log" 2>&1 ||
	{ cat "$home/initdb.log" >&2; exit 1; }
"${as[@]}" "$bin/pg_ctl" -D "$home/data" -w -l "$home/server.log" \
	-o "-c listen_addresses= -c unix_socket_directories=$home -c fsync=off" start >/dev/null ||
	{ cat "$home/server.log" >&2; exit 1; }
cd "$OLDPWD"
CUSTVAL_POSTGRES="postgres://custval@/postgres?host=$home" "$@"
