"""Which connectors there are: ours, and those that others wrote.

Ours stand in a table and are imported when they are needed. Others announce
theirs under the entry-point group `muniment.connectors`, as
`name = "package.module:Class"`; one that cannot be used is reported by
`faults()` and harms nobody else. Nothing is registered by importing it.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from connectors.contract import Connector, Manifest

GROUP = "muniment.connectors"

_OURS: Mapping[str, str] = {
    "feed": "connectors.feed:Feed",
    "wordpress": "connectors.wordpress:WordPress",
    "mastodon": "connectors.mastodon:Mastodon",
    "bluesky": "connectors.bluesky:Bluesky",
    "webpage": "connectors.webpage:WebPage",
    "myspace": "connectors.webpage:MySpace",
    "digg": "connectors.webpage:Digg",
    "mediawiki": "connectors.mediawiki:MediaWiki",
    "nixle": "connectors.nixle:Nixle",
    "facebook": "connectors.facebook:Facebook",
    "x": "connectors.x:X",
    "instagram": "connectors.instagram:Instagram",
    "threads": "connectors.threads:Threads",
    "youtube": "connectors.youtube:YouTube",
    "reddit": "connectors.reddit:Reddit",
    "flickr": "connectors.flickr:Flickr",
    "pinterest": "connectors.pinterest:Pinterest",
    "snapchat": "connectors.snapchat:Snapchat",
    "tiktok": "connectors.tiktok:TikTok",
    "nextdoor": "connectors.nextdoor:Nextdoor",
    "linkedin": "connectors.linkedin:LinkedIn",
}


class NoSuchConnector(Exception):
    """No connector of that name can be used here; the message says what is wrong with it, where there is one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A connector of somebody else's that is installed and cannot be used, and why."""

    name: str
    comes_from: str
    why: str


def connectors() -> list[Manifest]:
    """The manifests of every connector that can be used, in the order of their names."""
    ours = [_imported(name, place).manifest for name, place in _OURS.items()]
    usable, _ = _others()
    return sorted(
        [*ours, *(connector.manifest for connector in usable.values())], key=lambda manifest: manifest.name
    )


def load(name: str) -> type[Connector]:
    """The connector of that name; raises `NoSuchConnector`."""
    if name in _OURS:
        return _imported(name, _OURS[name])
    usable, faulty = _others()
    if name in usable:
        return usable[name]
    for fault in faulty:
        if fault.name == name:
            raise NoSuchConnector(
                f"The connector {name!r} of {fault.comes_from} cannot be used: {fault.why}."
            )
    raise NoSuchConnector(
        f"There is no connector {name!r}. `muniment connectors` lists those that there are."
    )


def faults() -> list[Fault]:
    """The connectors of others that are installed and cannot be used."""
    return _others()[1]


def _others() -> tuple[dict[str, type[Connector]], list[Fault]]:
    found = entry_points(group=GROUP)
    often = Counter(entry.name for entry in found)
    usable: dict[str, type[Connector]] = {}
    faulty: list[Fault] = []
    for entry in found:
        comes_from = entry.dist.name if entry.dist is not None else entry.value
        try:
            if often[entry.name] > 1:
                raise _Unusable("several packages bring a connector of this name")
            usable[entry.name] = _checked(entry)
        except _Unusable as fault:
            faulty.append(Fault(entry.name, comes_from, str(fault)))
    return usable, sorted(faulty, key=lambda fault: (fault.name, fault.comes_from))


class _Unusable(Exception):
    """What is wrong with a connector that somebody else wrote."""


def _checked(entry: EntryPoint) -> type[Connector]:
    if entry.name in _OURS:
        raise _Unusable("a connector of this name comes with Muniment, and none may take its place")
    try:
        loaded = entry.load()
    except (Exception, SystemExit) as fault:  # whatever happens there, the others go on
        raise _Unusable(f"it cannot be imported: {type(fault).__name__}: {fault}") from fault
    if not isinstance(loaded, type):
        raise _Unusable(f"{entry.value} is no class")
    manifest = inspect.getattr_static(loaded, "manifest", None)
    if not isinstance(manifest, Manifest):
        raise _Unusable(f"{entry.value} has no manifest")
    if manifest.name != entry.name:
        raise _Unusable(f"its manifest calls it {manifest.name!r}")
    for method in ("observe", "look"):
        if not callable(getattr(loaded, method, None)):
            raise _Unusable(f"{entry.value} has no method {method!r}")
    return loaded


def _imported(name: str, place: str) -> type[Connector]:
    module, _, attribute = place.partition(":")
    loaded: type[Connector] = getattr(import_module(module), attribute)
    assert loaded.manifest.name == name, f"{place} stands in the table as {name!r}"
    return loaded
