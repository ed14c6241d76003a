"""GIF and TIFF before they are sent: sizes from their headers, and whether they are whole."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from runmask.errors import ImageError
from runmask.http.preflight import _READERS, Limits, _CutOffError, examine
from runmask.http.upload import prepare

ANY = Limits(service="X", formats=frozenset(_READERS), max_bytes=10**7)


def picture(kind: str, size: tuple[int, int] = (13, 7), **options: object) -> bytes:
    file = BytesIO()
    image = Image.effect_noise(size, 80)
    image.save(file, kind, **options)
    return file.getvalue()


def animation() -> bytes:
    file = BytesIO()
    frames = [Image.effect_noise((13, 7), 80) for _ in range(3)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], comment=b"x" * 600)
    return file.getvalue()


WHOLE = {
    "gif": picture("GIF"),
    "animation": animation(),
    "tiff": picture("TIFF"),
    "packed": picture("TIFF", compression="tiff_lzw"),
    "big": picture("TIFF", big_tiff=True),
    "strips": picture("TIFF", (300, 900), strip_size=5000),
}


@pytest.mark.parametrize("name", WHOLE)
def test_sizes(name: str) -> None:
    data = WHOLE[name]
    kind = "GIF" if data[:3] == b"GIF" else "TIFF"
    assert examine(data, ANY) == kind
    with Image.open(BytesIO(data)) as image:
        assert _READERS[kind](data) == image.size


@pytest.mark.parametrize("name", ["gif", "animation"])
def test_every_cut_of_a_gif_is_seen(name: str) -> None:
    data = WHOLE[name]
    for length in range(8, len(data)):
        with pytest.raises(ImageError) as caught:
            examine(data[:length], ANY)
        assert caught.value.code == "truncated"


@pytest.mark.parametrize("name", ["tiff", "packed", "big", "strips"])
def test_every_cut_into_the_pixels_of_a_tiff_is_seen(name: str) -> None:
    data = WHOLE[name]
    with Image.open(BytesIO(data)) as image:
        tags = image.tag_v2
        starts, lengths = tags[273], tags[279]
        end = max(starts[-1] + lengths[-1], tags._offset if hasattr(tags, "_offset") else 0)
    for length in range(8, min(end, len(data)), 7):
        with pytest.raises(ImageError) as caught:
            examine(data[:length], ANY)
        assert caught.value.code == "truncated"


def test_a_tiff_of_the_other_byte_order() -> None:
    entries = [(256, 4, 1, 13), (257, 3, 1, 7 << 16), (273, 4, 1, 100), (279, 4, 1, 91)]
    table = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    data = b"MM\0*" + struct.pack(">IH", 8, len(entries)) + table + bytes(4)
    data = data.ljust(191, b"\0")
    assert _READERS["TIFF"](data) == (13, 7)
    with pytest.raises(_CutOffError):
        _READERS["TIFF"](data[:-1])


@pytest.mark.parametrize(
    "entry", [(256, 4, 2**32 - 1, 8), (256, 2, 1, 13), (256, 4, 0, 0), (999, 4, 1, 13)]
)
def test_tables_that_lie(entry: tuple[int, int, int, int]) -> None:
    table = struct.pack("<HHII", *entry) + struct.pack("<HHII", 257, 4, 1, 7)
    data = b"II*\0" + struct.pack("<IH", 8, 2) + table + bytes(4)
    with pytest.raises(ImageError) as caught:
        examine(data, ANY)
    assert caught.value.code == "truncated"


def test_names_of_uploads() -> None:
    assert prepare(WHOLE["gif"], None, ANY, preflight=True).filename == "image.gif"
    found = prepare(WHOLE["tiff"], "a.tif", ANY, preflight=True)
    assert (found.filename, found.media_type) == ("a.tif", "image/tiff")
