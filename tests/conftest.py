from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
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
def disk_of(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Gives a folder with a disk of its own, of such a size."""
    mounted = []

    def mount(size: str) -> Path:
        folder = tmp_path / f"disk-{size}"
        folder.mkdir()
        arguments = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if subprocess.run(arguments, capture_output=True).returncode != 0:
            pytest.skip("a tmpfs cannot be mounted here")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def small_disk(disk_of: Callable[[str], Path]) -> Path:
    """A folder with room for 64 KiB."""
    return disk_of("64k")
