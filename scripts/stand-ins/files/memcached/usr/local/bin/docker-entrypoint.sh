#!/bin/sh
# Options go to memcached.
set -e
case ${1:--} in
    -*) set -- memcached "$@" ;;
esac
exec "$@"
