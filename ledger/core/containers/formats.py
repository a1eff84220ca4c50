"""Which format a file is of, and which formats carry their manifest inside.

* The first bytes decide; the name only where they say nothing (text, pickles, raw volumes);
* a container that several formats share (RIFF, ISO BMFF) is told apart by the type it declares.
"""

from __future__ import annotations

HEAD = 1024
"""How many of the first bytes are looked at."""

PNG, JPEG = "image/png", "image/jpeg"
OCTETS = "application/octet-stream"

EMBEDS = frozenset(
    {
        PNG,
        JPEG,
        "image/webp",
        "image/gif",
        "image/svg+xml",
        "image/tiff",
        "image/x-adobe-dng",
        "image/avif",
        "image/heic",
        "image/heif",
        "video/mp4",
        "video/quicktime",
        "audio/mp4",
        "audio/wav",
        "video/x-msvideo",
        "audio/mpeg",
        "audio/flac",
        "application/pdf",
    }
)
"""Formats whose embedded manifest two implementations accept. Zip-based ones are left out: the second
implementation refuses them."""

_READ_ONLY = frozenset({"image/jxl", "image/x-sony-arw", "image/x-nikon-nef"})
READS = EMBEDS | _READ_ONLY
"""Formats in which an embedded manifest can be found."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"SDPX", "image/x-dpx"),
    (b"XPDS", "image/x-dpx"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"II+\x00\x08\x00", "image/tiff"),  # BigTIFF
    (b"MM\x00+\x00\x08", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (b"OggS", "audio/ogg"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "application/mxf"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"PK\x03\x04", "application/zip"),
    (b"PXR-USDC", "model/vnd.usd"),
    (b"#usda ", "model/vnd.usda"),
    (b"Ogawa", "application/x-alembic"),
    (b" BDV", "application/x-openvdb"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
_QUICKTIME_FIRST = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_SUFFIXES = {
    ".png": PNG,
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".dng": "image/x-adobe-dng",
    ".arw": "image/x-sony-arw",
    ".nef": "image/x-nikon-nef",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
    ".avi": "video/x-msvideo",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".pdf": "application/pdf",
    ".exr": "image/x-exr",
    ".dpx": "image/x-dpx",
    ".psd": "image/vnd.adobe.photoshop",
    ".tga": "image/x-tga",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".zip": "application/zip",
}
_TIFF_KIN = {".dng": "image/x-adobe-dng", ".arw": "image/x-sony-arw", ".nef": "image/x-nikon-nef"}


def sniff(head: bytes, name: str) -> str:
    """Return the media type of a file with these first bytes (up to ``HEAD``) and this name."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    by_magic = _by_magic(head, suffix)
    return by_magic if by_magic is not None else _SUFFIXES.get(suffix, OCTETS)


def _by_magic(head: bytes, suffix: str) -> str | None:
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head[:4] in {b"II*\x00", b"MM\x00*"}:  # camera formats are TIFF files with another name
        return _TIFF_KIN.get(suffix, "image/tiff")
    if head[:4] in {b"RIFF", b"RF64"}:
        return _RIFF.get(head[8:12], OCTETS)
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head[4:8] in _QUICKTIME_FIRST:
        return "video/quicktime"
    return _by_weak_magic(head)


def _by_weak_magic(head: bytes) -> str | None:
    """Formats whose first bytes alone are too short to tell: more of the header must fit."""
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "image/bmp"
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "audio/aiff"
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # MPEG audio, layer III
        return "audio/mpeg"
    return _text(head)


def _brand(head: bytes) -> str:
    major = head[8:12]
    if major in _BRANDS and major not in {b"mif1", b"msf1"}:
        return _BRANDS[major]
    compatible = [head[at : at + 4] for at in range(16, min(len(head), int.from_bytes(head[:4], "big")), 4)]
    for brand in (*compatible, major):
        if brand in _BRANDS:
            return _BRANDS[brand]
    return "video/mp4"


def _text(head: bytes) -> str | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<svg") or (
        start.startswith((b"<?xml", b"<!--", b"<!DOCTYPE")) and b"<svg" in start
    ):
        return "image/svg+xml"
    return None
