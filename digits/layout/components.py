"""Finds the pieces of ink in a picture, its connected components, and distinguishes writing from dirt."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Sheet
from digits.layout.pieces import Piece, Pieces

_SPECK = 0.15  # below this share of the largest (on a page: of the usual) size, a piece is a speck
_LARGE = 0.4  # from this share of the largest piece, a piece belongs to the mark at any distance
_NEAR = 0.25  # distance within which smaller pieces belong to the mark, relative to the largest piece
_DUST = 0.022  # below this share of the picture's shorter side, all pieces are dust
_READABLE = 9  # least size of a digit that can be read, in pixels
_MUCH = 5  # least number of marks on a page
_BELOW = 0.6  # pieces of at least this share of the least size of a mark count for _FADING
_FADING = 3.0  # greatest number of these pieces for each mark: if there are more, they are noise
_SMALLER = 0.4  # below this share of the usual size of a page's marks, a piece is dirt
_TIGHT = 64  # pixels: a picture up to this size is a cut-out digit, which may touch its border
_ENOUGH = 160  # pixels: the shorter side of the label map, which is enough to find connected pieces
_MOST = 300  # greatest number of pieces: more are a texture
_HUGE = 3.0  # above this multiple of the weighted median size, a piece does not count for the usual size
_LINE = 8.0  # ratio of width to height above which a piece among many marks is a printed line that was missed
_AS_HIGH = 0.6  # least height of other marks, relative to such a line and the digits that touch it together
_MARGIN = 0.3  # a piece that covers at least this share of a side of the picture is not writing
_THIN_EDGE = 0.03  # greatest thickness of an edge of the sheet, relative to the picture's shorter side


def find_pieces(place: Sheet, rough: bool = False, page: bool = False) -> Pieces:
    """The connected pieces of ink (1; paper is 0) without dirt, such as specks and the edges of the sheet.

    On `rough` paper (noise, uneven light) pieces must be larger to count. On a `page` of many digits, a few
    pieces that are far larger than most do not count for the usual size.
    """
    left, top, width, height = cv2.boundingRect(place.part)
    if not width:
        return Pieces(np.zeros((0, 0), np.int32), 0, 0, 1, ())
    mask = place.part[top : top + height, left : left + width]
    coarse = max(1, min(width, height) // _ENOUGH)
    if coarse > 1:
        mask = _coarser(mask, coarse)
    labels, rows = _components(mask)
    left, top, shape = left + place.left, top + place.top, (place.height, place.width)
    pieces = [_piece(label, row, (left, top), coarse, shape) for label, row in rows]
    everything = Pieces(labels, left, top, coarse, tuple(pieces))
    return Pieces(labels, left, top, coarse, *_writing(everything, shape, rough, page))


def _components(mask: NDArray[np.uint8]) -> tuple[NDArray[np.int32], list[tuple[int, list[int]]]]:
    """The label map; and the label, left, top, width and height of each piece, from the largest."""
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    if count == 2:  # one piece as large as the mask; computing its statistics takes ten times as long
        return np.asarray(labels, np.int32), [(1, [0, 0, *mask.shape[::-1]])]
    _, found, counted, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_GRANA)
    boxes = np.asarray(counted[1:, :4], np.int32)
    order = np.argsort(-boxes[:, 2:].max(axis=1), kind="stable")[:_MOST]
    return np.asarray(found, np.int32), list(zip((order + 1).tolist(), boxes[order].tolist(), strict=True))


def _coarser(mask: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """A mask `times` times smaller, with 1 where any of its pixels was 1."""
    rows, columns = (-side % times for side in mask.shape)
    mask = np.pad(mask, ((0, rows), (0, columns)))
    return np.asarray(cv2.dilate(mask, np.ones((times, times), np.uint8), anchor=(0, 0))[::times, ::times])


def main_group(pieces: Pieces) -> list[Piece]:
    """The pieces of the main mark: the largest one, those near it, and other large ones."""
    largest, *others = pieces.kept
    left, top, right, bottom = largest.box
    near = _NEAR * largest.size
    return [largest] + [
        piece
        for piece in others
        if piece.size > _LARGE * largest.size
        or (
            left - piece.box[2] < near > piece.box[0] - right
            and top - piece.box[3] < near > piece.box[1] - bottom
        )
    ]


def _writing(
    found: Pieces, shape: tuple[int, ...], rough: bool, page: bool
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The pieces that are writing, and the specks among them."""
    tight = min(shape) <= _TIGHT
    least = 1.0 if tight else max(2.0, _DUST * min(shape) * (2 if rough else 1))
    if page:
        least = min(least, _of_many(found.kept, round(_READABLE * (1.5 if rough else 1))))
    pieces = [piece for piece in found.kept if piece.size >= least]
    if not tight:
        pieces = _without_margins(found, pieces, shape)
    if not pieces:
        return (), ()
    limit = _SPECK * (_usual_size(_beside_lines(pieces)) if page else pieces[0].size)
    specks = tuple(piece for piece in found.kept if piece.size < limit)
    return tuple(piece for piece in pieces if piece.size >= limit), specks


