"""A receiver looks whether a report still stands: by a published log, or by the studio's server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ledger.core.digest import sha256_hex
from ledger.core.trust import parse_trust
from ledger.errors import RakkanError, UndecidedError
from ledger.service.files import read_whole
from ledger.service.report import watching
from ledger.service.report.reading import document_of, opened
from ledger.service.report.watching import Since, Told, Watched

if TYPE_CHECKING:
    from ledger.client import Client
    from ledger.core.audit import Report
    from ledger.core.trust import TrustRoot

MAX_TRUST = 1024 * 1024


def look(path: Path, trust_file: Path, place: str | None, server: str | None) -> Watched:
    """Return whether the report in this file, folder or bundle still stands.

    By the log at ``place``, else by that of ``server``. Where a server shows no entries to who asks, it is
    asked for the verdicts, which then are not proven. Raises what ``watching`` raises, ``trust.malformed``,
    ``report.malformed``, ``http.…`` and ``file.…``.
    """
    from ledger.adapters.http import published_log

    data = document_of(path)
    report, trust = opened(data), parse_trust(read_whole(trust_file, MAX_TRUST))
    token = os.environ.get("RAKKAN_TOKEN") or None
    about = f"{(server or '').rstrip('/')}/v1/productions/{quote(report.head.production, safe='')}/log"
    log = published_log(about if place is None else place, token)
    now = watching.continued(log, report, trust)
    digest = sha256_hex(data)
    try:
        since = watching.told_by_log(log, report, digest, trust, now)
    except UndecidedError as error:
        if server is None or error.code != "http.unavailable":
            raise
        since = _told_by_server(server, token, report, trust)
        since.issued = _issued_beside(path, digest, trust)
    return watching.watched(report, now.size, since)


def _told_by_server(server: str, token: str | None, report: Report, trust: TrustRoot) -> Since:
    """Return what a server says of the verdicts since the report."""
    from ledger.client import Client

    keys = trust.log_verifiers(report.head.origin)
    with closing(Client(server, production=report.head.production, token=token, log_keys=keys)) as client:
        return Since(told=list(_newer(client, report)), read=False)


def _newer(client: Client, report: Report) -> Iterator[Told]:
    for item in client.every("verdicts"):
        try:
            index, now = item["entry"], item["now"]["verdict"]
            asked = watching.answers(item["policy"]["digest"]["sha256"], item["delivery"], report)
        except (KeyError, TypeError) as error:
            words = "The server's answer is not one of ours."
            raise UndecidedError("server.unreachable", words, url=client.url) from error
        if asked and index >= report.head.size:
            yield Told(index, (item["sha256"],), now, proven=False)


def _issued_beside(path: Path, digest: str, trust: TrustRoot) -> int | None:
    """Return the entry that issued the report, by the entry and the receipt that lie in its folder."""
    from ledger.core.receipt import parse_receipt, verify_receipt
    from ledger.service.report.issuing import RECEIPT, read_entry

    try:
        envelope, statement = read_entry(path)
        receipt = parse_receipt((path / RECEIPT).read_bytes())
        keys = [key for origin in trust.logs for key in trust.log_verifiers(origin.partition("+")[0])]
        verify_receipt(receipt, envelope, keys)
    except (RakkanError, OSError):
        return None  # nothing beside it says so, or nothing that holds
    return receipt.index if statement.subjects[0].sha256 == digest else None
