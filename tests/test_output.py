"""Files that appear whole or not at all, and the names they get."""

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmask.errors import OutputError
from runmask.output import atomic_write, distinct_names, reserved, safe_name


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_bytes_and_pieces(tmp_path):
    atomic_write(tmp_path / "a", b"one")
    atomic_write(str(tmp_path / "b"), (piece for piece in [b"", b"two", memoryview(b"three")]))
    assert (tmp_path / "a").read_bytes() == b"one"
    assert (tmp_path / "b").read_bytes() == b"twothree"
    assert names_in(tmp_path) == ["a", "b"]


def test_a_name_without_a_folder_is_in_the_working_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atomic_write("a", b"one")
    assert names_in(tmp_path) == ["a"]


def test_a_failure_half_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def pieces():
        yield b"new"
        raise OSError(errno.EIO, "the source broke")

    with pytest.raises(OutputError, match=r"the source broke \(EIO\)") as caught:
        atomic_write(path, pieces())
    assert caught.value.errno == errno.EIO
    assert caught.value.path == str(path)
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_what_is_not_ours_passes_through_and_leaves_no_trace(tmp_path):
    def pieces():
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "a", pieces())
    assert names_in(tmp_path) == []


def test_an_existing_name_is_kept(tmp_path):
    path = tmp_path / "a"
    atomic_write(path, b"old", overwrite=False)
    with pytest.raises(OutputError, match="exists") as caught:
        atomic_write(path, b"new", overwrite=False)
    assert caught.value.code == "exists"
    assert caught.value.errno == errno.EEXIST
    assert path.read_bytes() == b"old"


def test_a_name_that_appears_while_we_write_is_kept(tmp_path):
    path = tmp_path / "a"

    def pieces():
        path.write_bytes(b"theirs")
        yield b"ours"

    with pytest.raises(OutputError, match="exists"):
        atomic_write(path, pieces(), overwrite=False)
    assert path.read_bytes() == b"theirs"
    assert names_in(tmp_path) == ["a"]


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def link(*args, **options):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    atomic_write(tmp_path / "a", b"one", overwrite=False)
    assert (tmp_path / "a").read_bytes() == b"one"
    with pytest.raises(OutputError, match="exists"):
        atomic_write(tmp_path / "a", b"two", overwrite=False)


def test_links_are_replaced_and_not_followed(tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    (tmp_path / "a").symlink_to(other)
    atomic_write(tmp_path / "a", b"new")
    assert other.read_bytes() == b"precious"
    assert not (tmp_path / "a").is_symlink()


def test_devices_folders_and_missing_folders_are_refused(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "folder").mkdir()
    for name, words in {
        "fifo": "not a regular file",
        "device": "not a regular file",
        "folder": "a folder of that name",
        "missing/a": "No such file",
        "a\0b": "null",
        "": "No such file",
        "n" * 300: "File name too long",
    }.items():
        with pytest.raises(OutputError, match=words):
            atomic_write(f"{tmp_path}/{name}", b"x")
    assert names_in(tmp_path) == ["device", "fifo", "folder"]
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


def test_a_place_is_taken_before_the_bytes_are_there(tmp_path):
    with reserved(tmp_path / "a", 10_000) as write:
        [temporary] = tmp_path.iterdir()
        assert temporary.stat().st_size == 10_000
        assert temporary.stat().st_blocks * 512 >= 10_000
        write([b"one", b"two"])
        assert names_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    with reserved(tmp_path / "b", 3) as write:
        write(b"more than was thought")
    assert (tmp_path / "b").read_bytes() == b"more than was thought"


def test_a_place_that_is_not_used_leaves_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with reserved(tmp_path / "a", 10_000):
        pass
    with pytest.raises(KeyboardInterrupt), reserved(tmp_path / "b", 10_000):
        raise KeyboardInterrupt
    assert names_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
    with pytest.raises(OutputError, match="exists"), reserved(tmp_path / "a", 9, overwrite=False):
        raise AssertionError


def test_a_full_disk_has_no_place(small_disk):
    with pytest.raises(OutputError, match="ENOSPC"), reserved(small_disk / "a", 2**20):
        raise AssertionError
    assert names_in(small_disk) == []


def test_file_systems_that_reserve_nothing(tmp_path, monkeypatch):
    def allocate(*args):
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", allocate)
    with reserved(tmp_path / "a", 10_000) as write:
        write(b"one")
    assert (tmp_path / "a").read_bytes() == b"one"


@pytest.mark.parametrize("text", ["a", "IMG_1234", "_DSC0001", "my photo 1"])
def test_good_names_stay(text):
    assert safe_name(text) == text


@pytest.mark.parametrize(
    "text",
    ["../../x", "/etc/x", "C:\\x", "a\0b", "CON", "nul.txt", "x" * 300, ".", "..", "", "a.", "a ",
     "-rf", ".hidden", "a\nb", "a\x1b[31m", "e\u0301", "\udcff", "a/b", "COM1"],
)  # fmt: skip
def test_bad_names_become_good_ones(text, tmp_path):
    name = safe_name(text)
    assert name != text
    assert name == os.path.basename(name)
    assert name[0] not in ".-"
    (tmp_path / f"{name}.response.json").touch()  # the system takes it


@given(st.text(), st.text())
def test_different_texts_keep_different_names(one, other):
    assert (safe_name(one) == safe_name(other)) is (one == other)
    if len(one) < 100:  # a longer name is cut, and its hash added
        assert safe_name(safe_name(one)) == safe_name(one)
    assert len(os.fsencode(safe_name(one))) <= 169


def test_names_that_a_file_system_may_take_for_one_are_told_apart():
    names = distinct_names(["a/x.png", "b/x.jpg", "b/X.png", "caf\u00e9.png", "y.png"])
    assert names[-2:] == ["caf\u00e9", "y"]
    assert len({name.casefold() for name in names}) == 5
    assert all(name.casefold().startswith("x-") for name in names[:3])
    assert distinct_names(["a/x.png", "b/x.jpg"]) == names[:2]
    assert distinct_names([Path("x.png")]) == ["x"]


def test_a_name_like_anothers_hash_stays_distinct(tmp_path: Path) -> None:
    png, jpg = tmp_path / "a.png", tmp_path / "a.jpg"
    like = tmp_path / f"{distinct_names([png, jpg])[0]}.png"
    names = distinct_names([png, jpg, like])
    assert len(set(names)) == 3
