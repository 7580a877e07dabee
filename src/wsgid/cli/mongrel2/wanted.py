"""What ``wsgid mongrel2 init`` is to write, by its options and those of the app folder."""

import errno
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path, PurePosixPath

from wsgid.addresses import MAX_PORT, MAX_UNIX_PATH
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo
from wsgid.config import Config
from wsgid.interfaces.commands import CommandOptions
from wsgid.master.holders import tcp_holder
from wsgid.mongrel2_config.site import ANSWERS, REQUESTS, Site, StaticFiles, ident

HOST = "localhost"
"""A site without a name. As the only one it serves all others, too."""


@dataclass(frozen=True, slots=True)
class Certificate:
    cert: bytes
    key: bytes


def site(options: CommandOptions, config: Config, folder: Path, static: Sequence[StaticFiles], *, chroot: bool) -> Site:
    """``folder`` is Mongrel2's. Raises CannotDo."""
    recv, send = endpoints(options, config, folder / REQUESTS, folder / ANSWERS)
    return Site(
        name=ident(config.app_path.name),
        folder=PurePosixPath(folder),
        chroot=chroot,
        bind_addr=_address(options.address),
        port=_port(options.port),
        hosts=tuple(dict.fromkeys(options.host)) or (HOST,),
        recv=recv,
        send=send,
        script_name=config.script_name,
        static=tuple(static),
        stream_uploads=options.stream_uploads,
        tls=bool(options.tls_cert),
    )


def endpoints(options: CommandOptions, config: Config, requests: Path, answers: Path) -> tuple[str, str]:
    """--recv and --send: those that were given, else these sockets, which nobody else can reach. Raises CannotDo.

    Sockets that were saved by an earlier call are not kept: they lie in the folder that Mongrel2 had then.
    """
    if len(config.recv) > 1:
        raise CannotDo("one pair of --recv and --send can be written here, not several", exit_code=EXIT_REFUSED)
    if config.recv and ("recv" in options.told or not _made_here(config.recv[0], config.send[0])):
        return config.recv[0], config.send[0]
    longest = len(os.fsencode(requests))
    if longest > MAX_UNIX_PATH:
        raise CannotDo(
            f"{requests} is too long for a socket's path ({longest} bytes, at most {MAX_UNIX_PATH}): name TCP "
            "addresses, such as --recv tcp://127.0.0.1:7101 --send tcp://127.0.0.1:7102",
            exit_code=EXIT_REFUSED,
        )
    return f"ipc://{requests}", f"ipc://{answers}"


def _made_here(recv: str, send: str) -> bool:
    """Are they what `endpoints` makes, for this folder or another one?"""
    return recv.startswith("ipc://") and recv.endswith("requests") and send == f"{recv.removesuffix('requests')}answers"


def certificate(options: CommandOptions) -> Certificate | None:
    """Raises CannotDo."""
    if not options.tls_cert and not options.tls_key:
        return None
    if not (options.tls_cert and options.tls_key):
        raise CannotDo("TLS takes both, --tls-cert and --tls-key", exit_code=EXIT_REFUSED)
    try:
        content = Certificate(Path(options.tls_cert).read_bytes(), Path(options.tls_key).read_bytes())
        if problem := not_a_pair(options.tls_cert, options.tls_key):
            raise CannotDo(problem, exit_code=EXIT_REFUSED)
        return content
    except OSError as error:
        raise CannotDo(f"{error.filename} cannot be read: {error.strerror}", exit_code=EXIT_REFUSED) from None


def not_a_pair(cert: str | Path, key: str | Path) -> str | None:
    """Why Mongrel2 could not serve with these two, in words. Raises OSError for what cannot be read."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        return f"{cert} and {key} are no certificate and its key without a password, in PEM: {error.reason or error}"
    return None


def check_free(wanted: Site) -> None:
    """Raises CannotDo for an address that others have open. Whether a port below 1024 takes root is seen when Mongrel2
    is started."""
    addresses = [("--port", wanted.bind_addr, wanted.port)]
    for option, endpoint in (("--recv", wanted.recv), ("--send", wanted.send)):
        if endpoint.startswith("tcp://"):
            host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
            addresses.append((option, host.strip("[]"), int(port)))
    for option, host, number in addresses:
        if problem := not_free(host, number):
            raise CannotDo(f"{option}: {host}:{number} cannot be opened: {problem}; choose another")


def not_free(host: str, port: int) -> str | None:
    """Why this port cannot be opened now, in words; want of rights apart."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return None
    except PermissionError:
        return None
    except OSError as error:
        return f"{tcp_holder(host, port)} listens there" if error.errno == errno.EADDRINUSE else str(error.strerror)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise CannotDo(
            f"--address: {text!r} is no IP address, such as 127.0.0.1 or ::1", exit_code=EXIT_REFUSED
        ) from None


def _port(number: int) -> int:
    if not 0 < number <= MAX_PORT:
        raise CannotDo(f"--port: {number} is not from 1 to {MAX_PORT}", exit_code=EXIT_REFUSED)
    return number
