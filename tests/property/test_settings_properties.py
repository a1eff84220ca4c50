"""Whatever service.toml or the environment holds, it is read or refused with a code."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.adapters.service_settings import described, read_service
from ledger.errors import RakkanError
from ledger.wiring.serving import SECTIONS

NAMES = [row[0].split(".") for row in described(SECTIONS)]
VARIABLES = [row[1] for row in described(SECTIONS) if row[1]]
VALUES = st.one_of(
    st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.lists(st.integers(), max_size=2)
)


@given(
    st.dictionaries(st.sampled_from([tuple(name) for name in NAMES]), VALUES, max_size=4),
    st.dictionaries(st.sampled_from(VARIABLES), st.text(max_size=20), max_size=3),
)
def test_any_value_is_read_or_refused_with_a_code(file: dict[Any, Any], environment: dict[str, str]) -> None:
    lines = [f"{section}.{key} = {_toml(value)}" for (section, key), value in file.items()]
    _read("\n".join(lines), environment)


@given(st.text(max_size=200))
def test_any_file_is_read_or_refused_with_a_code(text: str) -> None:
    _read(text, {})


def _read(text: str, environment: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, "service.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
        code, names = "settings.", {".".join(name) for name in NAMES}
        try:
            found = {one.name for one in read_service(Path(folder), SECTIONS, environment).settings}
        except RakkanError as error:
            found, code = names, error.code
    assert found == names
    assert code.startswith("settings.")


def _toml(value: Any) -> str:
    if isinstance(value, float):
        return str(value)
    return json.dumps(value)
