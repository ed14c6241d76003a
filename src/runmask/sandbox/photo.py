"""From uploaded bytes to pixels: the size and format judged first, then decoded as stored."""

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from PIL import Image as Pillow
from PIL.ExifTags import TAGS

from ..errors import ImageError, LimitError, MissingDependencyError
from ..images import load
from .measurements import Image
from .refusals import Reason, Refusal

MIN_SIDE = 512
MAX_PIXELS = 2**26  # where a service's pages name no limit, the one of all images here
FORMATS = frozenset(("PNG", "JPEG", "BMP", "WEBP", "HEIF"))
EXTENSIONS = (".png", ".bmp", ".jpg", ".jpeg", ".webp", ".heic", ".heif")

_DATE_TIME, _DATE_TIME_ORIGINAL, _EXIF_BLOCK = 0x0132, 0x9003, 0x8769
_ARTIST, _SOFTWARE, _MAKE, _MODEL = 0x013B, 0x0131, 0x010F, 0x0110
_MAX_TEXT, _MAX_TAGS = 255, 200


@dataclass(frozen=True, eq=False)
class Photo:
    """An image as it was uploaded.

    Attributes
    ----------
    pixels : uint8 array (height, width, 3)
        RGB on the stored grid: an EXIF orientation is left alone, so the runs of the answer
        refer to the file as it was sent.
    metadata : dict
        ``issuedTime``, ``issuedBy`` and ``appOrDeviceUsed``, as far as the EXIF block has them.
    exif : dict
        The tags of the EXIF block by name, as text, but for thumbnails and what is binary.
    format : str
        ``"PNG"``, ``"JPEG"``, ...
    """

    pixels: Image
    metadata: dict[str, str]
    exif: dict[str, str]
    format: str


def read_photo(
    data: bytes,
    max_pixels: int,
    *,
    formats: Collection[str] = FORMATS,
    min_side: int = MIN_SIDE,
    orient: bool = False,
) -> Photo:
    """Decode an upload of an allowed format and size, upright if wished; else a Refusal."""
    try:
        picture = load(data, orient=orient, max_pixels=max_pixels)
    except LimitError:
        raise Refusal(
            Reason.IMAGE_SIZE, "image", f"the image has more than {max_pixels} pixels"
        ) from None
    except MissingDependencyError:
        raise Refusal(
            Reason.FILE_TYPE, "image", "HEIC is read once 'runmask[heif]' is installed here"
        ) from None
    except ImageError as error:
        reason = Reason.FILE_TYPE if error.code == "format" else Reason.FILE_BROKEN
        raise Refusal(reason, "image", f"not a readable image ({error.code})") from None
    if picture.format not in formats:
        raise Refusal(Reason.FILE_TYPE, "image", f"{picture.format} is not among {sorted(formats)}")
    height, width = picture.pixels.shape[:2]
    if min(height, width) < min_side:
        raise Refusal(
            Reason.IMAGE_SIZE,
            "image",
            f"{width}x{height} is under the {min_side}x{min_side} minimum",
        )
    metadata, tags = read_metadata(data, picture.format)
    return Photo(picture.pixels, metadata, tags, picture.format)


def read_metadata(data: bytes, image_format: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the EXIF block says of the image's origin, and all its tags; {} if none."""
    try:
        exif = read_exif(data, image_format)
        block = exif.get_ifd(_EXIF_BLOCK)
        tags = tags_of(exif, block)
    except Exception:  # broken metadata raises nearly everything, and is no reason to refuse
        return {}, {}
    device = " ".join(filter(None, (text(exif.get(_MAKE)), text(exif.get(_MODEL)))))
    found = {
        "issuedTime": iso_time(text(block.get(_DATE_TIME_ORIGINAL)) or text(exif.get(_DATE_TIME))),
        "issuedBy": text(exif.get(_ARTIST)),
        "appOrDeviceUsed": device or text(exif.get(_SOFTWARE)),
    }
    return {name: value for name, value in found.items() if value}, tags


def tags_of(*blocks: Mapping[int, object]) -> dict[str, str]:
    """The tags that have a name and are no bytes, as short texts."""
    found: dict[str, str] = {}
    for block in blocks:
        for number, value in block.items():
            name = TAGS.get(number)
            pointer = number == _EXIF_BLOCK or isinstance(value, (bytes, dict))
            if name and not pointer and len(found) < _MAX_TAGS:
                found[name] = str(value).strip("\0 ")[:_MAX_TEXT]
    return found


def read_exif(data: bytes, image_format: str) -> Pillow.Exif:
    if image_format != "HEIF":
        with Pillow.open(io.BytesIO(data), formats=[image_format]) as image:
            return image.getexif()
    import pillow_heif  # it has just decoded this very file

    exif = Pillow.Exif()
    exif.load(pillow_heif.open_heif(data).info.get("exif") or b"")
    return exif


def text(value: object) -> str:
    return value.strip("\0 ")[:_MAX_TEXT] if isinstance(value, str) else ""


def iso_time(exif_time: str) -> str:
    try:
        return datetime.strptime(exif_time, "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return ""
