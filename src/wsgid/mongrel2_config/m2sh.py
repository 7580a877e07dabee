"""A configuration as the text that ``m2sh load`` takes: for those who keep theirs under version control.

m2sh knows no escapes in texts, and fails at a comma behind the last of anything, or says nothing and loads half of it.
Types of files cannot be written: what Debian's m2sh finds in ``mimetypes`` it takes out of its own table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from wsgid.mongrel2_config.values import Configuration, Directory, Handler, Host, Module, Proxy, Server, Target

PREFIXES: Mapping[type[Target], str] = {Handler: "handler", Directory: "directory", Proxy: "proxy"}


def as_m2sh(configuration: Configuration) -> str:
    """Raises ValueError for what cannot be written so."""
    names = _names(configuration)
    parts = [f"{name} = {_target(target)}\n" for target, name in names.items()]
    servers = []
    for number, server in enumerate(configuration.servers, 1):
        servers.append(f"server_{number}")
        parts.append(f"server_{number} = {_server(server, names)}\n")
    if configuration.settings:
        pairs = (f"    {_text(key)}: {_text(value)}" for key, value in configuration.settings.items())
        parts.append(f"settings = {{\n{_joined(pairs)}\n}}\n")
    parts.append(f"servers = [{', '.join(servers)}]\n")
    return "\n".join(parts)


def _names(configuration: Configuration) -> dict[Target, str]:
    names: dict[Target, str] = {}
    counts = dict.fromkeys(PREFIXES, 0)
    for server in configuration.servers:
        for _, route in server.routes():
            if route.target not in names:
                kind = type(route.target)
                counts[kind] += 1
                names[route.target] = f"{PREFIXES[kind]}_{counts[kind]}"
    return names


def _target(target: Target) -> str:
    match target:
        case Handler():
            texts = {name: _text(getattr(target, name)) for name in ("send_spec", "send_ident", "recv_spec")}
            texts |= {name: _text(getattr(target, name)) for name in ("recv_ident", "protocol")}
            return _call("Handler", {**texts, "raw_payload": str(target.raw_payload)})
        case Directory(base, index_file, default_ctype, cache_ttl):
            texts = {"base": _text(base), "index_file": _text(index_file), "default_ctype": _text(default_ctype)}
            return _call("Dir", {**texts, "cache_ttl": str(cache_ttl)})
        case Proxy(addr, port):
            return _call("Proxy", {"addr": _text(addr), "port": str(port)})


def _server(server: Server, names: Mapping[Target, str]) -> str:
    named = ("uuid", "name", "bind_addr", "default_host", "chroot", "access_log", "error_log", "pid_file")
    values = {name: _text(getattr(server, name)) for name in named}
    if server.control_port:  # m2sh takes no empty one
        values["control_port"] = _text(server.control_port)
    values |= {"port": str(server.port), "use_ssl": str(int(server.use_ssl))}
    values["hosts"] = _list(_host(host, names) for host in server.hosts)
    if server.filters:
        values["filters"] = _list(map(_filter, server.filters))
    if server.xrequests:
        values["xrequests"] = _list(map(_xrequest, server.xrequests))
    return _call("Server", values)


def _host(host: Host, targets: Mapping[Target, str]) -> str:
    routes = [f"            {_text(route.path)}: {targets[route.target]}" for route in host.routes]
    names = f"name={_text(host.name)}, matching={_text(host.matching)}"
    return f"        Host({names}, routes={{\n{_joined(routes)}\n        }})"


def _list(items: Iterable[str]) -> str:
    return f"[\n{_joined(items)}\n    ]"


def _filter(module: Module) -> str:
    return _module("Filter", module)


def _xrequest(module: Module) -> str:
    return _module("Xrequest", module)


def _module(kind: str, module: Module) -> str:
    if module.settings != EMPTY:
        raise ValueError(f"{module.name} has settings, which are not shown here: {module.settings}")
    return f"        {kind}(name={_text(module.name)}, settings={{}})"


EMPTY = "0:}"
"""A dictionary of no keys, as a tnetstring."""


def _call(name: str, values: Mapping[str, str]) -> str:
    lines = (f"    {key}={value}" for key, value in values.items())
    return f"{name}(\n{_joined(lines)}\n)"


def _joined(lines: Iterable[str] | Iterator[str] | Sequence[str]) -> str:
    return ",\n".join(lines)


def _text(value: str) -> str:
    for quote in ('"', "'"):
        if quote not in value and "\n" not in value:
            return f"{quote}{value}{quote}"
    raise ValueError(f"m2sh cannot read {value!r}: it has both kinds of quotes, or more than one line")
