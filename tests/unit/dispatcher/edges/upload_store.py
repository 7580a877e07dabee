"""A store of uploads and the journal of it, with nobody at work but the test."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.edges.upload_file import UploadFile
from wsgid.upload_journal import UPLOADS, UploadJournal


class Store:
    """What Mongrel2 writes, and the journal of it."""

    def __init__(self, folder: Path) -> None:
        self._store, self._run = folder / "store", folder / "run"
        self._store.mkdir()
        self._run.mkdir()
        self._run_dir = os.open(self._run, os.O_RDONLY)
        self.journal = UploadJournal(self._run_dir)
        self.executor = ThreadPoolExecutor(1)
        self._loop = asyncio.new_event_loop()
        self.disk = Disk("/nowhere", self.executor, self._loop)

    def file(self, name: str) -> UploadFile:
        return UploadFile(self.make(name), self.journal, self.disk)

    def make(self, name: str) -> bytes:
        """Mongrel2 begins to write."""
        (self._store / name).touch()
        return self.path(name)

    def path(self, name: str) -> bytes:
        return bytes(self._store / name)

    def left(self) -> list[str]:
        """The files that are still there, once all is done."""
        self.executor.submit(lambda: None).result()
        return sorted(os.listdir(self._store))

    def noted(self) -> int:
        self.executor.submit(lambda: None).result()
        return len(os.listdir(self._run / UPLOADS))

    def close(self) -> None:
        self.executor.shutdown()
        self._loop.close()
        self.journal.close()
        os.close(self._run_dir)
