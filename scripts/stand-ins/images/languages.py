"""Languages and what is built with them."""

from image import PATH, Image, hub
from images.bases import MODULES

NODE = {"Env": [PATH, "NODE_VERSION={v}"], "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node"]}
PYTHON = {"Env": [PATH, "LANG=C.UTF-8", "PYTHON_VERSION={v}"], "Cmd": ["python3"]}
GOLANG = {
    "Env": ["PATH=/go/bin:/usr/local/go/bin:" + PATH.removeprefix("PATH="), "GOLANG_VERSION={v}", "GOPATH=/go",
            "GOTOOLCHAIN=local",
            # No C compiler is here; and books of old build in folders without a `go.mod`.
            "CGO_ENABLED=0", "GO111MODULE=auto"],
    "WorkingDir": "/go",
}
PHP = {"Env": [PATH, "PHP_VERSION={v}", "PHP_INI_SCAN_DIR=/usr/local/etc/php/conf.d"]}
APACHE_MODS = """
    mpm_prefork.conf mpm_prefork.load php8.4.conf php8.4.load alias.conf alias.load auth_basic.load authn_core.load
    authn_file.load authz_core.load authz_host.load authz_user.load autoindex.conf autoindex.load deflate.conf deflate.load
    dir.conf dir.load env.load filter.load mime.conf mime.load negotiation.conf negotiation.load reqtimeout.conf
    reqtimeout.load setenvif.conf setenvif.load status.conf status.load
""".split()
IMAGES = {
    "node": Image(
        of="Node.js", names=hub("node", "alpine", "22-alpine", "20-alpine", "18-alpine", "16-alpine", "lts-alpine", "current-alpine"),
        base="alpine", packages=["nodejs", "npm", "node-gyp"], users=["node:1000:/home/node"], dirs={"home/node": (0o755, 1000)},
        links={"usr/local/bin/yarnpkg": "yarn"}, config=NODE,
    ),
    # What the tags without `alpine` have besides: a bash to look around with.
    "node-bash": Image(
        of="Node.js", names=hub("node", "latest", "22", "20", "18", "16", "lts", "slim", "22-slim", "20-slim", "18-slim"),
        base="node", packages=["bash"], config=NODE,
    ),
    "python-alpine": Image(
        of="Python", names=hub("python", "alpine", "3-alpine", *(f"3.{it}-alpine" for it in range(6, 14))),
        base="alpine", packages=["python3", "python3-pip"], wheels=MODULES,
        links={"usr/local/bin/python": "/usr/bin/python3", "usr/local/bin/python3": "/usr/bin/python3",
               "usr/local/bin/pip": "/usr/bin/pip3", "usr/local/bin/pip3": "/usr/bin/pip3"},
        config=PYTHON,
    ),
    "python": Image(
        of="Python", base="debian", like="python-alpine", config=PYTHON,
        names=hub("python", "latest", "slim", "3", "3-slim", *(f"3.{it}" for it in range(6, 14)),
                  *(f"3.{it}-slim" for it in range(6, 14))),
    ),
    "golang-alpine": Image(
        of="Go", names=hub("golang", "alpine", "1-alpine", *(f"1.{it}-alpine" for it in range(16, 25))),
        base="alpine", packages=["golang-1.24-go"], dirs={"go/bin": (0o1777, 0), "go/src": (0o1777, 0)},
        links={"usr/local/go": "/usr/lib/go-1.24"}, config=GOLANG,
    ),
    "golang": Image(
        of="Go", names=hub("golang", "latest", "1", *(f"1.{it}" for it in range(11, 25))), base="debian-root",
        like="golang-alpine", config=GOLANG,
    ),
    "php": Image(
        of="PHP", names=hub("php", "latest", "cli", "8-cli", "8", "7-cli", "7"), base="debian-root",
        packages=["php8.4-cli", "php8.4-mysql", "php8.4-curl", "php8.4-mbstring", "php8.4-sqlite3", "php8.4-xml"],
        links={"usr/local/bin/php": "/usr/bin/php8.4"}, config={**PHP, "Cmd": ["php", "-a"]},
    ),
    "php-apache": Image(
        of="PHP with Apache", names=hub("php", "apache", "8-apache", "8.2-apache", "8.1-apache", "8.0-apache", "7.4-apache",
                                        "7-apache"),
        base="php", packages=["libapache2-mod-php8.4", "apache2"], files=["php-apache"],
        dirs={"run/apache2": (0o755, 33), "run/lock/apache2": (0o755, 33), "var/lock": (0o1777, 0),
              "var/log/apache2": (0o755, 33), "var/www/html": (0o1777, 33)},
        links={"var/log/apache2/access.log": "/dev/stdout", "var/log/apache2/error.log": "/dev/stderr",
               "var/log/apache2/other_vhosts_access.log": "/dev/stdout",
               "etc/apache2/sites-enabled/000-default.conf": "../sites-available/000-default.conf",
               **{f"etc/apache2/mods-enabled/{it}": f"../mods-available/{it}" for it in APACHE_MODS}},
        config={**PHP, "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGWINCH", "WorkingDir": "/var/www/html",
                "Cmd": ["apache2-foreground"]},
    ),
    "wordpress": Image(
        of="WordPress", names=hub("wordpress", "latest", "6", "5", "apache", "php8.2-apache"), base="php-apache",
        packages=["wordpress", "wordpress-theme-twentytwentyfive"],
        config={**PHP, "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGWINCH", "WorkingDir": "/var/www/html",
                "Volumes": {"/var/www/html": {}}, "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["apache2-foreground"]},
    ),
}
