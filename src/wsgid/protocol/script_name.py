"""A path taken apart at the application's root, into SCRIPT_NAME and PATH_INFO (PEP 3333, "environ Variables")."""


def below(root: str, path: str) -> str | None:
    """What follows ``root`` in ``path``; None for a path that does not go through it.

    Both are as percent-encoded as they came, and compared so. Only whole segments count: ``/shopping`` is not below
    ``/shop``. ``root`` has no slash at its end, and is ``""`` where the application has the whole server.
    """
    rest = path[len(root) :]
    return rest if path.startswith(root) and (not root or rest[:1] in ("", "/")) else None
