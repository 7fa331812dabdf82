"""Finds printed words: letters of a few heights on one baseline, many of which are not digits.

Printed digits are read like handwritten ones, so a word is print only if the network does not recognise part
of its letters. Neat handwriting is as uniform as a scan of small print.
"""

# See docs/decisions/printed-words.md.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digits.layout.atoms import Run

_APART = 0.6  # least gap between two words, relative to the line's height
_DOT = 0.4  # below this share of the tallest letter, a mark is a dot or a sign
_EVEN = 0.05  # tolerance of the heights on one level, relative to the cap height, but at least one pixel
_LOW = np.arange(0.6, 0.81, 0.01)  # heights of letters without an ascender, relative to the cap height
_SIMILAR = 0.12  # tolerance of the cap heights of words in one font size
_LETTERS, _LONG = 3, 6  # least letters of a word judged alone, and of one judged mostly by its uniformity
_TYPE = 0.75  # greatest height of a form's labels, relative to the height of the filled-in writing
_TYPED, _NO_DIGITS = 4, 0.2  # least number of letters in a form's labels, and least share of non-digits
_UNREAD = 0.5  # least share of non-digits in shorter words
# A low heading: its greatest height relative to the numbers below, and its least share of non-digits.
_LOWER, _SOME = 0.85, 0.3
_MANY, _HALF = 5, 0.5  # a higher heading: least number of letters, least share of non-digits
_FEW = 0.2  # greatest share of non-digits below such a heading


@dataclass(frozen=True, slots=True, eq=False)
class _Word:
    """Letters on one line, and how uniform they are: heights in pixels, and shares of the letters.

    - `heights` (n,): the heights above `foot`, a row of the picture. Most are `capital` or `low` high.
    - `on_foot`, `at_levels`, `at_low`: shares on the baseline, `capital` or `low` high, and `low` high.
    - `unread`: the share of letters that are not digits.
    - `filled_in`: it is where a form is filled in. `heading`: it is in the first row of a table.
    """

    heights: NDArray[np.float64]
    foot: float
    capital: float
    low: float
    on_foot: float
    at_levels: float
    at_low: float
    unread: float
    filled_in: bool
    heading: bool

    @property
    def is_short(self) -> bool:
        return len(self.heights) < _LETTERS

    @property
    def reach(self) -> float:
        return _reach(self.capital)

    def is_even(self, on_foot: float, at_levels: float, at_low: float, unread: float) -> bool:
        """Whether all of these shares are reached."""
        return (
            self.on_foot >= on_foot
            and self.at_levels >= at_levels
            and self.at_low >= at_low
            and self.unread >= unread
        )

    @property
    def is_printed(self) -> bool:
        """Whether it is certainly printed, as 0 of 3,713 numbers and 214 of 275 words in seven fonts are."""
        if len(self.heights) >= _LONG and self.is_even(0.85, 0.9, 0.35, 0.1):
            return True
        return not self.is_short and self.is_even(0.75, 0.6, 0.3, 0.34)

    def is_of_the_type_of(self, other: _Word) -> bool:
        """Whether it is as high as a word that is certainly printed, so that weaker evidence is enough."""
        if not self.is_short:
            alike = abs(self.capital - other.capital) <= _SIMILAR * other.capital
            return alike and self.is_even(0.6, 0.6, 0.25, 0.2)
        apart = np.minimum(np.abs(self.heights - other.capital), np.abs(self.heights - other.low))
        return self.unread >= _UNREAD and bool((apart <= other.reach).all())

    def goes_on(self, other: _Word) -> bool:
        """Whether it is the next word of a printed line, even if all its letters may be digits ("fill")."""
        apart = max(abs(self.foot - other.foot), abs(self.capital - other.capital))
        return apart <= other.reach and not self.is_short and self.is_even(0.75, 0.9, 0.0, 0.0)


def printed(runs: Sequence[Run], unread: Sequence[Sequence[bool]]) -> set[int]:
    """The indices of the runs of printed words; `unread` is true for atoms that are not digits.

    The runs are in the order of their lines.
    """
    if sum(map(sum, unread)) == 0:
        return set()  # all are digits, as in most drawings
    places = _words(runs)
    words = [_measured(runs, place, unread) for place in places]
    plain = [word for word in words if word.is_printed]
    if sum(len(word.heights) for word in plain) < _TYPED:
        plain = []  # three blurred digits may look like print
    labels = [*_labels(words), *_headings(words)]
    found = [
        word in labels or word in plain or any(word.is_of_the_type_of(other) for other in plain)
        for word in words
    ]
    order = range(len(words))
    for before, after in (*pairwise(order), *pairwise(reversed(order))):
        found[after] = found[after] or (found[before] and words[after].goes_on(words[before]))
    return {run for place, is_print in zip(places, found, strict=True) if is_print for run in place}


