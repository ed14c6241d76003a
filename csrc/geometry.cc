#include "geometry.h"

#include <algorithm>
#include <variant>

#include "array.h"
#include "rows.h"
#include "runs.h"
#include "transpose.h"
#include "writer.h"

namespace runmask {
namespace {

// The part of a mask that stays in view, in its own rows and columns.
struct Window {
  int64_t y0, y1, x0, x1;
  bool empty() const { return y0 >= y1 || x0 >= x1; }
};

Window visible(Size size, const Placement& to) {
  return {std::max<int64_t>(0, -to.top), std::min(size.height, to.size.height - to.top),
          std::max<int64_t>(0, -to.left), std::min(size.width, to.size.width - to.left)};
}

// All pixels of rows [y0, y1) of an image, moved by `shift`.
template <class In, class Out>
void add_rows(RunWriter<Out>& out, Runs<In> runs, int64_t width, int64_t y0, int64_t y1,
              int64_t shift) {
  const int64_t from = y0 * width;
  const int64_t to = y1 * width;
  const size_t first = first_run_ending_after(runs, static_cast<size_t>(from));
  const size_t last = first_starting_at(runs, first, runs.count, to);
  out.expect(last - first);
  add_pieces(out, runs, first, last, from, to, shift);
}

// Room for the runs of rows [y0, y1) when they are cut at row ends, and for `more` in each row.
template <class In, class Out>
void expect_rows(RunWriter<Out>& out, Runs<In> runs, int64_t width, int64_t y0, int64_t y1,
                 bool more) {
  const size_t first = first_run_ending_after(runs, static_cast<size_t>(y0 * width));
  const size_t count = first_run_ending_after(runs, static_cast<size_t>(y1 * width)) + 1 - first;
  const auto rows = static_cast<size_t>(y1 - y0);
  out.expect(count + std::min(count, rows) + (more ? rows : 0));
}

// The pixels [from, to) of one row's runs, moved by `shift`.
template <class In, class Out>
void add_part_of_row(RunWriter<Out>& out, Runs<In> runs, const RowBand& band, int64_t from,
                     int64_t to, int64_t shift) {
  size_t first = first_starting_at(runs, band.first, band.last, from);
  first -= first > band.first && stop_of(runs, first - 1) > from;
  add_pieces(out, runs, first, first_starting_at(runs, first, band.last, to), from, to, shift);
}

// Everything around the window is not set.
template <class In, class Out>
void place_alone(RunWriter<Out>& out, Runs<In> runs, Size size, const Placement& to,
                 const Window& window) {
  const int64_t width = to.size.width;
  if (window.x1 - window.x0 == size.width && size.width == width) {
    add_rows(out, runs, width, window.y0, window.y1, to.top * width);
    return;
  }
  expect_rows(out, runs, size.width, window.y0, window.y1, false);
  RowCursor<In> rows(runs, size.width, window.y0);
  RowBand band;
  while (rows.next(band) && band.y < window.y1) {
    const int64_t end = std::min(band.y + band.count, window.y1);
    int64_t to_row = (band.y + to.top) * width;
    if (band.count > 1 && window.x1 - window.x0 == width) {  // they fill the rows of the result
      out.add(to_row, to_row + (end - band.y) * width);
      continue;
    }
    for (int64_t y = band.y; y < end; ++y, to_row += width) {
      const int64_t row = y * size.width;
      add_part_of_row(out, runs, band, row + window.x0, row + window.x1, to_row + to.left - row);
    }
  }
}

// Everything around the window is set.
template <class In, class Out>
void place_in_frame(RunWriter<Out>& out, Runs<In> runs, Size size, const Placement& to,
                    const Window& window) {
  const int64_t width = to.size.width;
  const int64_t left = window.x0 + to.left;   // the columns of the result
  const int64_t right = window.x1 + to.left;  // between the margins
  int64_t y = window.y0;                      // its left margin is written, its right one is not
  const auto go_to_row = [&](int64_t next) {
    if (left == 0 && right == width) y = next;
    for (; y < next; ++y) {
      const int64_t row = (y + to.top) * width;
      out.add(row + right, row + width + left);
    }
  };
  expect_rows(out, runs, size.width, window.y0, window.y1, left != 0 || right != width);
  out.add(0, (window.y0 + to.top) * width + left);
  RowCursor<In> rows(runs, size.width, window.y0);
  RowBand band;
  while (rows.next(band) && band.y < window.y1) {
    const int64_t end = std::min(band.y + band.count, window.y1);
    for (int64_t at = band.y; at < end; ++at) {
      go_to_row(at);
      const int64_t row = at * size.width;
      add_part_of_row(out, runs, band, row + window.x0, row + window.x1,
                      (at + to.top) * width + to.left - row);
    }
  }
  go_to_row(window.y1 - 1);
  out.add((window.y1 - 1 + to.top) * width + right, to.size.height * width);
}

template <class In, class Out>
void flip_columns(RunWriter<Out>& out, Runs<In> runs, Size size) {
  expect_rows(out, runs, size.width, 0, size.height, false);
  RowCursor<In> rows(runs, size.width);
  RowBand band;
  while (rows.next(band)) {
    const int64_t row = band.y * size.width;
    const int64_t end = row + band.count * size.width;
    add_mirrored(out, runs, band.first, band.last, row, end, row + end);
  }
}

template <class In, class Out>
void flip_rows(RunWriter<Out>& out, Runs<In> runs, Size size) {
  expect_rows(out, runs, size.width, 0, size.height, false);
  RowCursorUp<In> rows(runs, size.height, size.width);
  RowBand band;
  while (rows.next(band)) {
    const int64_t row = band.y * size.width;
    const int64_t end = row + band.count * size.width;
    add_pieces(out, runs, band.first, band.last, row, end, size.height * size.width - end - row);
  }
}

// A mask of join(), and where its rows stand.
struct Column {
  std::variant<RowCursor<int32_t>, RowCursor<int64_t>> rows;
  AnyRuns runs;
  int64_t width, left;
  RowBand band;  // its next rows
  bool more;     // whether there are any

