"""From an array of pixels to an image file."""

import io
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ImageError, InputError, LimitError, advised, shown
from ..foreign import pixels_of
from ..output import atomic_write
from .arguments import check_orientation, check_whole
from .extra import extra, opencv
from .metadata import ORIENTATION, Metadata, exif_block, jpeg_segments
from .orientation import upright
from .png import png_chunks
from .source import shown_name

Writable = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.bool_]

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
# The largest side that the format can hold (TIFF: so that 32-bit offsets suffice).
_MAX_SIDE = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383, "BMP": 2**31 - 1, "TIFF": 2**31 - 1}


def write(
    path: str | os.PathLike[str],
    image: npt.ArrayLike,
    *,
    format: str | None = None,  # noqa: A002  the word that Pillow's and imageio's users know
    quality: int = 90,
    lossless: bool = False,
    orientation: int = 1,
    metadata: Metadata | None = None,
    overwrite: bool = True,
    threads: int | None = None,
) -> None:
    """Write an image file whole or not at all.

    Parameters
    ----------
    path : str or path
        Its ending names the format unless ``format`` does.
    image : array
        uint8 (H, W), (H, W, 3) or (H, W, 4), any strides; for PNG also uint16; or bool (H, W),
        which PNG stores in one bit per pixel and the other formats as 0 and 255.
    format : str, optional
        PNG, JPEG, WEBP, BMP or TIFF.
    quality : int
        1..100, for JPEG (with 4:2:0 colour) and WebP.
    lossless : bool
        For WebP; PNG, BMP and TIFF are so in any case, and JPEG refuses it.
    orientation : int
        An EXIF tag to store, so that viewers turn the picture and the pixels keep their
        grid. BMP has no place for it: there the pixels are turned.
    metadata : Metadata, optional
        What :func:`load` found, to be stored: EXIF in JPEG, PNG and WebP, a colour profile in TIFF
        as well; in BMP, and of grey images, that is left out. The orientation is the one given
        here.
    overwrite : bool
        False refuses a name that is taken.
    threads : int, optional
        For PNG; the bytes are the same for every number. None uses the cores there are.

    Raises
    ------
    ImageError
        An array that is no image, or transparency that the format cannot hold.
    LimitError
        A side longer than the format allows.
    InputError
        An unknown format, ``quality`` out of range, or what the format cannot do.
    OutputError
        The file could not be written; the old one is as it was.
    """
    chosen = _format_of(path, format)
    data = _encode(image, chosen, quality, lossless, orientation, metadata, threads)
    atomic_write(path, data, overwrite=overwrite)


def encode(
    image: npt.ArrayLike,
    format: str,  # noqa: A002  as above
    *,
    quality: int = 90,
    lossless: bool = False,
    orientation: int = 1,
    metadata: Metadata | None = None,
    threads: int | None = None,
) -> bytes:
    """The bytes that :func:`write` would put into the file."""
    chosen = _format_of("", format)
    return b"".join(_encode(image, chosen, quality, lossless, orientation, metadata, threads))


def writable_format(path: str | os.PathLike[str]) -> str:
    """The format that a name's ending stands for; ``InputError`` if none can be written."""
    return _format_of(path, None)


def check_writable(
    path: str | os.PathLike[str],
    shape: tuple[int, int],
    *,
    format: str | None = None,  # noqa: A002  as above
    lossless: bool = False,
    metadata: Metadata | None = None,
) -> None:
    """Raise what :func:`write` would for an image of that height and width, but for its pixels."""
    fmt = _format_of(path, format)
    _check_abilities(fmt, lossless, metadata)
    _check_sides(fmt, shape)


