"""Spans for OpenTelemetry, made by FastAPI itself, without what a request holds.

FastAPI's spans carry ``url.path`` and ``url.query``: the one can be a share link, the other anything. Both
are taken off here; the declared route stays. No span carries a body or the words of an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

_LEFT_OUT = {"url.path", "url.query", "http.request.method_original"}


def telemetry(*, enabled: bool) -> TelemetryConfig:
    """Return what ``FastAPI`` is given: nothing is recorded, or spans where an SDK is configured."""
    # Its logs would carry exception messages, and /metrics has the numbers.
    off: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
    return (
        {**off, "tracing": True, "tracer_provider": _Discreet(), "auto_configure": True} if enabled else off
    )


class _Discreet(trace.TracerProvider):
    """The configured provider, whose spans begin without what a request holds."""

    def get_tracer(self, *arguments: Any, **named: Any) -> trace.Tracer:
        """Return the configured provider's tracer, discreet."""
        return _Tracer(trace.get_tracer_provider().get_tracer(*arguments, **named))


class _Tracer(trace.Tracer):
    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def start_span(self, name: str, *arguments: Any, **named: Any) -> trace.Span:
        return self._tracer.start_span(name, *arguments, **_without(named))

    def start_as_current_span(self, name: str, *arguments: Any, **named: Any) -> Any:
        return self._tracer.start_as_current_span(name, *arguments, **_without(named))


def _without(named: Mapping[str, Any]) -> dict[str, Any]:
    attributes = named.get("attributes") or {}
    kept = {name: value for name, value in attributes.items() if name not in _LEFT_OUT}
    return {**named, "attributes": kept}
