"""Journals to test, and what is done with them."""

from __future__ import annotations

from runmask.batch.items import Entry
from runmask.batch.journal import Fault, Journal, packed

WHO = {"service": "copyleaks", "at": "this machine"}
FAULT = Fault("timeout", "it sent nothing for 180 s")


def opened(folder, **identity):
    return Journal(folder, WHO | identity)


def planned(folder, *sources, stamp="1-1"):
    journal = opened(folder)
    journal.plan([Entry(source, stamp) for source in sources])
    return journal


def claim(journal, item, content):
    source = next(each.source for each in journal.outcomes() if each.item == item)
    return journal.claim(item, source, f"{content:0>32}", f"{content:d>32}", "copyleaks").result()


def answer(journal, scan, body=b"{}", cost=1.0):
    journal.answer(scan, packed(body), cost).result()


def states(journal):
    return [outcome.state for outcome in journal.outcomes()]
