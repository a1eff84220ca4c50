"""Every error Rakkan raises on purpose: one tree, each with a stable code.

    RakkanError
    ├── MalformedError    the bytes are not what their format says      exit 2
    ├── UsageError        the request cannot be carried out as asked    exit 2
    ├── RefusedError      well-formed, but a rule forbids it            exit 2
    ├── UndecidedError    something needed for an answer is missing     exit 3
    └── IntegrityError    two records that must agree do not            exit 1

A code (``envelope.too-large``) is part of the public interface: it never changes its meaning, and a
script may match on it. The sentence beside it may be improved at any time. ``CODES`` holds every code
with what to do about it; ``docs/reference/errors.md`` is generated from it, and a test checks that each
code is raised somewhere and that nothing is raised without one.
"""

from __future__ import annotations

from typing import ClassVar

CODES: dict[str, str] = {
    # --- bytes and text ---------------------------------------------------------------------------
    "digest.malformed": "Give a SHA-256 as 64 lower-case hexadecimal digits.",
    "json.malformed": "Send one JSON document, UTF-8, without a byte order mark.",
    "json.duplicate-key": "Keep one of the two members: a reader could pick either.",
    "json.not-canonical": "Sort the members, without spaces or needless escapes (docs/spec/entry.md).",
    "json.number": "Write decimals and integers beyond 2^53 as strings.",
    "json.too-deep": "Flatten the document: no statement of ours nests this deep.",
    # --- statements and envelopes -----------------------------------------------------------------
    "envelope.malformed": "Send a DSSE envelope as docs/spec/entry.md describes it, byte for byte.",
    "envelope.too-large": "Split the step: one entry holds at most 65,535 bytes.",
    "envelope.payload-type": "Sign an in-toto statement: payloadType application/vnd.in-toto+json.",
    "envelope.unsigned": "Sign the envelope: it carries no signature by the expected key.",
    "envelope.signature": "It was changed after signing, or signed by another key. Get the original.",
    "statement.malformed": "Follow in-toto Statement v1 and docs/spec/predicates.md.",
    "statement.predicate-type": "Use a type of docs/spec/predicates.md; this reader knows no other.",
    "statement.field": "Correct the named field; docs/spec/predicates.md gives its form.",
    "disclosure.malformed": "Give the disclosure as it was issued: base64url of [salt, name, value].",
    "disclosure.unknown": "This opening belongs to another statement: none of its digests match.",
    "disclosure.none": "Ask for an entry with commitments in _sd: nothing is hidden in this one.",
    # --- keys and identities ----------------------------------------------------------------------
    "key.malformed": "Give a PKCS#8 PEM private key or a DER SubjectPublicKeyInfo, Ed25519 or P-256.",
    "key.passphrase": "Set RAKKAN_PASSPHRASE to the passphrase this key was stored with.",
    "key.permissions": "Run chmod 600 on the key file: others on this machine can read it.",
    "key.missing": "Restore the key file from backup, or enrol the device again.",
    "key.unknown": "The key has no enrolment in this log. Enrol the device, or fetch the newer trust root.",
    "key.not-valid": "The key was not valid for this time or this kind of entry. Enrol it, or use another.",
    "key.untrusted": "Put the key back that trust.json names, or the trust.json that names this key.",
    "key.revoked": "The key has ended. Enrol the device anew: it gets another key.",
    "key.in-token": "Keep the token: a key in one is not handed over yet (docs/howto/keys-over-time.md).",
    "key.registrar": "Hand out a new trust root with another registrar (docs/howto/keys-over-time.md).",
    "key.suspect": "Somebody else may have held the key. Make the step again with the device's new key.",
    "key.certificate-mismatch": "The certificate was issued for another key. Enrol the device again.",
    "certificate.expired": "Enrol the device again to get a new certificate.",
    "certificate.not-yet-valid": "Set the machine's clock: it is earlier than the certificate.",
    "clock.before-enrolment": "Set the machine's clock: it is earlier than the device's enrolment.",
    # --- keys in a token --------------------------------------------------------------------------
    "pkcs11.uri": "Give a URI such as pkcs11:token=studio;object=log?module-path=/usr/lib/driver.so.",
    "pkcs11.driver": "Install rakkan[pkcs11] and the token's driver, and name it in the URI's module-path.",
    "pkcs11.token": "Plug the token in, or start its service, then do the same again: nothing was signed.",
    "pkcs11.pin": "Set RAKKAN_PIN to the token's user PIN. If it is locked, its security officer unlocks it.",
    "pkcs11.key": "Look at the token's keys with its own tool, then correct object or id in the URI.",
    "pkcs11.signature": "Do not use the token until its maker explains this: it signed wrongly.",
    # --- the log ----------------------------------------------------------------------------------
    "note.malformed": "Get the note again: it is not a C2SP signed note.",
    "note.signature": "The note was changed, or is not by the expected key. Get it from the log again.",
    "checkpoint.malformed": "Get the checkpoint again: it is not in the C2SP tlog-checkpoint form.",
    "checkpoint.origin": "This checkpoint is of another log. Check the trust root.",
    "checkpoint.missing": "Give the log's present size, or a checkpoint file.",
    "receipt.malformed": "Get the receipt again: it is in no form of docs/spec/receipt.md.",
    "receipt.signature": "The receipt is of another entry or was changed. Get it from the log again.",
    "proof.missing": "Ask the log's operator for one: rakkan consistency OLD NEW --out FILE.",
    "proof.malformed": "Get the proof again: it cannot be of this entry and size, or between these sizes.",
    "proof.mismatch": "The proof leads to another root than the signed one. Get proof and entry again.",
    "tile.malformed": "Fetch the tile again: its path or its size is wrong.",
    "log.empty": "Record something first: the log has no entries yet.",
    "log.no-such-entry": "Ask for an index below the tree size.",
    "log.no-such-file": "Read the checkpoint first: it says which tiles there are, in widths that it needs.",
    "log.no-such-key": "Give the SHA-256 (hex) of a public key that this log enrolled, as DER.",
    "log.rollback": "Keep last-signed. Either restore the newer database, or run rakkan recover.",
    "log.conflict": "Published bytes differ from what the log holds. Keep both and investigate.",
    "log.behind": "Come back in a moment: what was appended is being projected, piece by piece.",
    "log.busy": "Another process is writing to this log. Try again in a moment.",
    "log.fenced": "Another process has moved the log on since. Do the same again.",
    "log.epoch": "Start this process again: it then uses the log's present keys.",
    "log.overloaded": "Wait for as many seconds as retry_after says, then send it again. Nothing was lost.",
    "log.closed": "Send it again when the service is back. Nothing was lost.",
    "log.frozen": "This log was given up after a fork. Write to its successor.",
    "log.alarm": "Look at the alarm, then run rakkan alarm close. Until then nothing is published.",
    "log.disk-full": "Free some space, then do the same again: nothing was acknowledged.",
    "log.storage": "The disk or the server failed. Check it, then do it again: nothing was acknowledged.",
    "log.corrupt": "Copy the database away, then run rakkan fsck: it says what is damaged and what to do.",
    # --- other places: S3, somebody else's log ----------------------------------------------------
    "s3.url": "Give s3://bucket/prefix?endpoint=URL&region=NAME, or a folder. Keys never go into it.",
    "s3.driver": "Install the extra: pip install 'rakkan[s3]'.",
    "s3.denied": "Give this AWS key s3:GetObject, s3:PutObject and s3:ListBucket, or set another key.",
    "s3.bucket": "Create the bucket, or correct its name and region.",
    "s3.unconditional": "Use a store with conditional writes: this one would let two publishers overwrite.",
    "s3.unavailable": "Look at the store and the network, then publish again: what is there stays valid.",
    "http.url": "Give http://, https:// or a folder, without user, query and fragment.",
    "http.unavailable": "Try again later. If it stays so, ask the log's operator.",
    "monitor.incomplete": "Try again later. If it stays so, ask the log's operator for the missing files.",
    "monitor.tiles": "Fetch again without caches. If it stays so, tell the log's operator and witnesses.",
    "monitor.state": "Use one state folder for each log, and restore a damaged one from backup.",
    # --- witnesses --------------------------------------------------------------------------------
    "policy.malformed": "Write the policy as c2sp.org/tlog-policy has it: log, witness, group, quorum.",
    "witness.request": "Send an add-checkpoint request as c2sp.org/tlog-witness has it.",
    "witness.answer": "Ask the witness's operator: its answer is not one of c2sp.org/tlog-witness.",
    "witness.unavailable": "Ask the witness's operator. Publish again later: nothing is lost.",
    "witness.quorum": "Publish again when the missing witnesses answer, or change the policy.",
    "witness.fork": "Stop. Compare the two checkpoints of the alarm: one log showed two histories.",
    "witness.state": "Restore the witness's folder from backup, or start a new witness with a new key.",
    "witness.key": "Give the witness another folder: this one holds a key of another name or kind.",
    "alarm.unknown": "Run rakkan alarm list for the names of the open alarms.",
    # --- bringing a log back ----------------------------------------------------------------------
    "recover.nothing": "Name the folder or URL of the published log: rakkan recover --from-tiles PLACE.",
    "recover.incomplete": "Get the named file from another copy of the published log. Nothing was changed.",
    "recover.damaged": "Get the named file from another copy of the published log. Nothing was changed.",
    "recover.not-needed": "Run rakkan recover without --declare-fork first: nothing is lost.",
    # --- the studio's home ------------------------------------------------------------------------
    "home.missing": "Run rakkan init first, or set RAKKAN_HOME to the studio's folder.",
    "home.exists": "Choose another folder or, in a shared database, another --origin: this one is taken.",
    "home.malformed": "Restore the studio's settings file from backup.",
    "home.schema": "Run rakkan init --upgrade once: the database is of another version.",
    "database.url": "Give sqlite:///PATH or postgresql://USER@HOST/NAME.",
    "database.driver": "Install the driver: pip install 'rakkan[postgres]'.",
    "database.access": "Check the database, user and password that the URL names, and the user's rights.",
    "database.unsafe": "Turn the named setting on in the server's configuration: receipts promise that.",
    "trust.malformed": "Get the trust root from the studio again.",
    # --- files ------------------------------------------------------------------------------------
    "file.missing": "Check the path.",
    "file.unreadable": "Check the permissions and the disk: the file cannot be read.",
    "file.not-a-file": "Give a regular file, not a folder, socket or link loop.",
    "file.empty": "The file has no bytes. Render or copy it again.",
    "file.malformed": "The file is truncated or is not of the format its bytes begin with. Export it again.",
    "file.changed": "The file changed while it was being read. Wait until the writer has finished.",
    "file.wrong-extension": "Rename the file: its bytes are of another format than its name says.",
    "target.not-writable": "Choose another target with --out, or make the folder writable.",
    "target.no-space": "Free some space. The original is untouched and nothing was logged.",
    "target.exists": "Choose another target, or remove the one that is there.",
    # --- the service over HTTP --------------------------------------------------------------------
    "request.malformed": "Follow the description of this call: GET /openapi.json.",
    "request.too-large": "Send less at a time: the limit stands in the error.",
    "request.media-type": "Name what you send in Content-Type, as one of the types in the error.",
    "request.encoding": "Send the body as it is, without Content-Encoding.",
    "request.slow": "Send it again, faster than the rate in the error, or less at a time.",
    "request.cut-short": "Send the whole body again: it ended before its end.",
    "request.no-space": "Wait as long as Retry-After says; the operator has to make room.",
    "request.no-such-route": "Look at GET /openapi.json for what there is.",
    "request.method": "Look at GET /openapi.json for how this address is asked.",
    "request.rate": "Wait for as many seconds as Retry-After says. A token or a key has a budget of its own.",
    "production.unknown": "Name a production that this server has: GET /v1/productions.",
    "page.cursor": "Send `next` of the last answer as it stands, with the same question.",
    "asset.unknown": "Give the SHA-256 of the file as it is on disk, or the digest of its picture.",
    "shot.unknown": "Look at GET /v1/productions/{production}/shots for the shots that there are.",
    "verdict.none": "Compute one: POST /v1/productions/{production}/clearances, or rakkan clear --record.",
    "own-works.too-many": "Come back when Retry-After says, or write to the studio for a longer list.",
    "own-works.no-party": "Ask the studio's operator to note in your access which party you speak for.",
    "access.unknown": "Send a token, or sign the request with an enrolled device's key.",
    "access.credential": "Send one credential that this server made or knows, and that has not ended.",
    "access.ended": "Get a new credential: this one has expired or was revoked.",
    "access.signature-form": "Sign the request as docs/spec/http-access.md describes it.",
    "access.body": "Sign the body that is sent, and send the body that was signed.",
    "access.stale": "Set the machine's clock, then sign the request again.",
    "access.replayed": "Sign each request anew: a nonce is good once.",
    "signin.off": "Use a token, or have the operator set [sign_in] and the [access] public_url.",
    "signin.refused": "Begin again at /login, in the same browser.",
    "signin.nobody": "Ask the operator for a rule in [[sign_in.people]] that means you.",
    "signin.unavailable": "Try again later; tokens and devices work meanwhile.",
    "share.unknown": "Open the link as it was given, whole. If it is, ask whoever gave it.",
    "share.ended": "Ask whoever gave the link for a new one.",
    "access.no-server-key": "Run rakkan enrol server in the studio's home: that key says what was shown.",
    "access.cross-site": "Use this server's own pages, or send a token in place of the cookie.",
    "access.wanted": "Correct what is named: docs/howto/give-somebody-access.md has examples.",
    "access.beyond": "Ask somebody who holds this role: nobody can give more than they hold.",
    "access.no-such-credential": "Run rakkan token list or rakkan share list for what there is.",
    "access.denied": "Ask the studio's operator for a role that may do this (docs/reference/access.md).",
    "settings.malformed": "Correct the named setting (docs/reference/settings.md).",
    "settings.missing": "Put the file there, or correct the setting that names it.",
    "settings.secret": "Run chmod 600 on the file: only the service's user may read it.",
    "backup.keys": "Leave --keys out, or encrypt every key: RAKKAN_PASSPHRASE was not set when it was made.",
    "backup.pg-dump": "Install PostgreSQL's client programs, of the server's version or newer.",
    "backup.malformed": "Give a folder that rakkan backup made: its backup.json cannot be used.",
    "backup.damaged": "Use another backup: this one is not as it was made. Nothing was touched.",
    "restore.other": "Name another RAKKAN_HOME: this one holds another studio's log.",
    "restore.older": "Look for a newer backup. With --older, restore this one and run rakkan recover.",
    "restore.in-use": "Stop the service and every command on this home, then restore again.",
    "restore.postgres": "Follow docs/operations/backup.md: pg_restore into an empty database, then recover.",
    "server.address": "Give an address of this machine and a port that is free: --listen 127.0.0.1:8321.",
    "server.crash-loop": "Read the log above: the last lines before each end say why. Then start it again.",
    "server.not-ready": "Wait. Whoever may operate the server sees at GET /ready what is missing.",
    "server.fault": "Tell the server's operator the request's number: the cause stands in its log.",
    "server.refused": "See the server's own words: its code is newer than this program.",
    "server.unreachable": "Look at the server and the network, then do the same again: nothing is lost.",
    # --- events -----------------------------------------------------------------------------------
    "events.type": "Ask for types that the error lists, or for the word before the full stop.",
    "events.position": "Give the index of an event you have, or leave it out: the log has fewer entries.",
    "events.full": "Close streams that nobody reads, or come back later: one stream is enough for a client.",
    "webhook.url": "Give https://HOST/PATH, the host in ASCII, without user and fragment, port 443 or 8443.",
    "webhook.address": "Give a host on the Internet, or have the operator name yours ([webhooks] allowed).",
    "webhook.role": "Name a role that may be told of at least one of the events (docs/reference/access.md).",
    "webhook.full": "Remove a webhook that nobody needs any more.",
    "webhook.unknown": "List the webhooks: it may have been removed, also by its receiver (410 Gone).",
    "webhook.unreachable": "Look at the receiver: it must answer within ten seconds. Nothing is lost.",
    "webhook.failing": "Mend the receiver, then run rakkan webhook resume: it goes on where it stopped.",
    # --- capture ----------------------------------------------------------------------------------
    "capture.malformed": "Mend the hook that wrote it (docs/spec/capture.md); the agent keeps the record.",
    "capture.body": "Send 1 to 1,000 entries, at most 16 MiB (docs/spec/http-entries.md).",
    "capture.opening": "Send openings of commitments that stand in the entry's own _sd.",
    "capture.no-production": "Give the production its roots in agent.toml, or name it in the record's place.",
    "capture.newer": "Install the newer Rakkan on this device; the agent keeps the record until then.",
    "watch.malformed": "Correct the named row: docs/spec/said.md has the form of a watch list.",
    "agent.running": "Leave it: one agent serves every hook of a device. rakkan doctor shows its state.",
    "agent.storage": "Free some space and look at the disk. Hooks go on writing; nothing is lost.",
    "agent.listen": "Give 127.0.0.1:PORT with a free port: other machines write to a spool of their own.",
    "agent.missing": "Run rakkan agent install, or set RAKKAN_AGENT_HOME to the agent's folder.",
    "agent.malformed": "Correct the named place of agent.toml (docs/howto/run-the-agent.md).",
    "coverage.root": "Give the folder of a production, as it is mounted on this machine.",
    "coverage.place": "Write where a path has its shot, such as --place '{sequence}/{shot}/{task}'.",
    # --- cuts and the films made of frames ---------------------------------------------------------
    "cut.malformed": "Export the timeline again: the named place breaks OpenTimelineIO's rules.",
    "cut.unsupported": "Export one timeline, flattened, as OpenTimelineIO 0.18 or earlier writes it.",
    "tie.no-pictures": "Give a movie that ffmpeg decodes, and the pictures that it was made of.",
    "tie.range": "Give frames that the movie has, counted from 0: --range 0-47=sq010/sh010.",
    "tie.incomplete": "Give all the files that the movie was made of, or record its step by hand.",
    "hooks.unknown": "Run rakkan hooks list for the names.",
    "hooks.place": "Name where it belongs with --into FOLDER or --python EXE (rakkan hooks list).",
    "hooks.taken": "Move the named file away, or choose another place: it is not ours, or was changed.",
    "hooks.python": "Give the Python that the tool runs in, 3.9 or newer, such as venv/bin/python.",
    "hooks.started": "Start it with the command that rakkan hooks list shows; nothing is installed.",
    # --- recording and sealing --------------------------------------------------------------------
    "record.nothing": "Name at least one file that the step wrote.",
    "record.unknown-model": "Register it with rakkan model add, or give the path of its weights.",
    "record.unknown-dataset": "Register it with rakkan dataset add, or give its SHA-256.",
    "registry.exists": "Choose another name: this one is taken by other bytes.",
    "registry.inventory": "List work, sha256 and rights_holder; correct the row that is named.",
    "intake.malformed": "Get the file from whoever made it again: the named place breaks its format's rules.",
    "intake.unknown-format": "Give a file of a format that docs/spec/intake.md lists, or name its format.",
    "registry.declared": "State it yourself (docs/spec/rights-import.md): what a file says replaces nothing.",
    "registry.ambiguous": "Write dataset:NAME or model:NAME.",
    "registry.unknown-party": "Register the party first, or correct its identifier.",
    "registry.unknown-title": "Register the title first, or correct its identifier.",
    "registry.unknown-service": "Name it as vendor/product, as `rakkan rights import` registered its terms.",
    "registry.unknown-work": "Register the work first, or correct its identifier.",
    "registry.unknown-grant": "Correct the grant's identifier: rakkan grant list shows all of them.",
    "registry.unknown-finding": "Correct the finding's identifier: one that is closed must have been opened.",
    "registry.day": "Write a day as 2026-11-22, or a moment as 2026-11-22T03:00:00Z.",
    "registry.time-zone": "Write a time zone by its IANA name, such as Asia/Tokyo.",
    "registry.term": "Correct the days: the end is the first day after the term.",
    "registry.version": "Give the next version number, or another identifier.",
    "registry.revoked": "Record a new grant under another identifier: a grant ends once.",
    "registry.exclusive": "Ask both rights holders which grant is right; --anyway records it all the same.",
    "registry.cycle": "Correct the parents: a model is not made from itself.",
    "registry.weight": "Write the weight as a decimal, such as 0.6.",
    "registry.reason": "Use a code of docs/rights/reasons.md.",
    "rights.file": "Correct the named place; docs/spec/rights-import.md gives the form.",
    "rights.weights": "Name the weights with --weights FILE; it and --name go with one file about one model.",
    "rights.refused": "Correct what is refused, then run it again: nothing was signed.",
    "erase.nothing": "Give an entry whose statement has commitments in _sd: rakkan show prints it.",
    "erase.unknown": "Give a digest as it stands in the entry's _sd: rakkan show prints it.",
    "erase.not-here": "Ask whoever keeps this opening. What is not here cannot be declared erased.",
    "seal.not-recorded": "Run rakkan record on the file first: the log knows nothing about these bytes.",
    "seal.already-sealed": "Nothing to do. To seal a new version, record the step that made it.",
    "seal.unproven-manifest": "Seal it on the device that recorded the material, or at the studio.",
    "seal.sign": "The manifest could not be signed. Check the device's key and certificate.",
    "seal.unsupported": "Use a sidecar for this format.",
    "timestamp.unavailable": "Start the time stamp authority, or seal without --timestamp.",
    "manifest.malformed": "The manifest is damaged. Find the original, or its sidecar.",
    "manifest.missing": "Share it first, from the device that recorded or sealed the file.",
    "manifest.other": "Leave it: the studio keeps another manifest of the same bytes.",
    "manifest.unknown-file": "Record the file first: the log knows nothing about these bytes.",
    "evidence.malformed": "Follow docs/spec/http-manifests.md, or use the same version on both sides.",
    "evidence.too-large": "Seal it at the studio: more is known about it than a device is sent.",
    "manifest.too-large": "No real manifest is so large. Treat a file from outside as hostile.",
    # --- inventories of datasets ------------------------------------------------------------------
    "inventory.extension": "Name the list of works by its format: .csv, .ndjson, .jsonl or .parquet.",
    "inventory.parquet": "Install rakkan[parquet], or give the list as CSV or NDJSON.",
    "inventory.malformed": "Give what rakkan inventory build wrote, or build it again from the list.",
    "inventory.damaged": "Build the index again from the list: it gives the same root.",
    "inventory.proof": "Get the proof again, byte for byte: it is not in the form of docs/spec/inventory.md.",
    "inventory.unproven": "Do not rely on it. Ask whoever keeps the inventory for the proof again.",
    "inventory.other": "Ask for a proof about this work and this dataset: it says nothing of yours.",
    "inventory.uncommitted": "Take size and root from the dataset's entry in the log: --size N --root HEX.",
    "inventory.record": "Get the record again, byte for byte (docs/spec/inventory.md).",
    "inventory.other-record": "Ask for the record of this proof: the inventory holds another one.",
    "inventory.curation": "Correct the record, or build the inventory from the works that were kept.",
    "inventory.exclusions": "Give the list of exclusions whose SHA-256 the curation record states.",
    # --- policy profiles and territories ----------------------------------------------------------
    "question.thing": "Name a model, a service, a dataset or a grant; of a file, rakkan impact tells.",
    "report.unknown": "List the reports: it was removed, was kept for long enough, or is not yours to see.",
    "report.no-such-file": "Take a name from the list of files, which is there when the report is done.",
    "report.view": "Ask for a view that your role may have (docs/reference/access.md).",
    "report.off": "Switch [reports] on in service.toml, or make the report with rakkan report.",
    "report.full": "Wait until one is done, or remove one that nobody needs ([reports] sets how many).",
    "report.stopped": "Ask for it again. If it stays so, look at the server's log, or narrow the targets.",
    "report.ahead": "Try again later. If it stays so, ask the studio: its log may have gone back.",
    "report.busy": "Wait until it is done, or name another folder.",
    "report.changed": "Take the file as it was issued: one that was changed since is not that report.",
    "report.empty": "Record and seal the work first, or name what the report is to be of.",
    "report.no-such-part": "Name a cell of the whole report as table/row/column, or an entry as entry/7.",
    "report.future": "Name a moment that has been; with --known, a policy that was on record by then.",
    "report.kept": "Bring the folder reports back from a backup of the home.",
    "report.malformed": "Ask whoever made the report for it again; it is read strictly.",
    "report.typesetting": "Take report.json instead, and tell us: this is a mistake of ours.",
    "report.not-signed": "Write the report with --issue, and give the folder that it was written into.",
    "report.production": "Name the production of this ledger, or the home of the other one: RAKKAN_HOME.",
    "report.secret": "Bring the file back from a backup of the home; or move it away: a new one gets made.",
    "report.tree": "Get the report again from the studio, and have the log's witnesses look at both.",
    "profile.malformed": "Correct the named line or member (docs/rights/profiles.md has examples).",
    "profile.unknown": "Give one of the named profiles, or the path of a file.",
    "rights.name": "Give a pseudonym, without spaces or @: what enters the log in the clear stays.",
    "rights.territory": "Write ISO 3166-1 countries (JP) or UN M49 regions (150); 001 is the world.",
    # --- evidence bundles -------------------------------------------------------------------------
    "bundle.malformed": "Get the bundle again: it was cut short, or is another kind of zip.",
    "bundle.altered": "Get the bundle again from the studio, and keep this one: it is evidence.",
    "bundle.no-anchor": "Give --trust, --log-key or --trust-sha256, as you got it on another way.",
    "bundle.other-trust": "Compare the SHA-256 with what you were told: this is another trust root.",
    "bundle.not-proven": "Give the trust root of the studio that made it: --trust trust.json.",
    "bundle.unsigned": "Ask the studio for a bundle that its registrar signed.",
    "bundle.other-issue": "Get the entry that was issued with this bundle: this one names other files.",
    "bundle.not-issued": "Get receipt.tlog-proof from the studio, and put it beside the bundle.",
    "bundle.no-last": "Ask the studio for the report before this one, and compare their checkpoints.",
    "bundle.other-report": "Ask the studio for the bundle again: its parts come from several reports.",
    "bundle.figure": "Ask the studio for the report again: its tables do not add up.",
    "bundle.no-entry": "Look in evidence/entries.txt for the entries that the bundle has.",
    "bundle.other-file": "Ask the studio which entry is about the file: the one that is named is not.",
    "bundle.store": "Ask the studio which seal names this manifest.",
    # --- clearance --------------------------------------------------------------------------------
    "clear.busy": "Come back in a moment, or ask for less at a time.",
    "clear.too-many": "Ask shot by shot, or run rakkan clear where the ledger is: it has no limit.",
    "clear.unknown-target": "Give a file, a SHA-256, a place (sq010/sh020), or . for the whole production.",
    "clear.not-made": "Ask rakkan impact what rests on it: a verdict is about what a step made.",
    "clear.cut-list": "Give one target on each line, in UTF-8; of a CSV the first column counts.",
    "clear.unexplained": "Record the step that made it. Until then nobody can say what it rests on.",
    "clear.unknown-thing": "Name a grant, dataset, model or service of the registry, or a recorded file.",
    "clear.no-grant": "Name a grant that is not revoked yet, or a thing that such a grant speaks of.",
    # --- verification -----------------------------------------------------------------------------
    "verify.crashed": "Try once more; if it stays, tell the server's operator. The file may be at fault.",
    "verify.too-costly": "Verify it on a machine of your own: rakkan verify FILE --trust TRUST.",
    "verify.timeout": "Verify it on a machine of your own: rakkan verify FILE --trust TRUST.",
    "verify.busy": "Wait as long as Retry-After says, then ask again.",
    "verify.digest-only": "Send the file itself, to have its manifest looked at.",
    "verify.no-manifest": "Ask the studio for the sidecar, or verify where the ledger can be asked.",
}


class RakkanError(Exception):
    """An error with a code, a sentence, and the evidence that belongs to it.

    ``evidence`` holds what a person needs to see for themselves (both roots, the index, the path); its
    values are shown with ``str`` and never contain secrets.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, code: str, message: str, **evidence: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.evidence = evidence

    @property
    def hint(self) -> str:
        """What to do about it."""
        return CODES[self.code]

    def to_json(self) -> dict[str, object]:
        """The error as every JSON output of ours prints it."""
        shown = {name: str(value) for name, value in self.evidence.items()}
        return {"code": self.code, "message": self.message, "hint": self.hint, "evidence": shown}

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class MalformedError(RakkanError):
    """The bytes are not what their format says."""

    exit_code = 2


class UsageError(RakkanError):
    """The request cannot be carried out as it was asked."""

    exit_code = 2


class RefusedError(RakkanError):
    """Well-formed, but a rule forbids it."""

    exit_code = 2


class UndecidedError(RakkanError):
    """Something that an answer needs is missing. Never evidence of forgery."""

    exit_code = 3


class IntegrityError(RakkanError):
    """Two records that must agree do not."""

    exit_code = 1
