"""The registry: ours, those of others, and the platforms to come."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connectors import registry
from connectors.feed import Feed
from connectors.registry import NoSuchConnector
from connectors.wordpress import WordPress

GOOD = """
from connectors.contract import Manifest

class Gazette:
    manifest = Manifest(name="gazette", title="Gazette", platform="gazette", route="api", captures={"posts": "all"})
    def __init__(self, http, secret=None): pass
    def observe(self, page, since): return iter(())
    def look(self, page, native_ids): return iter(())

class Nameless(Gazette):
    manifest = Manifest(name="other", title="", platform="", route="api", captures={})

class Mute:
    manifest = Manifest(name="mute", title="", platform="", route="api", captures={})

class Bare:
    pass

function = len
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install a package that announces connectors, for this test only."""

    def put(package: str, code: str, **announced: str) -> None:
        (tmp_path / f"{package}.py").write_text(code)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {place}" for name, place in announced.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{registry.GROUP}]", *lines]))
        packages.append(package)

    packages: list[str] = []
    monkeypatch.syspath_prepend(tmp_path)
    yield put
    for package in packages:
        sys.modules.pop(package, None)


def test_ours_are_listed_and_loaded():
    assert {"feed", "wordpress"} <= {manifest.name for manifest in registry.connectors()}
    assert registry.load("wordpress") is WordPress
    assert registry.load("feed") is Feed
    assert registry.faults() == []


def test_a_connector_that_somebody_else_wrote_is_found(install):
    install("gazette_connector", GOOD, gazette="gazette_connector:Gazette")
    assert [manifest.title for manifest in registry.connectors() if manifest.name == "gazette"] == ["Gazette"]
    assert registry.load("gazette").manifest.name == "gazette"


@pytest.mark.parametrize(
    ("name", "code", "place", "why"),
    [
        ("gazette", "raise RuntimeError('out of order')", "bad:Gazette", "RuntimeError: out of order"),
        ("gazette", "raise SystemExit(3)", "bad:Gazette", "SystemExit"),
        ("gazette", GOOD, "bad:Nothing", "cannot be imported"),
        ("gazette", GOOD, "nowhere_to_be_found:Gazette", "cannot be imported"),
        ("gazette", GOOD, "bad:function", "no class"),
        ("gazette", GOOD, "bad:Bare", "no manifest"),
        ("gazette", GOOD, "bad:Nameless", "calls it 'other'"),
        ("mute", GOOD, "bad:Mute", "no method 'observe'"),
        ("wordpress", GOOD, "bad:Gazette", "comes with Muniment"),
    ],
)
def test_a_connector_that_cannot_be_used_is_reported_and_harms_nobody_else(install, name, code, place, why):
    install("good", GOOD.replace('"gazette"', '"daily"'), daily="good:Gazette")
    install("bad", code, **{name: place})
    (fault,) = registry.faults()
    assert (fault.name, fault.comes_from) == (name, "bad")
    assert why in fault.why
    assert {manifest.name for manifest in registry.connectors()} == {*registry._OURS, "daily"}
    assert registry.load("wordpress") is WordPress
    if name != "wordpress":
        with pytest.raises(NoSuchConnector, match="bad cannot be used"):
            registry.load(name)


def test_of_two_with_one_name_neither_is_used(install):
    install("one", GOOD, gazette="one:Gazette")
    install("two", GOOD, gazette="two:Gazette")
    assert [fault.comes_from for fault in registry.faults()] == ["one", "two"]
    with pytest.raises(NoSuchConnector, match="several packages"):
        registry.load("gazette")


def test_a_name_that_nobody_has_is_said_to_be_none():
    with pytest.raises(NoSuchConnector, match="no connector 'friendster'"):
        registry.load("friendster")


NAMED = (
    *(
        "facebook",
        "myspace",
        "x",
        "nixle",
        "flickr",
        "youtube",
        "mediawiki",
        "wordpress",
        "feed",
        "digg",
        "reddit",
    ),
    *("linkedin", "instagram", "snapchat", "pinterest", "tiktok"),
    *("threads", "nextdoor", "mastodon", "bluesky", "webpage"),
)
"""What departments' policies name, Twitter and Wikipedia and blogs by their connectors, and what stands beside it."""


@pytest.mark.parametrize("name", NAMED)
def test_every_platform_that_policies_name_has_a_connector_that_says_what_it_cannot_see(name: str):
    manifest = registry.load(name).manifest
    assert manifest.name == name
    assert manifest.blind_spots


def test_nothing_else_is_listed():
    assert sorted(NAMED) == [manifest.name for manifest in registry.connectors()]
