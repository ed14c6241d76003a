# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
# distutils: language = c++
"""The bridge to the C++ core: moves buffers across, releases the GIL, turns a Status into an error.

Nothing is decided here; arguments come checked from the modules above.
"""

import os

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release,
    PyObject_GetBuffer,
)
cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from libcpp cimport bool as cbool

from runmask.errors import InputError, LimitError, MaskError, shown


cdef extern from "status.h" namespace "runmask" nogil:
    enum class Status(int):
        ok, negative_start, negative_length, past_end, no_memory
        bad_character, cut_off, number_too_long, negative_count, counts_past_end, counts_short
        bad_header, bad_filter, bad_point, too_many, too_many_corners
    struct Result:
        Status status
        size_t at

cdef extern from "array.h" namespace "runmask" nogil:
    cdef cppclass Array[T]:
        T* data()
        size_t size()
        cbool reserve_more(size_t)
        void append(T)
        T* release()

cdef extern from "any.h" namespace "runmask" nogil:
    struct AnyRuns:
        const void* starts
        const void* lengths
        size_t count
        cbool wide
    cdef cppclass AnyArrays:
        cbool wide
        size_t count()
        AnyRuns view()
        size_t itemsize()
        void* release_starts()
        void* release_lengths()
    enum class Policy(int):
        strict, clip
    cdef cppclass ReadReport:
        cbool sorted, disjoint, canonical
        size_t empty, dropped, clipped
        uint64_t clipped_pixels
    struct Box:
        int64_t x0, y0, x1, y1
    Result   c_read    "runmask::read"        (const void*, const void*, size_t, size_t, int64_t, Policy, AnyArrays&, ReadReport&)
    uint64_t c_area    "runmask::area"        (const AnyRuns&)
    Box      c_box     "runmask::bounding_box"(const AnyRuns&, int64_t)

cdef extern from "pixels.h" namespace "runmask" nogil:
    Result   c_encode  "runmask::encode"      (const uint8_t*, size_t, size_t, int, AnyArrays&)
    void     c_decode  "runmask::decode"      (const AnyRuns&, size_t, size_t, size_t, uint8_t, uint8_t, int, uint8_t*)

cdef extern from "simd.h" namespace "runmask" nogil:
    struct Kernels:
        const char* name
    const Kernels& c_kernels "runmask::kernels"()
    cbool c_use_kernels "runmask::use_kernels"(const char*)
    const Kernels* c_available "runmask::available_kernels"(size_t)


cdef dict CODES = {
    <int>Status.negative_start: "negative_start",
    <int>Status.negative_length: "negative_length",
    <int>Status.past_end: "run_past_end",
    <int>Status.bad_character: "bad_character",
    <int>Status.cut_off: "cut_off",
    <int>Status.number_too_long: "number_too_long",
    <int>Status.negative_count: "negative_count",
    <int>Status.counts_past_end: "counts_past_end",
    <int>Status.counts_short: "counts_short",
    <int>Status.bad_header: "bad_header",
    <int>Status.bad_filter: "bad_filter",
    <int>Status.bad_point: "bad_point",
}


@cython.final
@cython.auto_pickle(False)
cdef class Block:
    """Memory of the core as a read-only buffer of integers; frees it with itself."""

    cdef void* data
    cdef Py_ssize_t shape[1]
    cdef Py_ssize_t strides[1]

    def __dealloc__(self):
        free(self.data)

    def __len__(self):
        return self.shape[0]

    def __getbuffer__(self, Py_buffer* view, int flags):
        if flags & PyBUF_WRITABLE:
            raise BufferError("runs are read-only")
        view.obj = self
        view.buf = self.data if self.data != NULL else self.shape  # never null, even when empty
        view.itemsize = self.strides[0]
        view.len = self.shape[0] * view.itemsize
        view.readonly = 1
        view.format = NULL
        if flags & PyBUF_FORMAT:
            view.format = b"i" if view.itemsize == 4 else b"q"
        view.ndim = 1
        view.shape = self.shape
        view.strides = self.strides
        view.suboffsets = NULL
        view.internal = NULL


cdef Block block(void* data, size_t count, size_t itemsize):
    cdef Block owner = Block.__new__(Block)
    owner.data = data
    owner.shape[0] = <Py_ssize_t>count
    owner.strides[0] = <Py_ssize_t>itemsize
    return owner


@cython.final
@cython.auto_pickle(False)
cdef class Runs:
    """Canonical runs of one image: starts and lengths, int32 below 2**31 pixels, else int64."""

    cdef readonly Py_ssize_t height
    cdef readonly Py_ssize_t width
    cdef readonly Block starts
    cdef readonly Block lengths

    def __len__(self):
        return <Py_ssize_t>self.any().count

    cdef AnyRuns any(self) except *:
        cdef AnyRuns runs
        if self.starts is None:
            raise TypeError("Runs are made by the core alone")
        runs.starts = self.starts.data
        runs.lengths = self.lengths.data
        runs.count = <size_t>self.starts.shape[0]
        runs.wide = self.starts.strides[0] == sizeof(int64_t)
        return runs


cdef bint needs_wide(Py_ssize_t height, Py_ssize_t width) noexcept:
    return <int64_t>height * width > 0x7FFFFFFF


