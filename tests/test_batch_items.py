"""Where the images of a job come from, and reading one."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from command_line import photo
from http_files import serving

from runmask.batch.items import entries
from runmask.batch.sources import digest_of, read_image, stem_of
from runmask.errors import APIError, ImageError, InputError, LimitError, UnsafeURLError

pyarrow = pytest.importorskip("pyarrow")
fsspec = pytest.importorskip("fsspec")


def sources(*arguments, column=None):
    return [entry.source for entry in entries([str(a) for a in arguments], column)]


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.JPG", "deep/er/c.webp", "deep/d.bmp", "no_ending"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("notes.txt", ".hidden.png", "a.overlay.jpg", "a.mask.png", "data.csv"):
        (tmp_path / "photos" / name).write_text("x")
    (tmp_path / "photos" / "a.response.json").write_text("{}")
    return tmp_path / "photos"


def test_a_folder_and_its_folders(folder):
    names = ["a.JPG", "b.png", "deep/d.bmp", "deep/er/c.webp", "no_ending"]
    assert sources(folder) == [str(folder / name) for name in names]


def test_what_is_named_as_an_image_counts_even_if_it_is_none(folder):
    (folder / "empty.jpg").write_bytes(b"")
    os.symlink("nowhere", folder / "link.png")
    found = dict(entries([str(folder)]))
    assert found[str(folder / "empty.jpg")].startswith("0-")
    assert found[str(folder / "link.png")] == ""


def test_the_folder_of_a_job_is_no_input(folder):
    (folder / "out" / "overlays").mkdir(parents=True)
    (folder / "out" / "overlays" / "z.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "out" / "journal.sqlite").write_bytes(b"")
    assert not any("/out/" in source for source in sources(folder))


def test_a_job_may_be_in_the_folder_of_its_photos(folder):
    (folder / "overlays").mkdir()
    (folder / "overlays" / "z.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "journal.sqlite").write_bytes(b"")
    found = sources(folder)
    assert str(folder / "b.png") in found
    assert not any("overlays" in source for source in found)


@pytest.mark.parametrize("pattern", ["**/*.jpg", "*/*/*.jpg"])
def test_what_a_job_has_made_matches_no_pattern(folder, pattern):
    for name in ("out/overlays/z.jpg", "plain/overlays/y.jpg"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"\xff\xd8\xff")
    (folder / "out" / "journal.sqlite").write_bytes(b"")
    found = sources(folder / pattern)
    assert str(folder / "plain/overlays/y.jpg") in found
    assert str(folder / "out/overlays/z.jpg") not in found
    assert sources(folder / "out/overlays/*.jpg") == [str(folder / "out/overlays/z.jpg")]


def test_links_that_lead_nowhere_are_passed_over(folder):
    os.symlink("round", folder / "round")
    os.symlink("round.png", folder / "round.png")
    found = sources(folder)
    assert str(folder / "round") not in found
    assert str(folder / "round.png") in found  # named as an image: told of when it is read


def test_folders_deeper_than_recursion_goes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    Path("a.jpg").write_bytes(b"\xff\xd8\xff")
    found = sources(tmp_path)
    os.unlink("a.jpg")
    for _ in range(1200):  # nor does pytest go as deep when it tidies up
        os.chdir("..")
        os.rmdir("d")
    assert found == [f"{tmp_path}/{'d/' * 1200}a.jpg"]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.jsonl", "[" * 100_000, "entry 1: it is nested too deep"),
        ("a.jsonl", '"a.jpg"\n"\\ud800.jpg"\n', "entry 2: .*surrogates"),
        ("a.csv", "path,path\na.jpg,b.jpg\n", "entry 1: 'path' is 2 of its columns"),
    ],
)
def test_lists_that_mean_nothing(tmp_path, name, text, what):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=what):
        sources(tmp_path / name)


def test_patterns(folder):
    assert sources(folder / "b*.png") == [str(folder / "b.png")]
    assert sources(folder / "**" / "*.[bw]*") == [
        str(folder / name) for name in ("deep/d.bmp", "deep/er/c.webp")
    ]
    with pytest.raises(InputError, match="no file matches"):
        sources(folder / "*.tif")


def test_a_file_with_the_signs_of_a_pattern(folder):
    path = folder / "x[1].png"
    path.write_bytes(b"")
    assert sources(path) == [str(path)]


def test_the_mark_changes_with_the_file(folder):
    [before] = entries([str(folder / "b.png")])
    (folder / "b.png").write_bytes(b"something else")
    [after] = entries([str(folder / "b.png")])
    assert before.source == after.source
    assert before.stamp != after.stamp


def test_relative_paths_are_made_absolute(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert sources("b.png") == [str(folder / "b.png")]
    assert sources(f"file://{folder}/b.png") == [str(folder / "b.png")]


def test_what_is_not_there(folder):
    with pytest.raises(InputError, match="no such file"):
        sources(folder / "nothing.png")


WANTED = ["b.png", "deep/d.bmp", "https://example.org/x%20y.jpg", "/elsewhere/e.png"]


def absolute(folder):
    return [str(folder / name) if name[0] not in "/h" else name for name in WANTED]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "txt", "parquet"])
def test_lists(folder, ending):
    path = folder / f"list.{ending}"
    if ending == "csv":
        path.write_text("﻿id,path\n" + "".join(f'{n},"{w}"\n' for n, w in enumerate(WANTED)))
    elif ending == "tsv":
        path.write_text("url\tid\n" + "\n".join(f"{w}\t7" for w in WANTED))
    elif ending == "jsonl":
        path.write_text("\n\n".join(json.dumps({"image": w}) for w in WANTED))
    elif ending == "txt":
        path.write_text("\n".join([*WANTED, ""]))
    else:
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({"n": range(4), "source": WANTED}), path)
    assert sources(path) == absolute(folder)


def test_the_column_of_a_list(folder):
    path = folder / "list.csv"
    path.write_text("path,thumb\nb.png,a.JPG\n")
    assert sources(path) == [str(folder / "b.png")]
    assert sources(path, column="thumb") == [str(folder / "a.JPG")]
    with pytest.raises(InputError, match=r"no 'photo' among its columns \['path', 'thumb'\]"):
        sources(path, column="photo")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "id,size\n1,2\n", "none of source, image"),
        ("a.csv", "path,size\nb.png,1\n,2\n", "entry 2: its path is empty"),
        ("a.csv", 'path\n"b.png\n', "entry 1"),
        ("a.jsonl", '"b.png"\n{"path": 7}\n', "entry 2: 7 is no path"),
        ("a.jsonl", '"b.png"\n{"path"\n', "entry 2: .* is no JSON"),
        ("a.jsonl", '{"path": null}\n', "entry 1"),
        ("a.txt", b"b.png\n\xff\xfe\n", "is not in UTF-8"),
        ("a.parquet", "not parquet", "entry 1"),
        ("a.txt", "b\0.png\n", "entry 1"),
    ],
)
def test_a_bad_line_of_a_list_is_named(folder, name, content, told):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=told) as refused:
        sources(path)
    assert name in str(refused.value)


def test_a_list_is_never_in_memory(folder):
    path = folder / "long.txt"
    with path.open("w") as file:
        file.writelines(f"https://example.org/{n}.jpg\n" for n in range(100_000))
    tracemalloc.start()
    count = sum(1 for _ in entries([str(path)]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 2**20


@pytest.fixture
def elsewhere():
    file_system = fsspec.filesystem("memory")
    file_system.pipe("/bucket/one.png", b"1")
    file_system.pipe("/bucket/sub/two.jpg", b"22")
    file_system.pipe("/bucket/notes.txt", b"")
    yield "memory://bucket"
    file_system.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    "address", ["simplecache::http://10.0.0.1/a.png", "zip://a.png::HTTPS://10.0.0.1/b.zip"]
)
def test_web_addresses_in_a_chain_are_not_asked(address):
    with pytest.raises(UnsafeURLError, match="a web address within another"):
        read_image(address)


@pytest.mark.parametrize("address", ["HTTP://10.0.0.1/a.png", "Https://192.168.0.1/a.png"])
def test_private_addresses_are_not_asked_in_any_case(address):
    with pytest.raises(UnsafeURLError, match="public internet"):
        read_image(address)


def test_other_schemes(elsewhere):
    inside = ["memory:///bucket/one.png", "memory:///bucket/sub/two.jpg"]
    assert sources(elsewhere) == inside
    assert sources(elsewhere + "/*.png") == inside[:1]
    assert read_image(inside[1]) == b"22"
    with pytest.raises(LimitError):
        read_image(inside[1], most=1)
    with pytest.raises(ImageError, match="FileNotFoundError"):
        read_image("memory://bucket/gone.png")
    with pytest.raises(InputError, match="gopher"):
        sources("gopher://example.org/x.png")


def test_names():
    assert stem_of("/a/b.c.png") == "b.c"
    assert stem_of("https://example.org/a/my%20photo.jpg?size=2#x") == "my photo"
    assert stem_of("s3://bucket/key.webp") == "key"
    assert stem_of("https://example.org/") == ""


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "loop", "device"])
def test_only_regular_files_are_read(tmp_path, kind):
    path = tmp_path / "x.png"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        os.symlink(path, path)
    elif kind == "device":
        path = "/dev/zero"
    with pytest.raises(ImageError, match="cannot read"):
        read_image(str(path))


def test_a_large_file_is_not_read(tmp_path):
    path = photo(tmp_path / "a.png")
    assert digest_of(read_image(str(path))) == digest_of(path.read_bytes())
    with pytest.raises(LimitError, match="bytes > 100"):
        read_image(str(path), most=100)


@pytest.fixture
def web(tmp_path):
    (tmp_path / "x.png").write_bytes(b"content")
    with serving(tmp_path) as origin:
        yield origin


def test_web_addresses(web):
    assert read_image(f"{web}/x.png", loopback=True) == b"content"
    with pytest.raises(LimitError):
        read_image(f"{web}/x.png", loopback=True, most=3)
    with pytest.raises(APIError, match="404"):
        read_image(f"{web}/y.png", loopback=True)
    with pytest.raises(UnsafeURLError):
        read_image(f"{web}/x.png")
    with pytest.raises(UnsafeURLError):
        read_image("http://169.254.169.254/latest/meta-data", loopback=True)
