"""The decoders: from the bytes of a file to pixels as they are stored."""

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import ImageError, InputError, LimitError
from . import plain_png
from .completeness import check_complete, truncated
from .extra import extra, opencv
from .metadata import Kept, Metadata, found
from .orientation import Pixels, Shape, as_stored
from .reducing import decoded_shape, reduced_shape

if TYPE_CHECKING:
    from PIL import Image

Mode = Literal["RGB", "RGBA"]


@dataclass(frozen=True)
class Picture:
    """An image as it was read.

    Attributes
    ----------
    pixels : ndarray of uint8, (H, W, 3) or (H, W, 4)
    orientation : int
        The EXIF tag that would still have to be applied to show the pixels upright; 1 if
        they are. Give it to :func:`write` to keep the grid and have viewers turn it.
    format : str
        What the content was: PNG, JPEG, WEBP, BMP, TIFF, GIF or HEIF.
    has_more_frames : bool
        Whether the file has further frames or pages; the first was read. (They are not counted:
        a hostile file may have millions.)
    full_shape : (height, width)
        Of all pixels, turned as these are; that of ``pixels`` unless ``max_side`` reduced them.
    metadata : Metadata or None
        What to give to :func:`write`; None if there is nothing.
    """

    pixels: Pixels
    orientation: int
    format: str
    has_more_frames: bool
    full_shape: Shape
    metadata: Metadata | None = None

    def __repr__(self) -> str:
        height, width, channels = self.pixels.shape
        facts = [f"{self.format}, {height} x {width} {'RGBA' if channels == 4 else 'RGB'}"]
        if self.full_shape != (height, width):
            facts.append("reduced from {} x {}".format(*self.full_shape))
        if self.orientation != 1:
            facts.append(f"orientation {self.orientation}")
        if self.has_more_frames:
            facts.append("the first of several frames")
        return f"Picture({', '.join(facts)})"


@dataclass(frozen=True)
class Wanted:
    """What :func:`load` was asked for, and what messages call the image."""

    mode: Mode | None
    name: str
    max_pixels: int
    max_side: int | None
    metadata: Kept

    def metadata_of(self, image: "Image.Image", fmt: str) -> Metadata | None:
        return found(image, fmt, self.metadata)


def decode(data: bytes, fmt: str, wanted: Wanted) -> Picture:
    """A file of a known format; ImageError for whatever is wrong with it.

    With ``max_side`` the pixels may be fewer than the file has, but not as few as that.
    """
    try:
        return _decode(data, fmt, wanted)
    except (InputError, ImportError, MemoryError):
        raise
    except Exception as error:  # decoders raise nearly everything when the bytes are bad
        raise _image_error(error, data, fmt, wanted.name) from error


def _decode(data: bytes, fmt: str, wanted: Wanted) -> Picture:
    name, mode, max_pixels = wanted.name, wanted.mode, wanted.max_pixels
    check_complete(data, fmt, name)
    if fmt == "WEBP":  # Pillow's reader takes memory for the canvas when it opens the file
        _check_size(_webp_size(data), name, max_pixels)
    if fmt == "HEIF":
        return _decode_heif(data, wanted)
    image = _open(data, fmt)
    _check_size(image.size, name, max_pixels)
    more = bool(getattr(image, "is_animated", False))
    if fmt == "TIFF":
        return _decode_tiff(data, image, wanted, more)
    pixels = None
    plain = fmt == "PNG" and not more and plain_png.is_plain(data, image)
    if fmt == "JPEG":
        pixels = _decode_jpeg(data, image, mode, wanted.max_side)
    elif plain:
        pixels = _decode_plain_png(data, image, mode)
    elif fmt == "WEBP" and not more:
        pixels = _decode_webp(data, image, mode)
    if pixels is None:
        pixels = _from_pillow(image, mode, name)
    full = image.height, image.width
    size = pixels.shape[0], pixels.shape[1]
    small = decoded_shape(full, reduced_shape(full, wanted.max_side)) if fmt == "JPEG" else full
    if size not in (full, small):
        raise ImageError(f"{name}: its header and its content differ in size", code="corrupt")
    orientation = 1 if plain else _orientation(image)
    return Picture(pixels, orientation, fmt, more, full, wanted.metadata_of(image, fmt))


def grey_of(data: bytes, picture: Picture, name: str) -> npt.NDArray[Any]:
    """The samples of what was decoded from these bytes, if it is grey; 16 bits are read again."""
    if picture.format in ("PNG", "TIFF"):
        image = _open(data, picture.format)
        if image.mode.startswith("I;16"):
            orientation = _orientation(image)  # as in _decode_tiff
            wide = np.asarray(image).astype(np.uint16)
            return as_stored(wide, orientation) if picture.format == "TIFF" else wide  # type: ignore[arg-type]
    pixels = picture.pixels
    if (pixels != pixels[:, :, :1]).any():
        raise ImageError(
            f"{name} is a {picture.format} picture with colours, not grey", code="mode"
        )
    return np.ascontiguousarray(pixels[:, :, 0])


