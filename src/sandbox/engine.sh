#!/bin/sh
# Starts the rootless engine of the sandbox; runs as its ordinary user and stays in the foreground.
# containerd goes first: dockerd that starts its own loses a second in a poll.
#
#   engine.sh [STORE]      STORE: `containerd` or `graph-driver` for the image store; without it the engine decides
set -eu
run=/run/user/1000
data=$HOME/.local/share/docker

if [ "${1-}" != inside ]; then
    exec rootlesskit --net=slirp4netns --mtu=65520 --disable-host-loopback --port-driver=builtin \
        --copy-up=/etc --copy-up=/run --propagation=rslave "$0" inside "$@"
fi

# As dockerd-rootless.sh has it: these belong to the copied-up /run, not to the one outside.
rm -f /run/docker /run/containerd /run/xtables.lock
containerd --log-level warn --root "$data/containerd" --state "$run/containerd" \
    --address "$run/containerd/containerd.sock" --config /dev/null &
while [ ! -S "$run/containerd/containerd.sock" ]; do sleep 0.01; done
# In a file, because the engine has an option for it only since its version 28.
case ${2-} in
    containerd) settings='{"features": {"containerd-snapshotter": true}}' ;;
    graph-driver) settings='{"features": {"containerd-snapshotter": false}}' ;;
    *) settings='{}' ;;
esac
echo "$settings" >"$run/daemon.json"
/usr/lib/rehearse/mesh.sh "$run/docker.sock" "$data/swarm/docker-state.json" &
# Until its version 27 the engine publishes ports by a program of rootlesskit's, and from 28 on by itself.
read -r major </usr/lib/rehearse/engine-version
if [ "$major" -lt 28 ]; then
    set -- --userland-proxy-path /usr/bin/rootlesskit-docker-proxy
else
    set --
fi
exec dockerd --log-level warn --config-file "$run/daemon.json" --containerd "$run/containerd/containerd.sock" --data-root "$data" \
    --exec-root "$run/docker" --pidfile "$run/docker.pid" --host "unix://$run/docker.sock" "$@"
