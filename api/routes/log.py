"""The log, in public form (docs/spec/http-log.md): a tiled log of C2SP, and proofs for who wants one.

The address of ``checkpoint`` without that word is the prefix that readers of tlog-tiles are given.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.conditional import IMMUTABLE, PRIVATE, conditional
from api.reading import PROBLEMS
from api.routes.entries_described import DSSE, ENVELOPE
from api.security import check, need, public, viewer_of
from api.served import Production, Served
from ledger.core.access import Action, Viewer
from ledger.core.checkpoint import MAX_SIZE
from ledger.core.encoding import encode_base64
from ledger.core.policy import NONE, Policy, PolicyLog, format_policy
from ledger.core.receipt import format_receipt
from ledger.core.sigstore_bundle import MEDIA_TYPE as BUNDLE
from ledger.core.sigstore_bundle import format_bundle
from ledger.core.tiles import Tile, parse_path
from ledger.core.trust import format_trust
from ledger.errors import MalformedError, UsageError
from ledger.service.log.keys import device_key, log_keys
from ledger.service.log.receipts import cose_consistency, cose_inclusion, receipt

router = APIRouter(prefix="/v1/productions/{production}/log", tags=["log"], responses=PROBLEMS)

TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"
COSE = 'application/cose; cose-type="cose-sign1"'
JSON = "application/json"
_SOON = "public, max-age=1"
_MINUTE = "public, max-age=60"

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_OBJECT = {"schema": {"type": "object"}}
_SCHEMAS = {
    TEXT: {"schema": {"type": "string"}},
    OCTETS: _BINARY,
    COSE: _BINARY,
    DSSE: {"schema": ENVELOPE},
    BUNDLE: _OBJECT,
}

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
Reader = Annotated[Viewer, need(Action.READ_ENTRIES)]
Asking = Annotated[Viewer, Depends(viewer_of)]
Index = Annotated[
    int, Path(ge=0, lt=MAX_SIZE, description="The entry's number, counted from 0.", examples=[77])
]
TilePath = Annotated[str, Path(examples=["0/x001/x234/067", "1/000.p/17"])]
BundlePath = Annotated[str, Path(examples=["x001/x234/067", "000.p/17"])]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256, in hex.")]
Size = Annotated[int, Query(ge=0, le=MAX_SIZE, description="Entries.", examples=[300])]


class Form(StrEnum):
    """How a receipt is written down."""

    TLOG_PROOF = "tlog-proof"
    COSE = "cose"
    SIGSTORE = "sigstore"


class _Json(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Announcement(_Json):
    """An entry of the log about one of its keys, with its receipt (a ``.tlog-proof``), both in base64."""

    index: int
    envelope: str
    receipt: str


class KeyOfLog(_Json):
    """A key of the log. ``announced`` is ``null`` for one that only the trust root names."""

    vkey: str
    announced: Announcement | None
    retired: Announcement | None


class LogKeys(_Json):
    """Every key that the log has had, the oldest first."""

    origin: str
    keys: list[KeyOfLog]


class Consistency(_Json):
    """A proof (RFC 9162 section 2.1.4) that the tree of size ``old`` begins the one of size ``new``."""

    origin: str
    old: int
    new: int
    proof: list[str]


class DeviceOfLog(_Json):
    """What the log says of a device's key: indices of entries. ``revoked`` is ``null`` while it may sign."""

    keyid: str
    state: str
    enrolled: list[int]
    revoked: int | None
    suspect_from: int | None


_anybody = public("a log that not everybody can check proves nothing")


def _get(path: str, *types: str, model: type[BaseModel] | None = None) -> Callable[[Endpoint], Endpoint]:
    """Serve GET, and HEAD as GET without the body. ``types`` are the media types of the answer."""
    described: dict[int | str, dict[str, Any]] = {
        200: {"content": {kind.partition(";")[0]: _SCHEMAS.get(kind, {}) for kind in types}},
        304: {"description": "The client holds these very bytes: `If-None-Match` named their `ETag`."},
    }
    if model is not None:
        described[200]["model"] = model
    elif JSON in types:
        described[200]["content"][JSON] = _OBJECT

    def route(endpoint: Endpoint) -> Endpoint:
        router.add_api_route(path, endpoint, methods=["GET"], response_class=Response, responses=described)
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        return endpoint

    return route


