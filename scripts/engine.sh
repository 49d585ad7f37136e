#!/bin/sh
# Makes sure that a Docker engine answers.
# Answers for an engine on this machine, installing and starting one on Debian as root; not for what runs in it.
# An engine that answers already, here or behind DOCKER_HOST or a context, is left as it is.
#
#   scripts/engine.sh                 ENGINE_WAIT=60 seconds is how long a start may take
set -eu

wait=${ENGINE_WAIT:-60}
log=/var/log/rehearse-engine.log

say() { echo "engine: $*" >&2; }
fail() {
    say "$*"
    exit 1
}
# A client without an engine can hang on a dead DOCKER_HOST.
answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

if answers; then
    exit 0
fi

# Nothing this script could start would be the engine that was asked for.
if [ -n "${DOCKER_HOST:-}" ]; then
    fail "the engine at DOCKER_HOST \`$DOCKER_HOST\` does not answer; start it or unset DOCKER_HOST"
fi
if command -v docker >/dev/null; then
    context=$(docker context show 2>/dev/null || echo default)
    if [ "$context" != default ]; then
        fail "the engine of the Docker context \`$context\` does not answer; start it or run: docker context use default"
    fi
fi
if [ ! -r /etc/debian_version ] || ! command -v apt-get >/dev/null; then
    fail "no Docker engine answers; install and start one (https://docs.docker.com/engine/install/)"
fi
if [ "$(id -u)" != 0 ]; then
    if [ -S /var/run/docker.sock ]; then
        fail "an engine is there, but not for \`$(id -un)\`; join the group: sudo adduser $(id -un) docker"
    fi
    fail "no Docker engine answers; run as root: $0"
fi

# The client is a package of its own from trixie on; a recommendation only, so it is named.
packages=
if ! command -v dockerd >/dev/null; then
    packages="docker.io ca-certificates iptables"
fi
if ! command -v docker >/dev/null; then
    if [ -z "$(apt-cache search --names-only '^docker\.io$')" ]; then
        say "fetching the package lists"
        apt-get -qq update || fail "\`apt-get update\` failed"
    fi
    if [ -n "$(apt-cache search --names-only '^docker-cli$')" ]; then
        packages="$packages docker-cli"
    else
        packages="$packages docker.io"
    fi
fi
if [ -n "$packages" ]; then
    say "installing from Debian: $packages"
    # Without systemd the package would start the engine through its init script, whose failure in a container
    # fails the installation too: the policy says no for so long.
    policy=/usr/sbin/policy-rc.d
    if [ ! -d /run/systemd/system ] && [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
        trap 'exit 1' HUP INT TERM
    fi
    install() {
        # shellcheck disable=SC2086 # A list of words.
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $packages >"$log" 2>&1
    }
    install || { apt-get -qq update && install; } || fail "the installation failed; see \`$log\`"
fi

if answers; then
    exit 0
fi
if [ -d /run/systemd/system ]; then
    say "starting docker.service"
    systemctl start docker.service || fail "docker.service does not start; see: journalctl -u docker.service"
    log="journalctl -u docker.service"
elif pidof dockerd >/dev/null; then
    # Started by somebody else a moment ago, or stuck: a second one would only trip over its lock.
    say "waiting for the dockerd that runs already"
else
    say "starting dockerd in the background, its log in $log"
    # dockerd brings its own containerd; a session of its own lets both outlive this script and its terminal.
    setsid nohup dockerd >>"$log" 2>&1 </dev/null &
fi

deadline=$(($(date +%s) + wait))
until answers; do
    if [ "$(date +%s)" -ge "$deadline" ]; then
        [ ! -r "$log" ] || tail -n 5 "$log" >&2
        fail "no answer after $wait seconds; see \`$log\`"
    fi
    sleep 0.5
done
say "ready: Docker $(docker version --format '{{.Server.Version}}')"
