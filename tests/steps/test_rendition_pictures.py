"""Pictures made anew: what is filled is gone, what was written beside the picture is gone, the rest is as it was."""

from __future__ import annotations

import os
import signal
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from app.disclosure.redacting import Held, Region
from app.disclosure.released import Removed
from app.disclosure.rendition import pictures
from app.disclosure.rendition.pictures import Filled, Unfit
from app.disclosure.rendition.remaking import CannotBeRemade, Remakes
from app.disclosure.rendition.studio import MOST_BYTES, Studio

SECRET = b"a word that nobody may read"
MIDDLE = Filled(1, 2_500, 2_500, 7_500, 7_500, "b(6)")
RED, BLUE, WHITE, BLACK = (200, 30, 30), (20, 40, 220), (255, 255, 255), (0, 0, 0)


@pytest.fixture(scope="module")
def remakes() -> Iterator[Remakes]:
    with closing(Remakes()) as made:
        yield made


def saved(picture: Image.Image, kind: str, **more: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def a_field(colour: tuple[int, int, int] = RED, size: tuple[int, int] = (400, 300)) -> Image.Image:
    return Image.new("RGB", size, colour)


def with_secret(colour: tuple[int, int, int] = RED) -> Image.Image:
    """A red field whose middle is blue."""
    picture = a_field(colour)
    picture.paste(BLUE, (120, 90, 280, 210))
    return picture


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def colours(picture: Image.Image, box: tuple[int, int, int, int] | None = None) -> set[Any]:
    part = picture.convert("RGB").crop(box) if box else picture.convert("RGB")
    return {colour for _, colour in part.getcolors(part.width * part.height) or ()}


def is_blue(colour: tuple[int, int, int]) -> bool:
    return colour[2] > colour[0] + 60 and colour[2] > colour[1] + 60


def held(content: bytes, media_type: str | None) -> Held:
    return Held(
        id=UUID(int=5), state="kept", media_type=media_type, size=len(content), description="",
        chunks=lambda: iter((content[:10], content[10:])), commitment=None,
    )  # fmt: skip


def redact(
    remakes: Remakes, content: bytes, media_type: str, regions: Sequence[Filled] = (MIDDLE,)
) -> tuple[bytes, str]:
    return remakes.remade(
        held(content, media_type),
        [
            (Region(UUID(int=5), one.page, one.left, one.top, one.right, one.bottom), Removed(one.code))
            for one in regions
        ],
    )


KINDS = [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp"), ("BMP", "image/bmp"), ("TIFF", "image/tiff"), ("AVIF", "image/avif")]  # fmt: skip


# ---- regions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "media_type"), KINDS)
def test_what_is_filled_is_gone_in_every_kind_of_picture(remakes: Remakes, kind: str, media_type: str):
    before = saved(with_secret(), kind)
    content, made_type = redact(remakes, before, media_type)
    assert any(map(is_blue, colours(opened(before))))
    assert not any(map(is_blue, colours(opened(content))))
    assert opened(content).size == (400, 300)
    assert made_type == (media_type if kind in {"PNG", "JPEG", "GIF", "WEBP"} else "image/png")
    assert Image.MIME[opened(content).format or ""] == made_type


def test_a_box_is_white_with_a_black_border_and_its_code_in_it(remakes: Remakes):
    content, _ = redact(remakes, saved(with_secret(), "PNG"), "image/png")
    picture = opened(content)
    assert picture.convert("RGB").getpixel((100, 75)) == BLACK
    assert picture.convert("RGB").getpixel((110, 85)) == WHITE
    assert BLACK in colours(picture, (120, 90, 280, 210)), "the code"
    assert colours(picture, (0, 0, 99, 300)) == {RED}


def test_a_code_that_does_not_fit_is_left_out_and_the_box_stays(remakes: Remakes):
    small = Filled(1, 5_000, 5_000, 5_100, 5_100, "b(6)")
    content, _ = redact(remakes, saved(a_field(), "PNG"), "image/png", [small])
    assert colours(opened(content), (200, 150, 204, 153)) <= {BLACK, WHITE}


def test_a_region_of_no_width_in_pixels_fills_one(remakes: Remakes):
    thin = Filled(1, 5_000, 0, 5_001, 10_000, "b(6)")
    content, _ = redact(remakes, saved(a_field(), "PNG"), "image/png", [thin])
    assert RED not in colours(opened(content), (200, 0, 201, 300))


def test_around_a_box_a_lossy_picture_shows_nothing_of_what_was_in_it(remakes: Remakes):
    picture = a_field(WHITE)
    picture.paste(BLACK, (130, 90, 280, 210))
    edge = Filled(1, 3_250, 3_000, 7_000, 7_000, "b(6)")
    before = saved(picture, "JPEG", quality=20, subsampling=2)
    spoiled = [colour for colour in colours(opened(before), (112, 90, 130, 210)) if colour != WHITE]
    assert spoiled, "what is compressed with loss spreads"
    content, _ = redact(remakes, before, "image/jpeg", [edge])
    ours = opened(content).convert("L").crop((100, 90, 112, 210))
    assert ours.getextrema()[0] > 200  # type: ignore[operator]  # one band, one pair


def test_a_picture_is_turned_before_its_regions_are_filled(remakes: Remakes):
    upright = Image.new("RGB", (300, 400), RED)
    upright.paste(BLUE, (0, 0, 300, 100))
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    content, _ = redact(
        remakes,
        saved(lying, "JPEG", exif=exif, quality=95),
        "image/jpeg",
        [Filled(1, 0, 0, 10_000, 2_500, "b(6)")],
    )
    assert opened(content).size == (300, 400)
    assert not any(map(is_blue, colours(opened(content))))
    assert not opened(content).getexif()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_every_frame_of_a_picture_that_moves_is_filled(remakes: Remakes, kind: str):
    frames = [with_secret((200, 30 + 20 * number, 30)) for number in range(4)]
    before = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=80)
    content, _ = redact(remakes, before, f"image/{kind.lower()}")
    made: Any = opened(content)
    assert made.n_frames == 4
    for number in range(4):
        made.seek(number)
        assert not any(map(is_blue, colours(made)))


@pytest.mark.parametrize(
    "region",
    [
        Filled(2, 0, 0, 1, 1, "x"),
        Filled(1, 5, 0, 5, 9, "x"),
        Filled(1, 0, 0, 10_001, 9, "x"),
        Filled(1, -1, 0, 1, 9, "x"),
    ],
)
def test_a_region_outside_of_the_picture_is_refused(remakes: Remakes, region: Filled):
    with pytest.raises(CannotBeRemade, match="outside of it"):
        redact(remakes, saved(a_field(), "PNG"), "image/png", [region])


# ---- what was written beside it ------------------------------------------------------------------


def jpeg_with_everything() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    return saved(
        a_field(), "JPEG", exif=exif, comment=SECRET, xmp=b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ) + SECRET  # fmt: skip


def png_with_everything() -> bytes:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", SECRET.decode())
    words.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return saved(a_field(), "PNG", pnginfo=words) + SECRET


def gif_with_everything() -> bytes:
    return saved(a_field(), "GIF", comment=SECRET) + SECRET


def webp_with_everything() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    return saved(a_field(), "WEBP", exif=exif, xmp=SECRET)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (jpeg_with_everything(), "image/jpeg"),
        (png_with_everything(), "image/png"),
        (gif_with_everything(), "image/gif"),
        (webp_with_everything(), "image/webp"),
    ],
)
def test_nothing_but_the_picture_leaves(remakes: Remakes, content: bytes, media_type: str):
    assert SECRET in content
    made, _ = redact(remakes, content, media_type, [])
    assert SECRET not in made
    assert b"xmpmeta" not in made
    told: dict[Any, Any] = dict(opened(made).info)
    assert not {"exif", "comment", "icc_profile", "xmp", "Comment"} & set(told)
    assert not opened(made).getexif()


