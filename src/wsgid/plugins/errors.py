"""What is said to the author of a plug-in."""


class PluginError(TypeError):
    """A plug-in cannot be used. The text says where, what is wrong and what is expected."""
