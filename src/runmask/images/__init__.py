"""Image files in and out: upright uint8 arrays from files that are not trusted.

Needs the extra ``images``; HEIC and HEIF also need ``heif``.

==========  ====  =====  ==============================================================
format      read  write  note
==========  ====  =====  ==============================================================
PNG         yes   yes    written in strips on all cores; bool arrays become 1-bit files
JPEG        yes   yes    CMYK is turned to RGB without its colour profile
WebP        yes   yes    written lossy unless asked otherwise; animated: first frame
BMP         yes   yes    no place for a colour profile
TIFF        yes   yes    written uncompressed; several pages: first page
GIF         yes   no     first frame
HEIC, HEIF  yes   no     see below
==========  ====  =====  ==============================================================

The content decides the format, never the name. The size is read from the header and
checked before memory is taken for pixels. Grey and palette images come out as colour, 16-bit
samples as their high byte (:func:`read_grey` has both bytes of grey ones); 32-bit samples have no
agreed range and are refused. Colour profiles are not applied: the pixels mean the colours that the
profile says, so give ``picture.metadata`` to :func:`write`. It has the profile; EXIF, which may
tell the place, only if it is read with ``metadata="keep"``.

``max_side=`` reads a picture reduced, and :func:`load_pair` its mask with it.

Orientation: a camera may store the picture turned and say so in an EXIF tag. ``read`` turns
the pixels upright, once, whatever the format. The masks of the services refer to the stored
grid: ask for that with ``orient=False``, or give ``shape=mask.shape`` and the reading that
fits the mask is chosen. HEIC files come out upright in any case: their own transformation is
part of decoding.

HEIC decoding is a matter of security: its library has had exploitable faults, and it is a
large C++ decoder. Keep ``pillow-heif`` current, and decode files of strangers in a process
of their own.
"""

from .decoding import Picture
from .metadata import Metadata
from .orientation import upright
from .reading import MAX_PIXELS, fit, load, load_pair, read, read_grey
from .source import format_named, format_of, named_as_image, read_bytes
from .writing import check_writable, encode, preview, writable_format, write

__all__ = [
    "MAX_PIXELS",
    "Metadata",
    "Picture",
    "check_writable",
    "encode",
    "fit",
    "format_named",
    "format_of",
    "load",
    "load_pair",
    "named_as_image",
    "preview",
    "read",
    "read_bytes",
    "read_grey",
    "upright",
    "writable_format",
    "write",
]
