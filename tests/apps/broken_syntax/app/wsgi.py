"""Cannot be compiled. Of all syntax errors this one is the kindest to other tools that read the file."""

application = None
return application  # type: ignore[misc]  # noqa: F706