def _labels(words: Sequence[_Word]) -> list[_Word]:
    """The words of a form's labels, which are lower than what is filled in and have many non-digits.

    They are judged together, since small print often breaks into pieces and many letters look like digits.
    """
    filled_in = [word.capital for word in words if word.filled_in]
    most = _TYPE * float(np.median(filled_in)) if filled_in else 0.0
    small = [word for word in words if not word.filled_in and word.capital < most]
    letters, unread = _letters(small)
    return small if letters >= _TYPED and unread >= _NO_DIGITS else []


def _headings(words: Sequence[_Word]) -> list[_Word]:
    """The printed words above a table's columns: with many non-digits, or lower than the numbers below.

    They are judged together, because each is alone in its cell and may be short. Printed numbers are not
    included.
    """
    heading = [word for word in words if word.heading]
    below = [word for word in words if word.filled_in and not word.heading]
    if not below or not any(not word.is_short and word.unread >= _SOME for word in heading):
        return []
    most = _LOWER * float(np.median([word.capital for word in below]))
    lower = [word for word in heading if word.capital < most]
    letters, unread = _letters(heading)
    if float(np.median([word.capital for word in heading])) < most:
        is_plain = letters >= _TYPED and unread >= _SOME
    else:
        is_plain = letters >= _MANY and unread >= _HALF and _letters(below)[1] <= _FEW
    return [
        word
        for word in heading
        if is_plain
        and (word.unread >= _SOME or (word in lower and (word.unread or word.is_even(0.6, 0.75, 0.2, 0.0))))
    ]


def _letters(words: Sequence[_Word]) -> tuple[int, float]:
    """The number of letters in these words, and the share of them that are not digits."""
    count = sum(len(word.heights) for word in words)
    return count, sum(word.unread * len(word.heights) for word in words) / max(1, count)


def _words(runs: Sequence[Run]) -> list[range]:
    """The indices of neighbouring runs that are one word: without a wide gap, or in one cell of a heading."""
    ends = [0, *(k for k, (one, next_) in enumerate(pairwise(runs), 1) if _are_apart(one, next_)), len(runs)]
    return [range(first, after) for first, after in pairwise(ends) if after > first]


def _are_apart(left: Run, right: Run) -> bool:
    if left.heading is not None or right.heading is not None:
        return left.heading != right.heading
    first, second = left.atoms[-1].box, right.atoms[0].box
    gap = second[0] - max(atom.box[2] for atom in left.atoms)
    beside = min(first[3], second[3]) > max(first[1], second[1])
    return not beside or not -left.height < gap < _APART * left.height


def _measured(runs: Sequence[Run], place: range, unread: Sequence[Sequence[bool]]) -> _Word:
    boxes = np.array([atom.box for k in place for atom in runs[k].atoms], np.float64)
    doubtful = np.array([one for k in place for one in unread[k]])
    height = boxes[:, 3] - boxes[:, 1]
    letters = height > _DOT * height.max()
    top, bottom, doubtful = boxes[letters, 1], boxes[letters, 3], doubtful[letters]
    foot = float(np.median(bottom))
    heights = foot - top
    capital = max(1.0, float(heights.max()))
    reach = _reach(capital)
    at_low = np.abs(heights[:, None] - _LOW * capital) <= reach
    at_levels = at_low | (np.abs(heights - capital) <= reach)[:, None]
    return _Word(
        heights,
        foot,
        capital,
        float(_LOW[at_levels.mean(axis=0).argmax()]) * capital,
        float((np.abs(bottom - foot) <= reach).mean()),
        float(at_levels.mean(axis=0).max()),
        float(at_low.mean(axis=0).max()),
        float(doubtful.mean()),
        all(runs[k].filled_in for k in place),
        runs[place[0]].heading is not None,
    )


def _reach(capital: float) -> float:
    """The greatest difference between letters of one level, in pixels."""
    return max(1.0, _EVEN * capital)
