"""A picture of bars and what is wrong with them, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from services.data.domain.bars import Doubles, Ints
from services.data.domain.splits import Split, later_split_factor
from services.data.quality.findings import Finding, FindingKind, Severity
from services.data.quality.inspection import Inspection

CONTENT_TYPE = "image/svg+xml"
_WIDTH, _HEIGHT = 960, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 40, 28
_COLORS = {Severity.ERROR: "#c62828", Severity.WARNING: "#ef6c00", Severity.INFO: "#757575"}
_GAPS = (FindingKind.MISSING_SESSION, FindingKind.MISSING_BARS)
_STYLE = (
    "text{font:12px sans-serif;fill:#37474f}.title{font-size:15px;font-weight:bold}"
    ".line{fill:none;stroke:#1565c0;stroke-width:1}.gap{fill:#ffcc80;fill-opacity:.6}"
    ".grid{stroke:#cfd8dc;stroke-width:1}"
)


def draw(title: str, inspection: Inspection, splits: Sequence[Split]) -> str:
    """The closes, adjusted for the recorded splits, over time; missing stretches shaded, findings marked.

    Of many bars in a column of pixels the lowest and the highest close are drawn, so that no outlier is lost.
    Prices that are no numbers are left out. The scale is logarithmic.
    """
    bars = inspection.bars
    close = np.full(len(bars), np.nan)
    can_be = np.isfinite(bars.close) & (bars.close > 0)
    close[can_be] = np.log10((bars.close / later_split_factor(bars.open_time_ns, splits))[can_be])
    times = bars.open_time_ns[can_be]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text class="title" x="{_LEFT}" y="22">{escape(title)}: {inspection.score:g} of 100</text>',
    ]
    if len(times):
        parts += _Chart(times, close[can_be]).parts(inspection)
    else:
        parts.append(f'<text x="{_LEFT}" y="{_HEIGHT // 2}">no bars</text>')
    return "".join((*parts, "</svg>"))


class _Chart:
    """From times and logarithms of prices to places in the picture."""

    def __init__(self, times_ns: Ints, log_close: Doubles) -> None:
        self._times = times_ns
        self._close = log_close
        self._first, self._span = int(times_ns[0]), max(1, int(times_ns[-1]) - int(times_ns[0]))
        self._low = float(log_close.min())
        self._range = max(float(log_close.max()) - self._low, 1e-3)

    def parts(self, inspection: Inspection) -> Iterator[str]:
        """The pieces of SVG, the lowest first."""
        yield from self._grid()
        marks: list[str] = []
        for found in inspection.found:
            for finding in found.findings:
                if found.kind in _GAPS:
                    yield self._shade(finding)
                elif found.kind is not FindingKind.ZERO_VOLUME:
                    marks.append(self._mark(finding, _COLORS[found.severity]))
        yield self._line()
        yield from marks

    def _x(self, time_ns: int) -> float:
        share = (time_ns - self._first) / self._span
        return _LEFT + min(1.0, max(0.0, share)) * (_WIDTH - _LEFT - _RIGHT)

    def _y(self, log_price: float) -> float:
        return _HEIGHT - _BOTTOM - (log_price - self._low) / self._range * (_HEIGHT - _TOP - _BOTTOM)

    def _grid(self) -> Iterator[str]:
        for step in range(5):
            level = self._low + self._range * step / 4
            y = self._y(level)
            yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="4" y="{y + 4:.1f}">{10**level:,.4g}</text>'
        for step in range(5):
            time_ns = self._first + self._span * step // 4
            day = np.datetime64(time_ns, "ns").astype("datetime64[D]")
            anchor = "start" if step == 0 else "end" if step == 4 else "middle"
            x = self._x(time_ns)
            yield f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{day}</text>'

    def _line(self) -> str:
        width = _WIDTH - _LEFT - _RIGHT
        column = ((self._times - self._first).astype(np.float64) / self._span * (width - 1)).astype(np.int64)
        starts: Ints = np.flatnonzero(np.diff(column, prepend=-1))
        # The first and the last close of a column join it to its neighbours, between them its extremes.
        lowest, highest = (each.reduceat(self._close, starts) for each in (np.minimum, np.maximum))
        ends = np.append(starts[1:], len(column)) - 1
        points = np.column_stack((self._close[starts], lowest, highest, self._close[ends]))
        x = np.repeat(_LEFT + column[starts], points.shape[1])
        y = [self._y(value) for value in points.ravel().tolist()]
        path = " ".join(f"{across},{down:.1f}" for across, down in zip(x.tolist(), y, strict=True))
        return f'<polyline class="line" points="{path}"/>'

    def _shade(self, finding: Finding) -> str:
        left, right = self._x(finding.first_ns), self._x(finding.last_ns)
        return (
            f'<rect class="gap" x="{left - 1:.1f}" y="{_TOP}" width="{right - left + 2:.1f}" '
            f'height="{_HEIGHT - _TOP - _BOTTOM}">{_title(finding)}</rect>'
        )

    def _mark(self, finding: Finding, color: str) -> str:
        row = min(int(np.searchsorted(self._times, finding.first_ns)), len(self._times) - 1)
        x, y = self._x(finding.first_ns), self._y(float(self._close[row]))
        return (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}" fill-opacity=".8">'
            f"{_title(finding)}</circle>"
        )


def _title(finding: Finding) -> str:
    day = np.datetime64(finding.first_ns, "ns").astype("datetime64[m]")
    return f"<title>{day} {escape(finding.explanation)}</title>"
