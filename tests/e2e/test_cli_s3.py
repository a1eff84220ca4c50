"""A studio that publishes to S3, and a stranger who follows it there over plain HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.conftest import ROOT, Studio, found, stranger
from tests.e2e.test_cli_monitor import key_of
from tests.support.s3 import ENVIRONMENT, new_bucket, s3_server

SECRET = ENVIRONMENT["AWS_SECRET_ACCESS_KEY"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture(scope="module")
def client(endpoint: str) -> Any:
    return boto3.client("s3", endpoint_url=endpoint)


@pytest.fixture(scope="module")
def bucket(client: Any) -> str:
    return new_bucket(client)


@pytest.fixture
def studio(endpoint: str, bucket: str, tmp_path: Path) -> Studio:
    place = f"s3://{bucket}/{tmp_path.name}?endpoint={endpoint}"
    return found(tmp_path / "s", "Studio Kumo", "--publish-to", place)


def public_policy(bucket: str) -> str:
    """Return the policy of docs/howto/publish-to-s3.md, for this bucket."""
    page = (ROOT / "docs/howto/publish-to-s3.md").read_text(encoding="utf-8")
    return page.split("```json\n")[1].split("```")[0].replace("my-bucket", bucket)


def keys(client: Any, bucket: str, prefix: str) -> set[str]:
    listed = client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
    return {item["Key"].removeprefix(f"{prefix}/") for item in listed}


def test_a_log_in_s3_is_published_and_followed(
    studio: Studio, client: Any, bucket: str, endpoint: str, tmp_path: Path
) -> None:
    assert (
        studio.ok("publish").out
        == f"2 entries published to s3://{bucket}/{tmp_path.name}?endpoint={endpoint}.\n"
    )
    assert not (studio.home / "log").exists()
    assert {"checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2"} <= keys(client, bucket, tmp_path.name)
    client.put_bucket_policy(Bucket=bucket, Policy=public_policy(bucket))
    other = stranger(tmp_path / "stranger")
    watch = (
        "monitor",
        f"{endpoint}/{bucket}/{tmp_path.name}",
        "--key",
        key_of(studio),
        "--state",
        tmp_path / "state",
    )
    assert other(*watch, "--entries", "--json").json["finding"] == "first"
    studio.record(studio.png())
    studio.ok("publish")
    studio.ok("publish")
    answer = other(*watch, "--entries", "--json").json
    assert (answer["finding"], answer["entriesChecked"]) == ("grown", 3)


def test_another_log_in_the_same_place_is_left_alone(
    studio: Studio, elsewhere: Studio, client: Any, bucket: str, tmp_path: Path
) -> None:
    elsewhere.ok("publish")
    foreign = (elsewhere.home / "log" / "checkpoint").read_bytes()
    client.put_object(Bucket=bucket, Key=f"{tmp_path.name}/checkpoint", Body=foreign)
    result = studio("publish")
    assert (result.code, result.error) == (1, "log.conflict")
    assert client.get_object(Bucket=bucket, Key=f"{tmp_path.name}/checkpoint")["Body"].read() == foreign


def test_a_process_without_a_key_is_denied_and_says_no_secret(studio: Studio) -> None:
    ran = studio.process("publish", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert ran.returncode == 2
    assert "[s3.denied]" in ran.stderr
    assert SECRET not in ran.stdout + ran.stderr


def test_a_bucket_that_is_not_there_is_named(endpoint: str, tmp_path: Path) -> None:
    studio = found(tmp_path / "s", "Studio Kumo", "--publish-to", f"s3://no-such-bucket?endpoint={endpoint}")
    result = studio("publish")
    assert (result.code, result.error) == (2, "s3.bucket")
    assert "no-such-bucket" in result.err


@pytest.mark.parametrize("place", ["s3://", "s3://key:SECRET@bucket", "gs://bucket", "http://host/log"])
def test_a_studio_is_not_founded_with_a_place_that_is_none(tmp_path: Path, place: str) -> None:
    other = stranger(tmp_path / "stranger")
    result = other("init", "--studio", "Kumo", "--production", "nightfall", "--publish-to", place)
    assert (result.code, result.error) == (2, "s3.url")
    assert "SECRET" not in result.err
    assert not other.home.exists()


def test_without_the_library_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["boto3"] = None
import ledger.cli
ledger.cli.main(["init", "--studio", "K", "--production", "n", "--publish-to", "s3://bucket"])
"""
    environment = {"RAKKAN_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "[s3.driver]" in ran.stderr
    assert "pip install 'rakkan[s3]'" in ran.stderr
    assert not (tmp_path / "home").exists()
