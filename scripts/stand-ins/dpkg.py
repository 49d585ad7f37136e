"""What dpkg and apt in an image need: the database of what is installed, and a repository of what can be.

It answers for files as paths and bytes; not for which packages there are, nor for unpacking them.
"""

import gzip
import hashlib
import io
import re
import tarfile

REPOSITORY = "usr/share/packages"  # Where `files/debian/etc/apt` looks for it.


def stanza(control, **fields):
    """A package's control text with more fields."""
    return control.strip("\n") + "".join(f"\n{key}: {value}" for key, value in fields.items()) + "\n"


def field(control, name):
    found = re.search(rf"(?m)^{name}: (.*)$", control)
    return found and found[1]


def database(packages):
    """The files of dpkg's database: `packages` are pairs of the two archives in a package, control and data."""
    files, status = {"var/lib/dpkg/info/format": b"1\n", "var/lib/dpkg/available": b""}, []
    for control_tar, data_tar in packages:
        with tarfile.open(fileobj=io.BytesIO(control_tar)) as tar:
            control = {it.name.removeprefix("./"): tar.extractfile(it).read() for it in tar if it.isfile()}
        with tarfile.open(fileobj=io.BytesIO(data_tar)) as tar:
            members = {"/" + it.name.removeprefix("./").rstrip("/"): it for it in tar}
            conffiles = [it for it in control.get("conffiles", b"").decode().split() if it in members]
            digests = {it: hashlib.md5(tar.extractfile(members[it]).read()).hexdigest() for it in conffiles}
        text = control["control"].decode()
        known = {"Status": "install ok installed"}
        if digests:
            known["Conffiles"] = "".join(f"\n {path} {digest}" for path, digest in digests.items())
        status.append(stanza(text, **known))
        name = field(text, "Package")
        if field(text, "Multi-Arch") == "same":
            name += ":" + field(text, "Architecture")
        info = f"var/lib/dpkg/info/{name}"
        files[f"{info}.list"] = "".join(f"{it if it != '/' else '/.'}\n" for it in members).encode()
        for kind in ("preinst", "postinst", "prerm", "postrm", "triggers", "conffiles", "templates", "shlibs"):
            if kind in control:
                files[f"{info}.{kind}"] = control[kind]
    files["var/lib/dpkg/status"] = "\n".join(status).encode()
    return files


def repository(packages, date):
    """The files of an apt repository: `packages` are pairs of a package's control text and its bytes."""
    files, index = {}, []
    for control, deb in packages:
        name = f"{field(control, 'Package')}_{field(control, 'Architecture')}.deb"
        files[f"{REPOSITORY}/{name}"] = deb
        index.append(stanza(control, Filename=f"./{name}", Size=len(deb), SHA256=hashlib.sha256(deb).hexdigest()))
    index = "\n".join(index).encode()
    files[f"{REPOSITORY}/Packages"] = index
    files[f"{REPOSITORY}/Release"] = (
        f"Date: {date}\nSuite: stable\nSHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} Packages\n").encode()
    return files


def transitional(name, depends, epoch):
    """A package that is only another name for `depends`, as pair of its control text and its bytes."""
    control = (
        f"Package: {name}\nVersion: 99\nArchitecture: all\nSection: oldlibs\nPriority: optional\nDepends: {depends}\n"
        f"Maintainer: mdbook-rehearse\nDescription: name of old for {depends}, made for a stand-in\n")
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": archive({"./control": control.encode()}, epoch),
        "data.tar.gz": archive({}, epoch),
    }
    deb = b"!<arch>\n"
    for member, data in members.items():
        deb += f"{member:<16}{epoch:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return control, deb


def archive(files, epoch):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), epoch
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0)
