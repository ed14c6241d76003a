# Dilation and erosion: the bridge to morphology.h.

cdef extern from "morphology.h" namespace "runmask" nogil:
    struct Reach:
        int64_t across, down
    enum class Route(int):
        automatic, runs, bits
    Result c_dilate "runmask::dilate"(const AnyRuns&, int64_t, int64_t, const Reach*, size_t, Route, AnyArrays&)
    Result c_erode  "runmask::erode" (const AnyRuns&, int64_t, int64_t, const Reach*, size_t, Route, AnyArrays&)


def morph(Runs runs not None, object element, bint eroding, int route):
    """Dilates or erodes by rectangles: pairs of int64 (across, down), narrower and higher each."""
    cdef Py_buffer e
    cdef AnyRuns any = runs.any()
    cdef AnyArrays out
    cdef Route way = <Route>route
    cdef Result result
    cdef const Reach* reaches
    cdef size_t count
    out.wide = any.wide
    PyObject_GetBuffer(element, &e, PyBUF_C_CONTIGUOUS)
    try:
        if e.itemsize != 8 or e.len == 0 or e.len % sizeof(Reach) != 0:
            raise InputError("an element is pairs of int64")
        reaches = <const Reach*>e.buf
        count = <size_t>e.len // sizeof(Reach)
        with nogil:
            if eroding:
                result = c_erode(any, runs.height, runs.width, reaches, count, way, out)
            else:
                result = c_dilate(any, runs.height, runs.width, reaches, count, way, out)
    finally:
        PyBuffer_Release(&e)
    return made(result, out, runs.height, runs.width)
