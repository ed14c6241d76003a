from cpython.mem cimport PyMem_Free, PyMem_Malloc

cdef extern from "picture.h" namespace "runmask" nogil:
    struct Format:
        size_t channels, depth
    struct Strides:
        Py_ssize_t row, pixel, sample
    struct Source:
        const uint8_t* pixels
        Strides strides
    struct Target:
        uint8_t* pixels
        Strides strides

cdef extern from "blend.h" namespace "runmask" nogil:
    struct Colour:
        uint8_t channel[3]
        uint8_t alpha
    struct Layer:
        AnyRuns runs
        Colour inside, outside
    Result c_overlay "runmask::overlay"(const Layer*, size_t, Source, Target, size_t, Format, size_t, size_t, int)

cdef extern from "heatmap.h" namespace "runmask" nogil:
    enum class Number(int):
        boolean, uint8, float16, float32, float64
    struct Confidence:
        const uint8_t* values
        Number number
        size_t height, width
        Py_ssize_t row, column
        double low, span
    struct Window:
        size_t height, width, top, whole_height
    Result c_find_nan "runmask::find_nan"(const Confidence&, const Window&, cbool*, size_t*, size_t*)
    Result c_heatmap "runmask::heatmap" (const Confidence&, Source, Target, const Window&, Format, const uint8_t (*)[4], int)

cdef extern from "outline.h" namespace "runmask" nogil:
    struct Line:
        double width
        cbool smooth
        Colour colour
    Result c_outline "runmask::outline"(const FlatRings&, cbool, const AnyRuns&, const Line&, Target, size_t, Format, size_t, size_t, int)


cdef class _Pixels:
    """An image (H, W, 1 to 4) of uint8 or uint16 at any strides, for as long as this lives."""

    cdef Py_buffer view
    cdef Format format
    cdef Strides strides

    def __cinit__(self, object image, bint writable):
        PyObject_GetBuffer(image, &self.view, PyBUF_STRIDES | (PyBUF_WRITABLE if writable else 0))
        if (
            self.view.ndim != 3 or self.view.itemsize not in (1, 2)
            or not 1 <= self.view.shape[2] <= 4
        ):
            raise InputError("the image does not have the layout that the core takes")
        self.format.channels = <size_t>self.view.shape[2]
        self.format.depth = <size_t>self.view.itemsize
        self.strides.row = self.view.strides[0]
        self.strides.pixel = self.view.strides[1]
        self.strides.sample = self.view.strides[2]

    def __dealloc__(self):
        PyBuffer_Release(&self.view)

    cdef bint is_empty(self) noexcept nogil:
        return self.view.shape[0] == 0 or self.view.shape[1] == 0

    cdef Source source(self) noexcept nogil:
        cdef Source source
        source.pixels = <const uint8_t*>self.view.buf
        source.strides = self.strides
        return source

    cdef Target target(self) noexcept nogil:
        cdef Target target
        target.pixels = <uint8_t*>self.view.buf
        target.strides = self.strides
        return target

    cdef int check_like(self, _Pixels other) except -1:
        cdef int axis
        for axis in range(3):
            if self.view.shape[axis] != other.view.shape[axis]:
                raise InputError("image and out differ in shape")
        if self.view.itemsize != other.view.itemsize:
            raise InputError("image and out differ in type")
        return 0


cdef Colour colour_of(tuple rgba):
    cdef Colour colour
    colour.channel[0], colour.channel[1], colour.channel[2], colour.alpha = rgba
    return colour


def overlay(tuple layers not None, object image, object out, Py_ssize_t top, int threads):
    """Blends layers of (runs, inside, outside) over the rows of an image from row `top` on.

    Colours are in the order of the image's channels, the alpha last.
    """
    cdef _Pixels source = _Pixels(image, False)
    cdef _Pixels target = _Pixels(out, True)
    cdef Py_ssize_t height = source.view.shape[0], width = source.view.shape[1], i
    cdef Py_ssize_t count = len(layers)
    cdef Runs runs
    cdef Layer* list
    cdef Result result
    source.check_like(target)
    for runs, _, _ in layers:
        if runs.width != width or not 0 <= top <= runs.height - height:
            raise InputError("the image is no band of the mask")
    if source.is_empty() or count == 0:
        return
    list = <Layer*>PyMem_Malloc(<size_t>count * sizeof(Layer))
    if list == NULL:
        raise MemoryError
    try:
        for i, (runs, inside, outside) in enumerate(layers):
            list[i].runs = runs.any()
            list[i].inside = colour_of(inside)
            list[i].outside = colour_of(outside)
        with nogil:
            result = c_overlay(list, <size_t>count, source.source(), target.target(), <size_t>width,
                               source.format, <size_t>(top * width),
                               <size_t>((top + height) * width), threads)
    finally:
        PyMem_Free(list)
    check(result)


