"""Why a daemon does not come up."""


class CannotStart(Exception):
    """Stops the start. The text goes to the log and to the terminal: it says what failed, where, and what to do."""
