#!/bin/sh
# Makes the database on the first start, then runs the server as `postgres`; any other command as it is.
set -e
case ${1:--} in
    -*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /run/postgresql
    chown -R postgres:postgres "$PGDATA" /run/postgresql
    chmod 700 "$PGDATA"
    # shellcheck disable=SC2016 # The inner shell expands it.
    exec su -s /bin/sh -c 'exec "$@"' -- postgres sh "$0" "$@"
fi

secret() { # The value of $1, or what the file named by $1_FILE holds.
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    # shellcheck disable=SC2154 # Set by eval.
    if [ -n "$file" ]; then cat "$file"; else printf %s "$value"; fi
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=$(secret POSTGRES_USER) password=$(secret POSTGRES_PASSWORD) database=$(secret POSTGRES_DB)
    user=${user:-postgres}
    database=${database:-$user}
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$password" ] && [ "$method" != trust ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        echo "       Set POSTGRES_PASSWORD, as in: docker run -e POSTGRES_PASSWORD=secret postgres" >&2
        exit 1
    fi
    printf '%s\n' "$password" >/tmp/password
    # shellcheck disable=SC2086 # POSTGRES_INITDB_ARGS is a list of words.
    if [ -n "$password" ]; then
        initdb -U "$user" --pwfile=/tmp/password -E UTF8 --locale=C --auth-local=trust ${POSTGRES_INITDB_ARGS:-}
    else
        initdb -U "$user" -E UTF8 --locale=C --auth-local=trust ${POSTGRES_INITDB_ARGS:-}
    fi
    rm /tmp/password
    echo "host all all all $method" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"

    pg_ctl -w -o "-c listen_addresses=''" start
    [ "$database" = postgres ] || createdb -U "$user" "$database"
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) echo "$0: running $file"; sh "$file" ;;
            *.sql) echo "$0: running $file"; psql -v ON_ERROR_STOP=1 -U "$user" -d "$database" -f "$file" ;;
            *.sql.gz) echo "$0: running $file"; zcat "$file" | psql -v ON_ERROR_STOP=1 -U "$user" -d "$database" ;;
        esac
    done
    pg_ctl -m fast -w stop
    echo
    echo "PostgreSQL init process complete; ready for start up."
    echo
fi
exec "$@"
