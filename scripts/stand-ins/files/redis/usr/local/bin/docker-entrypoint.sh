#!/bin/sh
# Runs the server as `redis`, open to other containers; any other command as it is.
set -e
case $1 in
    -* | *.conf) set -- redis-server "$@" ;;
esac
[ "$1" = redis-server ] || exec "$@"
case " $* " in
    *" --protected-mode "*) ;;
    *) set -- "$@" --protected-mode no ;;
esac
[ "$(id -u)" = 0 ] || exec "$@"
chown -R redis:redis .
# shellcheck disable=SC2016 # The inner shell expands it.
exec su -s /bin/sh -c 'exec "$@"' -- redis sh "$@"
