"""Images that others build on."""

import dataclasses

from image import PATH, Image, hub
from trim import DROP_MANAGED

SHELL_DIRS = {
    "dev": (0o755, 0), "etc": (0o755, 0), "home": (0o755, 0), "media": (0o755, 0), "mnt": (0o755, 0),
    "opt": (0o755, 0), "proc": (0o555, 0), "root": (0o700, 0), "run": (0o755, 0), "srv": (0o755, 0),
    "sys": (0o555, 0), "tmp": (0o1777, 0), "usr/lib": (0o755, 0), "usr/local/bin": (0o755, 0),
    "usr/sbin": (0o755, 0), "var/lib": (0o755, 0), "var/log": (0o755, 0), "var/tmp": (0o1777, 0),
}
SHELL_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "var/run": "../run"}
# What Python modules pip in an image can install without an index, and what a repository in an image offers to apt.
MODULES = """
    python3-blinker python3-certifi python3-chardet python3-charset-normalizer python3-click python3-flask python3-gunicorn
    python3-idna python3-itsdangerous python3-jinja2 python3-markupsafe python3-packaging python3-redis python3-requests
    python3-urllib3 python3-werkzeug
""".split()
OFFERED = """
    apache2 apt-utils bind9-dnsutils ca-certificates cowsay curl figlet fortune-mod fortunes-min htop iproute2 iputils-ping jq
    less lsb-release nano net-tools netcat-openbsd nginx procps python-is-python3 python3 python3-flask python3-pip redis
    sl stress sudo tcpdump telnet traceroute tree tzdata unzip vim-tiny wget
""".split()
NAMES_OF_OLD = {
    "dnsutils": ("bind9-dnsutils", {}),
    "netcat": ("netcat-openbsd", {}),
    "nginx-light": ("nginx", {}),
    "python": ("python-is-python3", {}),
    "python-pip": ("python3-pip", {}),
    "vim": ("vim-tiny", {"usr/bin/vim": "vim.tiny"}),
}
DEBIAN_ROOT = Image(
    of="Debian", managed=True, without=[], drop=DROP_MANAGED, packages="""
        base-files adduser apt base-passwd bash bsdutils coreutils dash debconf debianutils diffutils dpkg findutils grep gzip
        hostname init-system-helpers libc-bin libpam-modules libpam-runtime login.defs mawk ncurses-base ncurses-bin passwd
        perl-base sed sysvinit-utils tar util-linux
    """.split(),
    dirs={"dev": (0o755, 0), "var/cache/apt/archives/partial": (0o700, 42), "var/cache/debconf": (0o755, 0),
          "var/lib/apt/lists/partial": (0o700, 42), "var/lib/dpkg/updates": (0o755, 0), "var/lib/dpkg/triggers": (0o755, 0)},
    links={"usr/bin/awk": "/etc/alternatives/awk", "etc/alternatives/awk": "/usr/bin/mawk",
           "usr/bin/pager": "/etc/alternatives/pager", "etc/alternatives/pager": "/usr/bin/more",
           "usr/bin/which": "/etc/alternatives/which", "etc/alternatives/which": "/usr/bin/which.debianutils"},
)
BASH = {"Env": [PATH], "Cmd": ["bash"]}
IMAGES = {
    "alpine": Image(
        of="Alpine Linux", names=["docker.io/library/alpine:latest"],
        packages=["busybox-static"], dirs=SHELL_DIRS, links=SHELL_LINKS,
        config={"Env": [PATH], "Cmd": ["/bin/sh"]},
    ),
    "busybox": Image(
        of="BusyBox", names=["docker.io/library/busybox:latest"],
        packages=["busybox-static"], dirs=SHELL_DIRS, links=SHELL_LINKS,
        config={"Env": [PATH], "Cmd": ["sh"]},
    ),
    "hello-world": Image(
        of="hello-world", names=["docker.io/library/hello-world:latest"],
        packages=["busybox-static"], config={"Env": [PATH], "Cmd": ["/hello"]},
    ),
    "debian-root": DEBIAN_ROOT,
    "debian": Image(
        of="Debian, with a few packages to install without the internet", base="debian-root", config=BASH,
        names=hub("debian", "latest", "stable", "slim", "stable-slim", "trixie", "trixie-slim", "13", "12", "bookworm",
                  "bookworm-slim", "11", "bullseye", "bullseye-slim", "10", "buster", "buster-slim"),
        repository=OFFERED, names_of_old=NAMES_OF_OLD, wheels=MODULES,
    ),
    "ubuntu-root": dataclasses.replace(DEBIAN_ROOT, of="Ubuntu (here Debian)", files=["debian-root", "ubuntu-root"]),
    "ubuntu": Image(
        of="Ubuntu (here Debian), with a few packages to install without the internet", base="ubuntu-root", like="debian",
        names=hub("ubuntu", "latest", "16.04", "18.04", "20.04", "22.04", "24.04", "xenial", "bionic", "focal", "jammy", "noble"),
        config=BASH,
    ),
    "centos": Image(
        of="CentOS (here Debian)", names=hub("centos", "latest", "7", "8"),
        packages="""base-files bash coreutils curl findutils gawk grep gzip hostname iproute2 iputils-ping less ncurses-base procps
                    sed tar util-linux""".split(),
        dirs=SHELL_DIRS, links={"usr/bin/awk": "gawk", "var/run": "../run"},
        config={"Env": [PATH], "Cmd": ["/bin/bash"]},
    ),
}
