from libc.stdint cimport int32_t

cdef extern from "measures.h" namespace "runmask" nogil:
    struct Moments:
        double m[4][4]
    Moments c_moments        "runmask::moments"       (const AnyRuns&, int64_t)
    size_t  c_count_row_runs "runmask::count_row_runs"(const AnyRuns&, int64_t)
    void    c_row_runs       "runmask::row_runs"      (const AnyRuns&, int64_t, int32_t*, int32_t*, int32_t*)
    void    c_row_areas      "runmask::row_areas"     (const AnyRuns&, int64_t, int64_t*)
    void    c_column_areas   "runmask::column_areas"  (const AnyRuns&, int64_t, int64_t*)
    cbool   c_is_set         "runmask::is_set"        (const AnyRuns&, size_t)
    void    c_pack           "runmask::pack"          (const AnyRuns&, size_t, size_t, size_t, cbool, uint8_t*)


def moments(Runs runs not None):
    """m00, m10, m01, m20, m11, m02, m30, m21, m12, m03."""
    cdef AnyRuns any = runs.any()
    cdef Moments found
    with nogil:
        found = c_moments(any, runs.width)
    return (found.m[0][0], found.m[1][0], found.m[0][1], found.m[2][0], found.m[1][1],
            found.m[0][2], found.m[3][0], found.m[2][1], found.m[1][2], found.m[0][3])


def count_row_runs(Runs runs not None):
    cdef AnyRuns any = runs.any()
    cdef size_t count
    with nogil:
        count = c_count_row_runs(any, runs.width)
    return count


def row_runs(Runs runs not None, int32_t[::1] y, int32_t[::1] x0, int32_t[::1] x1):
    """Fills three arrays of count_row_runs() items."""
    cdef AnyRuns any = runs.any()
    cdef size_t count = count_row_runs(runs)
    if not <size_t>y.shape[0] == <size_t>x0.shape[0] == <size_t>x1.shape[0] == count:
        raise InputError(f"the arrays do not have {count} items")
    if count:
        with nogil:
            c_row_runs(any, runs.width, &y[0], &x0[0], &x1[0])


def row_areas(Runs runs not None, int64_t[::1] out):
    """Fills an array of zeros."""
    cdef AnyRuns any = runs.any()
    if out.shape[0] != runs.height:
        raise InputError(f"{out.shape[0]} items are not {runs.height} rows")
    if runs.height:
        with nogil:
            c_row_areas(any, runs.width, &out[0])


def column_areas(Runs runs not None, int64_t[::1] out):
    """Fills an array of zeros."""
    cdef AnyRuns any = runs.any()
    if out.shape[0] != runs.width:
        raise InputError(f"{out.shape[0]} items are not {runs.width} columns")
    if runs.width:
        with nogil:
            c_column_areas(any, runs.width, &out[0])


def is_set(Runs runs not None, Py_ssize_t y, Py_ssize_t x):
    cdef AnyRuns any = runs.any()
    if not (0 <= y < runs.height and 0 <= x < runs.width):
        raise InputError(f"({y}, {x}) lies outside {runs.height} x {runs.width}")
    return c_is_set(any, <size_t>(y * runs.width + x))


def pack(Runs runs not None, Py_ssize_t top, Py_ssize_t bottom, bint highest_first, uint8_t[:, ::1] out):
    """Fills bytes (bottom - top, (width + 7) // 8)."""
    cdef AnyRuns any = runs.any()
    if not 0 <= top <= bottom <= runs.height or out.shape[0] != bottom - top or out.shape[1] != (runs.width + 7) // 8:
        raise InputError(f"the array cannot take rows {top} to {bottom}")
    if out.shape[0] and out.shape[1]:
        with nogil:
            c_pack(any, <size_t>runs.width, <size_t>top, <size_t>bottom, highest_first, &out[0, 0])