@_get("/checkpoint", TEXT)
@_anybody
async def checkpoint(request: Request, served: Production) -> Response:
    """Return the checkpoint to go by: the published one with its cosignatures, else the head's."""
    found = served.public.kept_checkpoint()
    if found is None:
        found = await run_in_threadpool(served.public.checkpoint)
    return conditional(request, found, TEXT, _SOON)


@_get("/tile/entries/{path:path}", OCTETS)
def entry_bundle(path: BundlePath, request: Request, _: Reader, served: Production) -> Response:
    """Return the entries under a tile of level 0: `<N>` or `<N>.p/<W>`, as tlog-tiles spells them."""
    return conditional(request, served.public.bundle(_tile(request, f"tile/entries/{path}")), OCTETS, PRIVATE)


@_get("/tile/{path:path}", OCTETS)
@_anybody
async def tile(path: TilePath, request: Request, served: Production) -> Response:
    """Return up to 256 hashes of the tree: `<L>/<N>` or `<L>/<N>.p/<W>`, as tlog-tiles spells them."""
    wanted = _tile(request, f"tile/{path}")
    found = served.public.kept_tile(wanted)
    if found is None:
        found = await run_in_threadpool(served.public.tile, wanted)
    return conditional(request, found, OCTETS, IMMUTABLE)


@_get("/entries/{index}", DSSE)
def entry(index: Index, request: Request, _: Reader, served: Production) -> Response:
    """Return an entry: the DSSE envelope, byte for byte as it was signed and sent."""
    return conditional(request, served.studio.entries.envelope(index), DSSE, PRIVATE)


@_get("/entries/{index}/receipt", TEXT, COSE, BUNDLE)
@_anybody
def entry_receipt(
    index: Index, request: Request, served: Production, viewer: Asking, form: Form | None = None
) -> Response:
    """Return the proof that the log holds an entry, in the form asked for or that `Accept` names.

    `tlog-proof` (the default) and `cose` (RFC 9942) are public. `sigstore` carries the entry itself, and
    needs the right to read it.
    """
    return _receipt(request, served, viewer, index, form)


@_get("/receipts/{leaf_hash}", TEXT, COSE, BUNDLE)
@_anybody
def receipt_by_leaf(
    leaf_hash: Digest, request: Request, served: Production, viewer: Asking, form: Form | None = None
) -> Response:
    """Return the receipt of the entry with this leaf hash: SHA-256 (hex) of a zero byte and the entry."""
    index = served.studio.entries.index(bytes.fromhex(leaf_hash))
    if index is None:
        raise UsageError("log.no-such-entry", "The log has no such entry.", leaf_hash=leaf_hash)
    return _receipt(request, served, viewer, index, form)


@_get("/consistency", TEXT, JSON, COSE, model=Consistency)
@_anybody
def consistency(request: Request, served: Production, old: Size, new: Size) -> Response:
    """Return the proof that the tree of size `old` begins the tree of size `new`.

    As lines of base64, one hash each; as JSON or as a COSE Receipt of consistency where `Accept` says so.
    """
    log = served.studio.log
    if _accepts(request, "application/cose"):
        return conditional(request, cose_consistency(log, old, new), COSE, IMMUTABLE, vary="Accept")
    proof = [encode_base64(item) for item in log.consistency(old, new)]
    if _accepts(request, JSON):
        found = Consistency(origin=log.origin, old=old, new=new, proof=proof)
        return conditional(request, _json(found), JSON, IMMUTABLE, vary="Accept")
    lines = "".join(f"{item}\n" for item in proof).encode()
    return conditional(request, lines, TEXT, IMMUTABLE, vary="Accept")


