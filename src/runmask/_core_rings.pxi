# Measures of rings: the bridge to rings.h. Rings are contiguous int32 points (x, y) and int64 offsets.

cdef extern from "rings.h" namespace "runmask" nogil:
    struct FlatRings:
        const int32_t* points
        const int64_t* offsets
        size_t count
    struct RingMeasures:
        int64_t* twice_areas
        double* perimeters
        int32_t* boxes
        double* centroids
    struct RingRects:
        double* corners
        double* centers
        double* sizes
        double* angles
    Result c_measure_rings  "runmask::measure_rings" (const FlatRings&, const RingMeasures&)
    Result c_contain_points "runmask::contain_points"(const FlatRings&, const int64_t*, size_t, uint8_t*)
    Result c_convex_hulls   "runmask::convex_hulls"  (const FlatRings&, Array[int32_t]&, Array[int64_t]&)
    Result c_min_area_rects "runmask::min_area_rects"(const FlatRings&, const RingRects&)


cdef FlatRings rings_of(const int32_t[:, ::1] points, const int64_t[::1] offsets) except *:
    """What the core may rely on: rings of at least one point, that use all points."""
    cdef FlatRings rings
    cdef Py_ssize_t i, count = offsets.shape[0] - 1
    cdef bint fit = count >= 0 and points.shape[1] == 2
    fit = fit and offsets[0] == 0 and offsets[count] == points.shape[0]
    if fit:
        with nogil:
            for i in range(count):
                fit &= offsets[i] < offsets[i + 1]
    if not fit:
        raise InputError("points and offsets do not fit each other")
    rings.points = &points[0, 0] if points.shape[0] else NULL
    rings.offsets = &offsets[0]
    rings.count = <size_t>count
    return rings


cdef int check_rings(Result result) except -1:
    """As check(), for the statuses of rings."""
    if result.status == Status.bad_point:
        raise InputError(f"ring {result.at}: points too far apart", code="bad_point")
    if result.status == Status.too_many:
        raise LimitError("more points than can be numbered", code="too_many")
    return check(result)


cdef int check_items(Py_ssize_t found, Py_ssize_t wanted) except -1:
    if found != wanted:
        raise InputError(f"{found} items where there are {wanted}")
    return 0


def measure_rings(const int32_t[:, ::1] points not None, const int64_t[::1] offsets not None, int64_t[::1] twice_areas not None, double[::1] perimeters not None, int32_t[:, ::1] boxes not None, double[:, ::1] centroids not None):
    """Writes areas, perimeters, boxes (rings, 4) and centroids (rings, 2)."""
    cdef FlatRings rings = rings_of(points, offsets)
    cdef RingMeasures out
    cdef Result result
    for found in (twice_areas.shape[0], perimeters.shape[0], boxes.shape[0], centroids.shape[0]):
        check_items(found, offsets.shape[0] - 1)
    check_items(boxes.shape[1], 4)
    check_items(centroids.shape[1], 2)
    if rings.count == 0:
        return
    out.twice_areas = &twice_areas[0]
    out.perimeters = &perimeters[0]
    out.boxes = &boxes[0, 0]
    out.centroids = &centroids[0, 0]
    with nogil:
        result = c_measure_rings(rings, out)
    check_rings(result)


def contain_points(const int32_t[:, ::1] points not None, const int64_t[::1] offsets not None, const int64_t[:, ::1] queries not None, uint8_t[::1] inside not None):
    """Writes 1 for each query (x, y), in 2**-20 px, that an odd number of rings surrounds, else 0."""
    cdef FlatRings rings = rings_of(points, offsets)
    cdef size_t count = <size_t>queries.shape[0]
    cdef Result result
    check_items(queries.shape[1], 2)
    check_items(inside.shape[0], queries.shape[0])
    if count == 0:
        return
    with nogil:
        result = c_contain_points(rings, &queries[0, 0], count, &inside[0])
    check_rings(result)


cdef tuple blocks_of(Array[int32_t]& points, Array[int64_t]& offsets):
    cdef size_t numbers = points.size(), ends = offsets.size()
    return (
        block(points.release(), numbers, sizeof(int32_t)),
        block(offsets.release(), ends, sizeof(int64_t)),
    )


def convex_hulls(const int32_t[:, ::1] points not None, const int64_t[::1] offsets not None):
    """Points and offsets of the hull of each ring."""
    cdef FlatRings rings = rings_of(points, offsets)
    cdef Array[int32_t] hull_points
    cdef Array[int64_t] hull_offsets
    cdef Result result
    with nogil:
        result = c_convex_hulls(rings, hull_points, hull_offsets)
    check_rings(result)
    return blocks_of(hull_points, hull_offsets)


def min_area_rects(const int32_t[:, ::1] points not None, const int64_t[::1] offsets not None, double[:, :, ::1] corners not None, double[:, ::1] centers not None, double[:, ::1] sizes not None, double[::1] angles not None):
    """Writes corners (rings, 4, 2), centers (rings, 2), sizes (rings, 2) and angles, of hulls."""
    cdef FlatRings rings = rings_of(points, offsets)
    cdef RingRects out
    cdef Result result
    for found in (corners.shape[0], centers.shape[0], sizes.shape[0], angles.shape[0]):
        check_items(found, offsets.shape[0] - 1)
    check_items(corners.shape[1] * corners.shape[2], 8)
    check_items(centers.shape[1], 2)
    check_items(sizes.shape[1], 2)
    if rings.count == 0:
        return
    out.corners = &corners[0, 0, 0]
    out.centers = &centers[0, 0]
    out.sizes = &sizes[0, 0]
    out.angles = &angles[0]
    with nogil:
        result = c_min_area_rects(rings, out)
    check_rings(result)
