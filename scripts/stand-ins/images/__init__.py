"""The table of stand-ins, a file a family. To add an image: a row in one of them.

The files it needs beside its packages go to `files/<key>/`, as they lie in the image; a package that apt drags in and
the program does without goes to `NOT_NEEDED` in `trim.py`. Bases stand before what uses them.
"""

from images import bases, databases, languages, servers, tools

IMAGES = {**bases.IMAGES, **languages.IMAGES, **servers.IMAGES, **databases.IMAGES, **tools.IMAGES}
