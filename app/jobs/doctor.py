"""The doctor: what is well, what is not, and what is missing by choice."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from app.capture import diary, hints, hooks, notices, runs
from app.jobs import rounds
from app.jobs.telling import not_captured
from app.officers import Smtp
from app.records.errors import ArchiveError
from app.retention.standing import Standing
from app.settings import Settings
from app.store import anchors
from app.store.backup import kept
from app.store.store import Store

_LITTLE = 2 << 30
_FAR_BEHIND = 10_000
_UNANCHORED = timedelta(hours=25)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `needed` tells a fault from a choice."""

    what: str
    ok: bool
    needed: bool
    says: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def examine(
    settings: Settings,
    store: Store,
    behind: Callable[[], int],
    doors: Callable[[], Sequence[hooks.Door]] = tuple,
) -> list[Check]:
    """Look at everything that the archive needs; nothing is changed. `doors` are those at which platforms may tell."""
    return [
        _master_key(settings),
        _disk(settings),
        _tried("ledger", lambda: _ledger(store)),
        _tried("index", lambda: _index(behind)),
        _tried("night", lambda: _night(store)),
        _tried("storage", lambda: _storage(store)),
        _tried("fixity", lambda: _fixity(settings, store)),
        _tried("backup of the keys", lambda: _key_backup(store)),
        _tried("trusted time", lambda: _trusted_time(settings, store)),
        _tried("clock", lambda: _clock(settings, store)),
        _tried("mail", lambda: _mail(settings, store)),
        _tried("letters", lambda: _letters(settings, store)),
        _tried("coverage", lambda: _coverage(store)),
        _tried("webhooks", lambda: _hooks(settings, store, doors())),
    ]


def _master_key(settings: Settings) -> Check:
    file = settings.master_key()
    if not file.exists():
        return Check(
            "master key", ok=False, needed=True, says=f"{file} is not there: nothing sealed can be read"
        )
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return Check("master key", ok=False, needed=True, says=f"others can read {file}: chmod 600 it")
    return Check("master key", ok=True, needed=True, says=f"{file}, readable by its owner alone")


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.home).free
    return Check(
        "disk", ok=free > _LITTLE, needed=True, says=f"{free / 2**30:.1f} GiB free in {settings.home}"
    )


def _ledger(store: Store) -> Check:
    with store.database.read() as tx:
        size = store.ledger.size(tx)
    signed = store.keyring.largest_signed(store.ledger.origin)
    if signed and signed[0] > size:
        return Check(
            "ledger",
            ok=False,
            needed=True,
            says=f"{size} entries, but a checkpoint of {signed[0]} was signed: an older copy is in place",
        )
    return Check(
        "ledger",
        ok=True,
        needed=True,
        says=f"{size} entries, newest checkpoint at {signed[0] if signed else 0}",
    )


def _index(behind: Callable[[], int]) -> Check:
    lag = behind()
    return Check(
        "index", ok=lag < _FAR_BEHIND, needed=True, says="up to date" if lag == 0 else f"{lag} entries behind"
    )


def _night(store: Store) -> Check:
    with store.database.read() as tx:
        recent = runs.recent(tx, limit=50)
    failed = [run for run in recent if run.status == "failed"]
    newest = recent[0].began_at.isoformat() if recent else None
    return Check(
        "capture",
        ok=not failed,
        needed=False,
        says=f"newest run {newest}, {len(failed)} of the last {len(recent)} failed"
        if recent
        else "nothing was captured yet",
    )


def _storage(store: Store) -> Check:
    """Where segments lie, and what keeps them from being removed or replaced; a bucket is asked."""
    guard = store.objects.describe()
    return Check("storage", ok=True, needed=True, says=f"{guard.where}: {'; '.join(guard.says)}")


def _fixity(settings: Settings, store: Store) -> Check:
    """What the nightly rounds of fixity found, and whether they are made."""
    with store.database.read() as tx:
        known, founded = rounds.state(tx), diary.founded(tx)
    match rounds.standing(known, founded, store.clock.now()):
        case "wrong":
            assert known is not None
            return Check(
                "fixity", ok=False, needed=True, says=f"{rounds.says(known)}: call muniment verify --full"
            )
        case "late":
            return Check(
                "fixity",
                ok=False,
                needed=True,
                says="for three days nothing was read again: is the night's work done?",
            )
        case "well":
            pass
    days = settings.fixity_days
    if known is None:
        return Check(
            "fixity",
            ok=True,
            needed=True,
            says=f"from the first night on, all of it is read within {days} days",
        )
    before = f"; the round before it ended on {known.before:%Y-%m-%d}" if known.before else ""
    says = f"part {known.done} of {known.parts} of the round that began on {known.began:%Y-%m-%d} was as it was{before}"
    return Check("fixity", ok=True, needed=True, says=says)


