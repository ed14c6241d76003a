"""The page of results shows whatever it is given and runs none of it."""

import base64
from html.parser import HTMLParser

from runmask.page import Card, page

EVIL = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;"


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend((tag, *attr) for attr in attrs)

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    return reader


def test_everything_is_escaped():
    card = Card(EVIL, EVIL, b"\xff\xd8before", b"\xff\xd8after", facts=[EVIL], files=[EVIL])
    reader = read(page(EVIL, [card], note=EVIL))
    assert "script" not in reader.tags
    assert reader.tags.count("img") == 2
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    assert sum(EVIL in text for text in reader.text) == 7  # title twice, note, name, verdict, ...


def test_the_page_needs_nothing_else():
    card = Card("dog.jpg", "ai", b"one", b"two", facts=["1 %"], files=["dog overlay.png"])
    reader = read(page("Results", [card, card]))
    sources = [value for tag, name, value in reader.attributes if (tag, name) == ("img", "src")]
    pictures = [base64.b64decode(source.partition(",")[2]) for source in sources]
    assert pictures == [b"one", b"two"] * 2
    links = [value for tag, name, value in reader.attributes if (tag, name) == ("a", "href")]
    assert links == ["dog%20overlay.png"] * 2
    assert ("b", "class", "ai") in reader.attributes