@_get("/keys", JSON, TEXT, model=LogKeys)
@_anybody
def keys(request: Request, served: Production) -> Response:
    """Return every key that the log has had, with the entries that announced and retired it.

    Where `Accept` says text, the present keys as a C2SP tlog-policy that asks for no witness.
    """
    studio = served.studio
    found = log_keys(studio)
    if _accepts(request, "text/plain"):
        logs = tuple(PolicyLog(item.verifier) for item in found if item.retired is None)
        return conditional(request, format_policy(Policy(logs, (), (), NONE)), TEXT, _MINUTE, vary="Accept")
    listed = LogKeys(
        origin=studio.log.origin,
        keys=[
            KeyOfLog(
                vkey=item.verifier.vkey,
                announced=_announcement(served, item.announced),
                retired=_announcement(served, item.retired),
            )
            for item in found
        ],
    )
    return conditional(request, _json(listed), JSON, _MINUTE, vary="Accept")


@_get("/trust", JSON)
@_anybody
def trust(request: Request, served: Production) -> Response:
    """Return the studio's trust root: what a stranger has to be given before anything can be proven."""
    return conditional(request, format_trust(served.home.trust()), JSON, _MINUTE)


@_get("/devices/{keyid}", JSON, model=DeviceOfLog)
@_anybody
def device(keyid: Digest, request: Request, served: Production) -> Response:
    """Return whether a device's key may still sign, by the SHA-256 of the key; never whose it is."""
    found = device_key(served.studio, keyid)
    answer = DeviceOfLog(
        keyid=keyid,
        state="active" if found.revoked is None else "revoked",
        enrolled=list(found.enrolled),
        revoked=found.revoked,
        suspect_from=found.suspect_from,
    )
    return conditional(request, _json(answer), JSON, "no-cache")


def _tile(request: Request, path: str) -> Tile:
    """Return the tile of a path that is spelled in the one way there is, also before it was decoded.

    Raises ``UsageError("log.no-such-file")``: whatever else is asked for is not there.
    """
    raw: bytes = request.scope.get("raw_path") or b""
    try:
        found = parse_path(path)
    except MalformedError as error:
        raise UsageError("log.no-such-file", "No file of a log has such a path.", path=path[:200]) from error
    if not raw.endswith(f"/log/{path}".encode()):
        raise UsageError("log.no-such-file", "No file of a log has such a path.", path=path)
    return found.tile


def _receipt(request: Request, served: Served, viewer: Viewer, index: int, form: Form | None) -> Response:
    studio = served.studio
    wanted = form or _form(request)
    if wanted is Form.SIGSTORE:
        check(viewer, Action.READ_ENTRIES, studio.production)
    found = receipt(studio.log, studio.checkpoints, index)
    if wanted is Form.SIGSTORE:
        return conditional(
            request, format_bundle(studio.entries.envelope(index), found), BUNDLE, "private, no-cache"
        )
    if wanted is Form.COSE:
        return conditional(request, cose_inclusion(studio.log, found), COSE, _MINUTE, vary="Accept")
    return conditional(request, format_receipt(found), TEXT, _MINUTE, vary="Accept")


def _form(request: Request) -> Form:
    """Return the form that the client names first among those that there are."""
    if _accepts(request, "application/cose"):
        return Form.COSE
    return Form.SIGSTORE if _accepts(request, BUNDLE) else Form.TLOG_PROOF


def _accepts(request: Request, kind: str) -> bool:
    """Whether the client names this media type: a wildcard does not."""
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(item.partition(";")[0].strip() == kind for item in accepted)


def _announcement(served: Served, index: int | None) -> Announcement | None:
    if index is None:
        return None
    logged = served.studio.logged(index)
    return Announcement(
        index=index, envelope=encode_base64(logged.envelope), receipt=encode_base64(logged.receipt)
    )


def _json(found: BaseModel) -> bytes:
    return found.model_dump_json(by_alias=True).encode()
