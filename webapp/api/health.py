"""Whether the house is up, ready and keeping pace: for load balancers, supervisors and Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import ip_address

from flask import Flask, Response, g, jsonify, request
from prometheus_client import CollectorRegistry, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from engine import jobs
from engine.db import Sessions
from engine.errors import Forbidden
from engine.i18n import _
from engine.work_items.rights import MONITOR
from webapp import checks
from webapp.security.bearer import authenticate

NEEDED = frozenset({"database", "schema"})
"""Without these nothing works; without the others it works later."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Backlog:
    """What is due and not done, asked when it is scraped."""

    def collect(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily("yunliu_backlog", "What is due and not done; stops at 1000.", labels=["queue"])
        for name, count in jobs.backlog(Sessions()).items():
            gauge.add_metric([name], count)
        yield gauge


def init_app(app: Flask) -> None:
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    registry.register(Backlog())
    seconds = Histogram(
        "yunliu_http_request_seconds",
        "Time from the first look at a request to its answer.",
        ["method", "endpoint", "status"],
        buckets=BUCKETS,
        registry=registry,
    )

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        began = g.pop("began", None)
        if began is not None:
            endpoint = request.endpoint or "none"
            seconds.labels(request.method, endpoint, response.status_code).observe(time.perf_counter() - began)
        return response

    @app.get("/healthz")
    def healthz() -> Response:
        """The process answers; whether it can do its work is /readyz."""
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """503 when something is down without which no work is done."""
        found = checks.look_around()
        down = any(one.state == "down" for one in found if one.name in NEEDED)
        parts = {one.name: {"state": one.state, "reason": one.reason} for one in found}
        return jsonify(status="down" if down else "ready", checks=parts), 503 if down else 200

    @app.get("/metrics")
    def metrics() -> Response:
        """For Prometheus on this machine, or with the key of somebody who supervises processes."""
        if not _from_this_machine() and not authenticate().may(MONITOR):
            raise Forbidden(_("Your roles do not include this."), code="permission_missing")
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _from_this_machine() -> bool:
    """Asked directly: what a proxy passes on comes from this machine too, but says for whom."""
    forwarded = any(name.lower().startswith(("x-forwarded", "forwarded")) for name, _value in request.headers)
    try:
        return not forwarded and ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
