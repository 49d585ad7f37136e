#!/bin/sh
# Makes sure that the engine has the image everything here is built on: debian:trixie-slim.
# Pulls it where a registry can be reached, else makes a minimal one from Debian packages under the same name.
# Answers for a file system that apt and dpkg work in; not for being the image Docker Hub has.
#
#   scripts/base-image.sh             PULL_WAIT=60 seconds is how long a pull may take, DEBIAN_MIRROR where
#                                     Debian comes from (else from mmdebstrap's own default)
set -eu

image=debian:trixie-slim
suite=trixie
# The day trixie came out, so that two runs date their files alike.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1754697600}
export SOURCE_DATE_EPOCH

say() { echo "base-image: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

if docker image inspect "$image" >/dev/null 2>&1; then
    exit 0
fi
timeout 10 docker version >/dev/null 2>&1 || fail "no Docker engine answers; start one: make engine"

if timeout "${PULL_WAIT:-60}" docker pull -q "$image" >/dev/null 2>&1; then
    say "pulled $image"
    exit 0
fi

if ! command -v mmdebstrap >/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "$image can be neither pulled nor made; on Debian, install: mmdebstrap"
    fi
    say "installing from Debian: mmdebstrap"
    apt-get -qq update || true # Old lists may do.
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends mmdebstrap >/dev/null ||
        fail "mmdebstrap cannot be installed"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

say "no registry has $image for us; making it from Debian packages"
# What the slim image leaves out as well, now and for packages that are installed later.
cat >"$work/slim" <<'EOS'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
EOS
# A file and its exit code, not a pipe: a broken archive must not become an image.
# shellcheck disable=SC2016 # mmdebstrap's shell expands the hooks.
mmdebstrap --quiet --variant=minbase \
    --dpkgopt="$work/slim" \
    --customize-hook='printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d" && chmod +x "$1/usr/sbin/policy-rc.d"' \
    --customize-hook='rm -rf "$1"/var/cache/ldconfig/* "$1/etc/hostname" "$1/etc/resolv.conf"; find "$1/var/log" -type f -delete' \
    --customize-hook='printf "127.0.0.1 localhost\n" >"$1/etc/hosts"' \
    "$suite" "$work/root.tar" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$work/log" 2>&1 || {
    tail -n 5 "$work/log" >&2
    fail "mmdebstrap failed"
}
docker import \
    --change 'CMD ["bash"]' \
    --change 'LABEL org.opencontainers.image.description="Made by scripts/base-image.sh from Debian packages"' \
    "$work/root.tar" "$image" >/dev/null || fail "the engine did not take the image"
say "made $image"
