"""A journal that is damaged, edited, or has no room: what it refuses to go on with."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys

import pytest
from batch_journal import answer, claim, opened, planned, states

from runmask.batch.items import Entry
from runmask.batch.journal import Journal, Reading, reading
from runmask.errors import (
    InputError,
    JournalCorruptError,
    JournalMismatchError,
    OutputError,
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "job"


# -- damage


@pytest.fixture
def whole(folder):
    """The file of a closed journal with all kinds of items."""
    with planned(folder, *(f"/photos/{n}.png" for n in range(400))) as journal:
        for item in range(1, 300):
            scan = claim_quickly(journal, item)
            if item % 7:
                answer(journal, scan, random.Random(item).randbytes(300))
    return folder / "journal.sqlite"


def claim_quickly(journal, item):
    return journal.claim(item, f"/photos/{item - 1}.png", f"{item:032}", "", "x").result().scan


def test_what_is_no_journal_is_left_as_it_is(folder, whole):
    copies = {
        "empty": b"",
        "text": b"not a database at all" * 300,
        "cut": whole.read_bytes()[:8192],
        "head": b"\xff" * 100 + whole.read_bytes()[100:],
    }
    for content in copies.values():
        whole.write_bytes(content)
        with pytest.raises((JournalCorruptError, JournalMismatchError), match="left as it is"):
            opened(folder).plan([])
        assert whole.read_bytes() == content
    whole.unlink()
    whole.mkdir()
    with pytest.raises(JournalCorruptError, match="no regular file"):
        opened(folder)


def test_a_database_of_something_else(folder):
    folder.mkdir()
    with sqlite3.connect(folder / "journal.sqlite") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(JournalMismatchError, match="something else"):
        opened(folder)


def test_a_journal_of_a_newer_release(folder, whole):
    with sqlite3.connect(whole) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(JournalMismatchError, match="newer release"):
        opened(folder)


def test_flipped_bits_never_change_what_a_journal_says(folder, whole, tmp_path):
    """Any is either found, or lies where nothing is: never another state, never another scan."""
    content = whole.read_bytes()
    luck = random.Random(3)
    before = dump(whole)
    found = 0
    for _ in range(150):
        damaged = bytearray(content)
        at = luck.randrange(len(content))
        damaged[at] ^= 1 << luck.randrange(8)
        other = tmp_path / "damaged"
        shutil.rmtree(other, ignore_errors=True)
        other.mkdir()
        (other / "journal.sqlite").write_bytes(damaged)
        try:
            with opened(other) as journal:
                journal.plan([])
                for each in journal.outcomes():
                    assert each.item
        except (JournalCorruptError, JournalMismatchError):
            found += 1
            continue
        after = dump(other / "journal.sqlite")
        assert [row[:3] for row in after] == [row[:3] for row in before], at
    assert found > 30


def dump(path):
    """Item, state and scan of each: what money depends on."""
    journal = Reading(path.parent)
    try:
        return [
            (o.item, o.state if o.state != "sent" else "held", o.scan_id, o.body)
            for o in journal.outcomes()
        ]
    finally:
        journal.close()


# -- the disk


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        opened(blocked / "job")


def test_a_disk_without_room_for_a_journal(small_disk):
    with pytest.raises(OutputError, match="journal"):
        opened(small_disk / "job").plan([Entry(f"/{n}", "") for n in range(1000)])
    assert not {"journal.lock", "journal.sqlite.new"} & set(os.listdir(small_disk / "job"))


def test_a_disk_that_is_full_while_a_job_is_planned(disk_of):
    folder = disk_of("1m") / "job"
    many = [Entry(f"/photos/{n}.png", "1-1") for n in range(20000)]
    with opened(folder) as journal, pytest.raises(OutputError, match="full"):
        journal.plan(many)
    with opened(folder) as journal:
        assert journal.plan(many[:1000])[0] == 1000


def test_no_room_for_the_reserve(disk_of):
    with opened(disk_of("1m") / "job") as journal:
        with pytest.raises(OutputError, match="no room of 16 MiB"):
            journal.reserve(16 * 2**20)
        assert "journal.reserve" not in os.listdir(journal.folder)


def test_the_reserve_has_room_for_the_last_answers(disk_of):
    disk = disk_of("3m")
    with planned(disk / "job", *(f"/{n}" for n in range(20))) as journal:
        journal.reserve(2**20)
        sent = [claim(journal, item, str(item)).scan for item in range(1, 21)]
        with pytest.raises(OSError, match="No space"):
            (disk / "filler").write_bytes(bytes(3 * 2**20))
        body = random.Random(1).randbytes(20_000)
        for scan in sent:
            answer(journal, scan, body)
        assert journal.is_full
        assert states(journal) == ["scored"] * 20


def test_a_limit_on_the_size_of_files(folder):
    """What was said to be kept is there; the rest is held."""
    script = """
