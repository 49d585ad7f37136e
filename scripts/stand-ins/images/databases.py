"""Databases and stores."""

from image import PATH, Image, hub

REDIS = {
    "Env": [PATH, "REDIS_VERSION={v}"], "ExposedPorts": {"6379/tcp": {}}, "Volumes": {"/data": {}},
    "WorkingDir": "/data", "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["redis-server"],
}
POSTGRES = {
    "Env": [PATH, "PG_MAJOR=17", "PG_VERSION={v}", "PGDATA=/var/lib/postgresql/data"],
    "ExposedPorts": {"5432/tcp": {}}, "Volumes": {"/var/lib/postgresql/data": {}},
    "StopSignal": "SIGINT", "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"],
}
MYSQL = {
    "Env": [PATH], "ExposedPorts": {"3306/tcp": {}}, "Volumes": {"/var/lib/mysql": {}},
    "Entrypoint": ["docker-entrypoint.sh"],
}
IMAGES = {
    "redis": Image(
        of="Redis", names=hub("redis", "alpine", "7-alpine", "6-alpine"),
        base="alpine", packages=["redis-server"], users=["redis:999:/data"], dirs={"data": (0o755, 999)},
        config=REDIS,
    ),
    "postgres": Image(
        of="PostgreSQL", names=hub("postgres", "alpine", "17-alpine", "16-alpine", "15-alpine", "14-alpine", "13-alpine"),
        base="alpine", packages=["postgresql-17"], users=["postgres:70:/var/lib/postgresql"],
        dirs={"docker-entrypoint-initdb.d": (0o755, 0), "run/postgresql": (0o2775, 70),
              "var/lib/postgresql": (0o755, 70), "var/lib/postgresql/data": (0o700, 70)},
        links={f"usr/local/bin/{it}": f"/usr/lib/postgresql/17/bin/{it}" for it in (
            "createdb", "createuser", "dropdb", "initdb", "pg_ctl", "pg_dump", "pg_dumpall", "pg_isready",
            "pg_restore", "pgbench", "postgres", "psql")},
        config=POSTGRES,
    ),
    # What the tags without `alpine` have besides: a bash to look around with.
    "redis-bash": Image(of="Redis", names=hub("redis", "latest", "7", "6"), base="redis", packages=["bash"], config=REDIS),
    "postgres-bash": Image(
        of="PostgreSQL", names=hub("postgres", "latest", "17", "16", "15", "14", "13"), base="postgres", packages=["bash"],
        config=POSTGRES,
    ),
    "mysql": Image(
        of="MySQL (here MariaDB)", names=hub("mysql", "latest", "8", "8.0", "5.7", "5"),
        base="busybox", packages=["mariadb-server-core", "mariadb-client-core", "mariadb-client", "bash", "ncurses-base"],
        users=["mysql:999:/var/lib/mysql"],
        keep=["usr/sbin/mariadbd", "usr/share/mariadb/*.sql", "usr/share/mariadb/english/*", "usr/share/mariadb/charsets/*",
              "usr/lib/*", "usr/lib64/*", "usr/share/doc/*", "etc/bash.bashrc", "etc/terminfo/*", "usr/share/terminfo/*",
              *(f"usr/bin/{it}" for it in (
                  "bash", "mariadb", "mariadb-admin", "mariadb-check", "mariadb-dump", "mariadb-import", "mariadb-install-db",
                  "mariadb-upgrade", "my_print_defaults", "perror", "resolveip"))],
        dirs={"docker-entrypoint-initdb.d": (0o755, 0), "etc/mysql/conf.d": (0o755, 0), "run/mysqld": (0o2775, 999),
              "tmp": (0o1777, 0), "var/lib/mysql": (0o755, 999), "var/lib/mysql-files": (0o750, 999)},
        links={"var/run": "../run", **{f"usr/local/bin/{it}": "mariadb-by-name" for it in (
            "mysql", "mysqladmin", "mysqlcheck", "mysqld", "mysqldump", "mysqlimport")}},
        config={**MYSQL, "Cmd": ["mysqld"]},
    ),
    "mariadb": Image(
        of="MariaDB", names=hub("mariadb", "latest", "lts", "11", "10"), base="mysql", config={**MYSQL, "Cmd": ["mariadbd"]},
    ),
    "memcached": Image(
        of="Memcached", names=hub("memcached", "latest", "alpine", "1"), base="alpine", packages=["memcached"],
        keep=["usr/bin/memcached", "usr/lib/*", "usr/lib64/*", "usr/share/doc/*"],
        config={"Env": [PATH], "ExposedPorts": {"11211/tcp": {}}, "User": "nobody", "Entrypoint": ["docker-entrypoint.sh"],
                "Cmd": ["memcached"]},
    ),
}
