"""A page to look at: every photo beside its overlay, in one HTML file that needs nothing else."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

__all__ = ["Card", "page"]


@dataclass(frozen=True)
class Card:
    """One photo on the page.

    ``before`` and ``after`` are small JPEGs, put into the page; ``facts`` are shown as
    they are, one beside the other; ``files`` are names in the page's folder to link to.
    """

    title: str
    verdict: str
    before: bytes
    after: bytes
    facts: Sequence[str] = ()
    files: Sequence[str] = ()


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


def page(title: str, cards: Sequence[Card], *, note: str = "") -> str:
    """The page as text. Whatever the names and answers hold, it is shown and never run."""
    body = "\n".join(map(_article, cards))
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="note">{escape(note)}</p>
{body}
</body>
</html>
"""


def _article(card: Card) -> str:
    kind = card.verdict if card.verdict in ("ai", "human") else "other"
    facts = " · ".join(map(escape, card.facts))
    links = " · ".join(f'<a href="{quote(name)}">{escape(name)}</a>' for name in card.files)
    return f"""<article>
<h2>{escape(card.title)}</h2>
<p><b class="{kind}">{escape(card.verdict)}</b> · {facts}</p>
<div class="pair">
{_image(card.before, f"{card.title} as it was sent")}
{_image(card.after, f"{card.title} with the mask over it")}
</div>
<p class="note">{links}</p>
</article>"""


def _image(jpeg: bytes, text: str) -> str:
    data = base64.b64encode(jpeg).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(text)}">'