def _open(data: bytes, fmt: str) -> "Image.Image":
    """A Pillow image whose header is read and whose pixels are not.

    Straight from the format's class: ``Image.open`` has a pixel limit of its own, and would
    try formats that are not on the list.
    """
    with extra("images"):
        from PIL import (
            BmpImagePlugin,
            GifImagePlugin,
            JpegImagePlugin,
            PngImagePlugin,
            TiffImagePlugin,
            WebPImagePlugin,
        )
    plugin: Any = {
        "PNG": PngImagePlugin.PngImageFile,
        "JPEG": JpegImagePlugin.JpegImageFile,
        "WEBP": WebPImagePlugin.WebPImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "GIF": GifImagePlugin.GifImageFile,
    }[fmt]
    image: Image.Image = plugin(io.BytesIO(data))
    return image


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(
            f"{name} has no pixels: {height} x {width} (height x width)", code="corrupt"
        )
    if width * height > max_pixels:
        raise LimitError(
            f"{name} is {height} x {width} (height x width) = {width * height} pixels > "
            f"max_pixels {max_pixels}",
        )


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of the canvas, from the first chunk."""
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _decode_jpeg(
    data: bytes, image: "Image.Image", mode: Mode | None, max_side: int | None
) -> Pixels | None:
    """The fast path, strict about damage; None leaves it to Pillow (CMYK and the like).

    For a reduced picture the decoder leaves out whole frequencies, which takes less time than to
    decode all.
    """
    with extra("images"):
        import simplejpeg  # type: ignore[import-untyped]  # ships stubs but no py.typed
    if image.mode not in ("RGB", "L"):
        return None
    full = image.height, image.width
    height, width = decoded_shape(full, reduced_shape(full, max_side))
    colours = "RGBA" if mode == "RGBA" else "RGB"
    return _uint8(simplejpeg.decode_jpeg(data, colours, min_height=height, min_width=width))


def _decode_plain_png(data: bytes, image: "Image.Image", mode: Mode | None) -> Pixels | None:
    """None leaves what is damaged to Pillow, which says how."""
    channels = len(image.mode)
    stored = plain_png.decode(data, image.height, image.width, channels)
    if stored is not None and channels == 4 and mode == "RGB":
        stored = stored[:, :, :3]
    if stored is not None and channels == 3 and mode == "RGBA":
        stored = opencv().cvtColor(stored, opencv().COLOR_RGB2RGBA)
    return None if stored is None else _uint8(stored)


def _decode_webp(data: bytes, image: "Image.Image", mode: Mode | None) -> Pixels | None:
    """By OpenCV, in half of Pillow's time; None if it cannot."""
    cv2 = opencv()
    has_alpha = image.mode == "RGBA"
    if has_alpha and mode != "RGB":
        stored = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
        )
        return None if stored is None else _uint8(cv2.cvtColor(stored, cv2.COLOR_BGRA2RGBA))
    stored = cv2.imdecode(
        np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if stored is None or mode != "RGBA":
        return None if stored is None else _uint8(stored)
    return _uint8(cv2.cvtColor(stored, cv2.COLOR_RGB2RGBA))


def _decode_tiff(data: bytes, image: Any, wanted: Wanted, more: bool) -> Picture:
    tags = image.tag_v2
    starts = tags.get(273, tags.get(324, ()))  # of strips, or of tiles
    sizes = tags.get(279, tags.get(325, ()))
    if any(start + size > len(data) for start, size in zip(starts, sizes, strict=False)):
        raise truncated("TIFF", wanted.name)
    # Of its formats Pillow turns this one upright by itself, and forgets the tag in doing so.
    orientation = _orientation(image)
    pixels = _from_pillow(image, wanted.mode, wanted.name)
    stored = as_stored(pixels, orientation)
    full = stored.shape[0], stored.shape[1]
    return Picture(stored, orientation, "TIFF", more, full, wanted.metadata_of(image, "TIFF"))


def _decode_heif(data: bytes, wanted: Wanted) -> Picture:
    with extra("heif"):
        import pillow_heif
    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    _check_size(file.size, wanted.name, wanted.max_pixels)
    image = file.to_pillow()
    pixels = _from_pillow(image, wanted.mode, wanted.name)
    full = pixels.shape[0], pixels.shape[1]
    return Picture(pixels, 1, "HEIF", len(file) > 1, full, wanted.metadata_of(image, "HEIF"))


def _from_pillow(image: "Image.Image", mode: Mode | None, name: str) -> Pixels:
    from PIL import Image

    if image.mode in ("I", "F", "LAB", "HSV"):
        raise ImageError(
            f"{name}: samples of kind {image.mode!r} cannot be shown as 8-bit colour without"
            " a scale; convert the image first",
            code="mode",
        )
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if mode is None:
        mode = "RGBA" if image.has_transparency_data else "RGB"
    return _uint8(np.array(image if image.mode == mode else image.convert(mode)))


def _uint8(array: Any) -> Pixels:
    return np.ascontiguousarray(array, dtype=np.uint8)


def _orientation(image: "Image.Image") -> int:
    try:
        tag = image.getexif().get(0x0112, 1)
    except Exception:  # broken metadata is no reason to refuse the pixels
        return 1
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else 1


def _image_error(error: Exception, data: bytes, fmt: str, name: str) -> ImageError:
    reason = str(error)
    signs = (
        "truncated",
        "premature end of jpeg",
        "requires a buffer",
        "too small",
        "end of file",
        "no more images",
        "out of range",
    )
    cut = isinstance(error, (EOFError, IndexError)) or any(s in reason.lower() for s in signs)
    if cut or (fmt == "JPEG" and b"\xff\xd9" not in data):
        return truncated(fmt, name)
    return ImageError(f"{name}: the {fmt} file cannot be decoded: {reason[:200]!r}", code="corrupt")
