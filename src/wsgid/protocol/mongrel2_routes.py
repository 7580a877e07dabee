"""SCRIPT_NAME and PATH_INFO from the route by which Mongrel2 chose the handler."""

import functools

from wsgid.protocol.script_name import below


def split_path(pattern: str, path: str) -> tuple[str, str]:
    """SCRIPT_NAME and PATH_INFO, both as percent-encoded as they come, of ``path`` as matched by the route ``pattern``.

    The route names the application's root only where the path really goes through it. Mongrel2's routing tree also
    gives ``/a`` and ``/`` to the route ``/app``, and ``/apple`` as well: those are the application's to answer, most
    likely with 404, under an empty SCRIPT_NAME.

    An empty group where the pattern begins says that there is no root: ``/s()(.*)`` gives back to the application what
    a route ``/static/`` beside it would get else (`wsgid.mongrel2_config.site`).
    """
    root = _root(pattern)
    if not root or (rest := below(root, path)) is None:
        return "", path
    return root, rest


@functools.lru_cache(maxsize=1024)
def _root(pattern: str) -> str:
    """The literal part of a route: what comes before its first ``(``, where the pattern begins, without a final
    ``/``."""
    literal, _, rest = pattern.partition("(")
    return "" if rest.startswith(")") else literal.rstrip("/")
