"""Pictures made anew: decoded, turned upright, their regions filled, and encoded again without anything else.

Safe because nothing of the old file is copied. What leaves is made from the
pixels that are left after the boxes were drawn; Exif, XMP, IPTC, thumbnails,
colour profiles, comments and whatever follows the picture stay behind, and so
do the colours that lie under transparent pixels. A box reaches a little
beyond its region where the old file was compressed with loss, because such a
file spreads what it shows over blocks of sixteen pixels.

These are pure functions; `studio` runs them in a process of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

import msgspec
from PIL import Image, ImageCms, ImageDraw, ImageFont, ImageOps, ImageSequence, UnidentifiedImageError

FINE = 10_000
MOST_PIXELS = 50_000_000
"""Of one picture, or of all frames of one that moves."""
MOST_FRAMES = 500
SIDE = 2_000
"""The longest side of a picture that is shown on a page; the picture itself leaves beside it as it is."""
_BLOCK = 16
_LOSSY = frozenset({"JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JPEG2000"})
_READ = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO")
_MOVING = frozenset({"GIF", "WEBP", "PNG"})
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
_INK, _PAPER = (0, 0, 0), (255, 255, 255)


class Filled(msgspec.Struct, frozen=True, array_like=True):
    """A region in ten-thousandths of the upright picture's width and height, and the code that stands in its box."""

    page: int
    left: int
    top: int
    right: int
    bottom: int
    code: str


