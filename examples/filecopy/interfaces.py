"""What can be added to filecopy.py."""

from abc import abstractmethod
from pathlib import Path

from wsgid.plugins import Interface


class IChecksum(Interface):
    """Tells two files apart."""

    @abstractmethod
    def of(self, file: Path) -> str: ...
