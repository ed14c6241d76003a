"""The page of results shows whatever it is given and runs none of it."""

import base64
from html.parser import HTMLParser

from runmask.page import Card, article, articles, is_ours, page

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
    card = Card(EVIL, EVIL, EVIL, b"\xff\xd8one", b"\xff\xd8two", [EVIL], [EVIL], notice=EVIL)
    text = page(EVIL, [article(card)])
    assert list(articles(text)) == [EVIL]
    reader = read(text)
    assert "script" not in reader.tags
    assert reader.tags.count("img") == 2
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    assert sum(EVIL in text for text in reader.text) == 7  # title twice, note, name, verdict, ...


def test_the_page_needs_nothing_else():
    card = article(Card("dog", "dog.jpg", "ai", b"one", b"two", ["1 %"], ["dog overlay.png"]))
    reader = read(page("Results", [card, card]))
    sources = [value for tag, name, value in reader.attributes if (tag, name) == ("img", "src")]
    pictures = [base64.b64decode(source.partition(",")[2]) for source in sources]
    assert pictures == [b"one", b"two"] * 2
    links = [value for tag, name, value in reader.attributes if (tag, name) == ("a", "href")]
    assert links == ["dog%20overlay.png"] * 2
    assert ("b", "class", "ai") in reader.attributes


def test_articles_go_from_page_to_page_as_they_are():
    cards = [article(Card(f"n{n}", "</article>", "ai", b"one", b"", notice="a & b")) for n in "12"]
    first = page("Results", cards)
    assert is_ours(first)
    assert list(articles(first).items()) == [("n1", cards[0]), ("n2", cards[1])]
    assert page("Results", articles(first).values()) == first


def test_notices_stand_once_and_mark_their_articles():
    cards = [
        Card("a", "a.jpg", "ai", b"one", b"two", notice="no detector"),
        Card("b", "b.jpg", "ai", b"one", b"two", notice="no detector"),
        Card("c", "c.jpg", "ai", b"one", b"two"),
    ]
    text = "".join(read(page("Results", map(article, cards))).text)
    assert text.count("(sandbox) no detector") == 1
    assert text.count("(sandbox)") == 3


def test_a_page_of_another_maker_has_no_articles():
    text = article(Card("a", "a.jpg", "ai", b"one", b"two"))
    assert not is_ours(f"<html>{text}</html>")
    assert not articles(f"<html>{text}</html>")
