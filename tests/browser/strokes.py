"""The ten digits as a hand writes them: strokes of our own, in a box 0..1 (x to the right, y down)."""

from __future__ import annotations

Point = tuple[float, float]
Stroke = list[Point]

_POINTS: dict[int, list[str]] = {  # "x,y" in hundredths
    0: ["55,2 28,12 14,42 20,80 47,98 76,84 86,48 76,14 52,2"],
    1: ["34,24 46,13 56,0 54,34 52,68 50,100"],
    2: ["16,26 26,8 50,1 75,10 79,31 62,56 36,80 14,97 16,97 50,95 88,97"],
    3: ["18,12 42,1 70,7 76,26 60,42 38,47 64,51 82,68 74,90 46,100 14,90"],
    4: ["48,0 34,28 12,62 14,64 50,63 90,60", "68,28 66,60 63,100"],
    5: ["26,4 24,24 20,43 22,45 46,38 72,48 79,70 66,93 38,100 13,90", "26,4 50,3 80,1"],
    6: ["68,2 42,20 22,50 20,80 42,99 70,90 77,68 58,53 34,60 22,76"],
    7: ["12,7 46,5 86,3 85,5 66,36 50,68 40,100"],
    8: ["74,14 50,1 25,14 32,36 56,50 80,72 70,94 44,100 20,87 26,66 50,47 72,30 74,14"],
    9: ["74,22 58,3 32,7 20,29 34,49 60,45 75,22 75,24 71,60 64,100"],
}


def _stroke(points: str) -> Stroke:
    pairs = (point.split(",") for point in points.split())
    return [(int(x) / 100, int(y) / 100) for x, y in pairs]


DIGITS: dict[int, list[Stroke]] = {
    digit: [_stroke(points) for points in strokes] for digit, strokes in _POINTS.items()
}


def curve(stroke: Stroke, steps: int = 4) -> Stroke:
    """The stroke as a smooth curve (Catmull-Rom) through its points, with `steps` moves between two."""
    ends = [stroke[0], *stroke, stroke[-1]]
    moves = [stroke[0]]
    for four in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        xs, ys = zip(*four, strict=True)
        moves += [(_between(*xs, step / steps), _between(*ys, step / steps)) for step in range(1, steps + 1)]
    return moves


def _between(before: float, start: float, end: float, after: float, t: float) -> float:
    return 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