cdef Runs made(Result result, AnyArrays& out, Py_ssize_t height, Py_ssize_t width):
    """What an operation gives: its runs, or the error that its status means."""
    check(result)
    cdef size_t count = out.count()
    cdef Runs runs = Runs.__new__(Runs)
    runs.height = height
    runs.width = width
    runs.starts = block(out.release_starts(), count, out.itemsize())
    runs.lengths = block(out.release_lengths(), count, out.itemsize())
    return runs


cdef int check(Result result) except -1:
    """The error that a status means, if it is none of rings; the modules above say what is meant."""
    if result.status == Status.ok:
        return 0
    if result.status == Status.no_memory:
        raise MemoryError
    cdef str code = CODES[<int>result.status]
    raise MaskError(f"{code} at {result.at}", code=code, index=result.at)


def runs_from_pairs(object starts, object lengths, Py_ssize_t height, Py_ssize_t width, bint clip):
    """Runs and a report from two contiguous arrays of native int32 (small images) or int64."""
    cdef Py_buffer s, l
    cdef AnyArrays out
    cdef ReadReport report
    cdef Result result
    cdef Policy policy = Policy.clip if clip else Policy.strict
    for side in (height, width):  # pickles come here unchecked
        if not 0 <= side < 2**31:
            raise LimitError(f"{height} x {width}: sides are 0 to {2**31 - 1}", code="side")
    out.wide = needs_wide(height, width)
    PyObject_GetBuffer(starts, &s, PyBUF_C_CONTIGUOUS)
    try:
        PyObject_GetBuffer(lengths, &l, PyBUF_C_CONTIGUOUS)
        try:
            if s.len != l.len or s.itemsize != l.itemsize or (s.itemsize != 8 and (out.wide or s.itemsize != 4)):
                raise InputError("starts and lengths must be alike, of int32 or int64")
            with nogil:
                result = c_read(s.buf, l.buf, <size_t>(s.len // s.itemsize), <size_t>s.itemsize,
                                <int64_t>height * width, policy, out, report)
        finally:
            PyBuffer_Release(&l)
    finally:
        PyBuffer_Release(&s)
    return made(result, out, height, width), (
        report.sorted, report.disjoint, report.canonical, report.empty, report.dropped,
        report.clipped, report.clipped_pixels,
    )


def runs_from_pixels(object pixels, Py_ssize_t height, Py_ssize_t width, int threads):
    """Runs of the nonzero bytes of a contiguous buffer of height * width bytes."""
    cdef Py_buffer p
    cdef AnyArrays out
    cdef Result result
    out.wide = needs_wide(height, width)
    PyObject_GetBuffer(pixels, &p, PyBUF_C_CONTIGUOUS)
    try:
        if p.len != height * width:
            raise InputError(f"{p.len} bytes are not {height} x {width} pixels")
        with nogil:
            result = c_encode(<const uint8_t*>p.buf, <size_t>height, <size_t>width, threads, out)
    finally:
        PyBuffer_Release(&p)
    return made(result, out, height, width)


def pixels_from_runs(Runs runs not None, Py_ssize_t first, Py_ssize_t last, uint8_t off, uint8_t on, object out, int threads):
    """Writes pixels [first, last) as bytes to a contiguous buffer of that size."""
    cdef Py_buffer o
    cdef AnyRuns any = runs.any()
    cdef size_t width = <size_t>runs.width
    PyObject_GetBuffer(out, &o, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
    try:
        if not 0 <= first <= last <= runs.height * runs.width or o.len != last - first:
            raise InputError(f"{o.len} bytes cannot take pixels {first} to {last}")
        with nogil:
            c_decode(any, width, <size_t>first, <size_t>last, off, on, threads, <uint8_t*>o.buf)
    finally:
        PyBuffer_Release(&o)


def area(Runs runs not None):
    """The number of pixels in the runs."""
    cdef AnyRuns any = runs.any()
    cdef uint64_t pixels
    with nogil:
        pixels = c_area(any)
    return pixels


def bounding_box(Runs runs not None):
    """(x0, y0, x1, y1), ends exclusive; the runs must not be empty."""
    cdef AnyRuns any = runs.any()
    cdef Box box
    with nogil:
        box = c_box(any, runs.width)
    return box.x0, box.y0, box.x1, box.y1


def kernels():
    """The name of the kernel set in use."""
    return c_kernels().name.decode()


def available_kernels():
    """The names of the kernel sets that this processor can run, best first."""
    names = []
    while c_available(len(names)) != NULL:
        names.append(c_available(len(names)).name.decode())
    return tuple(names)


def use_kernels(str name not None):
    """Switches to a kernel set by name; not while other threads are in the core."""
    if not c_use_kernels(name.encode(errors="replace")):
        raise InputError(f"kernel set {shown(name)}: not one of {', '.join(available_kernels())}")


include "_core_algebra.pxi"
include "_core_measures.pxi"
include "_core_components.pxi"
include "_core_contours.pxi"
include "_core_morphology.pxi"
include "_core_transpose.pxi"
include "_core_geometry.pxi"
include "_core_formats.pxi"
include "_core_wire.pxi"
include "_core_rings.pxi"
include "_core_simplify.pxi"
include "_core_blend.pxi"


if os.environ.get("RUNMASK_KERNELS"):
    try:
        use_kernels(os.environ["RUNMASK_KERNELS"])
    except InputError as error:
        raise InputError(f"the environment variable RUNMASK_KERNELS: {error}") from None


