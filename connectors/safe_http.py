"""One POST to an address that people typed in: never into the company's own network, never elsewhere than asked.

The name is resolved once; what is private, local, link-local, multicast or reserved is refused, and the connection goes
to the very address that was looked at, so a name that answers differently the second time gains nothing. Redirects are
answers like any other. Everything together has one deadline.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from connectors.outcome import ConnectorError, LinkDown, Misconfigured, PeerSilent

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TIMEOUT = 10.0
"""Seconds for all of it: connection, request, answer."""
MOST_ANSWER = 1024 * 1024
"""Bytes of an answer; whoever says more is cut off."""
LONGEST_URL = 1000
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
USER_AGENT = "Yunliu"


class Blocked(ConnectorError):
    """The address lies in a network that must not be reached from here; nothing was sent."""

    code = "address_blocked"


@dataclass(frozen=True)
class Allowed:
    """What an operator lets be reached although it is private, and over plain http: hosts by name, networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Allowed:
        """Separated by commas: `erp.intern, 10.1.0.0/16, 192.168.3.7`. Raises ValueError."""
        hosts, networks = set(), []
        for part in filter(None, (one.strip() for one in text.replace(";", ",").split(","))):
            try:
                networks.append(ipaddress.ip_network(part))
            except ValueError:
                if "/" in part or any(sign.isspace() for sign in part):
                    raise ValueError(f"{part!r} is neither a host nor a network") from None
                hosts.add(part.lower().rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def names(self, host: str) -> bool:
        return host.lower().rstrip(".") in self.hosts

    def holds(self, address: IPAddress) -> bool:
        return any(address in network for network in self.networks if network.version == address.version)


NOTHING_PRIVATE = Allowed()


def is_public(address: IPAddress) -> bool:
    """Whether everybody may be sent there. An IPv4 address inside an IPv6 one is judged by itself."""
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _inner(address: IPAddress) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


@dataclass(frozen=True)
class Address:
    """A URL that can be posted to."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """https://host[:port]/path?query; http:// is judged when the host's address is known. Raises Misconfigured."""
        if len(url) > LONGEST_URL or not url.isprintable() or any(sign.isspace() for sign in url):
            raise Misconfigured("The address cannot be read.", code="bad_url")
        try:
            parts = urlsplit(url)
            port, host = parts.port, _ascii_host(parts)
        except (ValueError, UnicodeError):
            raise Misconfigured("The address cannot be read.", code="bad_url") from None
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or parts.fragment:
            raise Misconfigured("An address reads https://host[:port]/path, without a login in it.", code="bad_url")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii():
            raise Misconfigured("The path must be percent-encoded.", code="bad_url")
        return cls(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)

    @property
    def literal(self) -> IPAddress | None:
        """The host, where it is an address itself, in whatever notation the system reads: 127.1 and 2130706433 too."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            pass
        try:
            return ipaddress.IPv4Address(socket.inet_aton(self.host.rstrip(".")))
        except (OSError, UnicodeError):
            return None


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return host if host.isascii() else host.encode("idna").decode("ascii")


def refusal(address: Address, allowed: Allowed = NOTHING_PRIVATE) -> str:
    """Why it could never be reached, as far as the address alone tells: address_blocked, not_https or ""."""
    if allowed.names(address.host):
        return ""
    literal = address.literal
    if literal is not None and allowed.holds(literal):
        return ""
    if f".{address.host.rstrip('.')}".endswith(".localhost"):
        return Blocked.code
    if literal is not None and not is_public(literal):
        return Blocked.code
    # A name may lead into a network the operator has opened, where plain http is in order.
    return "not_https" if address.scheme == "http" and not (literal is None and allowed.networks) else ""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """by lower-case name"""
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The answer's JSON object; {} for anything else."""
        try:
            said = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}


Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The numeric addresses of a name, as the system orders them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Allowed = NOTHING_PRIVATE,
    timeout: float = TIMEOUT,
    resolving: Resolve = resolve,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send and read the answer.

    Raises Blocked, Misconfigured and LinkDown before a byte of the request has left, PeerSilent after.
    """
    address = Address.parse(url)
    end = time.monotonic() + timeout
    target = _target(address, allowed, resolving)
    connection = _Pinned(address, target, timeout, tls)
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        raise LinkDown(f"The certificate is not trusted: {error.verify_message}.", code="untrusted") from None
    except ssl.SSLError as error:
        raise LinkDown(f"TLS failed: {error.reason or error}.", code="tls_failed") from None
    except (OSError, http.client.HTTPException) as error:
        raise LinkDown(f"{address.host} cannot be reached: {error}.", code="unreachable") from None
    watch = threading.Timer(max(0.0, end - time.monotonic()), connection.cut)
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", address.path, body, {"User-Agent": USER_AGENT, **headers})
        answer = connection.getresponse()
        said = _read(answer)
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, said)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = "no answer in time" if time.monotonic() >= end - 0.05 else str(error) or type(error).__name__
        raise PeerSilent(f"{address.host} was given the request: {why}.", code="no_answer") from None
    finally:
        watch.cancel()
        connection.close()


def _read(answer: http.client.HTTPResponse) -> bytes:
    """What of the body comes in time and fits; the status decides, and that is known."""
    text = b""
    with suppress(OSError, http.client.HTTPException, ValueError):
        while len(text) < MOST_ANSWER and (piece := answer.read1(min(65536, MOST_ANSWER - len(text)))):
            text += piece
    return text


def _target(address: Address, allowed: Allowed, resolving: Resolve) -> str:
    """The one numeric address the connection goes to."""
    try:
        found = [ipaddress.ip_address(one) for one in resolving(address.host, address.port)]
    except (OSError, ValueError, UnicodeError) as error:
        raise LinkDown(f"The name {address.host} cannot be resolved: {error}.", code="unknown_host") from None
    if not found:
        raise LinkDown(f"The name {address.host} has no address.", code="unknown_host")
    by_name = allowed.names(address.host)
    opened = [one for one in found if by_name or allowed.holds(one)]
    good = opened or _public_only(found)
    if not good:
        raise Blocked(f"{address.host} lies in a network that is not to be reached from here.")
    if address.scheme == "http" and not opened:
        raise Misconfigured("Only https:// leaves the company.", code="not_https")
    return str(good[0])


def _public_only(found: Iterable[IPAddress]) -> list[IPAddress]:
    """None of them where one is not public: a name that leads inside as well as outside is no honest one."""
    addresses = list(found)
    return addresses if all(is_public(one) for one in addresses) else []


class _Pinned(http.client.HTTPConnection):
    """A connection to an address decided before; the name is for TLS and the Host header only."""

    def __init__(self, address: Address, target: str, timeout: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(address.host, address.port, timeout=timeout)
        self._target = target
        self._tls = (tls or ssl.create_default_context()) if address.scheme == "https" else None
        self.default_port = 443 if self._tls is not None else 80  # else the Host header names the usual port

    def connect(self) -> None:
        line = socket.create_connection((self._target, self.port), self.timeout)
        if self._tls is not None:
            try:
                line = self._tls.wrap_socket(line, server_hostname=self.host)
            except BaseException:
                line.close()
                raise
        self.sock = line

    def cut(self) -> None:
        """Wake whoever waits on it: the time is up."""
        line = self.sock
        if line is not None:
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)
