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
        files |= {f"{info}.{kind}": data for kind, data in control.items() if kind != "control"}
    files["var/lib/dpkg/status"] = "\n".join(status).encode()
    return files


def repository(packages, names_of_old, epoch, date):
    """The files of an apt repository: `packages` are pairs of a package's control text and its bytes.

    A name of old is a package without files that depends on the one of today, and links under the names of old.
    """
    files, index = {}, []
    for control, deb in [*packages, *(transitional(name, *it, epoch) for name, it in sorted(names_of_old.items()))]:
        freed = peaceful(control, names_of_old)
        if freed != control:
            control, deb = freed, with_control(deb, freed)
        name = f"{field(control, 'Package')}_{field(control, 'Architecture')}.deb"
        files[f"{REPOSITORY}/{name}"] = deb
        index.append(stanza(control, Filename=f"./{name}", Size=len(deb), SHA256=hashlib.sha256(deb).hexdigest()))
    index = "\n".join(index).encode()
    files[f"{REPOSITORY}/Packages"] = index
    files[f"{REPOSITORY}/Release"] = (
        f"Date: {date}\nSuite: stable\nSHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} Packages\n").encode()
    return files


def peaceful(control, names):
    """The control text of a package that stands no longer against these other packages."""
    def kept(relation):
        packages = [it.strip() for it in relation[2].split(",")]
        packages = [it for it in packages if it.split()[0] not in names]
        return f"{relation[1]}: {', '.join(packages)}\n" if packages else ""

    return re.sub(r"(?m)^(Breaks|Conflicts|Replaces): (.*)\n", kept, control.rstrip("\n") + "\n")


def transitional(name, today, links, epoch):
    """A package that is only another name for the one of today, as pair of its control text and its bytes."""
    control = (
        f"Package: {name}\nVersion: 99\nArchitecture: all\nSection: oldlibs\nPriority: optional\nDepends: {today}\n"
        f"Maintainer: mdbook-rehearse\nDescription: name of old for {today}, made for a stand-in\n")
    told, data = (tarfile.TarInfo("./control"), control.encode()), []
    for path, target in links.items():
        link = tarfile.TarInfo(f"./{path}")
        link.type, link.linkname = tarfile.SYMTYPE, target
        data.append((link, b""))
    members = {"debian-binary": b"2.0\n", "control.tar.gz": archive([told], epoch), "data.tar.gz": archive(data, epoch)}
    deb = b"!<arch>\n"
    for member, content in members.items():
        deb += f"{member:<16}{epoch:<12}{0:<6}{0:<6}{100644:<8}".encode() + sized(content)
    return control, deb


def archive(members, epoch):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, data in members:
            info.size, info.mtime = len(data), epoch
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0)


def sized(content):
    """A member of a package from its size on, padded."""
    return f"{len(content):<10}`\n".encode() + content + b"\n" * (len(content) % 2)


def with_control(deb, control):
    """The package with another text as the main one of its control files."""
    res, place = deb[:8], 8
    while place < len(deb):
        head, size = deb[place:place + 60], int(deb[place + 48:place + 58])
        data = deb[place + 60:place + 60 + size]
        place += 60 + size + size % 2
        if head.startswith(b"control.tar"):
            head, data = b"control.tar.gz".ljust(16) + head[16:], gzip.compress(rewritten(data, control), mtime=0)
        res += head[:48] + sized(data)
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