class Unfit(Exception):
    """The file cannot be made anew; the reason is a word of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


REASONS = {
    "damaged": "it cannot be read",
    "too_large": "it is larger than may be opened",
    "frames": "it has more frames than can be made anew",
    "sheets": "it holds several pictures",
    "protected": "it is locked with a password",
    "page": "it has fewer pages",
    "pages": "it has more pages than can be made anew",
    "region": "a region lies outside of it",
    "gone": "the process that opened it ended or did not answer",
    "unknown": "nothing here can look into files of its kind",
}


class Shown(NamedTuple):
    """A picture as it stands on a page: PNG or JPEG, its size in pixels, and how many frames the file has."""

    content: bytes
    media_type: str
    width: int
    height: int
    frames: int


def remade(content: bytes, regions: Sequence[Filled]) -> tuple[bytes, str]:
    """A picture with its regions filled in every frame and without metadata, and its media type.

    JPEG, PNG, GIF and WebP keep their kind; anything else becomes PNG. A file
    that holds several pictures which are not frames of one (TIFF) is refused.
    """
    with _opened(content) as picture:
        frames, kind = _fit(picture, regions)
        spread = _BLOCK if kind in _LOSSY else 0
        if frames > 1 and kind in _MOVING:
            return _moving(picture, kind, regions, spread)
        upright = _upright(picture)
        fill(upright, regions, spread)
        return _written(upright, {"MPO": "JPEG"}.get(kind, kind if kind in _TYPES else "PNG"))


def tried(content: bytes, regions: Sequence[Filled]) -> None:
    """Whether a picture may be made anew with its regions filled, as far as its head tells; raises `Unfit`."""
    with _opened(content) as picture:
        _fit(picture, regions)


def _fit(picture: Image.Image, regions: Sequence[Filled]) -> tuple[int, str]:
    frames = int(getattr(picture, "n_frames", 1))
    kind = picture.format or ""
    if frames > 1 and kind in {"TIFF", "ICO"}:
        raise Unfit("sheets")
    for one in regions:
        if one.page != 1 or not (0 <= one.left < one.right <= FINE and 0 <= one.top < one.bottom <= FINE):
            raise Unfit("region")
    if frames > 1 and kind in _MOVING:
        _few(picture, frames)
    return frames, kind


def _few(picture: Image.Image, frames: int) -> None:
    if frames > MOST_FRAMES or frames * picture.width * picture.height > MOST_PIXELS:
        raise Unfit("frames")


def shown(content: bytes) -> Shown:
    """A picture for a page: its first frame, upright, without metadata, its longest side at most `SIDE` pixels."""
    with _opened(content) as picture:
        frames = int(getattr(picture, "n_frames", 1)) if picture.format != "MPO" else 1
        if picture.format == "JPEG":
            picture.draft(None, (SIDE, SIDE))
        upright = _upright(picture)
        upright.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        made, media_type = compact(upright)
        return Shown(made, media_type, upright.width, upright.height, frames)


def compact(picture: Image.Image) -> tuple[bytes, str]:
    """PNG where there are few colours, JPEG otherwise; and its media type."""
    few = picture.getcolors(256)
    if few is None:
        return _written(picture, "JPEG", quality=88)
    if all(red == green == blue for _, (red, green, blue) in few):  # type: ignore[misc]  # the picture is RGB: its colours are threes
        return _written(picture.convert("L"), "PNG")
    return _written(picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=256), "PNG")


def fill(picture: Image.Image, regions: Sequence[Filled], spread: int = 0) -> None:
    """Draw the boxes: white, with a black border and the code in black where it fits."""
    draw = ImageDraw.Draw(picture)
    for one in regions:
        left = max(0, one.left * picture.width // FINE - spread)
        top = max(0, one.top * picture.height // FINE - spread)
        right = min(picture.width, -(-one.right * picture.width // FINE) + spread)
        bottom = min(picture.height, -(-one.bottom * picture.height // FINE) + spread)
        right, bottom = max(right, left + 1), max(bottom, top + 1)
        border = max(1, min(right - left, bottom - top) // 40)
        draw.rectangle((left, top, right - 1, bottom - 1), fill=_PAPER, outline=_INK, width=border)
        _print(draw, f"[REDACTED {one.code}]", (left + border, top + border, right - border, bottom - border))


def _print(draw: ImageDraw.ImageDraw, words: str, box: tuple[int, int, int, int]) -> None:
    wide, high = box[2] - box[0], box[3] - box[1]
    for size in (48, 36, 28, 22, 18, 14, 11, 9):
        if size > high:
            continue
        font = ImageFont.load_default(size)
        left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
        if right - left <= wide * 0.94 and bottom - top <= high * 0.9:
            place = (box[0] + (wide - (right - left)) / 2 - left, box[1] + (high - (bottom - top)) / 2 - top)
            draw.text(place, words, fill=_INK, font=font)
            return


def _opened(content: bytes) -> Image.Image:
    Image.init()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(content), formats=_READ)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Unfit("too_large") from error
    except UnidentifiedImageError as error:
        raise Unfit("unknown") from error
    except Exception as error:  # a damaged file may raise anything in a decoder
        raise Unfit("damaged") from error
    if picture.width * picture.height > MOST_PIXELS:
        raise Unfit("too_large")
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    """The picture in red, green and blue, turned as it is to be looked at, on white where it was transparent."""
    try:
        picture.load()
        turned = ImageOps.exif_transpose(picture)
        return _flat(turned, picture.info.get("icc_profile"))
    except Unfit:
        raise
    except Exception as error:  # a damaged file may raise anything in a decoder
        raise Unfit("damaged") from error


def _flat(picture: Image.Image, profile: object) -> Image.Image:
    if picture.mode.startswith("I"):  # sixteen bits of grey
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if "A" in picture.getbands() or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        paper = Image.new("RGBA", seen.size, (*_PAPER, 255))
        paper.alpha_composite(seen)
        picture = paper.convert("RGB")
    if isinstance(profile, bytes) and picture.mode in {"RGB", "CMYK", "L"}:
        try:
            told = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(
                picture, told, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):  # a profile that nobody can use is no profile
            converted = None
        if converted is not None:
            picture = converted
    plain = Image.new("RGB", picture.size, _PAPER)
    plain.paste(picture.convert("RGB"))
    return plain


def _moving(picture: Image.Image, kind: str, regions: Sequence[Filled], spread: int) -> tuple[bytes, str]:
    """A picture that moves: the boxes stand in the same place in every frame."""
    made: list[Image.Image] = []
    lasting: list[int] = []
    for frame in _frames(picture):
        upright = _upright(frame)
        fill(upright, regions, spread)
        made.append(upright)
        lasting.append(max(10, int(frame.info.get("duration") or 100)))
    out = BytesIO()
    again = picture.info.get("loop", 0 if kind != "GIF" else None)
    more = {"loop": again} if isinstance(again, int) else {}
    if kind == "WEBP":
        more |= {"quality": 90, "method": 2}
    made[0].save(out, kind, save_all=True, append_images=made[1:], duration=lasting, **more)
    return out.getvalue(), "image/png" if kind == "PNG" else _TYPES[kind]


def _frames(picture: Image.Image) -> Iterator[Image.Image]:
    try:
        for frame in ImageSequence.Iterator(picture):
            yield frame.copy()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Unfit("damaged") from error


def _written(picture: Image.Image, kind: str, quality: int = 92) -> tuple[bytes, str]:
    out = BytesIO()
    match kind:
        case "JPEG":
            picture.save(out, kind, quality=quality, subsampling=0)
        case "WEBP":
            picture.save(out, kind, quality=92, method=2)
        case _:
            picture.save(out, kind)
    return out.getvalue(), _TYPES[kind]
