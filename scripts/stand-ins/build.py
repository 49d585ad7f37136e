"""Builds the stand-ins: image archives from Debian packages alone, the same bytes from the same packages.

It answers for which packages the table in `images.py` takes (apt's word) and for the bytes of the archives.
It does not answer for putting them into a registry, nor for Docker.
Called by `stand-ins.sh`; Python's standard library, apt, dpkg-deb and gzip are all it uses.
"""

import argparse
import concurrent.futures
import fcntl
import fnmatch
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

from images import DROP, IMAGES, NOT_NEEDED

SUITE = "trixie"
DATE, EPOCH = "2025-08-09T00:00:00Z", 1754697600  # The day trixie came out: of every file and image.
TITLE = "org.opencontainers.image."
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
    closures = {key: apt.closure(image.packages) for key, image in IMAGES.items()}
    apt.fetch({it for closure in closures.values() for it in closure.items()})
    say(f"building {len(IMAGES)} images")
    with tempfile.TemporaryDirectory(dir=out / ".cache") as work:
        trees, layers = {}, {}
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for key, image in IMAGES.items():
                trees[key] = tree(key, image, apt, closures[key], trees.get(image.base, {}))
                layers[key] = pool.submit(layer, trees[key], pathlib.Path(work) / key)
                # Only bases are looked at again; the others would fill the memory.
                if not any(it.base == key for it in IMAGES.values()):
                    del trees[key]
            layers = {key: it.result() for key, it in layers.items()}
        archives = {}
        for key, image in IMAGES.items():
            version = upstream(closures[key][image.packages[0]])
            blobs = image_blobs(key, closures, layers, version)
            names = [it.format(v=version) for it in image.names]
            for repository in dict.fromkeys(it.rsplit(":", 1)[0] for it in names):
                host, path = repository.split("/", 1)
                file = f"{host}/{path.removeprefix('library/').replace('/', '-')}.tar"
                (out / host).mkdir(exist_ok=True)
                write_archive(out / file, blobs, [it for it in names if it.rsplit(":", 1)[0] == repository])
                archives[file] = (out / file).stat().st_size
    for host in {it.split("/")[0] for it in archives}:
        for stale in (it for it in (out / host).glob("*.tar") if f"{host}/{it.name}" not in archives):
            stale.unlink()
    (out / "built.json").write_text(json.dumps({"inputs": stamp, "archives": archives}, indent=1))
    say(f"{len(archives)} archives, {sum(archives.values()) // 1000000} MB, in {out}")


class Apt:
    """An apt of its own beside the machine's: Debian's SUITE with nothing installed but NOT_NEEDED."""

    def __init__(self, cache):
        self.debs = cache / "debs"
        for it in ("debs", "apt/etc/apt.conf.d", "apt/etc/preferences.d", "apt/lists/partial", "apt/cache/archives/partial"):
            (cache / it).mkdir(parents=True, exist_ok=True)
        root = cache / "apt"
        arch = architecture()
        keyring = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
        (root / "etc/sources.list").write_text(f"deb {keyring} {mirror()} {SUITE} main\n")
        (root / "status").write_text("".join(
            f"Package: {it}\nStatus: install ok installed\nVersion: 99:0\nArchitecture: {arch}\nMulti-Arch: foreign\n"
            f"Maintainer: -\nDescription: -\n\n" for it in NOT_NEEDED))
        # Of the machine's own settings, those that say how to reach a mirror.
        network = re.findall(r"(?m)^Acquire::https?::.*$", run("apt-config", "dump").decode())
        (root / "apt.conf").write_text(
            "\n".join(network) + f'\nDir::Etc "{root}/etc"; Dir::Etc::sourceparts "-"; Dir::State "{root}"; Dir::State::status "{root}/status";'
            f'Dir::Cache "{root}/cache"; APT::Architecture "{arch}"; APT::Architectures {{"{arch}";}};'
            'APT::Sandbox::User ""; APT::Install-Recommends "false"; Acquire::Languages "none"; Acquire::Retries "2";')
        self.env = {**os.environ, "APT_CONFIG": str(root / "apt.conf"), "LC_ALL": "C"}
        run("apt-get", "-qq", "update", env=self.env)

    def closure(self, packages):
        """Name and version of everything these packages need."""
        lines = run("apt-get", "-s", "install", *packages, env=self.env).decode().splitlines()
        return dict(re.match(r"Inst (\S+) \((\S+)", it).groups() for it in lines if it.startswith("Inst "))

    def deb(self, name, version):
        return next(self.debs.glob(f"{name}_{version.replace(':', '%3a')}_*.deb"), None)

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


