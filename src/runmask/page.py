"""A page to look at: every photo beside its overlay, in one HTML file that needs nothing else."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import quote

__all__ = ["Card", "article", "articles", "is_ours", "page"]


@dataclass(frozen=True)
class Card:
    """One photo on the page.

    ``name`` tells it from the others. ``before`` and ``after`` are small JPEGs, put into the page,
    or nothing; ``facts`` are shown as they are, one beside the other; ``files`` are names
    in the page's folder to link to; ``notice`` is what a stand-in for the service said of itself.
    """

    name: str
    title: str
    verdict: str
    before: bytes
    after: bytes
    facts: Sequence[str] = ()
    files: Sequence[str] = ()
    notice: str = ""


_MARK = '<meta name="generator" content="runmask">'
_ARTICLE = re.compile(r'<article id="([^"]*)" data-notice="([^"]*)">.*?</article>', re.DOTALL)
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 84rem; padding: 0 1rem; }
article { margin: 0 0 2.5rem; }
h1 { margin: 0; } h2 { margin: 0 0 .2rem; font-size: 1.15rem; overflow-wrap: anywhere; }
p { margin: 0 0 .5rem; } .note { opacity: .75; }
b.ai { color: #d0312d; } b.human { color: #1a7f37; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; align-items: start; }
.pair img { width: 100%; max-height: 85vh; object-fit: contain; border-radius: 4px; }
@media (max-width: 40rem) { .pair { grid-template-columns: 1fr; } }
"""


def page(title: str, shown: Iterable[str]) -> str:
    """The page of some articles as text; their notices stand once, at its top."""
    body = "\n".join(shown)
    notices = dict.fromkeys(match[2] for match in _ARTICLE.finditer(body) if match[2])
    top = "\n".join(f'<p class="note">(sandbox) {notice}</p>' for notice in notices)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{_MARK}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{top}
{body}
</body>
</html>
"""


def is_ours(text: str) -> bool:
    """Whether a page is one that :func:`page` made."""
    return _MARK in text[:500]


def articles(text: str) -> Mapping[str, str]:
    """The articles of a page of ours as they stand, by name."""
    found = _ARTICLE.finditer(text) if is_ours(text) else ()
    return {unescape(match[1]): match[0] for match in found}


def article(card: Card) -> str:
    """A card as HTML. Whatever the names and answers hold, it is shown and never run."""
    kind = card.verdict if card.verdict in ("ai", "human") else "other"
    verdict = f'<b class="{kind}">{escape(card.verdict)}</b>'
    if card.notice:
        verdict += " (sandbox)"
    facts = " · ".join([verdict, *map(escape, card.facts)])
    links = " · ".join(f'<a href="{quote(name)}">{escape(name)}</a>' for name in card.files)
    return f"""<article id="{escape(card.name)}" data-notice="{escape(card.notice)}">
<h2>{escape(card.title)}</h2>
<p>{facts}</p>
<div class="pair">
{_image(card.before, f"{card.title} as it was sent")}
{_image(card.after, f"{card.title} with the mask over it")}
</div>
<p class="note">{links}</p>
</article>"""


def _image(jpeg: bytes, text: str) -> str:
    if not jpeg:
        return "<p></p>"
    data = base64.b64encode(jpeg).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(text)}">'
