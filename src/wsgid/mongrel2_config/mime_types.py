"""Content types of static files: Mongrel2 has none by itself, and calls everything by a route's ``default_ctype``."""

import mimetypes

OF_THE_WEB = {
    ".avif": "image/avif",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".otf": "font/otf",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""What sites serve and Python 3.11 does not know, or not as browsers (the WHATWG's MIME Sniffing Standard) do."""


def mime_types() -> dict[str, str]:
    """By extension. The same on every machine: the system's own tables are not read."""
    return dict(sorted({**mimetypes.MimeTypes().types_map[True], **OF_THE_WEB}.items()))