def _key_backup(store: Store) -> Check:
    """A copy of the keys younger than a day, and none older than thirty days where it was put."""
    now = store.clock.now()
    with store.database.read() as tx:
        standing, founded = kept.standing(tx, now), diary.founded(tx)
    left = [one for one in standing.expired if one.lies_there()]
    newest = f"the newest is of {standing.newest.at:%Y-%m-%d %H:%M}" if standing.newest else "there is none"
    told = [newest]
    if standing.disposed_since:
        told.append(f"{standing.disposed_since} records were disposed of since, which only a newer one knows")
    told += [f"past its thirty days, to be destroyed: {one.place}" for one in left]
    fresh = standing.fresh(now, founded)
    if not fresh:
        told.append("make one: muniment backup --keys FOLDER. Whoever loses the keys loses the archive")
    return Check("backup of the keys", ok=fresh and not left, needed=True, says="; ".join(told))


def _trusted_time(settings: Settings, store: Store) -> Check:
    """How wide the window is in which the archive could still have written something else."""
    asked = anchors.authorities(settings.timestamp_urls)
    with store.database.read() as tx:
        window = anchors.unanchored(store, tx, asked)
    if not asked:
        says = "no outside authority timestamps the checkpoints: nothing outside this archive proves when one was signed"
        return Check("trusted time", ok=False, needed=False, says=says)
    late = window.since is not None and store.clock.now() - window.since > _UNANCHORED
    since = f", the oldest of {window.since.isoformat()}" if window.since else ""
    newest = window.newest.isoformat() if window.newest else "never"
    says = f"newest timestamp {newest}; {window.entries} entries are not covered{since}"
    return Check("trusted time", ok=not late, needed=True, says=says)


def _clock(settings: Settings, store: Store) -> Check:
    """A clock that shows an earlier day than was seen, or a later one than is attested, makes nothing eligible."""
    with store.database.read() as tx:
        today = Standing(store, attested=bool(settings.timestamp_urls)).today(tx)
    doubt = f"{today.doubt}: nothing is eligible until that is put right" if today.doubt else ""
    return Check(
        "clock", ok=not doubt, needed=True, says=doubt or f"it is {today.day}; no later day was seen"
    )


def _mail(settings: Settings, store: Store) -> Check:
    """The mail server is greeted and signed in to, as for a letter; none is sent."""
    if not settings.smtp_url.strip():
        return Check("mail", ok=False, needed=False, says="no mail is sent: MUNIMENT_SMTP_URL is empty")
    sender = settings.mail_from or f"muniment@{store.agency.domain}"
    return Check("mail", ok=True, needed=True, says=Smtp(settings.smtp_url, sender).check())


def _letters(settings: Settings, store: Store) -> Check:
    with store.database.read() as tx:
        late = notices.unsent(tx, store.clock.now() - notices.SOON)
    says = f"{late} letters have waited for more than five minutes" if late else "none waits"
    return Check("letters", ok=not late, needed=bool(settings.smtp_url.strip()), says=says)


def _coverage(store: Store) -> Check:
    """A page without a complete capture for more than 26 hours is not being captured."""
    with store.database.read() as tx:
        late = not_captured(store, tx)
    told = ", ".join(
        f"{page.name} (last: {last.isoformat(timespec='minutes') if last else 'never'})"
        for page, last in late[:10]
    )
    return Check(
        "coverage",
        ok=not late,
        needed=True,
        says=f"no complete capture for 26 hours: {told}"
        if late
        else "every page was captured within 26 hours",
    )


def _hooks(settings: Settings, store: Store, doors: Sequence[hooks.Door]) -> Check:
    """The doors at which platforms tell by themselves: whether they do, and what was refused. Passes make up for it."""
    now = store.clock.now()
    with store.database.read() as tx:
        standing = hooks.standing(tx, doors, settings.public_url)
        late, given_up = hints.late(tx, now - hooks.LATE)
    told = [f"{one.connector}: {said}" for one in standing for said in hooks.troubles(one, now)]
    if late:
        told.append(f"{late} things that were told of were not looked at within an hour")
    if given_up:
        told.append(f"{given_up} could not be looked at, and are left to the passes")
    if not told:
        well = ", ".join(one.connector for one in standing if one.set_up)
        told = [f"{well} tells by itself" if well else "no platform tells by itself: none was set up"]
        return Check("webhooks", ok=True, needed=False, says=told[0])
    return Check("webhooks", ok=False, needed=False, says="; ".join(told))


def _tried(what: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except ArchiveError as error:
        return Check(what, ok=False, needed=True, says=f"{error.code}: {error}")
