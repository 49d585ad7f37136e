#!/bin/bash
# The routing mesh of a swarm: a published port of a service leads to its tasks in turn. The engine's own ends inside the
# rootless engine's network, and needs a module that not every kernel has. Runs inside that network as long as the engine.
set -euo pipefail
engine=$1
state=$2
forwards=$ROOTLESSKIT_STATE_DIR/api.sock
address=$(ip -4 -o address show dev tap0 | sed 's/.* inet \([0-9.]*\).*/\1/')
label=com.docker.swarm.service.id

ask() { curl -sN --unix-socket "$engine" "http://docker$1"; }

# A line for each published port: protocol, port, port of the tasks, their addresses.
published() {
    {
        ask /services
        ask "/containers/json?filters=%7B%22label%22:%5B%22$label%22%5D%7D"
        ask /networks/docker_gwbridge
    } | jq -rs --arg label "$label" '. as [$services, $containers, $bridge]
        | ($services | arrays)[] | .ID as $id
        | [$containers[] | select(.Labels[$label] == $id) | $bridge.Containers[.Id].IPv4Address // empty
            | split("/")[0]] as $addresses
        | select($addresses != []) | .Endpoint.Ports[]? | select(.PublishMode == "ingress" and .Protocol != "sctp")
        | [.Protocol, .PublishedPort, .TargetPort, $addresses[]] | join(" ")'
}

rules() {
    echo '*nat'
    echo ':MESH - [0:0]'
    while read -r protocol port target addresses; do
        # shellcheck disable=SC2086 # A list.
        set -- $addresses
        while [ $# -gt 0 ]; do
            echo "-A MESH -p $protocol --dport $port -m statistic --mode nth --every $# --packet 0" \
                "-j DNAT --to-destination $1:$target"
            shift
        done
    done
    echo COMMIT
}

# Opens and closes ports on the outside; those of containers are not ours.
forward() {
    wanted=$(while read -r protocol port _; do echo "$port/$protocol"; done)
    open=$(rootlessctl --socket "$forwards" list-ports --json | jq -r --arg address "$address" '
        select(.spec.childIP == $address) | "\(.id) \(.spec.parentPort)/\(.spec.proto)"')
    echo "$open" | sed '/^$/d' | while read -r id port; do
        echo "$wanted" | grep -qx "$port" || rootlessctl --socket "$forwards" remove-ports "$id"
    done
    echo "$wanted" | sed '/^$/d' | while read -r port; do
        echo "$open" | grep -q " $port$" ||
            rootlessctl --socket "$forwards" add-ports "0.0.0.0:${port%/*}:$address:$port"
    done
}

serve() {
    iptables-restore --noflush <<END
*nat
:MESH - [0:0]
-A OUTPUT -d $address -j MESH
COMMIT
END
    filters="%7B%22type%22:%5B%22container%22%5D,%22event%22:%5B%22start%22,%22die%22%5D,%22label%22:%5B%22$label%22%5D%7D"
    ask "/events?since=$((EPOCHSECONDS - 5))&filters=$filters" | while read -r _; do
        # What fails now is tried again with the next event.
        lines=$(published | sort -u) || continue
        echo "$lines" | sed '/^$/d' | rules | iptables-restore --noflush || continue
        echo "$lines" | sed '/^$/d' | forward || continue
    done
}

# An engine that is told to end waits for those who listen to it, so nobody listens before there is a swarm. Nothing ever
# comes from this pipe: a pause without a process, for each process makes the agent look at the images.
exec {nothing}<> <(:)
until [ -e "$state" ]; do
    read -rt 0.5 -u "$nothing" || true
done
serve
