"""Drawings of ours, read again."""

from __future__ import annotations

import xml.etree.ElementTree as ET


def parsed(drawing: str | None) -> ET.Element:
    """Return a drawing as the tree that it must be."""
    assert drawing is not None
    return ET.fromstring(drawing)  # noqa: S314 - what is read was drawn here
