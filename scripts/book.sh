#!/bin/sh
# Builds the guide in book/ with the tool that it is about.
# Answers for a book in any case: without an engine it is made from what is recorded.
#
#   scripts/book.sh
set -eu
cd "$(dirname "$0")/.."

say() { echo "book: $*" >&2; }

if scripts/engine.sh; then
    scripts/base-image.sh
    scripts/stand-ins.sh target/stand-ins
else
    say "no engine can be had here; going on from what is recorded"
fi
cargo build --quiet --locked --release
exec target/release/mdbook-rehearse build book
