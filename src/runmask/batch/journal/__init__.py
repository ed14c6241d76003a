"""The state of a job, all of it: an SQLite file that survives whatever happens to the process.

::

    schema      the file: its tables, and whether it is one of ours and whole
    lock        one process at a time
    commits     one thread that writes; many share a commit
    planning    items: taken in once each, under names that meet nowhere
    scans       what is paid for, one for each content
    reading     what the journal says
    journal     the whole
"""

from .journal import Journal
from .planning import Entry, Planned, hash_of
from .reading import Reading, Unread
from .scans import Answer, Claim, Fault, packed
from .schema import FILE, explained

__all__ = [
    "FILE",
    "Answer",
    "Claim",
    "Entry",
    "Fault",
    "Journal",
    "Planned",
    "Reading",
    "Unread",
    "explained",
    "hash_of",
    "packed",
]