def preview(image: npt.NDArray[np.uint8], *, side: int = 900, orientation: int = 1) -> bytes:
    """A small upright JPEG of an image for pages and lists; alpha is shown on white.

    The longer side has at most ``side`` pixels, and the size is a whole fraction of the
    image's, which is four times as fast as any size; up to a row and column may be cut off.
    """
    cv2 = opencv()
    step = -(-max(image.shape[:2]) // side)
    width, height = max(1, image.shape[1] // step), max(1, image.shape[0] // step)
    whole = image[: height * step, : width * step]
    small = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint16)
    if small.ndim == 3 and small.shape[2] == 4:
        alpha = small[:, :, 3:]
        small = (small[:, :, :3] * alpha + 255 * (255 - alpha)) // 255
    return encode(upright(small.astype(np.uint8), orientation), "JPEG", quality=82)


def _format_of(path: str | os.PathLike[str], fmt: str | None) -> str:
    known = sorted(set(_FORMATS.values()))
    if fmt is not None:
        chosen = _FORMATS.get(f".{fmt.lower()}") if isinstance(fmt, str) else None
        if chosen is None:
            raise InputError(f"cannot write format {shown(fmt)}; known are {', '.join(known)}")
        return chosen
    suffix = os.path.splitext(os.fspath(path))[1] if isinstance(path, (str, os.PathLike)) else ""
    chosen = _FORMATS.get(suffix.lower())
    if chosen is None:
        raise InputError(
            f"{shown_name(path)}: no image format to write ends in {shown(suffix)};"
            f" known are {', '.join(_FORMATS)}"
        )
    return chosen


def _encode(
    image: npt.ArrayLike,
    fmt: str,
    quality: int,
    lossless: bool,
    orientation: int,
    metadata: Metadata | None,
    threads: int | None,
) -> Iterable[bytes]:
    check_whole(quality, "quality", 1, 100)
    check_orientation(orientation)
    _check_abilities(fmt, lossless, metadata)
    if threads is not None:
        check_whole(threads, "threads", 1)
    pixels = _checked(image, fmt)
    exif = exif_block(metadata, orientation)
    icc = metadata.icc if metadata is not None and pixels.ndim == 3 else b""
    if fmt == "PNG":
        return png_chunks(pixels, exif=exif[6:], icc=icc, threads=threads)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    colours = np.asarray(pixels, dtype=np.uint8)
    if fmt == "JPEG":
        return _jpeg(colours, quality, jpeg_segments(exif, icc))
    if fmt == "WEBP":
        # method 0 takes a third of the default's time for the same size.
        how = {"lossless": lossless, "quality": quality, "method": 0, "exact": lossless}
        return (_by_pillow(colours, fmt, **how, exif=exif, icc_profile=icc),)
    if fmt == "TIFF":
        profile = {"icc_profile": icc} if icc else {}
        return (_by_pillow(colours, fmt, tiffinfo={ORIENTATION: orientation}, **profile),)
    return (_by_pillow(np.ascontiguousarray(_opaque(upright(colours, orientation), fmt)), fmt),)


def _check_abilities(fmt: str, lossless: bool, metadata: Metadata | None) -> None:
    if not isinstance(lossless, bool):
        raise InputError(f"lossless {shown(lossless)}: not True or False")
    if lossless and fmt == "JPEG":
        raise InputError("JPEG cannot be lossless; PNG, WebP and TIFF can")
    if metadata is None:
        return
    if not isinstance(metadata, Metadata):
        raise InputError(f"metadata {shown(metadata)}: what load() gives, or None")
    if metadata.exif and fmt in ("BMP", "TIFF"):
        raise InputError(f"EXIF is not written to {fmt}; JPEG, PNG and WebP hold it")


def _checked(image: npt.ArrayLike, fmt: str) -> Writable:
    array = pixels_of(image)
    is_bool = array.dtype == np.bool_ and array.ndim == 2
    channels = array.shape[2] if array.ndim == 3 else 1
    if not is_bool and (array.dtype not in (np.uint8, np.uint16) or array.ndim not in (2, 3)):
        raise ImageError(
            f"an image is uint8 or uint16 (H, W), (H, W, 3) or (H, W, 4), or bool (H, W);"
            f" got {array.dtype} {array.shape}"
        )
    if array.dtype == np.uint16 and fmt != "PNG":
        raise ImageError(f"{fmt} is written with 8 bits a sample; PNG holds 16", code="dtype")
    if channels not in (1, 3, 4) or array.size == 0:
        raise ImageError(f"an image has 1, 3 or 4 channels and some pixels; got {array.shape}")
    _check_sides(fmt, array.shape[:2])
    if array.ndim == 3 and channels == 1:
        array = array[:, :, 0]
    contiguous: Writable = np.ascontiguousarray(array)
    return contiguous


def _check_sides(fmt: str, shape: tuple[int, ...]) -> None:
    if max(shape) > _MAX_SIDE[fmt]:
        raise LimitError(
            f"{fmt} holds at most {_MAX_SIDE[fmt]} pixels a side;"
            f" the image is {shape[0]} x {shape[1]} (height x width)"
        )


def _opaque(pixels: npt.NDArray[np.uint8], fmt: str) -> npt.NDArray[np.uint8]:
    """The colours alone, if no pixel is transparent."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    if pixels[:, :, 3].min() < 255:
        error = ImageError(f"{fmt} cannot hold transparency; PNG, WebP and TIFF can", code="alpha")
        raise advised(error, "image[:, :, :3] is the image without its alpha channel")
    return pixels[:, :, :3]


def _jpeg(
    pixels: npt.NDArray[np.uint8], quality: int, segments: Iterable[bytes]
) -> Iterable[bytes]:
    with extra("images"):
        import simplejpeg  # type: ignore[import-untyped]  # ships stubs but no py.typed
    _opaque(pixels, "JPEG")
    if pixels.ndim == 2:
        data: bytes = simplejpeg.encode_jpeg(pixels[:, :, None], quality, "GRAY", "Gray")
    else:
        colours = "RGB" if pixels.shape[2] == 3 else "RGBA"
        data = simplejpeg.encode_jpeg(pixels, quality, colours, "420")
    after = 4 + int.from_bytes(data[4:6], "big") if data[2:4] == b"\xff\xe0" else 2  # JFIF first
    return (data[:after], *segments, data[after:])


def _by_pillow(pixels: npt.NDArray[np.uint8], fmt: str, **options: Any) -> bytes:
    with extra("images"):
        from PIL import Image
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, fmt, **options)
    return out.getvalue()
