from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from runmask import _core

hypothesis.settings.register_profile(
    "runmask",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("runmask")


@pytest.fixture(params=_core.available_kernels())
def kernels(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test once for every kernel set of this processor."""
    before = _core.kernels()
    _core.use_kernels(request.param)
    yield request.param
    _core.use_kernels(before)


@pytest.fixture(scope="session")
def golden() -> Path:
    return Path(__file__).parent / "golden"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 64 KiB."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)
