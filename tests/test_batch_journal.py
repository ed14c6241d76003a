"""The journal of a job: what it promises."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time

import pytest
from batch_journal import FAULT, answer, claim, opened, planned, states

from runmask.batch.items import Entry
from runmask.batch.journal import Answer, Fault, packed
from runmask.batch.values import Rendered
from runmask.errors import (
    JournalLockedError,
    JournalMismatchError,
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "job"


# -- scans and items


def test_an_item_from_new_to_done(folder):
    with planned(folder, "/a/x.png") as journal:
        sent = claim(journal, 1, "7")
        assert sent.send_as == "7".zfill(32)
        assert states(journal) == ["sent"]
        answer(journal, sent.scan, b'{"a": 1}', 2.5)
        [answered] = journal.to_render(5)
        assert (answered.name, answered.body, answered.digest) == ("x", b'{"a": 1}', "d" * 31 + "7")
        assert journal.to_render(5) == []  # handed out
        journal.rendered([Rendered(1, {"mask": "masks/x.png"}, None, {"read": 0.5})])
        [outcome] = journal.outcomes()
        assert outcome.state == "done"
        assert outcome.files == {"mask": "masks/x.png"}
        assert (outcome.credits, outcome.billed) == (2.5, "yes")
        assert journal.spent() == 2.5


def test_the_same_content_is_one_scan(folder):
    with planned(folder, "/a", "/b", "/c") as journal:
        first, second = claim(journal, 1, "7"), claim(journal, 2, "7")
        assert second == (first.scan, None)  # not the second one's to send
        answer(journal, first.scan)
        assert claim(journal, 3, "7") == (first.scan, None)
        assert states(journal) == ["scored"] * 3
        assert journal.spent() == 1


@pytest.mark.parametrize("end", ["failed", "held"])
def test_who_shares_a_content_shares_its_end(folder, end):
    with planned(folder, "/a", "/b", "/c") as journal:
        scan = claim(journal, 1, "7").scan
        claim(journal, 2, "7")
        if end == "failed":
            journal.refuse(scan, FAULT, "req-1").result()
        else:
            journal.hold(scan, FAULT, "req-1", b"half an ans").result()
        claim(journal, 3, "7")
        assert states(journal) == [end] * 3
        assert {outcome.error for outcome in journal.outcomes()} == {tuple(FAULT)}


def test_what_was_not_carried_out_is_new_again(folder):
    with planned(folder, "/a", "/b") as journal:
        scan = claim(journal, 1, "7").scan
        claim(journal, 2, "7")
        journal.unsend(scan).result()
        assert states(journal) == ["new", "new"]
        assert claim(journal, 2, "7").send_as is not None


def test_what_was_sent_when_the_process_died_is_held(folder):
    with planned(folder, "/a", "/b", "/c") as journal:
        claim(journal, 1, "7")
        answer(journal, claim(journal, 2, "8").scan)
    with opened(folder) as journal:
        journal.plan([])
        assert states(journal) == ["held", "scored", "new"]
        assert claim(journal, 3, "7").send_as is None  # nor is its content sent for another
        assert states(journal) == ["held", "scored", "held"]


@pytest.mark.parametrize(("choice", "state"), [("resend", "new"), ("skip", "failed")])
def test_held_is_resolved_by_a_person(folder, choice, state):
    with planned(folder, "/a") as journal:
        journal.hold(claim(journal, 1, "7").scan, FAULT, None, b"").result()
        assert journal.resolve(choice) == 1
        assert states(journal) == [state]
        if choice == "resend":  # under the same id: a service that knows it does not charge again
            assert claim(journal, 1, "7").send_as == "7".zfill(32)


def test_an_id_that_the_service_refuses_is_sent_under_another(folder):
    with planned(folder, "/a") as journal:
        scan = claim(journal, 1, "7").scan
        journal.hold(scan, Fault("duplicate_scan", "409"), None, b"").result()
        journal.resolve("resend")
        assert claim(journal, 1, "7") == (scan, "7".zfill(32) + "-1")


def test_a_webhook_ends_the_scan_that_it_is_about(folder):
    with planned(folder, "/a", "/b") as journal:
        journal.accept(claim(journal, 1, "7").scan).result()
        claim(journal, 2, "8")
    with opened(folder) as journal:  # the second was under way, and is held
        assert journal.answer_late("8".zfill(32), packed(b"{}"), 1.0)
        assert journal.refuse_late("7".zfill(32), FAULT)
        assert states(journal) == ["failed", "scored"]
        assert not journal.answer_late("9".zfill(32), packed(b"{}"), 1.0)
        assert not journal.answer_late("8".zfill(32), packed(b"[]"), 1.0)  # once is enough


def test_failed_may_be_tried_again(folder):
    with planned(folder, "/a", "/b", "/c") as journal:
        journal.fail(1, FAULT).result()
        journal.refuse(claim(journal, 2, "7").scan, FAULT, None).result()
        answer(journal, claim(journal, 3, "8").scan)
        journal.rendered([Rendered(3, {}, ("bad", "no mask"))])
        assert states(journal) == ["failed"] * 3
        assert journal.retry_failed() == 3
        assert states(journal) == ["new", "new", "scored"]
        assert claim(journal, 2, "7").send_as is not None


def test_other_wishes_render_anew_and_the_same_ones_do_not(folder):
    with planned(folder, "/a", "/b") as journal:
        journal.wish("overlays")
        for item in (1, 2):
            answer(journal, claim(journal, item, str(item)).scan)
        journal.rendered([Rendered(1, {}), Rendered(2, {}, ("bad", "no mask"))])
        journal.wish("overlays")
        assert states(journal) == ["done", "failed"]
        journal.wish("masks")
        assert states(journal) == ["scored", "scored"]


def test_answers_from_elsewhere_come_in_once(folder):
    given = [Answer("/a/x.png", "x", "", "copyleaks", b"{}"), Answer("", "y", "", "", b"[]")]
    with opened(folder) as journal:
        assert journal.add_answers(iter(given)) == 2
        assert journal.add_answers(iter(given)) == 0
        assert [answered.name for answered in journal.to_render(9)] == ["x", "y"]


def test_many_share_a_commit(folder, monkeypatch):
    from runmask.batch.journal.commits import Writer

    sizes = []
    commit = Writer._commit

    def counted(self, group):
        sizes.append(len(group))
        time.sleep(0.01)  # as a disk would take
        commit(self, group)

    monkeypatch.setattr(Writer, "_commit", counted)
    with planned(folder, *(f"/{n}" for n in range(200))) as journal:
        futures = [
            journal.claim(n, f"/{n - 1}", f"{n:032}", "", "copyleaks") for n in range(1, 201)
        ]
        assert all(future.result().send_as for future in futures)
    assert len(sizes) < 20


def test_the_table_is_out_of_date_when_any_item_changes(folder):
    with planned(folder, "/a", "/b") as journal:
        for change in (
            lambda: journal.fail(1, FAULT).result(),
            lambda: claim(journal, 2, "7"),
            lambda: journal.plan([Entry("/c", "")]),
        ):
            journal.table_written()
            assert journal.is_table_current()
            change()
            assert not journal.is_table_current()


# -- planning


def test_names_meet_on_no_file_system(folder):
    sources = ["/a/x.png", "/b/X.jpg", "/c/x.webp", "/d/é.png", "/e/é.png", "/f/CON.png"]
    sources += ["/g/..png", "/h/a\0b.png".replace("\0", "\n"), f"/i/{'y' * 300}.png"]
    with planned(folder, *sources) as journal:
        names = [outcome.name for outcome in journal.outcomes()]
    from runmask.output import folded

    assert len({folded(name) for name in names}) == len(sources)
    assert names[0] == "x"
    assert all(len(name.encode()) < 200 and "/" not in name and "\n" not in name for name in names)


def test_a_name_that_is_no_utf8(folder):
    source = os.fsdecode(b"/a/\xff\xfe.png")
    for _ in range(2):
        with planned(folder, source) as journal:
            assert [outcome.source for outcome in journal.outcomes()] == [source]
            assert journal.unread(0, 9)[0].source == source


def test_planning_again_changes_nothing(folder):
    sources = [f"/{n}" for n in range(50)]
    with planned(folder, *sources) as journal:
        assert journal.plan([Entry(s, "1-1") for s in sources]) == (50, 0, 0)
        assert journal.plan([Entry(s, "1-1") for s in reversed(sources)]) == (50, 0, 0)
        more = [*sources[:20], "/new", *sources[20:]]
        assert journal.plan([Entry(s, "1-1") for s in more]) == (51, 1, 0)
        assert journal.plan([Entry(s, "1-1") for s in [*more, "/new", "/0"]]) == (53, 0, 0)
        assert len(list(journal.outcomes())) == 51


def test_a_changed_file_is_a_new_item_and_the_old_result_stays(folder):
    with planned(folder, "/a/x.png") as journal:
        answer(journal, claim(journal, 1, "7").scan, b'{"old": 1}')
        assert journal.plan([Entry("/a/x.png", "2-2")]) == (1, 0, 1)
        old, new = journal.outcomes()
        assert (old.state, old.body) == ("scored", b'{"old": 1}')
        assert (new.state, new.source) == ("new", "/a/x.png")
        assert old.name != new.name
        assert journal.plan([Entry("/a/x.png", "2-2")]) == (1, 0, 0)


def test_a_file_that_was_only_touched_is_the_old_item(folder):
    with planned(folder, "/a/x.png") as journal:
        answer(journal, claim(journal, 1, "7").scan)
        journal.plan([Entry("/a/x.png", "1-2")])
        assert claim(journal, 2, "7").send_as is None
        assert [outcome.item for outcome in journal.outcomes()] == [1]
        assert journal.plan([Entry("/a/x.png", "1-2")]) == (1, 0, 0)


def test_a_file_that_could_not_be_read_is_tried_again_when_it_changes(folder):
    with planned(folder, "/a/x.png", stamp="") as journal:
        journal.fail(1, FAULT).result()
        journal.plan([Entry("/a/x.png", "")])
        assert states(journal) == ["failed"]
        journal.plan([Entry("/a/x.png", "5-5")])
        assert states(journal) == ["new"]


# -- who may go on


def test_a_job_may_grow_and_not_become_another(folder):
    with opened(folder) as journal:
        for given in (["/photos"], ["/more", "/photos"]):
            journal.check_arguments(given)
            journal.keep_arguments(given)
        with pytest.raises(JournalMismatchError, match="/photos"):
            journal.check_arguments(["/more"])


def test_another_service_is_another_job(folder):
    opened(folder).close()
    opened(folder, service="aidetector").close()  # nothing was taken in yet
    planned(folder, "/a").close()
    with pytest.raises(JournalMismatchError, match="'sightengine' is asked for"):
        opened(folder, service="sightengine")
    opened(folder).close()


HOLDER = """
import sys, time
from runmask.batch.journal import Journal
journal = Journal(sys.argv[1], {"service": "copyleaks", "at": "this machine"})
print("ready", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_refused_and_a_dead_one_is_no_obstacle(folder):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "ready\n"
        began = time.monotonic()
        with pytest.raises(JournalLockedError) as refused:
            opened(folder)
        assert time.monotonic() - began < 1
        assert refused.value.pid == holder.pid
        assert str(holder.pid) in str(refused.value)
        assert abs(refused.value.since - time.time()) < 60
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    opened(folder).close()
    assert sorted(os.listdir(folder)) == ["journal.sqlite"]


RACER = """
import sys, time
from runmask.batch.journal import Journal
from runmask.errors import JournalLockedError
while time.time() < float(sys.argv[2]):
    pass
try:
    with Journal(sys.argv[1], {"service": "x"}):
        began = time.monotonic()
        time.sleep(0.5)
        print(began, time.monotonic())
except JournalLockedError:
    pass
"""


def test_of_several_that_start_at_once_one_runs_at_a_time(folder):
    start = str(time.time() + 1.5)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, folder, start], stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    told = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 6
    ran = sorted(tuple(map(float, times)) for times in told if times)
    assert 1 <= len(ran) < 6
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ran))