def test_colours_that_lie_under_transparent_pixels_are_gone(remakes: Remakes):
    layer = Image.new("RGBA", (40, 40), (*BLUE, 0))
    content, _ = redact(remakes, saved(layer, "PNG"), "image/png", [])
    assert colours(opened(content)) == {WHITE}
    assert opened(content).mode == "RGB"


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "CMYK", "I;16"])
def test_pictures_of_any_depth_are_made_anew(remakes: Remakes, mode: str):
    picture = Image.new(mode, (60, 40), 0 if mode in {"1", "L", "P", "I;16"} else None)
    kind, media_type = ("TIFF", "image/tiff") if mode == "CMYK" else ("PNG", "image/png")
    content, _ = redact(remakes, saved(picture, kind), media_type, [])
    assert opened(content).size == (60, 40)


def test_the_same_picture_gives_the_same_bytes(remakes: Remakes):
    for kind, media_type in KINDS:
        before = saved(with_secret(), kind)
        assert redact(remakes, before, media_type) == redact(remakes, before, media_type)


# ---- hostile files -------------------------------------------------------------------------------


def a_bomb(side: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels each way."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "media_type", "why"),
    [
        (a_bomb(60_000), "image/png", "larger than may be opened"),
        (a_bomb(2_000), "image/png", "cannot be read"),
        (saved(a_field(), "JPEG")[:300], "image/jpeg", "cannot be read"),
        (b"", "image/png", "of its kind"),
        (b"<svg onload='x'/>", "image/png", "of its kind"),
    ],
)
def test_what_is_no_sound_picture_is_refused_with_what_to_do(
    remakes: Remakes, content: bytes, media_type: str, why: str
):
    with pytest.raises(CannotBeRemade, match=why) as refused:
        redact(remakes, content, media_type)
    assert refused.value.next
    assert "Withhold" in refused.value.next


