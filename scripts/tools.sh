#!/bin/sh
# Makes sure that the programs are there that only tests need: mdBook in target/tools, and Chromium.
# Answers for the version of mdBook; any Chromium will do.
#
#   scripts/tools.sh
set -eu
cd "$(dirname "$0")/.."

mdbook=0.5.4

say() { echo "tools: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

if [ "$(target/tools/bin/mdbook --version 2>/dev/null)" != "mdbook v$mdbook" ]; then
    say "installing mdBook $mdbook into target/tools (some minutes, once)"
    cargo install mdbook --version "$mdbook" --locked --force --quiet --root target/tools ||
        fail "mdBook $mdbook cannot be installed"
fi

if ! command -v chromium >/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "no \`chromium\` here; on Debian, install: chromium"
    fi
    say "installing from Debian: chromium"
    install() { DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null; }
    # Old lists may do.
    install 2>/dev/null || { apt-get -qq update && install; } || fail "\`chromium\` cannot be installed"
fi
