"""The table of stand-ins: what each image is made of. How it becomes an archive is `build.py`'s part."""

import dataclasses


@dataclasses.dataclass
class Image:
    """What one image is made of. A layer of its own on top of the layers of `base`."""

    of: str  # what it stands in for
    names: list  # every name it goes by; `{v}` is the version of the first package
    base: str = ""  # key of the image below it
    packages: list = dataclasses.field(default_factory=list)
    users: list = dataclasses.field(default_factory=list)  # name:uid:home
    dirs: dict = dataclasses.field(default_factory=dict)  # path: (mode, uid)
    links: dict = dataclasses.field(default_factory=dict)  # path: target
    config: dict = dataclasses.field(default_factory=dict)  # as in the OCI image config; `{v}` as above
    keep: list = dataclasses.field(default_factory=lambda: ["*"])  # globs of paths taken from packages


# To add an image: a row here; the files it needs beside its packages go to `<key>/`, as they lie in the image;
# a package that apt drags in and the program does without goes to NOT_NEEDED. Bases stand before what uses them.
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
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
    "nginx": Image(
        of="nginx", names=["docker.io/library/nginx:alpine", "docker.io/library/nginx:latest"],
        base="alpine", packages=["nginx"], users=["nginx:101:/var/cache/nginx"],
        keep=["usr/sbin/*", "usr/lib/*", "usr/lib64/*", "usr/share/nginx/html/*", "etc/nginx/mime.types",
              "etc/nginx/*_params", "var/lib/nginx/*", "usr/share/doc/*"],
        dirs={"docker-entrypoint.d": (0o755, 0), "var/cache/nginx": (0o755, 101), "var/lib/nginx": (0o755, 0),
              "var/log/nginx": (0o755, 0)},
        links={"var/log/nginx/access.log": "/dev/stdout", "var/log/nginx/error.log": "/dev/stderr"},
        config={"Env": [PATH, "NGINX_VERSION={v}"], "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGQUIT",
                "Entrypoint": ["/docker-entrypoint.sh"], "Cmd": ["nginx", "-g", "daemon off;"]},
    ),
    "redis": Image(
        of="Redis", names=["docker.io/library/redis:alpine", "docker.io/library/redis:latest"],
        base="alpine", packages=["redis-server"], users=["redis:999:/data"], dirs={"data": (0o755, 999)},
        config={"Env": [PATH, "REDIS_VERSION={v}"], "ExposedPorts": {"6379/tcp": {}}, "Volumes": {"/data": {}},
                "WorkingDir": "/data", "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["redis-server"]},
    ),
    "postgres": Image(
        of="PostgreSQL", names=["docker.io/library/postgres:alpine", "docker.io/library/postgres:latest"],
        base="alpine", packages=["postgresql-17"], users=["postgres:70:/var/lib/postgresql"],
        dirs={"docker-entrypoint-initdb.d": (0o755, 0), "run/postgresql": (0o2775, 70),
              "var/lib/postgresql": (0o755, 70), "var/lib/postgresql/data": (0o700, 70)},
        links={f"usr/local/bin/{it}": f"/usr/lib/postgresql/17/bin/{it}" for it in (
            "createdb", "createuser", "dropdb", "initdb", "pg_ctl", "pg_dump", "pg_dumpall", "pg_isready",
            "pg_restore", "pgbench", "postgres", "psql")},
        config={"Env": [PATH, "PG_MAJOR=17", "PG_VERSION={v}", "PGDATA=/var/lib/postgresql/data"],
                "ExposedPorts": {"5432/tcp": {}}, "Volumes": {"/var/lib/postgresql/data": {}},
                "StopSignal": "SIGINT", "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"]},
    ),
    "node": Image(
        of="Node.js", names=["docker.io/library/node:alpine", "docker.io/library/node:latest"],
        base="alpine", packages=["nodejs"], users=["node:1000:/home/node"], dirs={"home/node": (0o755, 1000)},
        config={"Env": [PATH, "NODE_VERSION={v}"], "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node"]},
    ),
    "registry": Image(
        of="CNCF Distribution", names=["docker.io/library/registry:latest", "docker.io/library/registry:2"],
        base="alpine", packages=["docker-registry"], keep=["usr/bin/*", "usr/lib/*", "usr/lib64/*", "usr/share/doc/*"],
        dirs={"var/lib/registry": (0o755, 0)}, links={"usr/bin/registry": "docker-registry"},
        config={"Env": [PATH], "ExposedPorts": {"5000/tcp": {}}, "Volumes": {"/var/lib/registry": {}},
                "Entrypoint": ["/entrypoint.sh"], "Cmd": ["/etc/docker/registry/config.yml"]},
    ),
    "prometheus": Image(
        of="Prometheus", names=["quay.io/prometheus/prometheus:latest", "quay.io/prometheus/prometheus:v{v}"],
        base="busybox", packages=["prometheus"], dirs={"prometheus": (0o775, 65534)},
        config={"Env": [PATH], "ExposedPorts": {"9090/tcp": {}}, "Volumes": {"/prometheus": {}}, "User": "nobody",
                "WorkingDir": "/prometheus", "Entrypoint": ["/bin/prometheus"],
                "Cmd": ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]},
    ),
    "aws-for-fluent-bit": Image(
        of="AWS for Fluent Bit (here rsyslog: Fluent Bit is not in Debian)",
        names=[f"{it}:{tag}" for it in ("public.ecr.aws/aws-observability/aws-for-fluent-bit",
                                        "docker.io/amazon/aws-for-fluent-bit") for tag in ("latest", "stable")],
        base="busybox", packages=["rsyslog"], dirs={"var/spool/rsyslog": (0o755, 0)},
        config={"Env": [PATH], "ExposedPorts": {"24224/tcp": {}}, "Cmd": ["/entrypoint.sh"]},
    ),
}

# Packages that dependencies name and these programs run without: apt is told that they are there already.
NOT_NEEDED = """
    adduser base-passwd debconf init-system-helpers iproute2 libc-bin libdebconfclient0 libllvm19 locales passwd perl
    perl-base postgresql-client-common postgresql-common sensible-utils ssl-cert sysvinit-utils ucf
    fonts-glyphicons-halflings libjs-bootstrap libjs-bootstrap4 libjs-d3 libjs-eonasdan-bootstrap-datetimepicker
    libjs-jquery libjs-jquery-hotkeys libjs-moment libjs-moment-timezone libjs-mustache libjs-popper.js
    libjs-rickshaw node-corepack node-xtend promtool
""".split()

# What no image needs of a package. Licences stay (`*/copyright`).
DROP = """
    etc/apparmor.d/* etc/cron* etc/default/* etc/init.d/* etc/logcheck/* etc/logrotate.d/* etc/ufw/*
    usr/include/* usr/lib/*.a usr/lib/*/gconv/* usr/lib/*/perl*/* usr/lib/systemd/* usr/lib/tmpfiles.d/*
    usr/lib/sysusers.d/* usr/lib/postgresql/*/lib/llvmjit* usr/share/apport/* usr/share/bash-completion/*
    usr/share/bug/* usr/share/doc-base/* usr/share/i18n/* usr/share/info/* usr/share/initramfs-tools/*
    usr/share/lintian/* usr/share/locale/* usr/share/man/* usr/share/nodejs/@types/* usr/share/perl*
    usr/share/postgresql/*/man/* usr/share/readline/* usr/share/vim/* usr/share/zoneinfo/right/*
""".split()
