"""What OpenAPI says of ``add_entries``, which reads its request by itself."""

from __future__ import annotations

from typing import Any

from api.problems import MEDIA_TYPE

DSSE = "application/vnd.dsse.envelope.v1+json"
NDJSON = "application/x-ndjson"

ENVELOPE = {
    "type": "object",
    "description": "A DSSE envelope in its one byte form (docs/spec/entry.md).",
    "required": ["payload", "payloadType", "signatures"],
    "additionalProperties": False,
    "properties": {
        "payload": {"type": "string", "format": "byte"},
        "payloadType": {"const": "application/vnd.in-toto+json"},
        "signatures": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["keyid", "sig"],
                "additionalProperties": False,
                "properties": {"keyid": {"type": "string"}, "sig": {"type": "string", "format": "byte"}},
            },
        },
    },
}
_ERROR = {
    "type": "object",
    "required": ["code", "message", "hint"],
    "properties": {name: {"type": "string"} for name in ("code", "message", "hint")},
}
_ADDED = {
    "type": "object",
    "required": ["index", "duplicate", "receipt"],
    "properties": {
        "index": {"type": "integer", "minimum": 0},
        "duplicate": {"type": "boolean", "description": "Whether the log held the entry already."},
        "receipt": {
            "type": "string",
            "format": "byte",
            "description": "A .tlog-proof (docs/spec/receipt.md).",
        },
    },
}
_REFUSED = {"type": "object", "required": ["error"], "properties": {"error": _ERROR}}
_ITEM = {"oneOf": [_ADDED, _REFUSED]}
_BATCH = {
    "type": "object",
    "required": ["entries"],
    "properties": {"entries": {"type": "array", "minItems": 1, "maxItems": 1000, "items": ENVELOPE}},
}
_DOCUMENT = {
    "type": "object",
    "required": ["entries"],
    "properties": {"entries": {"type": "array", "items": _ITEM}},
}
_LINES = {"type": "string", "description": "One JSON document a line."}
_RETRY = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}


def _problem(words: str, **more: Any) -> dict[str, Any]:
    return {"description": words, "content": {MEDIA_TYPE: {"schema": _ERROR}}, **more}


OPENAPI: dict[str, Any] = {
    "status_code": 201,
    "responses": {
        201: {
            "description": "One entry was added.",
            "content": {"application/json": {"schema": _ADDED}},
        },
        200: {
            "description": "One entry that the log held already; or the outcomes of several, in order.",
            "content": {
                "application/json": {"schema": {"oneOf": [_ADDED, _DOCUMENT]}},
                NDJSON: {"schema": _LINES},
            },
        },
        400: _problem("The body, or the one entry in it, is not what its type says."),
        404: _problem("No such production."),
        408: _problem("The body came too slowly."),
        409: _problem("The entry is well made, and its key may not add it."),
        413: _problem("The body is longer than the limit in the error."),
        415: _problem("The body is of another type, or in a coding."),
        503: _problem("As much waits as the log can take: nothing was taken.", headers=_RETRY),
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                DSSE: {"schema": ENVELOPE},
                "application/json": {"schema": {"oneOf": [ENVELOPE, _BATCH]}},
                NDJSON: {"schema": _LINES},
            },
        }
    },
}

OPENINGS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {NDJSON: {"schema": {"type": "string", "description": "One opening a line."}}},
    }
}
