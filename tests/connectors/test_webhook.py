"""Webhooks on the wire: signatures as another implementation reads them, addresses that must not be reached."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import standardwebhooks

from connectors import safe_http
from connectors.outcome import BadSignature, LinkDown, Misconfigured, PeerSilent, Verdict
from connectors.safe_http import Address, Allowed, Blocked, refusal
from connectors.signatures import new_secret, sign, verify
from connectors.webhook.sending import PAUSES, HttpHooks, OutHook, again
from engine import clock
from tests.connectors.http_peer import Peer, http_peer

NOW = datetime(2026, 11, 27, 4, 0, 0, tzinfo=UTC)
HERE = Allowed.parse("127.0.0.1")
BODY = json.dumps({"type": "process.instance.completed", "data": {"说": "好"}}, ensure_ascii=False).encode()


@pytest.fixture
def peer() -> Iterator[Peer]:
    with http_peer() as made:
        yield made


def hook(peer: Peer, attempt: int = 1, url: str = "") -> OutHook:
    return OutHook("evt_1", url or peer.url, [new_secret()], BODY, NOW, attempt)


# ------------------------------------------------------------------------------------------------- signatures


def test_another_implementation_reads_our_signature() -> None:
    secret, now = new_secret(), clock.now()
    headers = sign([secret], "evt_1", now, BODY)
    assert standardwebhooks.Webhook(secret).verify(BODY.decode(), headers)["data"] == {"说": "好"}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(new_secret()).verify(BODY.decode(), headers)


def test_we_read_the_signature_of_another_implementation() -> None:
    secret = new_secret()
    theirs = standardwebhooks.Webhook(secret).sign("msg_7", NOW, BODY.decode())
    headers = {"Webhook-Id": "msg_7", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": theirs}
    assert verify([secret], headers, BODY, NOW) == "msg_7"


def test_while_a_secret_is_replaced_either_one_is_right() -> None:
    old, new, now = new_secret(), new_secret(), clock.now()
    headers = sign([new, old], "evt_1", now, BODY)
    for secret in (old, new):
        assert standardwebhooks.Webhook(secret).verify(BODY.decode(), headers)


@pytest.mark.parametrize(
    ("change", "late"),
    [
        ({"webhook-id": "evt_2"}, 0),
        ({"webhook-id": ""}, 0),
        ({"webhook-id": "x" * 101}, 0),
        ({"webhook-timestamp": "1"}, 0),
        ({"webhook-timestamp": "²"}, 0),
        ({"webhook-timestamp": "999999999999"}, 0),
        ({"webhook-timestamp": "99999999999999"}, 0),
        ({"webhook-signature": ""}, 0),
        ({"webhook-signature": "v1,é v1a,abc"}, 0),
        ({}, 301),
        ({}, -301),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, str], late: int) -> None:
    secret = new_secret()
    headers = {**sign([secret], "evt_1", NOW, BODY), **change}
    with pytest.raises(BadSignature):
        verify([secret], headers, BODY, NOW + timedelta(seconds=late))


def test_a_time_beyond_every_calendar_is_refused_though_it_is_signed() -> None:
    secret, stamp = new_secret(), "999999999999"
    theirs = base64.b64encode(
        hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), f"evt_1.{stamp}.".encode() + BODY, "sha256")
    )
    headers = {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{theirs.decode()}"}
    with pytest.raises(BadSignature):
        verify([secret], headers, BODY, NOW)


def test_a_changed_body_is_refused() -> None:
    secret = new_secret()
    with pytest.raises(BadSignature):
        verify([secret], sign([secret], "evt_1", NOW, BODY), BODY + b" ", NOW)


# ------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff0e::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
    ],
)
def test_inside_addresses_are_not_public(address: str) -> None:
    assert not safe_http.is_public(ipaddress.ip_address(address))
    with pytest.raises(Blocked):
        safe_http.post("https://name.example/", b"", {}, resolving=lambda _host, _port: [address])


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_outside_addresses_are_public(address: str) -> None:
    assert safe_http.is_public(ipaddress.ip_address(address))


def test_a_name_that_leads_inside_as_well_is_not_followed() -> None:
    with pytest.raises(Blocked):
        safe_http.post("https://name.example/", b"", {}, resolving=lambda _host, _port: ["8.8.8.8", "10.0.0.1"])


def test_the_connection_goes_to_the_address_that_was_looked_at(peer: Peer) -> None:
    """A name server that says something else the second time gains nothing: there is no second time."""
    asked = []

    def once(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    answer = safe_http.post(
        f"http://erp.intern:{peer.port}/in", b"{}", {}, allowed=Allowed.parse("erp.intern"), resolving=once
    )
    assert (answer.status, asked) == (200, ["erp.intern"])
    assert peer.asked[0].headers["host"] == f"erp.intern:{peer.port}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://127.0.0.1/", "address_blocked"),
        ("https://localhost/", "address_blocked"),
        ("https://[::1]/", "address_blocked"),
        ("https://localhost./", "address_blocked"),
        ("https://127.1/", "address_blocked"),
        ("https://0/", "address_blocked"),
        ("https://2130706433/", "address_blocked"),
        ("https://0x7f000001/", "address_blocked"),
        ("https://0177.0.0.1/", "address_blocked"),
        ("https://①②⑦.0.0.1/", "address_blocked"),
        ("https://134744072/", ""),
        ("http://example.com/", "not_https"),
        ("https://example.com/a?b=c", ""),
        ("https://例子.中国/", ""),
    ],
)
def test_an_address_is_judged_before_it_is_kept(url: str, why: str) -> None:
    assert refusal(Address.parse(url)) == why


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://a/",
        "https://",
        "https://a:b@c/",
        "https://a/#f",
        "https://a b/",
        "https://a:99999/",
        "https://a/路",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        Address.parse(url)


def test_an_operator_opens_hosts_and_networks() -> None:
    allowed = Allowed.parse("erp.intern, 10.1.0.0/16; 127.0.0.1")
    assert refusal(Address.parse("http://10.1.2.3/"), allowed) == ""
    assert refusal(Address.parse("https://10.2.2.3/"), allowed) == "address_blocked"
    assert refusal(Address.parse("http://ERP.intern./"), allowed) == ""
    with pytest.raises(ValueError, match="neither a host nor a network"):
        Allowed.parse("10.1.0.0/99")


def test_plain_http_leaves_only_for_what_is_opened() -> None:
    with pytest.raises(Misconfigured):
        safe_http.post("http://name.example/", b"", {}, resolving=lambda _host, _port: ["8.8.8.8"])


# ------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "accepted"), (204, "accepted"), (302, "deferred"), (400, "deferred"), (401, "deferred"), (500, "deferred")],
)
def test_only_a_2xx_is_success(peer: Peer, status: int, verdict: str) -> None:
    peer.says(status, {"why": "so"}, Location="http://127.0.0.1:1/elsewhere")
    sent = HttpHooks(HERE).send(hook(peer))
    assert (sent.outcome.verdict.value, sent.status) == (verdict, status)
    assert len(peer.asked) == 1, "a redirect is not followed"
    assert peer.asked[0].body == json.loads(BODY)
    assert peer.asked[0].headers["webhook-id"] == "evt_1"


def test_410_is_gone_for_good(peer: Peer) -> None:
    peer.says(410, {"text": "moved out"})
    outcome = HttpHooks(HERE).send(hook(peer)).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "gone")


def test_pauses_grow_and_end(peer: Peer) -> None:
    peer.says(503)
    road = HttpHooks(HERE)
    pauses = [road.send(hook(peer, attempt)).outcome.retry_after for attempt in range(1, 8)]
    assert pauses == [*PAUSES, None]
    assert road.send(hook(peer, 7)).outcome.verdict is Verdict.REJECTED


def test_a_peer_may_ask_for_a_longer_pause(peer: Peer) -> None:
    peer.says(429, None, **{"Retry-After": "90"})
    assert HttpHooks(HERE).send(hook(peer)).outcome.retry_after == timedelta(seconds=90)


def test_a_silent_peer_is_given_up_in_time(peer: Peer) -> None:
    peer.hang = True
    began = time.monotonic()
    sent = HttpHooks(HERE, timeout=0.3).send(hook(peer))
    assert time.monotonic() - began < 2
    assert (sent.outcome.verdict, sent.status) == (Verdict.UNKNOWN, 0)
    assert again(sent.outcome, 1).retry_after == PAUSES[0]


def test_a_peer_that_drips_is_cut_off() -> None:
    """Each piece comes in time and the whole never: one deadline counts for everything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            line, _address = listening.accept()
            with line:
                try:
                    for sign_ in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100:
                        line.sendall(bytes([sign_]))
                        time.sleep(0.05)
                except OSError:
                    pass

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        with pytest.raises(PeerSilent):
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
            safe_http.post(url, b"{}", {}, allowed=HERE, timeout=0.4)
        assert time.monotonic() - began < 2


