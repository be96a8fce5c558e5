"""Draw the pictures of the story: small, plain, and the same on every night.

A file's name says what it shows. Nothing is bundled and nothing is fetched.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from functools import cache
from typing import TypeAlias

Color: TypeAlias = tuple[int, int, int]

WIDTH, HEIGHT = 320, 200

PAPER, INK = (244, 240, 230), (40, 44, 52)
WATER, MUD, SKY = (86, 132, 168), (134, 106, 74), (200, 218, 230)
GRASS, LEAF, WOOD = (120, 154, 92), (70, 112, 62), (122, 84, 52)
RED, GOLD, ORANGE, WHITE = (186, 48, 42), (196, 160, 62), (220, 124, 40), (250, 250, 248)


class Canvas:
    """A picture in the making."""

    def __init__(self, ground: Color, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.width, self.height = width, height
        self._rows = [bytearray(bytes(ground) * width) for _ in range(height)]

    def box(self, left: int, top: int, right: int, bottom: int, color: Color) -> None:
        """Fill a rectangle; what lies outside the picture is left out."""
        left, right = max(left, 0), min(right, self.width)
        for row in self._rows[max(top, 0) : max(bottom, 0)]:
            row[left * 3 : right * 3] = bytes(color) * max(right - left, 0)

    def disc(self, x: int, y: int, radius: int, color: Color) -> None:
        """Fill a circle."""
        for dy in range(-radius, radius + 1):
            half = int((radius * radius - dy * dy) ** 0.5)
            self.box(x - half, y + dy, x + half + 1, y + dy + 1, color)

    def png(self) -> bytes:
        """The picture as a PNG file (W3C PNG, section 11: IHDR, IDAT, IEND)."""
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        pixels = b"".join(b"\x00" + bytes(row) for row in self._rows)
        return (
            b"\x89PNG\r\n\x1a\n"
            + _chunk(b"IHDR", header)
            + _chunk(b"IDAT", zlib.compress(pixels, 9))
            + _chunk(b"IEND", b"")
        )


@cache
def picture(file: str) -> bytes:
    """The picture of that name, as PNG."""
    return _SCENES.get(file, _plain)(file).png()


@cache
def avatar(name: str) -> bytes:
    """A small picture that stands for one visitor."""
    drawn = hashlib.sha256(name.encode()).digest()
    canvas = Canvas((drawn[0] // 2 + 60, drawn[1] // 2 + 60, drawn[2] // 2 + 60), 32, 32)
    canvas.disc(16, 12, 6, WHITE)
    canvas.disc(16, 32, 11, WHITE)
    return canvas.png()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _map(_file: str) -> Canvas:
    """Streets and a river; a bridge closed in red and the detour in gold."""
    canvas = Canvas(PAPER)
    for x in (40, 120, 200, 280):
        canvas.box(x, 0, x + 8, HEIGHT, WHITE)
    for y in (30, 160):
        canvas.box(0, y, WIDTH, y + 8, WHITE)
    canvas.box(0, 84, WIDTH, 116, WATER)
    canvas.box(120, 78, 128, 122, RED)
    canvas.disc(124, 100, 12, RED)
    canvas.box(116, 97, 132, 103, WHITE)
    canvas.box(200, 30, 208, 168, GOLD)
    canvas.box(120, 30, 208, 38, GOLD)
    canvas.box(120, 160, 208, 168, GOLD)
    return canvas


def _gauge(_file: str) -> Canvas:
    """A staff in brown water, and the mark of flood stage."""
    canvas = Canvas(SKY)
    canvas.box(0, 104, WIDTH, HEIGHT, MUD)
    canvas.box(140, 20, 176, HEIGHT, WHITE)
    for mark in range(9):
        canvas.box(140, 28 + mark * 20, 158 if mark % 2 else 170, 32 + mark * 20, INK)
    canvas.box(120, 90, 200, 96, RED)
    return canvas


def _park_in_water(_file: str) -> Canvas:
    """A bandstand in the water."""
    canvas = Canvas(SKY)
    canvas.box(0, 130, WIDTH, HEIGHT, MUD)
    for x in (100, 150, 200):
        canvas.box(x, 80, x + 8, 140, WOOD)
    for step in range(24):
        canvas.box(154 - step * 3, 56 + step, 154 + step * 3, 57 + step, RED)
    canvas.disc(40, 126, 7, WHITE)
    canvas.disc(62, 128, 7, WHITE)
    return canvas


def _poster(_file: str) -> Canvas:
    """A man with a white beard and a red cap."""
    canvas = Canvas(PAPER)
    canvas.box(0, 0, WIDTH, 30, RED)
    canvas.box(120, 150, 200, HEIGHT, (120, 124, 130))
    canvas.disc(160, 110, 42, (222, 184, 156))
    canvas.disc(160, 138, 30, WHITE)
    canvas.box(120, 60, 200, 88, RED)
    canvas.disc(160, 56, 10, RED)
    canvas.disc(146, 104, 4, INK)
    canvas.disc(174, 104, 4, INK)
    return canvas


def _falls(_file: str) -> Canvas:
    """The falls, and evening light."""
    canvas = Canvas((236, 206, 160))
    canvas.disc(260, 50, 24, GOLD)
    canvas.box(0, 70, 120, HEIGHT, LEAF)
    canvas.box(200, 80, WIDTH, HEIGHT, GRASS)
    canvas.box(120, 76, 200, 170, WHITE)
    canvas.box(0, 168, WIDTH, HEIGHT, WATER)
    return canvas


def _badge(_file: str) -> Canvas:
    """A shield."""
    canvas = Canvas((28, 40, 74))
    for row in range(140):
        half = 60 if row < 80 else max(60 - (row - 80), 2)
        canvas.box(160 - half, 30 + row, 160 + half, 31 + row, GOLD)
    canvas.disc(160, 90, 28, (28, 40, 74))
    canvas.box(140, 86, 180, 94, WATER)
    return canvas


def _dog(_file: str) -> Canvas:
    """A brown dog with one white ear."""
    canvas = Canvas((210, 206, 196))
    canvas.disc(160, 110, 50, WOOD)
    canvas.box(104, 60, 124, 120, WHITE)
    canvas.box(196, 60, 216, 120, WOOD)
    canvas.disc(142, 100, 5, INK)
    canvas.disc(178, 100, 5, INK)
    canvas.disc(160, 126, 9, INK)
    canvas.box(0, 170, WIDTH, HEIGHT, (90, 76, 60))
    return canvas


def _ice(_file: str) -> Canvas:
    """A white pond with open water."""
    canvas = Canvas((216, 226, 234))
    canvas.box(0, 0, WIDTH, 50, LEAF)
    canvas.box(0, 50, WIDTH, HEIGHT, WHITE)
    canvas.disc(230, 130, 40, WATER)
    canvas.disc(268, 150, 30, WATER)
    return canvas


def _trail(_file: str) -> Canvas:
    """A hill, two trails, four gates."""
    canvas = Canvas(GRASS)
    canvas.disc(160, 150, 90, LEAF)
    for step in range(100):
        canvas.box(60 + step, 180 - step, 66 + step, 184 - step, PAPER)
        canvas.box(260 - step, 180 - step, 266 - step, 184 - step, PAPER)
    for gate in range(4):
        canvas.disc(80 + gate * 24, 162 - gate * 24, 6, RED)
    return canvas


def _ship(_file: str) -> Canvas:
    """A wooden ship with a red sail, on grass."""
    canvas = Canvas(SKY)
    canvas.box(0, 150, WIDTH, HEIGHT, GRASS)
    for row in range(36):
        canvas.box(80 + row, 120 + row, 240 - row, 121 + row, WOOD)
    canvas.box(156, 30, 162, 122, WOOD)
    for row in range(70):
        canvas.box(164, 40 + row, 168 + row, 41 + row, RED)
    return canvas


def _fair(_file: str) -> Canvas:
    """Pumpkins."""
    canvas = Canvas(PAPER)
    canvas.box(0, 140, WIDTH, HEIGHT, GRASS)
    for x, size in ((80, 30), (160, 44), (242, 26)):
        canvas.disc(x, 146 - size // 2, size, ORANGE)
        canvas.box(x - 3, 146 - size // 2 - size - 10, x + 3, 150 - size // 2 - size, LEAF)
    return canvas


def _plan(_file: str) -> Canvas:
    """Two piers, one with a crack."""
    canvas = Canvas(WHITE)
    canvas.box(20, 50, 300, 62, INK)
    for x in (90, 210):
        canvas.box(x, 62, x + 26, 170, (160, 160, 160))
    for step in range(8):
        canvas.box(212 + step * 2, 90 + step * 8, 216 + step * 2, 98 + step * 8, RED)
    canvas.box(0, 150, WIDTH, 153, WATER)
    return canvas


def _plain(file: str) -> Canvas:
    """A field of one color, for a name that has no scene."""
    drawn = hashlib.sha256(file.encode()).digest()
    return Canvas((drawn[0], drawn[1], drawn[2]))


_SCENES = {
    "closure-map.png": _map,
    "river-gauge.png": _gauge,
    "park-under-water.png": _park_in_water,
    "missing-poster.png": _poster,
    "falls.png": _falls,
    "badge.png": _badge,
    "found-dog.png": _dog,
    "thin-ice.png": _ice,
    "trail-map.png": _trail,
    "playground-ship.png": _ship,
    "harvest-fair.png": _fair,
    "bridge-plan.png": _plan,
}
