"""What holds for every test: which ones run, how hard hypothesis looks, and what the summary says.

- `slow` tests are skipped, except those also marked `sample`; `--slow` runs them all.
- `bench` tests are deselected; `-m bench` runs them.
- `tools` tests need heavy programs (torch, Blender, a tracker's server), which they install, each into
  an environment of its own: `--tools` runs them, and nothing else.
- `--hypothesis-profile=deep` looks much longer. Where CI is set, examples are the same in every run.
"""

import collections
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# A shell starts background jobs with Ctrl-C ignored, and what the tests start and interrupt inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.support.feature_home", "tests.support.postgres", "tests.support.series"]
SLOW_REASON = "slow (run with --slow)"

# No deadline: a busy machine is not a defect of the code under test.
settings.register_profile(
    "default",
    max_examples=50,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("deep", settings.get_profile("default"), max_examples=2000, derandomize=False)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the slow tests that are no sample")
    parser.addoption(
        "--tools", action="store_true", help="run the tests that need the heavy tools, and only them"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = bool(config.getoption("--tools"))
    others = [item for item in items if bool(item.get_closest_marker("tools")) is not wanted]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("sample"):
            item.add_marker(pytest.mark.skip(reason=SLOW_REASON))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests were skipped, by reason: a gate that skips must say what it did not look at."""
    reasons = collections.Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("skipped, and why")
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count:5d}  {reason}")
