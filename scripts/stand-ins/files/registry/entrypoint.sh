#!/bin/sh
# A configuration file is served; a verb or an option goes to the registry.
set -e
case $1 in
    *.yml | *.yaml) set -- registry serve "$@" ;;
    serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
