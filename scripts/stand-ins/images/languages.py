"""Languages and what is built with them."""

from image import PATH, Image

IMAGES = {
    "node": Image(
        of="Node.js", names=["docker.io/library/node:alpine", "docker.io/library/node:latest"],
        base="alpine", packages=["nodejs"], users=["node:1000:/home/node"], dirs={"home/node": (0o755, 1000)},
        config={"Env": [PATH, "NODE_VERSION={v}"], "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node"]},
    ),
}