def outline(const int32_t[:, ::1] points not None, const int64_t[::1] offsets not None, bint through_centers,
            Runs runs not None, double width, bint smooth, tuple colour, object image, Py_ssize_t top, int threads):
    """Draws rings that were traced from runs on the rows of an image from row `top` on, in place."""
    cdef FlatRings rings = rings_of(points, offsets)
    cdef _Pixels target = _Pixels(image, True)
    cdef AnyRuns any = runs.any()
    cdef Line line
    cdef Result result
    cdef Py_ssize_t height = target.view.shape[0]
    if target.view.shape[1] != runs.width or not 0 <= top <= runs.height - height:
        raise InputError("the image is no band of what was traced")
    if not 1 <= width <= 2**15:
        raise InputError("the line has a width that the core does not take")
    if target.is_empty():
        return
    line.width = width
    line.smooth = smooth
    line.colour = colour_of(colour)
    with nogil:
        result = c_outline(rings, through_centers, any, line, target.target(), <size_t>runs.width,
                           target.format, <size_t>top, <size_t>(top + height), threads)
    check(result)


cdef class _Map:
    """Confidences (h, w) at any strides, for as long as this lives."""

    cdef Py_buffer view
    cdef Confidence confidence

    def __cinit__(self, object confidence, double low, double span):
        PyObject_GetBuffer(confidence, &self.view, PyBUF_STRIDES | PyBUF_FORMAT)
        cdef bytes kind = bytes(self.view.format).lstrip(b"@=^<")  # NumPy's words for unaligned
        numbers = {b"?": <int>Number.boolean, b"B": <int>Number.uint8, b"e": <int>Number.float16, b"f": <int>Number.float32, b"d": <int>Number.float64}
        if self.view.ndim != 2 or kind not in numbers:
            raise InputError("the confidence does not have the layout that the core takes")
        for side in (self.view.shape[0], self.view.shape[1]):
            if not 0 < side < 2**30:
                raise InputError("the confidence has a side that the core does not take")
        self.confidence.values = <const uint8_t*>self.view.buf
        self.confidence.number = <Number><int>numbers[kind]
        self.confidence.height = <size_t>self.view.shape[0]
        self.confidence.width = <size_t>self.view.shape[1]
        self.confidence.row = self.view.strides[0]
        self.confidence.column = self.view.strides[1]
        self.confidence.low = low
        self.confidence.span = span

    def __dealloc__(self):
        PyBuffer_Release(&self.view)


cdef Window window_of(Py_ssize_t height, Py_ssize_t width, Py_ssize_t top, Py_ssize_t whole_height) except *:
    cdef Window window
    if not 0 < height <= whole_height - top < 2**30 or top < 0 or not 0 < width < 2**30 or whole_height >= 2**30:
        raise InputError("the image has a size that the core does not take")
    window.height = <size_t>height
    window.width = <size_t>width
    window.top = <size_t>top
    window.whole_height = <size_t>whole_height
    return window


def find_nan(object confidence, Py_ssize_t height, Py_ssize_t width, Py_ssize_t top, Py_ssize_t whole_height):
    """(row, column) of a NaN that counts for such a band of an image, or None."""
    cdef _Map map = _Map(confidence, 0, 1)
    cdef Window window = window_of(height, width, top, whole_height)
    cdef size_t row = 0, column = 0
    cdef cbool found = False
    cdef Result result
    with nogil:
        result = c_find_nan(map.confidence, window, &found, &row, &column)
    check(result)
    return (row, column) if found else None


def heatmap(object confidence, double low, double span, object image, object out, Py_ssize_t top,
            Py_ssize_t whole_height, object colours, int threads):
    """Blends the colours (256, 4) of the confidences over a band of an image."""
    cdef _Map map = _Map(confidence, low, span)
    cdef _Pixels source = _Pixels(image, False)
    cdef _Pixels target = _Pixels(out, True)
    cdef Py_buffer table
    cdef Window window = window_of(source.view.shape[0], source.view.shape[1], top, whole_height)
    cdef Result result
    source.check_like(target)
    PyObject_GetBuffer(colours, &table, PyBUF_C_CONTIGUOUS)
    try:
        if table.len != 1024 or table.itemsize != 1:
            raise InputError("colours are not 256 of four bytes")
        with nogil:
            result = c_heatmap(map.confidence, source.source(), target.target(), window,
                               source.format, <const uint8_t (*)[4]>table.buf, threads)
    finally:
        PyBuffer_Release(&table)
    check(result)
