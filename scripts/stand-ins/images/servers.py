"""Servers but for databases."""

import dataclasses

from image import PATH, Image, hub

NGINX = Image(
    of="nginx", names=hub("nginx", "alpine", "stable-alpine", "1-alpine"),
    base="alpine", packages=["nginx"], users=["nginx:101:/var/cache/nginx"],
    keep=["usr/sbin/*", "usr/lib/*", "usr/lib64/*", "usr/share/nginx/html/*", "etc/nginx/mime.types",
          "etc/nginx/*_params", "var/lib/nginx/*", "usr/share/doc/*"],
    dirs={"docker-entrypoint.d": (0o755, 0), "var/cache/nginx": (0o755, 101), "var/lib/nginx": (0o755, 0),
          "var/log/nginx": (0o755, 0)},
    links={"var/log/nginx/access.log": "/dev/stdout", "var/log/nginx/error.log": "/dev/stderr"},
    config={"Env": [PATH, "NGINX_VERSION={v}"], "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGQUIT",
            "Entrypoint": ["/docker-entrypoint.sh"], "Cmd": ["nginx", "-g", "daemon off;"]},
)
HTTPD = {
    "Env": ["PATH=/usr/local/apache2/bin:" + PATH.removeprefix("PATH="), "HTTPD_PREFIX=/usr/local/apache2", "HTTPD_VERSION={v}"],
    "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGWINCH", "WorkingDir": "/usr/local/apache2", "Cmd": ["httpd-foreground"],
}
IMAGES = {
    "nginx": NGINX,
    "nginx-debian": dataclasses.replace(
        NGINX, base="debian", names=hub("nginx", "latest", "stable", "mainline", "1", "1.25", "1.27"), files=["nginx"],
    ),
    "httpd-alpine": Image(
        of="the Apache HTTP server", names=hub("httpd", "alpine", "2.4-alpine"), base="alpine", packages=["apache2-bin"],
        keep=["usr/sbin/apache2", "usr/bin/*", "usr/lib/*", "usr/lib64/*", "usr/share/doc/*"],
        dirs={"usr/local/apache2/logs": (0o755, 0)},
        links={"usr/local/apache2/modules": "/usr/lib/apache2/modules", "usr/local/apache2/bin/httpd": "/usr/sbin/apache2"},
        config=HTTPD,
    ),
    "httpd": Image(
        of="the Apache HTTP server", names=hub("httpd", "latest", "2", "2.4"), base="debian-root", like="httpd-alpine",
        config=HTTPD,
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
    "elasticsearch": Image(
        of="Elasticsearch (here nginx, which tells the node's name)", names=hub("elasticsearch", "latest", "2", "2.4", "5", "7", "8"),
        base="nginx", config={"Env": [PATH], "ExposedPorts": {"9200/tcp": {}, "9300/tcp": {}}, "StopSignal": "SIGQUIT",
                              "Volumes": {"/usr/share/elasticsearch/data": {}},
                              "Entrypoint": ["/docker-entrypoint.sh"], "Cmd": ["elasticsearch"]},
    ),
    "trainingwheels": Image(
        of="jpetazzo/trainingwheels", names=["docker.io/jpetazzo/trainingwheels:latest"],
        base="python-alpine", packages=["python3-flask", "python3-redis"],
        config={"Env": [PATH, "LANG=C.UTF-8"], "ExposedPorts": {"5000/tcp": {}}, "WorkingDir": "/src",
                "Cmd": ["python3", "-u", "server.py"]},
    ),
}
