#!/usr/bin/env python3
"""Draws docs/img/demo.svg from what the demo printed. In the module's root:

    bin/seawall demo -load -duration 21s > docs/img/demo.txt
    docs/img/demo.py

Only the standard library is needed. Nothing is smoothed or left out: each point is one line of the demo, one second.
"""

import math
import pathlib
import re
import statistics

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 860, 536
LEFT, RIGHT = 78, 190  # margins: axis labels, names of the curves
INK, FAINT, GRID = "#1f2933", "#66727f", "#e3e7eb"
BLUE, ORANGE, LIGHT = "#0b63c5", "#d9480f", "#4a90dd"


class Second:
    """One line of the demo: rates in requests/s, waiting times in ms (None: nobody waited)."""

    def __init__(self, through, fields):
        self.through = through  # Seawall stands between
        self.clients, self.application = float(fields[0]), float(fields[1])
        self.p50, self.p99 = millis(fields[4]), millis(fields[5])


def millis(text):
    """Reads the demo's times: "2.4 ms", "1.5 s", "<0.1 ms", "-"."""
    if text == "-":
        return None
    number, unit = text.lstrip("<").split()
    return float(number) * (1000 if unit == "s" else 1)


def read(path):
    """Returns the demo's seconds in order."""
    seconds, through = [], False
    for line in path.read_text().splitlines():
        if "through Seawall" in line and line.lstrip().startswith("--"):
            through = True
        fields = re.findall(r"<?[\d.]+ (?:ms|s)\b|[\d.]+|-", line)
        if re.match(r"\s+\d+\s+\d+\s", line) and len(fields) == 8:
            seconds.append(Second(through, fields))
    return seconds


class Panel:
    """One plot with a logarithmic axis from 10^low to 10^high, drawn between the y coordinates top and bottom."""

    def __init__(self, top, bottom, low, high, count):
        self.top, self.bottom, self.low, self.high, self.count = top, bottom, low, high, count
        self.out = []

    def x(self, i):
        return LEFT + (WIDTH - LEFT - RIGHT) * i / (self.count - 1)

    def y(self, value):
        share = (math.log10(max(value, 10**self.low)) - self.low) / (self.high - self.low)
        return self.bottom - (self.bottom - self.top) * share

    def text(self, x, y, words, color=INK, size=13, anchor="start", weight="normal"):
        self.out.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" '
            f'text-anchor="{anchor}" font-weight="{weight}">{words}</text>'
        )

    def axis(self, label):
        for power in range(self.low, self.high + 1):
            y = self.y(10**power)
            self.out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
            self.text(LEFT - 8, y + 4, f"{10**power:,}", FAINT, 12, "end")
        self.text(LEFT - 8, self.top - 14, label, INK, 13, "start", "bold")

    def curve(self, values, color, name):
        points = [(self.x(i), self.y(v)) for i, v in enumerate(values) if v is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.out.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.5" '
            f'stroke-linejoin="round"/>'
        )
        self.text(points[-1][0] + 10, points[-1][1] + 4, name, color, 13, "start", "bold")


def rate(value):
    return f"{value:,.0f}" if value < 1000 else f"{round(value, -2):,.0f}"


def draw(seconds):
    before = [s for s in seconds if not s.through]
    # The first second through Seawall still has answers that the application had begun before.
    after = [s for s in seconds if s.through][1:]
    middle = lambda group, what: statistics.median(getattr(s, what) for s in group)
    rates = Panel(108, 278, 1, 5, len(seconds))
    rates.axis("requests a second")
    rates.curve([s.clients for s in seconds], BLUE, f"clients: {rate(middle(after, 'clients'))}")
    rates.curve([s.application for s in seconds], ORANGE, f"application: {rate(middle(after, 'application'))}")
    waits = Panel(348, 490, 0, 4, len(seconds))
    waits.axis("clients wait, ms")
    waits.curve([s.p99 for s in seconds], LIGHT, f"99 % within {middle(after, 'p99'):.0f} ms")
    waits.curve([s.p50 for s in seconds], BLUE, f"half within {middle(after, 'p50'):.1f} ms")
    switch = rates.x(len(before) - 0.5)
    rates.out.append(
        f'<line x1="{switch:.1f}" x2="{switch:.1f}" y1="108" y2="490" stroke="{FAINT}" stroke-dasharray="4 4"/>'
    )
    rates.text(switch - 8, 304, "straight to the application", FAINT, 13, "end")
    rates.text(switch + 8, 304, "through Seawall", FAINT, 13)
    rates.text(24, 36, "The same 100 clients, without Seawall and with it", INK, 19, "start", "bold")
    rates.text(
        24, 58,
        f"An application that makes {rate(middle(before, 'clients'))} pages a second; "
        "each page kept for one second. Logarithmic scales.", FAINT,
    )
    waits.text((LEFT + WIDTH - RIGHT) / 2, 524, "second", FAINT, 12, "middle")
    for second in [1, *range(5, len(seconds) + 1, 5)]:
        waits.text(waits.x(second - 1), 508, str(second), FAINT, 12, "middle")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'height="{HEIGHT}" font-family="system-ui, DejaVu Sans, sans-serif">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
            *rates.out,
            *waits.out,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    (HERE / "demo.svg").write_text(draw(read(HERE / "demo.txt")))