import json, resource, sys
from runmask.batch.items import Entry
from runmask.batch.journal import Journal
from runmask.batch.journal import packed
from runmask.errors import OutputError
import random
journal = Journal(sys.argv[1], {"service": "x"})
journal.plan([Entry(f"/{n}", "") for n in range(100)])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
kept = []
try:
    for n in range(1, 101):
        scan = journal.result(journal.claim(n, f"/{n-1}", f"{n:032}", "", "x")).scan
        journal.result(journal.answer(scan, packed(random.Random(n).randbytes(10_000)), 1.0))
        kept.append(n)
except OutputError as error:
    print(json.dumps([kept, str(error)]))
"""
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True)
    kept, message = json.loads(done.stdout)
    assert 5 < len(kept) < 100
    assert "journal" in message
    with Journal(folder, {"service": "x"}) as journal:
        journal.plan([])
        found = {outcome.item: outcome for outcome in journal.outcomes()}
        for item in kept:
            assert found[item].body == random.Random(item).randbytes(10_000)
        rest = {found[item].state for item in found if item not in kept}
        assert rest <= {"new", "held"}


def test_a_network_file_system_is_warned_of(folder, monkeypatch):
    monkeypatch.setattr("runmask.batch.journal.lock.file_system_of", lambda _: "nfs4")
    with pytest.warns(UserWarning, match="network file system"):
        opened(folder).close()


def test_a_folder_without_locks_is_refused(folder, monkeypatch):
    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(InputError, match="no file locks"):
        opened(folder)


def test_a_folder_with_any_name(tmp_path):
    for name in ("a?b#c %41", os.fsdecode(b"\xff\xfe")):
        with planned(tmp_path / name, "/a") as journal:
            assert states(journal) == ["new"]


def test_a_folder_of_no_job(tmp_path):
    with pytest.raises(InputError, match="no folder of a job"):
        Reading(tmp_path)
    assert os.listdir(tmp_path) == []


def rendering(journal):
    journal.to_render(10)


def reporting(journal):
    list(journal.outcomes())


@pytest.mark.parametrize(
    ("edit", "read"),
    [
        ("UPDATE items SET name = '../../outside'", rendering),
        ("UPDATE items SET scan = 99", rendering),
        ("DELETE FROM bodies", rendering),
        ("UPDATE bodies SET body = 'text'", rendering),
        ("UPDATE items SET files = '{'", reporting),
        ("UPDATE items SET files = 'null'", reporting),
        ("UPDATE items SET seconds = '[1]'", reporting),
        ("UPDATE scans SET credits = 'many'", reporting),
        ("UPDATE scans SET answered = 'today'", reporting),
    ],
)
def test_a_row_that_was_edited_is_named(folder, edit, read):
    with planned(folder, "/a.png") as journal:
        answer(journal, claim(journal, 1, "x").scan)
    edited(folder, edit)
    with opened(folder) as journal, pytest.raises(JournalCorruptError, match=r"damaged: item 1 "):
        read(journal)


def edited(folder, statement):
    db = sqlite3.connect(folder / "journal.sqlite")
    with db:
        assert db.execute(statement).rowcount == 1
    db.close()


def test_links_in_the_folder_of_a_stranger_change_no_other_file(folder, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("not yours")
    folder.mkdir()
    os.symlink(mine, folder / "journal.lock")
    with pytest.raises(OutputError, match=r"journal\.lock"):
        opened(folder)
    os.unlink(folder / "journal.lock")
    os.symlink(mine, folder / "journal.reserve")
    with planned(folder, "/a.png") as journal:
        journal.reserve(2**20)
        assert (folder / "journal.reserve").stat().st_size == 2**20
    assert mine.read_text() == "not yours"


def test_an_answer_that_unpacks_without_end_is_damage(folder, monkeypatch):
    with planned(folder, "/photos/a.png") as journal:
        answer(journal, claim(journal, 1, "a").scan, bytes(5000))
        [outcome] = journal.outcomes()
        assert outcome.body == bytes(5000)
        monkeypatch.setattr(reading, "MAX_BYTES", 4000)
        with pytest.raises(JournalCorruptError, match="the answer of scan"):
            list(journal.outcomes())
