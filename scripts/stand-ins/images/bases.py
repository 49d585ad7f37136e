"""Images that others build on."""

from image import PATH, Image

SHELL_DIRS = {
    "dev": (0o755, 0), "etc": (0o755, 0), "home": (0o755, 0), "media": (0o755, 0), "mnt": (0o755, 0),
    "opt": (0o755, 0), "proc": (0o555, 0), "root": (0o700, 0), "run": (0o755, 0), "srv": (0o755, 0),
    "sys": (0o555, 0), "tmp": (0o1777, 0), "usr/lib": (0o755, 0), "usr/local/bin": (0o755, 0),
    "usr/sbin": (0o755, 0), "var/lib": (0o755, 0), "var/log": (0o755, 0), "var/tmp": (0o1777, 0),
}
SHELL_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "var/run": "../run"}
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
}
