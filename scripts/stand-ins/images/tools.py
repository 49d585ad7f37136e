"""Images that are boxes of tools."""

from image import PATH, Image

IMAGES = {}
