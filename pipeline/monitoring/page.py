"""The report of `make drift`: one self-contained HTML file with histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template

from traffic.drift import LEAST_DISTANCE, LEAST_PICTURES, Against, Comparison
from traffic.features import FEATURES, KINDS, Kind

_TEMPLATE = Path(__file__).with_name("page.html")
_HEIGHT, _WIDTH = 110, 320  # of a histogram, in SVG units
_PART = 0.42  # the width of each of a bin's two bars, as a share of the bin's width


@dataclass(frozen=True, slots=True)
class Found:
    """A finished comparison: service, model, window in hours, and each feature with its corrected p-value."""

    url: str
    model: str
    hours: int
    level: float
    against: Against
    pictures: Mapping[Kind, int]
    judged: Sequence[tuple[Comparison, float]]

    @property
    def drifted(self) -> list[Comparison]:
        return [one for one, _ in self.judged if one.drifted]

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        names = ", ".join(f"{one.name} of /{one.kind}" for one in self.drifted)
        seen = " and ".join(f"{count} pictures of /{kind}" for kind, count in self.pictures.items())
        begin = f"Drift in {names}" if names else "No drift"
        other = "the days before" if self.against == "before" else "the model's reference"
        return f"{begin} in the last {self.hours} h ({seen}) of model {self.model}, compared with {other}."


def page(found: Found) -> str:
    """Return the HTML of the report, with drifted features first."""
    ordered = sorted(found.judged, key=lambda pair: (not pair[0].drifted, -pair[0].distance))
    few = [kind for kind in KINDS if found.pictures[kind] < LEAST_PICTURES]
    other = "days before" if found.against == "before" else "reference"
    notes = [
        f"/{kind}: {found.pictures[kind]} pictures, too few to compare (at least {LEAST_PICTURES})."
        for kind in few
    ]
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        state="drift" if found.drifted else "quiet",
        verdict=escape(found.verdict),
        url=escape(found.url),
        time=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        level=f"{found.level:g}",
        least=f"{LEAST_DISTANCE:.0%}",
        other=other,
        notes="".join(f"<p>{escape(note)}</p>" for note in notes),
        rows="\n".join(_row(one, p, found.level) for one, p in ordered),
        cards="\n".join(_card(one, p, other) for one, p in ordered),
    )


def chance(p: float) -> str:
    """Format a probability; all values below 1e-9 look the same."""
    return "< 1e-9" if p < 1e-9 else f"{p:.2g}"


def _title(one: Comparison) -> str:
    return f"/{one.kind}: {FEATURES[one.kind][one.name].title}"


def _row(one: Comparison, p: float, level: float) -> str:
    said = "drift" if one.drifted else "significant but small" if p <= level else "no drift"
    mark = ' class="drift"' if one.drifted else ""
    cells = (f"{one.distance:.1%}", escape(chance(p)), f"<span{mark}>{said}</span>")
    columns = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(_title(one))}</th>{columns}</tr>'


def _card(one: Comparison, p: float, other: str) -> str:
    """Return the HTML of a feature's two histograms; `other` names what the window is compared with."""
    mark, kind = (' <span class="drift">drift</span>', ' class="moved"') if one.drifted else ("", "")
    told = f"distance {one.distance:.0%}, p {escape(chance(p))}"
    counted = f"{sum(one.window):,} in the window, {sum(one.reference):,} in the {other}"
    head = f"<h3>{escape(_title(one))}{mark}</h3>"
    return f"<figure{kind}><figcaption>{head}{told}; {counted}</figcaption>{_histogram(one, other)}</figure>"


def _histogram(one: Comparison, other: str) -> str:
    """Return an SVG with two bars per bin, in shares. Each bar has a tooltip with its value."""
    names = FEATURES[one.kind][one.name].bins
    shares = [[count / max(1, sum(bins)) for count in bins] for bins in (one.window, one.reference)]
    top = max(map(max, shares)) or 1
    room = _WIDTH / len(names)
    bars = [
        _bar(which, f"{name}: {share:.1%} {said}", room * (place + 0.08 + _PART * series), room, share / top)
        for series, (which, said) in enumerate((("window", "window"), ("reference", other)))
        for place, (name, share) in enumerate(zip(names, shares[series], strict=True))
    ]
    labels = [
        f'<text transform="translate({room * (place + 0.5):.1f} {_HEIGHT + 12}) rotate(35)">'
        f"{escape(name)}</text>"
        for place, name in enumerate(names)
    ]
    label = escape(f"{_title(one)}: shares of the window and of the {other} by bin, up to {top:.0%}")
    return (
        f'<svg viewBox="0 -14 {_WIDTH + 40} {_HEIGHT + 74}" role="img" aria-label="{label}">'
        f'<text x="0" y="-4">{top:.0%}</text><line x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>'
        f"{''.join(bars)}{''.join(labels)}</svg>"
    )


def _bar(which: str, title: str, left: float, room: float, share: float) -> str:
    """Return a bar with `share` of the height of the highest bar."""
    height = _HEIGHT * share
    size = f'width="{room * _PART:.1f}" height="{height:.1f}"'
    place = f'x="{left:.1f}" y="{_HEIGHT - height:.1f}"'
    return f'<rect class="{which}" {place} {size}><title>{escape(title)}</title></rect>'
