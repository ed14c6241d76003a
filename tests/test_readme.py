"""Every snippet of the README runs, in order, and gives what it says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Path) -> Path:
    """A photo and an answer of the same size, under the names that the README uses."""
    images = pytest.importorskip("runmask.images")
    photo = images.read(ROOT / "examples" / "fig.jpg")[:1350, :1800]
    images.write(tmp_path / "photo.jpg", photo)
    shutil.copy(golden / "copyleaks_check_edited_1800x1350.json", tmp_path / "response.json")
    (tmp_path / "photos").mkdir()
    shutil.copy(tmp_path / "photo.jpg", tmp_path / "photos")
    np.save(tmp_path / "confidence.npy", np.linspace(0, 1, 12).reshape(3, 4))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_snippets(folder: Path) -> None:
    namespace: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        if not block.startswith(">>>"):
            exec(block, namespace)
    assert namespace["mask"].area == 2797
    assert namespace["pixels"].sum() == 2797
    assert (folder / "overlay.jpg").stat().st_size > 10_000
    assert namespace["contours"].areas.sum() == 2797
    assert namespace["hierarchy"].shape == (1, len(namespace["rings"]), 4)
    assert namespace["text"].startswith('{"type":"FeatureCollection"')
    assert namespace["detection"].verdict in ("ai", "human")


def test_error_snippet() -> None:
    import runmask as rm

    call, wanted = re.findall(r">>> (.*)\nTraceback.*\n(?:\S+\.)(\w+Error: .*)\n", README)[0]
    with pytest.raises(rm.RunmaskError) as caught:
        eval(call, {"rm": rm})
    assert f"{type(caught.value).__name__}: {caught.value}" == wanted


def test_shell_snippets(folder: Path) -> None:
    testing = pytest.importorskip("click.testing")
    from runmask.cli import main

    commands = re.findall(r"^    runmask (.*?)(?:\s+#.*)?$", README, re.MULTILINE)
    assert len(commands) == 8
    for command in commands:
        result = testing.CliRunner().invoke(main, shlex.split(command))
        assert result.exit_code == 0, result.output
    assert (folder / "results" / "index.html").exists()
    assert (folder / "job" / "report.html").exists()
    assert (folder / "more" / "masks" / "photo.png").exists()
    assert (folder / "overlay.png").exists()
    assert (folder / "heatmap.png").exists()
    assert (folder / "mask.geojson").exists()
    assert "counts" in json.loads((folder / "mask.json").read_text())


def test_pictures_of_the_gallery() -> None:
    images = pytest.importorskip("runmask.images")
    docs = ROOT / "docs"
    shown = re.findall(r"!\[[^]]+\]\((.+)\)", (docs / "gallery.md").read_text())
    assert sorted(shown) == sorted(f"gallery/{path.name}" for path in (docs / "gallery").iterdir())
    for name in shown:
        assert (docs / name).stat().st_size < 150_000
        assert min(images.read(docs / name).shape[:2]) > 500


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", README):
        assert f"\n{target}:" in makefile
