"""``wsgid mongrel2 show``: the configuration as text for m2sh."""

from wsgid.cli.complaints import CannotDo
from wsgid.cli.mongrel2.place import config_file, read
from wsgid.interfaces.commands import CommandOptions
from wsgid.mongrel2_config.m2sh import as_m2sh


def show(options: CommandOptions) -> int:
    """Returns the exit code. Raises CannotDo."""
    file = config_file(options.app_path, options.config)
    configuration = read(file)
    try:
        print(as_m2sh(configuration), end="")
    except ValueError as error:
        raise CannotDo(f"{file}: {error}") from None
    return 0