  void next() {
    if (--band.count > 0) {
      ++band.y;
    } else {
      more = std::visit([&](auto& cursor) { return cursor.next(band); }, rows);
    }
  }
};

Column column(const Part& part, int64_t left) {
  Column made = {RowCursor<int32_t>({}, 0), part.runs, part.size.width, left, {}, true};
  if (part.runs.wide) {
    made.rows = RowCursor(part.runs.as<int64_t>(), part.size.width);
  } else {
    made.rows = RowCursor(part.runs.as<int32_t>(), part.size.width);
  }
  made.next();
  return made;
}

template <class In, class Out>
void tile_across(RunWriter<Out>& out, Runs<In> runs, int64_t width, int64_t across) {
  RowCursor<In> rows(runs, width);
  RowBand band;
  while (rows.next(band)) {
    const int64_t row = band.y * width;
    if (band.count > 1) {
      out.add(row * across, (row + band.count * width) * across);
      continue;
    }
    for (int64_t i = 0; i < across && !out.failed(); ++i) {
      add_pieces(out, runs, band.first, band.last, row, row + width,
                 row * (across - 1) + i * width);
    }
  }
}

template <class In, class Out>
void tile_down(RunWriter<Out>& out, Runs<In> runs, int64_t pixels, int64_t down) {
  if (runs.count == 1 && runs.lengths[0] == pixels) {
    out.add(0, pixels * down);
    return;
  }
  if (runs.count == 0) return;
  out.expect(runs.count * static_cast<size_t>(down));
  for (int64_t i = 0; i < down && !out.failed(); ++i) {
    add_pieces(out, runs, 0, runs.count, 0, pixels, i * pixels);
  }
}

}  // namespace

Result place(const AnyRuns& runs, Size size, const Placement& to, AnyArrays& out) {
  const Window window = visible(size, to);
  return write_runs(out, [&](auto& writer) {
    if (window.empty()) {
      writer.add(0, to.value ? to.size.height * to.size.width : 0);
      return;
    }
    with_runs(runs, [&](auto in) {
      if (to.value) {
        place_in_frame(writer, in, size, to, window);
      } else {
        place_alone(writer, in, size, to, window);
      }
    });
  });
}

Result flip(const AnyRuns& runs, Size size, bool rows, bool columns, AnyArrays& out) {
  const int64_t total = size.height * size.width;
  return write_runs(out, [&](auto& writer) {
    with_runs(runs, [&](auto in) {
      if (rows && columns) {  // is one mirrored line of pixels
        writer.expect(in.count);
        add_mirrored(writer, in, 0, in.count, 0, total, total);
      } else if (rows) {
        flip_rows(writer, in, size);
      } else if (columns) {
        flip_columns(writer, in, size);
      } else {
        writer.expect(in.count);
        add_pieces(writer, in, 0, in.count, 0, total, 0);
      }
    });
  });
}

Result orient(const AnyRuns& runs, Size size, bool transposed, bool rows, bool columns,
              AnyArrays& out) {
  if (!transposed) return flip(runs, size, rows, columns, out);
  if (!rows && !columns) return transpose(runs, size.height, size.width, out);
  AnyArrays turned;
  turned.wide = runs.wide;
  const Result result = transpose(runs, size.height, size.width, turned);
  if (result.status != Status::ok) return result;
  return flip(turned.runs(), {size.width, size.height}, rows, columns, out);
}

Result stack(const Part* parts, size_t count, AnyArrays& out) {
  return write_runs(out, [&](auto& writer) {
    size_t runs = 0;
    for (size_t i = 0; i < count; ++i) runs += parts[i].runs.count;
    writer.expect(runs);
    int64_t at = 0;
    for (size_t i = 0; i < count; ++i) {
      const int64_t pixels = parts[i].size.height * parts[i].size.width;
      with_runs(parts[i].runs,
                [&](auto in) { add_pieces(writer, in, 0, in.count, 0, pixels, at); });
      at += pixels;
    }
  });
}

Result join(const Part* parts, size_t count, AnyArrays& out) {
  Array<Column> columns;
  if (!columns.reserve_more(count)) return {Status::no_memory, 0};
  int64_t width = 0;
  for (size_t i = 0; i < count; ++i) {
    columns.append(column(parts[i], width));
    width += parts[i].size.width;
  }
  return write_runs(out, [&](auto& writer) {
    for (;;) {
      int64_t y = INT64_MAX;
      for (const Column& each : columns) y = each.more ? std::min(y, each.band.y) : y;
      if (y == INT64_MAX) return;
      for (Column& each : columns) {
        if (!each.more || each.band.y != y) continue;
        const int64_t row = y * each.width;
        with_runs(each.runs, [&](auto in) {
          add_pieces(writer, in, each.band.first, each.band.last, row, row + each.width,
                     y * width + each.left - row);
        });
        each.next();
      }
    }
  });
}

Result tile(const AnyRuns& runs, Size size, int64_t down, int64_t across, AnyArrays& out) {
  if (across == 1) {
    return write_runs(out, [&](auto& writer) {
      with_runs(runs, [&](auto in) { tile_down(writer, in, size.height * size.width, down); });
    });
  }
  const auto across_to = [&](AnyArrays& to) {
    return write_runs(to, [&](auto& writer) {
      with_runs(runs, [&](auto in) { tile_across(writer, in, size.width, across); });
    });
  };
  if (down == 1) return across_to(out);
  AnyArrays row;
  row.wide = out.wide;
  const Result result = across_to(row);
  if (result.status != Status::ok) return result;
  return tile(row.runs(), {size.height, size.width * across}, down, 1, out);
}

}  // namespace runmask
