import zlib
from pathlib import Path

from interfaces import IChecksum

from wsgid.plugins import Plugin


class Crc32(Plugin, IChecksum):
    def of(self, file: Path) -> str:
        return f"{zlib.crc32(file.read_bytes()):08x}"
