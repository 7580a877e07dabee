import hashlib

from interfaces import IChecksum

from wsgid.plugins import Plugin


class Sha1(Plugin):
    implements = [IChecksum]

    def of(self, path):
        return hashlib.sha1(path.read_bytes()).hexdigest()
