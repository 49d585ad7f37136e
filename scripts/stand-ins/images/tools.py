"""Images that are boxes of tools."""

from image import PATH, Image

IMAGES = {
    "netshoot": Image(
        of="nicolaka/netshoot", names=["docker.io/nicolaka/netshoot:latest"], base="alpine",
        packages="""bash bind9-dnsutils bind9-host curl ethtool iperf3 iproute2 iputils-ping iputils-tracepath jq less
                    mtr-tiny ncurses-base net-tools netcat-openbsd openssl procps socat tcpdump traceroute vim-tiny""".split(),
        links={"usr/bin/nc": "nc.openbsd", "usr/bin/traceroute": "traceroute.db", "usr/bin/vim": "vim.tiny"},
        config={"Env": [PATH], "Cmd": ["bash"]},
    ),
}
