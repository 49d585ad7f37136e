"""Builds the stand-ins: image archives from Debian packages alone, the same bytes from the same packages.

It answers for which packages the tables in `images/` take (apt's word) and for the bytes of the archives.
It does not answer for putting them into a registry, nor for Docker.
Called by `stand-ins.sh`; Python's standard library, apt, dpkg-deb and gzip are all it uses.
"""

import argparse
import concurrent.futures
import fcntl
import fnmatch
import functools
import hashlib
import io
import json
import os
import pathlib
import posixpath
import re
import subprocess
import sys
import tarfile
import tempfile
import zlib

import dpkg
from images import IMAGES
from trim import NOT_NEEDED
from wheels import PIP_CONF, WHEELS, wheel

SUITE = "trixie"
DATE, EPOCH = "2025-08-09T00:00:00Z", 1754697600  # The day trixie came out: of every file and image.
TITLE = "org.opencontainers.image."
RELEASE_DATE = "Sat, 09 Aug 2025 00:00:00 UTC"  # That day again, in the words of apt.
HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(prog="stand-ins.sh", description="Makes stand-ins for the images courses name.")
    parser.add_argument("out", nargs="?", default="target/stand-ins", type=pathlib.Path)
    parser.add_argument("--refresh", action="store_true", help="look for newer packages although nothing changed here")
    args = parser.parse_args()
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Two tests may ask at once; the second then finds everything done.
        stamp = inputs()
        if args.refresh or not is_done(out, stamp):
            build(out, stamp)


