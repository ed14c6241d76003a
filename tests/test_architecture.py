"""The rules of the code base, as tests: who may import whom, and what is public."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import runmask

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "runmask"

# Each room and the rooms of ours it may import.
MAY_IMPORT = {
    "errors": set(),
    "colours": {"errors"},
    "foreign": {"errors"},
    "_core": {"errors"},
    "formats": {"errors", "_core"},
    "contours": {"errors", "_core"},
    "mask": {"errors", "foreign", "_core", "formats", "contours"},
    "coco": {"errors", "_core", "formats", "mask"},
    "blend": {"errors", "colours", "foreign", "_core", "contours", "mask"},
    "output": {"errors"},
    "images": {"errors", "foreign", "_core", "output", "mask"},
    "detection": {"errors", "formats", "mask"},
    "serving": {"errors"},
    "fetching": {"errors"},
    "http": {"errors", "detection", "formats", "images", "serving", "fetching"},
    "sandbox": {
        "errors",
        "serving",
        "fetching",
        "mask",
        "formats",
        "images",
        "blend",
        "__version__",
    },
    "page": set(),
    "lettering": {"errors", "images"},
    "captions": {"errors", "colours", "foreign", "blend", "detection", "lettering"},
    "gallery": {"errors", "images", "detection", "output", "page"},
    "terminal": {"errors", "detection"},
    "style": {"images", "blend", "mask"},
    "scan": {"errors", "images", "style", "detection", "output", "page", "gallery"},
    "services": {"errors", "http", "sandbox", "scan"},
    "batch": {
        *("errors", "formats", "contours", "mask", "blend", "images", "detection", "output"),
        *("http", "serving", "services", "scan", "style", "gallery", "__version__"),
    },
    "bench": {"errors", "_core", "blend", "mask"},
    "exits": {"errors", "terminal"},
    "__main__": set(),
    "__init__": {"errors", "contours", "mask", "blend", "detection"},
}

# Libraries that only one room may import, and only inside functions unless the room is an extra.
ONLY_IN = {
    "httpx2": {"http"},
    "PIL": {"images", "sandbox", "lettering"},
    "cv2": {"images", "sandbox"},
    "simplejpeg": {"images", "sandbox"},
    "isal": {"images"},
    "pillow_heif": {"images", "sandbox"},
    "shapely": {"contours"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox", "serving"},
    "click": {"cli", "exits", "terminal"},
    "rich": {"cli", "terminal"},
    "pyarrow": {"batch"},
    "fsspec": {"batch"},
    "distributed": {"batch"},
    "ray": {"batch"},
    "sqlite3": {"batch", "http"},
}


def rooms() -> list[tuple[str, Path]]:
    return [
        (path.relative_to(SOURCE).parts[0].removesuffix(".py"), path)
        for path in sorted(SOURCE.rglob("*.py"))
    ]


def imports(path: Path) -> list[str]:
    """Absolute names of all modules a file imports, wherever in it."""
    package = ["runmask", *path.relative_to(SOURCE).parent.parts]
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            found.append(module)
            if module == "runmask":
                found += [f"runmask.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize(("room", "path"), rooms(), ids=lambda value: str(value).split("/src/")[-1])
def test_imports_point_one_way(room: str, path: Path) -> None:
    for name in imports(path):
        if name.startswith("runmask."):
            target = name.split(".")[1]
            if target != room and room != "cli":
                assert target in MAY_IMPORT[room], f"{room} imports {target}"
        elif (library := name.split(".")[0]) in ONLY_IN:
            assert room in ONLY_IN[library], f"{room} imports {library}"


def test_import_loads_no_optional_library() -> None:
    heavy = (
        "PIL cv2 simplejpeg isal pillow_heif shapely "
        "httpx2 msgspec stamina starlette uvicorn click rich"
    )
    script = (
        "import sys, runmask; "
        f"loaded = [name for name in {heavy.split()} + ['http', 'ssl', 'asyncio', 'socket'] "
        "if name in sys.modules]; print(loaded)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_core_is_plain_cpp() -> None:
    for path in (ROOT / "csrc").rglob("*.*"):
        assert not re.search(r"#include\s*[<\"](Python|numpy)", path.read_text()), path


def test_cpp_is_declared_in_the_bridge_only() -> None:
    pyx = [path.name for path in SOURCE.rglob("*.pyx")]
    assert pyx == ["_core.pyx"]


def test_stub_names_what_the_bridge_has() -> None:
    tree = ast.parse((SOURCE / "_core.pyi").read_text())
    declared = {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    from runmask import _core

    present = {
        name
        for name, value in vars(_core).items()
        if getattr(value, "__module__", "") == "runmask._core" and not name.startswith("_")
    }
    assert declared == present


def test_public_names() -> None:
    assert runmask.__all__ == sorted(runmask.__all__)
    for name in runmask.__all__:
        assert hasattr(runmask, name)


def test_versions_are_equal() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert runmask.__version__ == metadata.version("runmask") == project["version"]


def test_numpy_is_the_only_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [re.split(r"\W", name)[0] for name in project["dependencies"]] == ["numpy"]


def test_unknown_kernels_are_an_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import runmask"],
        env={"RUNMASK_KERNELS": "sse9", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "RUNMASK_KERNELS: kernel set 'sse9'" in done.stderr
    assert "scalar" in done.stderr


def test_kernels_can_be_forced() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from runmask import _core; print(_core.kernels())"],
        env={"RUNMASK_KERNELS": "scalar", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "scalar"
