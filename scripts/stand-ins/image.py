"""What an image is made of, as the tables in `images/` say it. How it becomes an archive is `build.py`'s part."""

import dataclasses

from trim import DROP, NOT_NEEDED


@dataclasses.dataclass
class Image:
    """What one image is made of. A layer of its own on top of the layers of `base`."""

    of: str  # what it stands in for
    names: list = dataclasses.field(default_factory=list)  # every name it goes by, none if only others build on it;
    # `{v}` is the version of the first package, here and in `config`
    base: str = ""  # key of the image below it
    like: str = ""  # key of the image whose own layer is this one's too, byte for byte; then the rest says nothing
    packages: list = dataclasses.field(default_factory=list)
    users: list = dataclasses.field(default_factory=list)  # name:uid:home
    dirs: dict = dataclasses.field(default_factory=dict)  # path: (mode, uid)
    links: dict = dataclasses.field(default_factory=dict)  # path: target
    files: list = dataclasses.field(default_factory=list)  # folders in `files/` with what else lies in it; else its key
    config: dict = dataclasses.field(default_factory=dict)  # as in the OCI image config
    keep: list = dataclasses.field(default_factory=lambda: ["*"])  # globs of paths taken from packages
    drop: list = dataclasses.field(default_factory=lambda: DROP)  # globs of paths not taken all the same
    without: list = dataclasses.field(default_factory=lambda: NOT_NEEDED)  # packages that it does without
    managed: bool = False  # whether dpkg in the image knows of the packages, so that apt can add others
    repository: list = dataclasses.field(default_factory=list)  # packages that apt in the image can install
    names_of_old: dict = dataclasses.field(default_factory=dict)  # other names for those: package of today and links
    wheels: list = dataclasses.field(default_factory=list)  # packages whose Python modules pip in the image can install


PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def hub(repository, *tags):
    """The names of an official image of Docker Hub."""
    return [f"docker.io/library/{repository}:{it}" for it in tags]