def inputs():
    """The digest of everything the archives depend on besides the packages."""
    digest = hashlib.sha256(architecture().encode())
    for path in sorted(it for it in HERE.rglob("*") if it.is_file() and it.suffix != ".pyc"):
        digest.update(f"{path.relative_to(HERE)} {os.access(path, os.X_OK)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def is_done(out, stamp):
    try:
        done = json.loads((out / "built.json").read_text())
        return done["inputs"] == stamp and all((out / it).stat().st_size == size for it, size in done["archives"].items())
    except (OSError, ValueError, KeyError):
        return False


def build(out, stamp):
    (out / "built.json").unlink(missing_ok=True)
    apt = Apt(out / ".cache")
    say(f"asking for the packages of {SUITE}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        needs = {}
        for key in IMAGES:
            needs[key] = pool.submit(apt.needs, key, needs)
    needs = {key: it.result() for key, it in needs.items()}
    apt.fetch({it for need in needs.values() for closure in need.values() for it in closure.items()})
    say(f"building {len(IMAGES)} images")
    with tempfile.TemporaryDirectory(dir=out / ".cache") as work:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            made = {}
            for key in IMAGES:
                made[key] = pool.submit(own_layer, key, apt, needs[key], made, pathlib.Path(work) / key)
        archives = {}
        for repository, keys in repositories().items():
            host, path = repository.split("/", 1)
            file = f"{host}/{path.removeprefix('library/').replace('/', '-')}.tar"
            (out / host).mkdir(exist_ok=True)
            images = {}
            for key in keys:
                version = version_of(key, needs)
                names = [it.format(v=version) for it in IMAGES[key].names]
                blobs = image_blobs(key, needs, [made[it].result()[0] for it in chain(key)], version)
                images[key] = blobs, [it for it in names if it.rsplit(":", 1)[0] == repository]
            write_archive(out / file, images.values())
            archives[file] = (out / file).stat().st_size
    for host in {it.split("/")[0] for it in archives}:
        for stale in (it for it in (out / host).glob("*.tar") if f"{host}/{it.name}" not in archives):
            stale.unlink()
    (out / "built.json").write_text(json.dumps({"inputs": stamp, "archives": archives}, indent=1))
    say(f"{len(archives)} archives, {sum(archives.values()) // 1000000} MB, in {out}")


def chain(key):
    """The images whose layers are its own, from the lowest up."""
    res = [key]
    while IMAGES[res[0]].base:
        res.insert(0, IMAGES[res[0]].base)
    return res


def repositories():
    """Every repository with the keys of its images."""
    res = {}
    for key, image in IMAGES.items():
        for name in image.names:
            res.setdefault(name.rsplit(":", 1)[0], {})[key] = None
    return res


def version_of(key, needs):
    """What the program in it is: the version of the first package of the topmost layer that has one."""
    for it in (IMAGES[it].like or it for it in reversed(chain(key))):
        if IMAGES[it].packages:
            return upstream(needs[it]["packages"][IMAGES[it].packages[0]])
    fail(f"`{key}` has no package in any of its layers")


class Apt:
    """An apt of its own beside the machine's: Debian's SUITE."""

    def __init__(self, cache):
        self.debs = cache / "debs"
        for it in ("debs", "apt/etc/apt.conf.d", "apt/etc/preferences.d", "apt/lists/partial", "apt/cache/archives/partial"):
            (cache / it).mkdir(parents=True, exist_ok=True)
        root = cache / "apt"
        arch = architecture()
        keyring = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
        (root / "etc/sources.list").write_text(f"deb {keyring} {mirror()} {SUITE} main\n")
        self.root, self.arch = root, arch
        # Of the machine's own settings, those that say how to reach a mirror.
        network = re.findall(r"(?m)^Acquire::https?::.*$", run("apt-config", "dump").decode())
        (root / "apt.conf").write_text(
            "\n".join(network) + f'\nDir::Etc "{root}/etc"; Dir::Etc::sourceparts "-"; Dir::State "{root}"; Dir::State::status "{root}/status";'
            f'Dir::Cache "{root}/cache"; APT::Architecture "{arch}"; APT::Architectures {{"{arch}";}};'
            'APT::Sandbox::User ""; APT::Install-Recommends "false"; Acquire::Languages "none"; Acquire::Retries "2";')
        self.env = {**os.environ, "APT_CONFIG": str(root / "apt.conf"), "LC_ALL": "C"}
        run("apt-get", "-qq", "update", env=self.env)

    def needs(self, key, asked):
        """What the image's own layer is made of, each as name and version of everything it takes."""
        image = IMAGES[key]
        if image.like:
            return {}
        below = {}
        for it in chain(key)[:-1]:
            below |= asked[IMAGES[it].like or it].result()["packages"]
        packages = self.closure(image.packages, below, image.without)
        return {
            "packages": packages,
            "repository": self.closure(image.repository, below | packages, []),
            "wheels": self.closure(image.wheels, {}, [], alone=image.wheels),
        }

    def closure(self, packages, installed, without, alone=()):
        """Name and version of everything these packages need beside what is installed, or of `alone` among it."""
        if not packages:
            return {}
        names = set(without) - set(packages) - set(installed)
        status = self.installed(installed) + "".join(
            f"Package: {it}\nStatus: install ok installed\nVersion: 99:0\nArchitecture: {self.arch}\n"
            f"Multi-Arch: allowed\nMaintainer: -\nDescription: -\n\n" for it in sorted(names))
        with tempfile.NamedTemporaryFile("w", dir=self.root) as file:
            file.write(status)
            file.flush()
            lines = run("apt-get", "-s", "-o", f"Dir::State::status={file.name}", "install", *packages, env=self.env)
        found = dict(re.match(r"Inst (\S+) \((\S+)", it).groups() for it in lines.decode().splitlines() if it.startswith("Inst "))
        return {name: version for name, version in found.items() if not alone or name in alone}

    def installed(self, packages):
        """The status of these packages, for apt."""
        if not packages:
            return ""
        shown = run("apt-cache", "show", *(f"{name}={version}" for name, version in packages.items()), env=self.env).decode()
        return "".join(f"{it.strip()}\nStatus: install ok installed\n\n" for it in shown.split("\n\n") if it.strip())

    def deb(self, name, version):
        return next(self.debs.glob(f"{name}_{version.replace(':', '%3a')}_*.deb"), None)

    def data(self, name, version):
        """The archive of a package's files."""
        return run("dpkg-deb", "--fsys-tarfile", self.deb(name, version))

    def control(self, name, version):
        """The archive of what a package says of itself."""
        return run("dpkg-deb", "--ctrl-tarfile", self.deb(name, version))

    def text(self, name, version):
        """The main one of a package's control files."""
        return run("dpkg-deb", "--field", self.deb(name, version)).decode()

    def fetch(self, packages):
        wanted = sorted(f"{name}={version}" for name, version in packages if not self.deb(name, version))
        if wanted:
            say(f"downloading {len(wanted)} packages")
            run("apt-get", "-qq", "download", *wanted, env=self.env, cwd=self.debs)


def mirror():
    """Where the machine itself gets Debian from."""
    if os.environ.get("DEBIAN_MIRROR"):
        return os.environ["DEBIAN_MIRROR"]
    for uri in run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").decode().split():
        if re.search(r"/debian/?$|/archive/debian/", uri):
            return uri
    fail("apt has no Debian mirror among its sources; name one in `DEBIAN_MIRROR`")


def own_layer(key, apt, needs, made, path):
    """Writes an image's own layer to `path`; its digests, and the tree for those that build on it."""
    image = IMAGES[key]
    if image.like:
        return made[image.like].result()[0], made[image.base].result()[1]
    # A base stands before what uses it, so it is under way at least, and this cannot wait for itself.
    below = made[image.base].result()[1] if image.base else {}
    entries = tree(key, apt, needs, below)
    is_base = any(it.base == key for it in IMAGES.values())
    return layer(entries, path), {**below, **entries} if is_base else {}


def tree(key, apt, needs, below):
    """What the image's own layer holds: path to (tar header, bytes)."""
    image, entries = IMAGES[key], {}

    def put(path, kind, mode, uid=0, data=b"", link="", gid=None):
        path = re.sub(r"^(s?bin|lib|lib64)/", r"usr/\1/", path)
        for parent in list(pathlib.PurePosixPath(path).parents)[-2::-1]:
            if str(parent) not in entries and str(parent) not in below:
                put(str(parent), tarfile.DIRTYPE, 0o755)
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.uid, info.gid = kind, mode, uid, uid if gid is None else gid
        info.size, info.linkname, info.mtime = len(data), link, EPOCH
        entries[path] = (info, data)

    for name, version in sorted(needs["packages"].items()):
        with tarfile.open(fileobj=io.BytesIO(apt.data(name, version))) as tar:
            for member in tar:
                path = posixpath.normpath(member.name)
                if path == "." or not is_wanted(path, image):
                    continue
                if member.isdir():
                    if image.managed and path not in entries:
                        put(path, tarfile.DIRTYPE, member.mode, member.uid, gid=member.gid)
                elif member.issym():
                    put(path, tarfile.SYMTYPE, 0o777, link=member.linkname)
                else:  # A hard link becomes a copy, so that order does not matter.
                    put(path, tarfile.REGTYPE, member.mode, member.uid, tar.extractfile(member).read(), gid=member.gid)
    if "busybox-static" in needs["packages"] and "sbin" in image.links:
        for applet in applets(entries["usr/bin/busybox"][1]):
            put(applet, tarfile.SYMTYPE, 0o777, link="/bin/busybox")
    if "ca-certificates" in needs["packages"]:
        certificates = (data for path, (_, data) in sorted(entries.items()) if path.startswith("usr/share/ca-certificates/"))
        put("etc/ssl/certs/ca-certificates.crt", tarfile.REGTYPE, 0o644, data=b"".join(certificates))
    if any(it.startswith("usr/lib64/") for it in entries):
        put("lib64", tarfile.SYMTYPE, 0o777, link="usr/lib64")
    for path, (mode, uid) in image.dirs.items():
        put(path, tarfile.DIRTYPE, mode, uid)
    for path, target in image.links.items():
        put(path, tarfile.SYMTYPE, 0o777, link=target)
    for path, data in generated(image, apt, needs).items():
        is_script = re.search(r"/info/.*\.(pre|post)(inst|rm)$", path)
        put(path, tarfile.REGTYPE, 0o755 if is_script else 0o644, data=data)
    for folder in (HERE / "files" / it for it in image.files or [key]):
        for file in sorted(it for it in folder.rglob("*") if it.is_file()):
            mode = 0o755 if os.access(file, os.X_OK) else 0o644
            put(str(file.relative_to(folder)), tarfile.REGTYPE, mode, data=file.read_bytes())
    for user in image.users:
        name, uid, home = user.split(":")
        for path, line in (("etc/passwd", f"{name}:x:{uid}:{uid}:{name}:{home}:/bin/sh\n"), ("etc/group", f"{name}:x:{uid}:\n")):
            put(path, tarfile.REGTYPE, 0o644, data=(entries.get(path) or below[path])[1] + line.encode())
    return entries


def generated(image, apt, needs):
    """The files that are neither from a package nor from `files/`."""
    res = {}
    if image.managed:
        res |= dpkg.database((apt.control(*it), apt.data(*it)) for it in sorted(needs["packages"].items()))
    if image.repository:
        packages = [(apt.text(*it), apt.deb(*it).read_bytes()) for it in sorted(needs["repository"].items())]
        res |= dpkg.repository(packages, image.names_of_old, EPOCH, RELEASE_DATE)
    if image.wheels:
        res |= {f"{WHEELS}/{name}": data for name, data in (wheel(apt.data(*it)) for it in sorted(needs["wheels"].items()))}
        res["etc/pip.conf"] = PIP_CONF.encode()
    return res


def is_wanted(path, image):
    if path.startswith("usr/share/doc/") and not path.endswith("/copyright"):
        return False
    return bool(one_of(tuple(image.keep)).match(path)) and not one_of(tuple(image.drop)).match(path)


@functools.cache
def one_of(globs):
    return re.compile("|".join(fnmatch.translate(it) for it in globs))


def applets(busybox):
    """The paths under which this busybox wants to be called, without those of package managers."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(busybox)
    os.chmod(file.name, 0o755)
    paths = run("busybox", "--list-full", executable=file.name).decode().split()
    os.unlink(file.name)
    return [it for it in paths if it.rsplit("/", 1)[-1] not in ("busybox", "linuxrc", "dpkg", "dpkg-deb", "rpm", "rpm2cpio")]


def layer(entries, path):
    """Writes the layer to `path`, compressed; returns its digests, before and after."""
    with open(f"{path}.tar", "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for _, (info, data) in sorted(entries.items()):
            tar.addfile(info, io.BytesIO(data))
    with open(path, "wb") as file:
        subprocess.run(["gzip", "-n", "-6", "-c", f"{path}.tar"], stdout=file, check=True)
    res = {"path": path, "diff_id": "sha256:" + sha256(f"{path}.tar"), "digest": "sha256:" + sha256(path)}
    os.unlink(f"{path}.tar")
    return res


def image_blobs(key, needs, stack, version):
    """The manifest, the configuration and the layers of an image; the first two as bytes, a layer as its file."""
    image = IMAGES[key]
    parts = [IMAGES[it].like or it for it in chain(key)]
    packages = {name: version for it in parts for name, version in needs[it]["packages"].items()}
    config = json.loads(json.dumps(image.config).replace("{v}", version))
    config["Labels"] = {
        TITLE + "title": f"{key} stand-in",
        TITLE + "description": f"Stand-in for {image.of} made from Debian packages; not the real image",
        TITLE + "version": version,
        "io.github.mdbook-rehearse.packages": " ".join(f"{it}={packages[it]}" for it in sorted(packages)),
    }
    arch = {"armhf": "arm", "i386": "386"}.get(architecture(), architecture())
    history = [{"created": DATE, "created_by": f"COPY {' '.join(contents(it))} / # stand-in for {IMAGES[it].of}"}
               for it in chain(key)]
    for word, field in (("ENV", "Env"), ("EXPOSE", "ExposedPorts"), ("VOLUME", "Volumes"), ("USER", "User"),
                        ("WORKDIR", "WorkingDir"), ("ENTRYPOINT", "Entrypoint"), ("CMD", "Cmd")):
        if field in config:
            said = json.dumps(config[field]) if field in ("Entrypoint", "Cmd") else \
                config[field] if isinstance(config[field], str) else " ".join(config[field])
            history.append({"created": DATE, "created_by": f"{word} {said}", "empty_layer": True})
    # Each image a second of its own on that day: engines list images by age, and in no order those of one age.
    second = zlib.crc32(key.encode()) % 86400
    created = f"{DATE[:11]}{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    config = encode({
        "created": created, "architecture": arch, "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [it["diff_id"] for it in stack]}, "history": history,
    })
    media = "application/vnd.oci.image."
    manifest = encode({
        "schemaVersion": 2, "mediaType": media + "manifest.v1+json",
        "config": {"mediaType": media + "config.v1+json", "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": media + "layer.v1.tar+gzip", "digest": it["digest"], "size": it["path"].stat().st_size}
                   for it in stack],
    })
    return [manifest, config] + stack


def contents(key):
    """What an image's own layer was made from, in a few words."""
    image = IMAGES[IMAGES[key].like or key]
    return image.packages or image.repository or ["files"]


def write_archive(path, images):
    """Writes an OCI layout that `docker load` of every age reads as well (`manifest.json`)."""
    blob = lambda digest: "blobs/" + digest.replace(":", "/")
    index, loads, files = [], [], {"oci-layout": encode({"imageLayoutVersion": "1.0.0"})}
    for (manifest, config, *stack), names in images:
        descriptor = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest_of(manifest), "size": len(manifest)}
        index += [{**descriptor, "annotations": {"org.opencontainers.image.ref.name": it, "io.containerd.image.name": it}}
                  for it in names]
        loads.append({"Config": blob(digest_of(config)), "RepoTags": names, "Layers": [blob(it["digest"]) for it in stack]})
        files |= {blob(digest_of(manifest)): manifest, blob(digest_of(config)): config,
                  **{blob(it["digest"]): it["path"] for it in stack}}
    files |= {
        "index.json": encode({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": index}),
        "manifest.json": encode(loads),
    }
    with tarfile.open(f"{path}.part", "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.mtime, info.mode = EPOCH, 0o644
            info.size = content.stat().st_size if isinstance(content, pathlib.Path) else len(content)
            with open(content, "rb") if isinstance(content, pathlib.Path) else io.BytesIO(content) as file:
                tar.addfile(info, file)
    os.replace(f"{path}.part", path)


def architecture():
    """This machine's, as Debian calls it."""
    return run("dpkg", "--print-architecture").decode().strip()


def upstream(version):
    """`5:8.0.2-3+deb13u3` is 8.0.2."""
    return re.match(r"(?:\d+:)?([\d.]+\d)", version)[1]


def encode(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def run(*command, **options):
    res = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)
    if res.returncode:
        # What does not fit together, apt tells on its standard output.
        said = (res.stdout[-2000:] + res.stderr).decode().strip()
        fail(f"`{' '.join(map(str, command))}` failed: {said}")
    return res.stdout


def say(message):
    print(f"stand-ins: {message}", file=sys.stderr)


def fail(message):
    sys.exit(f"stand-ins: {message}")


main()
