"""Databases and stores."""

from image import PATH, Image

IMAGES = {
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
}
