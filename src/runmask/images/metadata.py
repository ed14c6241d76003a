"""What an image file says beside its pixels: EXIF, and the profile that its colours mean."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..errors import LimitError
from .extra import extra

if TYPE_CHECKING:
    from PIL import Image

Kept: TypeAlias = Literal["strip", "keep", "none"]

ORIENTATION = 0x0112
_EXIF, _GPS = 0x8769, 0x8825
# How the old file kept its pixels, and blocks that may hold a small picture of what they were.
_OF_PIXELS = {
    *(0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C),
    *(0x0142, 0x0143, 0x0144, 0x0145, 0x014A, 0x0201, 0x0202, 0x0211, 0x0212, 0x0213),
    *(0x02BC, 0x83BB, 0x8649, 0x8773),
}
# Width, height, interoperability, and the maker's notes: with places in the old file, and previews.
_OF_FILE = {0xA002, 0xA003, 0xA005, 0x927C}
_LONGEST_SEGMENT = 65_533


@dataclass(frozen=True)
class Metadata:
    """What :func:`load` found beside the pixels, for :func:`write`.

    Attributes
    ----------
    exif : bytes
        With ``metadata="keep"`` a TIFF block: camera, time, exposure, place. Without the
        orientation, which :attr:`Picture.orientation` has, thumbnails and the maker's notes. XMP
        and IPTC are left out too.
    icc : bytes
        The colour profile, if it is one for RGB: a CMYK or grey one is not that of the pixels.
    """

    exif: bytes = field(default=b"", repr=False)
    icc: bytes = field(default=b"", repr=False)


def found(image: "Image.Image", fmt: str, kept: Kept) -> Metadata | None:
    """Of an image that Pillow has opened. What is broken is left out, it is not the pixels."""
    if kept == "none":
        return None
    profile = image.info.get("icc_profile")
    is_rgb = isinstance(profile, bytes) and profile[16:20] + profile[36:40] == b"RGB acsp"
    exif = b""
    if kept == "keep" and fmt != "TIFF":  # whose directory is that of the file
        try:
            exif = _cleaned(image.getexif())
        except Exception:  # whatever it is that cannot be read
            exif = b""
    icc = profile if isinstance(profile, bytes) and is_rgb else b""
    return Metadata(exif, icc) if exif or icc else None


def _cleaned(exif: "Image.Exif") -> bytes:
    from PIL import Image

    kept = Image.Exif()
    kept.endian = exif.endian
    for tag, value in exif.items():
        if tag not in _OF_PIXELS and tag not in (ORIENTATION, _EXIF, _GPS):
            kept[tag] = value
    for directory in (_EXIF, _GPS):
        part = exif.get_ifd(directory).items()
        if own := {tag: value for tag, value in part if tag not in _OF_FILE}:
            kept[directory] = own
    return kept.tobytes()[6:] if len(kept) else b""


def exif_block(metadata: Metadata | None, orientation: int) -> bytes:
    """EXIF with that orientation, ``Exif`` before it; nothing if there is nothing to say."""
    known = metadata.exif if metadata is not None else b""
    if not known and orientation == 1:
        return b""
    with extra("images"):
        from PIL import Image
    exif: Any = Image.Exif()
    exif.load(known)
    exif[ORIENTATION] = orientation
    block: bytes = exif.tobytes()
    return block


def jpeg_segments(exif: bytes, icc: bytes) -> list[bytes]:
    """The segments that follow a JPEG's first ones."""
    segments = []
    if exif:
        if len(exif) > _LONGEST_SEGMENT:
            raise LimitError(f"EXIF of {len(exif)} bytes: JPEG holds {_LONGEST_SEGMENT}")
        segments.append(b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif)
    size = _LONGEST_SEGMENT - 14
    parts = [icc[at : at + size] for at in range(0, len(icc), size)]
    if len(parts) > 255:
        raise LimitError(f"a colour profile of {len(icc)} bytes: JPEG holds {255 * size}")
    for number, part in enumerate(parts, 1):
        body = b"ICC_PROFILE\0" + bytes((number, len(parts))) + part
        segments.append(b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body)
    return segments