def test_an_endless_answer_is_cut_off(peer: Peer) -> None:
    peer.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (3 * 1024 * 1024)
    answer = safe_http.post(peer.url, b"{}", {}, allowed=HERE)
    assert (answer.status, len(answer.body)) == (200, safe_http.MOST_ANSWER)


def test_nobody_there_is_no_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = HttpHooks(HERE).send(OutHook("evt_1", f"http://127.0.0.1:{port}/", [new_secret()], b"{}", NOW)).outcome
    assert (outcome.verdict, outcome.code, outcome.retry_after) == (Verdict.DEFERRED, "unreachable", PAUSES[0])


def test_a_blocked_address_is_not_tried_again() -> None:
    outcome = HttpHooks().send(OutHook("evt_1", "https://127.0.0.1/", [new_secret()], b"{}", NOW)).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "address_blocked")


# ------------------------------------------------------------------------------------------------- TLS


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl: apt-get install openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for erp.intern, and its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=erp.intern"
    files = ["-addext", "subjectAltName=DNS:erp.intern", "-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run(["openssl", *options.split(), *files], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


@pytest.fixture
def tls_peer(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                with context.wrap_socket(listening.accept()[0], server_side=True) as line:
                    line.recv(65536)
                    line.sendall(b"HTTP/1.1 204 OK\r\n\r\n")
            except OSError:
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def _post(port: int, host: str, tls: ssl.SSLContext | None) -> safe_http.Answer:
    url, allowed = f"https://{host}:{port}/", Allowed.parse("erp.intern, other.intern")
    return safe_http.post(url, b"{}", {}, allowed=allowed, tls=tls, resolving=lambda _host, _port: ["127.0.0.1"])


@needs_openssl
def test_the_certificate_must_be_trusted(tls_peer: int) -> None:
    with pytest.raises(LinkDown, match="not trusted"):
        _post(tls_peer, "erp.intern", None)


@needs_openssl
def test_the_certificate_must_be_for_the_name_though_the_address_is_connected_to(
    tls_peer: int, certificate: Path
) -> None:
    with pytest.raises(LinkDown, match="not trusted"):
        _post(tls_peer, "other.intern", ssl.create_default_context(cafile=f"{certificate}.crt"))


@needs_openssl
def test_a_trusted_peer_is_told(tls_peer: int, certificate: Path) -> None:
    assert _post(tls_peer, "erp.intern", ssl.create_default_context(cafile=f"{certificate}.crt")).status == 204
