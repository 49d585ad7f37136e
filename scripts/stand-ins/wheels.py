"""Wheels of the Python modules in Debian packages, so that pip in an image installs them without an index.

It answers for one package's files as a wheel; not for which packages there are.
"""

import base64
import hashlib
import io
import posixpath
import re
import tarfile
import zipfile

WHEELS = "usr/share/wheels"  # Where `etc/pip.conf` of the images looks for them.
PIP_CONF = f"""\
[global]
no-index = true
find-links = /{WHEELS}
break-system-packages = true
"""


def wheel(data_tar):
    """Name and bytes of the wheel of a package; what is compiled in it stays out, its modules must do without."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(data_tar)) as tar:
        for member in tar:
            inside = posixpath.normpath(member.name).partition("usr/lib/python3/dist-packages/")[2]
            if member.isfile() and inside and not inside.endswith(".so"):
                files[inside] = tar.extractfile(member).read()
    told = next(it for it in files if re.fullmatch(r"[^/]+\.(dist-info/METADATA|egg-info/PKG-INFO)", it))
    metadata = files[told].decode()
    name, version = (re.search(rf"(?m)^{it}: (.*)$", metadata)[1].strip() for it in ("Name", "Version"))
    name = re.sub(r"[-_.]+", "_", name).lower()
    scripts = files.get(posixpath.dirname(told) + "/entry_points.txt")
    info = f"{name}-{version}.dist-info"
    files = {it: data for it, data in files.items() if not it.startswith(posixpath.dirname(told) + "/")}
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: stand-ins\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if scripts:
        files[f"{info}/entry_points.txt"] = scripts
    record = ""
    for path, data in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path), data)
    return f"{name}-{version}-py3-none-any.whl", raw.getvalue()