def _of_many(pieces: Sequence[Piece], readable: int) -> float:
    """The least size of writing on a page of many marks, which may be small compared with the page.

    It is infinite if the page has too few readable marks, or if its pieces are noise. Pieces of noise are
    more frequent the smaller they are, whereas few pieces are smaller than writing and larger than specks.
    """
    sizes = np.array([piece.size for piece in pieces], float)
    large = sizes[sizes >= readable]
    if len(large) < _MUCH:
        return np.inf
    least = max(float(readable), _SMALLER * float(np.quantile(large, 0.75)))
    marks, below = np.count_nonzero(sizes >= least), np.count_nonzero(sizes >= _BELOW * least)
    return least if below <= _FADING * marks else np.inf


def long_lines(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces that are so wide for their height that they are horizontal lines."""
    return [piece for piece in pieces if piece.width > _LINE * piece.height]


def _beside_lines(pieces: list[Piece]) -> list[Piece]:
    """The pieces without long horizontal lines if at least five are about as high as the lines, else all."""
    lines = long_lines(pieces)
    if not lines:
        return pieces
    highest = max(piece.height for piece in lines)
    others = [piece for piece in pieces if piece not in lines]
    return others if sum(piece.height >= _AS_HIGH * highest for piece in others) >= _MUCH else pieces


def _usual_size(pieces: list[Piece]) -> float:
    """The size of the largest piece, after a few pieces that are far larger have been left out."""
    sizes = np.array([piece.size for piece in pieces], float)
    order = np.argsort(sizes)
    weight = (sizes[order] ** 1.5).cumsum()
    middle = sizes[order][np.searchsorted(weight, weight[-1] / 2)]
    return float(sizes[sizes <= _HUGE * middle].max())


def _piece(label: int, box: list[int], origin: tuple[int, int], coarse: int, shape: tuple[int, ...]) -> Piece:
    """The piece with this box on a map that begins at `origin` and is `coarse` times smaller."""
    left, top, width, height = (side * coarse for side in box)
    left, top = left + origin[0], top + origin[1]
    return Piece(label, (left, top, min(left + width, shape[1]), min(top + height, shape[0])))


def _without_margins(found: Pieces, pieces: list[Piece], shape: tuple[int, ...]) -> list[Piece]:
    """The pieces without edges of the sheet (pieces along the picture's border), if others remain."""
    along = {piece: found.along_border(piece, shape) for piece in pieces if _at_border(piece, shape)}
    thin = _THIN_EDGE * min(shape)
    pieces = [p for p in pieces if along.get(p, 0) < 0.5 or min(p.width, p.height) > thin]
    inner = [piece for piece in pieces if along.get(piece, 0) < _MARGIN]
    return inner if any(piece.size > 0.05 * min(shape) for piece in inner) else pieces


def _at_border(piece: Piece, shape: tuple[int, ...]) -> bool:
    left, top, right, bottom = piece.box
    return left == 0 or top == 0 or right == shape[1] or bottom == shape[0]
