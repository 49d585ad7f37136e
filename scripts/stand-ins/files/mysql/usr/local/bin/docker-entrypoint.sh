#!/bin/sh
# Makes the database on the first start, then runs the server as `mysql`; any other command as it is.
# Settings are variables MYSQL_… or MARIADB_….
set -e
case ${1:--} in
    -*) set -- mariadbd "$@" ;;
    mysqld) shift; set -- mariadbd "$@" ;;
esac
[ "$1" = mariadbd ] || exec "$@"

data=/var/lib/mysql
if [ "$(id -u)" = 0 ]; then
    mkdir -p $data /run/mysqld
    chown -R mysql:mysql $data /run/mysqld
    # shellcheck disable=SC2016 # The inner shell expands it.
    exec su -s /bin/sh -c 'exec "$@"' -- mysql sh "$0" "$@"
fi

# What only MySQL knows is no error for MariaDB.
for option; do
    shift
    case $option in
        --default-authentication-plugin* | --authentication-policy* | --mysql-native-password* | --mysqlx*)
            option=--loose-${option#--} ;;
    esac
    set -- "$@" "$option"
done

say() { echo "[Note] [Entrypoint]: $*"; }
setting() { # The value of MYSQL_$1 or MARIADB_$1, or what the file named by MYSQL_$1_FILE or MARIADB_$1_FILE holds.
    eval "value=\${MARIADB_$1:-\${MYSQL_$1:-}} file=\${MARIADB_$1_FILE:-\${MYSQL_$1_FILE:-}}"
    # shellcheck disable=SC2154 # Set by eval.
    if [ -n "$file" ]; then cat "$file"; else printf %s "$value"; fi
}
quoted() { printf %s "$1" | sed "s/[\\\\']/\\\\&/g; s/^/'/; s/\$/'/"; }

if [ ! -d $data/mysql ]; then
    password=$(setting ROOT_PASSWORD) database=$(setting DATABASE) user=$(setting USER)
    if [ -n "$(setting RANDOM_ROOT_PASSWORD)" ]; then
        password=$(tr -dc A-Za-z0-9 </dev/urandom | head -c 24)
        say "GENERATED ROOT PASSWORD: $password"
    elif [ -z "$password$(setting ALLOW_EMPTY_PASSWORD)$(setting ALLOW_EMPTY_ROOT_PASSWORD)" ]; then
        echo "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified" >&2
        echo "    You need to specify one of the following as an environment variable:" >&2
        echo "    - MYSQL_ROOT_PASSWORD" >&2
        echo "    - MYSQL_ALLOW_EMPTY_PASSWORD" >&2
        echo "    - MYSQL_RANDOM_ROOT_PASSWORD" >&2
        exit 1
    fi
    say "Initializing database files"
    mariadb-install-db --datadir=$data --skip-test-db --auth-root-authentication-method=normal --skip-name-resolve >/dev/null
    say "Starting temporary server"
    "$@" --skip-networking &
    server=$!
    tries=0
    until mariadb -uroot -e 'SELECT 1' >/dev/null 2>&1; do
        if [ $tries = 600 ] || ! kill -0 $server 2>/dev/null; then
            echo "[ERROR] [Entrypoint]: the temporary server does not answer" >&2
            exit 1
        fi
        tries=$((tries + 1))
        sleep 0.1
    done
    {
        echo "DELETE FROM global_priv WHERE Host NOT IN ('localhost', '%'); DELETE FROM proxies_priv WHERE Host <> 'localhost';"
        echo "FLUSH PRIVILEGES;"
        echo "CREATE USER root@'%' IDENTIFIED BY $(quoted "$password"); GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
        echo "GRANT PROXY ON ''@'%' TO root@'%' WITH GRANT OPTION;"
        if [ -n "$database" ]; then echo "CREATE DATABASE IF NOT EXISTS \`$database\`;"; fi
        if [ -n "$user" ]; then
            echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$(setting PASSWORD)");"
            if [ -n "$database" ]; then echo "GRANT ALL ON \`$database\`.* TO $(quoted "$user")@'%';"; fi
        fi
        echo "ALTER USER root@localhost IDENTIFIED BY $(quoted "$password");"
    } | mariadb -uroot mysql
    export MYSQL_PWD="$password"
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) say "running $file"; sh "$file" ;;
            *.sql) say "running $file"; mariadb -uroot ${database:+"$database"} <"$file" ;;
            *.sql.gz) say "running $file"; zcat "$file" | mariadb -uroot ${database:+"$database"} ;;
        esac
    done
    mariadb-admin -uroot shutdown
    wait $server
    unset MYSQL_PWD
    say "MySQL init process done. Ready for start up."
fi
exec "$@"