def test_several_pictures_in_one_file_are_refused(remakes: Remakes):
    sheets = saved(a_field(), "TIFF", save_all=True, append_images=[with_secret()])
    with pytest.raises(CannotBeRemade, match="several pictures"):
        redact(remakes, sheets, "image/tiff")


def test_too_many_frames_are_refused(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_FRAMES", 3)
    frames = [a_field((number * 20, 0, 0), (20, 20)) for number in range(5)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(Unfit, match="frames"):
        pictures.remade(content, [])
    monkeypatch.setattr(pictures, "MOST_FRAMES", 5)
    assert pictures.remade(content, [])


def test_a_file_beyond_measure_is_not_even_sent(remakes: Remakes):
    huge = Held(
        id=None, state="kept", media_type="image/png", size=MOST_BYTES + 1, description="", chunks=list[bytes]().__iter__,
        commitment=None,
    )  # fmt: skip
    with pytest.raises(CannotBeRemade, match="larger"):
        remakes.remade(huge)


def test_what_is_neither_picture_nor_document_cannot_be_made_anew(remakes: Remakes):
    with pytest.raises(CannotBeRemade, match="of its kind"):
        redact(remakes, b"film", "video/mp4")


def test_a_process_that_a_file_ended_is_told_and_the_next_file_gets_another():
    with closing(Studio()) as studio:
        assert studio.remade(saved(a_field(), "PNG"))
        process = studio._worker._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with pytest.raises(Unfit, match="gone"):
            studio.remade(saved(a_field(), "PNG"))
        assert studio.remade(saved(a_field(), "PNG"))


def test_a_process_that_does_not_answer_in_time_is_ended():
    with closing(Studio(seconds=0)) as studio, pytest.raises(Unfit, match="gone"):
        studio.remade(saved(a_field(), "PNG"))


# ---- on a page -----------------------------------------------------------------------------------


def test_a_picture_for_a_page_is_upright_and_no_larger_than_it_need_be():
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = pictures.shown(saved(a_field(size=(4_000, 1_000)), "JPEG", exif=exif))
    assert (shown.width, shown.height) == (500, 2_000)
    assert shown.frames == 1


def test_few_colours_become_png_and_many_become_jpeg():
    assert pictures.shown(saved(a_field(), "PNG")).media_type == "image/png"
    assert (
        pictures.shown(saved(Image.effect_noise((200, 200), 90).convert("RGB"), "PNG")).media_type
        == "image/png"
    )
    many = Image.merge("RGB", [Image.effect_noise((200, 200), 90) for _ in range(3)])
    assert pictures.shown(saved(many, "PNG")).media_type == "image/jpeg"
