"""Simulated phone photos of a sheet: surroundings, perspective, uneven light, grain, blur and JPEG.

Out-of-focus photos are taken from so close that the sheet fills the picture.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.synthesis.sheets import Pixels, Sheet

_ON_A_DESK = 0.6  # share of the photos that show the desk around the sheet
_LARGE = (2592, 1944)  # pixels
_IN_FOCUS, _OUT_OF_FOCUS = (0.4, 1.0), (4.0, 7.0)  # standard deviation of the blur in pixels
_NEARER = 2  # scale of the sheet in an out-of-focus photo
_AROUND = 1.1  # size of an out-of-focus photo, relative to the scaled sheet
_GRAIN = 512  # side in pixels of the tile of noise, which is repeated


def photographed(
    sheet: Sheet, rng: np.random.Generator, *, large: bool = False, focus: bool = True
) -> Image.Image:
    """Return an RGB photo of the sheet at about its own scale.

    With `large` the sheet is a small part of five megapixels. Without `focus` the photo is taken from closer
    up, and its blur is wider than the strokes.
    """
    if large:
        room = rng.uniform(0.6, 0.95) * np.array(_LARGE) - sheet.size
        sheet = sheet.padded(round(max(0, room[0]) * 0.5), round(max(0, room[1]) * 0.5))
    elif sheet.edge == "form" and focus:
        margin = round(rng.uniform(0.15, 0.5) * min(sheet.size))
        sheet = sheet.padded(margin, margin)
    paper = sheet.coloured(rng)
    if not focus:
        paper = np.asarray(cv2.resize(paper, None, fx=_NEARER, fy=_NEARER), np.uint8)
    height, width = paper.shape[:2]
    on_a_desk = large or (focus and rng.random() < _ON_A_DESK and sheet.edge != "cut")
    share = rng.uniform(1.1, 1.45) if on_a_desk else 0.94 if sheet.edge == "form" else 1.0
    share = share if focus else _AROUND
    size = _LARGE if large else (max(48, round(width * share)), max(48, round(height * share)))
    picture = _lying(paper, size, on_a_desk, rng)
    light = _light(size, rng)[..., None] * np.array(rng.uniform(0.88, 1.0, 3), np.float32)
    lit = cv2.GaussianBlur(picture * light, (0, 0), rng.uniform(*(_IN_FOCUS if focus else _OUT_OF_FOCUS)))
    return _as_jpeg(np.clip(lit + _grain(size, rng)[..., None], 0, 255).astype(np.uint8), rng)


def desk(size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """Return a desk's surface: wood, a checked cloth, stone, or plain, in one of four colours."""
    width, height = size
    base = np.array(
        ((45, 42, 40), (120, 82, 52), (150, 60, 60), (110, 108, 104))[rng.integers(4)], np.float32
    )
    y, x = np.mgrid[:height, :width].astype(np.float32)
    kind = rng.integers(4)
    if kind == 0:  # wood: bands that wander
        band = np.sin((y + 14 * np.sin(x / rng.uniform(90, 220))) / rng.uniform(4, 12))
        level = 1 + 0.14 * band
    elif kind == 1:  # a cloth
        step = rng.uniform(24, 60)
        level = 0.8 + 0.2 * ((x // step + y // step) % 2)
    elif kind == 2:  # stone
        rough = rng.normal(0, 1, (max(2, height // 6), max(2, width // 6))).astype(np.float32)
        level = 1 + 0.1 * cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC)
    else:
        level = np.ones((height, width), np.float32)
    return np.asarray(np.clip(base * np.asarray(level, np.float32)[..., None], 0, 255), np.uint8)


def _lying(
    paper: Pixels, size: tuple[int, int], on_a_desk: bool, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the paper in a slight perspective, sometimes bulging, on a desk or with its edges extended."""
    height, width = paper.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    middle = corners.mean(axis=0)
    most = 2.5 * min(1, 2 * min(width, height) / max(width, height))  # people hold long strips level
    turn = np.deg2rad(rng.normal(0, most))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = (corners - middle) @ turned.T + rng.normal(0, 0.018, (4, 2)) * (width, height)
    room = (np.array(size) - (width, height)) / 2 if on_a_desk else np.zeros(2)
    offset = np.array(size) / 2 + rng.uniform(-0.5, 0.5, 2) * room
    matrix = cv2.getPerspectiveTransform((moved + offset).astype(np.float32), corners)
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    seen = matrix.astype(np.float32) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size, np.float32)])
    across, down = (seen[:2] / seen[2]).reshape(2, size[1], size[0])
    if rng.random() < 0.5:  # the page bulges
        bulge = 0.012 * height * rng.uniform(-1, 1)
        down = down + np.float32(bulge) * np.sin(np.pi * across / width).astype(np.float32)
    edge = cv2.BORDER_CONSTANT if on_a_desk else cv2.BORDER_REPLICATE
    picture = cv2.remap(paper, across, down, cv2.INTER_LINEAR, borderMode=edge).astype(np.float32)
    if not on_a_desk:
        return picture
    there = np.clip(
        np.minimum(np.minimum(across, width - across), np.minimum(down, height - down)) + 0.5, 0, 1
    )
    around = desk(size, rng).astype(np.float32)
    shade = cv2.GaussianBlur(there, (0, 0), max(2.0, min(width, height) * 0.02))  # the sheet's own shadow
    around *= (1 - 0.35 * np.roll(shade, (3, 3), (0, 1)))[..., None]
    return np.asarray(around + (picture - around) * there[..., None], np.float32)


def _light(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the light, 0..1: brighter on one side, often with a shadow, sometimes with a dark corner."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    light = rng.uniform(0.72, 0.95) + rng.uniform(0.0, 0.22) * (np.cos(angle) * x + np.sin(angle) * y)
    if rng.random() < 0.5:  # a hand's or the phone's shadow
        angle, place, soft = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.2), rng.uniform(0.01, 0.08)
        away = (np.cos(angle) * x + np.sin(angle) * y - place) / soft
        light = light * (1 - rng.uniform(0.2, 0.5) / (1 + np.exp(-np.clip(away, -20, 20))))
    if rng.random() < 0.25:
        corner = rng.choice([-0.5, 0.5], 2)
        near = np.exp(-((x - corner[0]) ** 2 + (y - corner[1]) ** 2) / rng.uniform(0.05, 0.12))
        light = light * (1 - rng.uniform(0.3, 0.6) * near)
    return np.asarray(light, np.float32)


def _grain(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return noise as from a small sensor, slightly correlated between neighbouring pixels."""
    tile = rng.normal(0, rng.uniform(2, 8), (_GRAIN, _GRAIN)).astype(np.float32)
    alike = cv2.GaussianBlur(tile, (0, 0), 0.6, borderType=cv2.BORDER_REFLECT)
    width, height = size
    return np.tile(np.asarray(alike, np.float32), (height // _GRAIN + 1, width // _GRAIN + 1))[
        :height, :width
    ]


def _as_jpeg(pixels: Pixels, rng: np.random.Generator) -> Image.Image:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=int(rng.integers(60, 93)))
    image = Image.open(stream)
    image.load()
    return image
