cdef extern from "geometry.h" namespace "runmask" nogil:
    struct Size:
        int64_t height, width
    struct Placement:
        Size size
        int64_t top, left
        cbool value
    struct Part:
        AnyRuns runs
        Size size
    Result c_place  "runmask::place" (const AnyRuns&, Size, const Placement&, AnyArrays&)
    Result c_orient "runmask::orient"(const AnyRuns&, Size, cbool, cbool, cbool, AnyArrays&)
    Result c_stack  "runmask::stack" (const Part*, size_t, AnyArrays&)
    Result c_join   "runmask::join"  (const Part*, size_t, AnyArrays&)
    Result c_tile   "runmask::tile"  (const AnyRuns&, Size, int64_t, int64_t, AnyArrays&)

cdef extern from "resize.h" namespace "runmask" nogil:
    enum class ResizeRoute(int):
        measured, runs, pixels
    Result c_resize "runmask::resize"(const AnyRuns&, Size, Size, AnyArrays&, ResizeRoute)

cdef extern from "polygons.h" namespace "runmask" nogil:
    struct Rings:
        const int64_t* points
        const int64_t* offsets
        size_t count
    Result c_fill_centers  "runmask::fill_centers" (const Rings&, Size, AnyArrays&)
    Result c_fill_like_cv2 "runmask::fill_like_cv2"(const Rings&, Size, AnyArrays&)


cdef Size size_of(Runs runs) noexcept:
    cdef Size size
    size.height = runs.height
    size.width = runs.width
    return size


def placed(Runs runs not None, Py_ssize_t height, Py_ssize_t width, int64_t top, int64_t left, bint value):
    """Pixel (y, x) goes to (y + top, x + left) of another image; `value` is what surrounds them."""
    cdef AnyRuns any = runs.any()
    cdef Size size = size_of(runs)
    cdef Placement to
    cdef AnyArrays out
    cdef Result result
    to.size.height = height
    to.size.width = width
    to.top = top
    to.left = left
    to.value = value
    out.wide = needs_wide(height, width)
    with nogil:
        result = c_place(any, size, to, out)
    return made(result, out, height, width)


def oriented(Runs runs not None, bint transposed, bint rows, bint columns):
    """Transposed or not, then with the order of rows or columns reversed."""
    cdef AnyRuns any = runs.any()
    cdef Size size = size_of(runs)
    cdef AnyArrays out
    cdef Result result
    out.wide = any.wide
    with nogil:
        result = c_orient(any, size, transposed, rows, columns, out)
    if transposed:
        return made(result, out, runs.width, runs.height)
    return made(result, out, runs.height, runs.width)


def concatenated(tuple masks not None, bint beside):
    """One mask of several, of one height beside each other or of one width below each other."""
    cdef Array[Part] parts
    cdef Part part
    cdef Runs runs, first
    cdef Py_ssize_t height = 0, width = 0
    cdef AnyArrays out
    cdef Result result
    if not parts.reserve_more(len(masks)):
        raise MemoryError
    first = masks[0]
    for runs in masks:
        if (runs.height != first.height) if beside else (runs.width != first.width):
            raise InputError("the masks do not fit each other")
        part.runs = runs.any()
        part.size = size_of(runs)
        parts.append(part)
        height += runs.height
        width += runs.width
    if beside:
        height = first.height
    else:
        width = first.width
    out.wide = needs_wide(height, width)
    with nogil:
        if beside:
            result = c_join(parts.data(), parts.size(), out)
        else:
            result = c_stack(parts.data(), parts.size(), out)
    return made(result, out, height, width)


def tiled(Runs runs not None, Py_ssize_t down, Py_ssize_t across):
    """The mask so many times below and beside itself."""
    cdef AnyRuns any = runs.any()
    cdef Size size = size_of(runs)
    cdef AnyArrays out
    cdef Result result
    out.wide = needs_wide(runs.height * down, runs.width * across)
    with nogil:
        result = c_tile(any, size, down, across, out)
    return made(result, out, runs.height * down, runs.width * across)


def resized(Runs runs not None, Py_ssize_t height, Py_ssize_t width, int route):
    """Nearest neighbour. The route is 0 as measured, 1 on the runs, 2 by pixels of a row."""
    cdef AnyRuns any = runs.any()
    cdef Size size = size_of(runs)
    cdef Size to
    cdef AnyArrays out
    cdef Result result
    to.height = height
    to.width = width
    out.wide = needs_wide(height, width)
    with nogil:
        result = c_resize(any, size, to, out, <ResizeRoute>route)
    return made(result, out, height, width)


def filled(object points, object offsets, Py_ssize_t height, Py_ssize_t width, bint like_cv2):
    """Closed rings of points (x, y), ring i from offsets[i] on: whole pixels like cv2, else 2**-20."""
    cdef Py_buffer p, o
    cdef size_t ring
    cdef Rings rings
    cdef Size size
    cdef AnyArrays out
    cdef Result result
    size.height = height
    size.width = width
    out.wide = needs_wide(height, width)
    PyObject_GetBuffer(points, &p, PyBUF_C_CONTIGUOUS)
    try:
        PyObject_GetBuffer(offsets, &o, PyBUF_C_CONTIGUOUS)
        try:
            rings.points = <const int64_t*>p.buf
            rings.offsets = <const int64_t*>o.buf
            if p.itemsize != 8 or o.itemsize != 8 or o.len < 8:
                raise InputError("points and offsets must be int64")
            rings.count = <size_t>(o.len // 8 - 1)
            if rings.offsets[0] != 0 or rings.offsets[rings.count] != p.len // 16:
                raise InputError("offsets and points do not fit each other")
            for ring in range(rings.count):
                if rings.offsets[ring] > rings.offsets[ring + 1]:
                    raise InputError("offsets fall")
            with nogil:
                if like_cv2:
                    result = c_fill_like_cv2(rings, size, out)
                else:
                    result = c_fill_centers(rings, size, out)
        finally:
            PyBuffer_Release(&o)
    finally:
        PyBuffer_Release(&p)
    return made(result, out, height, width)
