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


def repository(packages, names_of_old, date):
    """The files of an apt repository: `packages` are pairs of a package's control text and its bytes.

    Where nothing but a package of today goes by a name of old, apt takes that one.
    """
    files, index = {}, []
    for control, deb in packages:
        package = field(control, "Package")
        also = [it for it, today in names_of_old.items() if today == package]
        if also:
            provided = field(control, "Provides")
            control = re.sub(r"(?m)^Provides: .*\n", "", control)
            control = stanza(control, Provides=", ".join([provided, *also] if provided else also))
            deb = with_control(deb, control)
        name = f"{package}_{field(control, 'Architecture')}.deb"
        files[f"{REPOSITORY}/{name}"] = deb
        index.append(stanza(control, Filename=f"./{name}", Size=len(deb), SHA256=hashlib.sha256(deb).hexdigest()))
    index = "\n".join(index).encode()
    files[f"{REPOSITORY}/Packages"] = index
    files[f"{REPOSITORY}/Release"] = (
        f"Date: {date}\nSuite: stable\nSHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} Packages\n").encode()
    return files


def with_control(deb, control):
    """The package with another text as the main one of its control files."""
    res, place = deb[:8], 8
    while place < len(deb):
        head, size = deb[place:place + 60], int(deb[place + 48:place + 58])
        data = deb[place + 60:place + 60 + size]
        place += 60 + size + size % 2
        if head.startswith(b"control.tar"):
            data = gzip.compress(rewritten(data, control), mtime=0)
            head = b"control.tar.gz".ljust(16) + head[16:48] + f"{len(data):<10}`\n".encode()
        res += head + data + b"\n" * (len(data) % 2)
    return res


def rewritten(control_tar, control):
    """The archive of control files with another main one, not compressed."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(control_tar)) as old, tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as new:
        for member in old:
            data = old.extractfile(member).read() if member.isfile() else b""
            if member.name == "./control":
                data = control.encode()
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return raw.getvalue()