def tree(key, image, apt, closure, below):
    """What the image's own layer holds: path to (tar header, bytes)."""
    entries = {}

    def put(path, kind, mode, uid=0, data=b"", link=""):
        path = re.sub(r"^(s?bin|lib|lib64)/", r"usr/\1/", path)
        for parent in list(pathlib.PurePosixPath(path).parents)[-2::-1]:
            if str(parent) not in entries and str(parent) not in below:
                put(str(parent), tarfile.DIRTYPE, 0o755)
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.uid, info.gid = kind, mode, uid, uid
        info.size, info.linkname, info.mtime = len(data), link, EPOCH
        entries[path] = (info, data)

    for name, version in sorted(closure.items()):
        with tarfile.open(fileobj=io.BytesIO(run("dpkg-deb", "--fsys-tarfile", apt.deb(name, version)))) as tar:
            for member in tar:
                path = posixpath.normpath(member.name)
                if member.isdir() or not is_wanted(path, image.keep):
                    continue
                if member.issym():
                    put(path, tarfile.SYMTYPE, 0o777, link=member.linkname)
                else:  # A hard link becomes a copy, so that order does not matter.
                    put(path, tarfile.REGTYPE, member.mode, member.uid, tar.extractfile(member).read())
    if "busybox-static" in closure and "sbin" in image.links:
        for applet in applets(entries["usr/bin/busybox"][1]):
            put(applet, tarfile.SYMTYPE, 0o777, link="/bin/busybox")
    if any(it.startswith("usr/lib64/") for it in entries):
        put("lib64", tarfile.SYMTYPE, 0o777, link="usr/lib64")
    for path, (mode, uid) in image.dirs.items():
        put(path, tarfile.DIRTYPE, mode, uid)
    for path, target in image.links.items():
        put(path, tarfile.SYMTYPE, 0o777, link=target)
    for file in sorted(it for it in (HERE / key).rglob("*") if it.is_file()):
        mode = 0o755 if os.access(file, os.X_OK) else 0o644
        put(str(file.relative_to(HERE / key)), tarfile.REGTYPE, mode, data=file.read_bytes())
    for user in image.users:
        name, uid, home = user.split(":")
        for path, line in (("etc/passwd", f"{name}:x:{uid}:{uid}:{name}:{home}:/bin/sh\n"), ("etc/group", f"{name}:x:{uid}:\n")):
            put(path, tarfile.REGTYPE, 0o644, data=(entries.get(path) or below[path])[1] + line.encode())
    return entries


def is_wanted(path, keep):
    if path.startswith("usr/share/doc/") and not path.endswith("/copyright"):
        return False
    return any(fnmatch.fnmatch(path, it) for it in keep) and not any(fnmatch.fnmatch(path, it) for it in DROP)


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


def image_blobs(key, closures, layers, version):
    """The manifest, the configuration and the layers of an image; the first two as bytes, a layer as its file."""
    image, chain = IMAGES[key], [key]
    while IMAGES[chain[0]].base:
        chain.insert(0, IMAGES[chain[0]].base)
    packages = {name: version for it in chain for name, version in closures[it].items()}
    config = json.loads(json.dumps(image.config).replace("{v}", version))
    config["Labels"] = {
        TITLE + "title": f"{key} stand-in",
        TITLE + "description": f"Stand-in for {image.of} made from Debian packages; not the real image",
        TITLE + "version": version,
        "io.github.mdbook-rehearse.packages": " ".join(f"{it}={packages[it]}" for it in sorted(packages)),
    }
    arch = {"armhf": "arm", "i386": "386"}.get(architecture(), architecture())
    history = [{"created": DATE, "created_by": f"COPY {' '.join(IMAGES[it].packages)} / # stand-in for {IMAGES[it].of}"}
               for it in chain]
    for word, field in (("ENV", "Env"), ("EXPOSE", "ExposedPorts"), ("VOLUME", "Volumes"), ("USER", "User"),
                        ("WORKDIR", "WorkingDir"), ("ENTRYPOINT", "Entrypoint"), ("CMD", "Cmd")):
        if field in config:
            said = json.dumps(config[field]) if field in ("Entrypoint", "Cmd") else \
                config[field] if isinstance(config[field], str) else " ".join(config[field])
            history.append({"created": DATE, "created_by": f"{word} {said}", "empty_layer": True})
    stack = [layers[it] for it in chain]
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


def write_archive(path, blobs, names):
    """Writes an OCI layout that `docker load` of every age reads as well (`manifest.json`)."""
    manifest, config, *stack = blobs
    descriptor = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest_of(manifest), "size": len(manifest)}
    blob = lambda digest: "blobs/" + digest.replace(":", "/")
    files = {
        "oci-layout": encode({"imageLayoutVersion": "1.0.0"}),
        "index.json": encode({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
            {**descriptor, "annotations": {"org.opencontainers.image.ref.name": it, "io.containerd.image.name": it}}
            for it in names]}),
        "manifest.json": encode([{"Config": blob(digest_of(config)), "RepoTags": names,
                                  "Layers": [blob(it["digest"]) for it in stack]}]),
        blob(digest_of(manifest)): manifest,
        blob(digest_of(config)): config,
        **{blob(it["digest"]): it["path"] for it in stack},
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
        fail(f"`{command[0]} {command[1]}` failed: {res.stderr.decode().strip()}")
    return res.stdout


def say(message):
    print(f"stand-ins: {message}", file=sys.stderr)


def fail(message):
    sys.exit(f"stand-ins: {message}")


main()
