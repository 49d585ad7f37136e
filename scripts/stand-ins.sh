#!/bin/sh
# Makes stand-ins for the images that courses name, from Debian packages alone.
# Answers for the tools the build needs being there; `stand-ins/build.py` answers for the images.
#
#   scripts/stand-ins.sh [--refresh] [OUT_DIR]      (OUT_DIR: target/stand-ins)
set -eu

say() { echo "stand-ins: $*" >&2; }

missing=
for tool in python3 apt-get dpkg-deb gzip; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
case $missing in
    "") ;;
    " python3")
        if [ "$(id -u)" != 0 ]; then
            say "no \`python3\` here; install it: apt-get install python3"
            exit 1
        fi
        say "installing python3"
        apt-get -qq update
        apt-get -qq install -y --no-install-recommends python3 >/dev/null
        ;;
    *)
        say "no$missing here; stand-ins are made on Debian, or in a container of it"
        exit 1
        ;;
esac

PYTHONDONTWRITEBYTECODE=1 exec python3 "$(dirname "$0")/stand-ins/build.py" "$@"
