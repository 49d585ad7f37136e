"""Servers but for databases."""

from image import PATH, Image

IMAGES = {
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
