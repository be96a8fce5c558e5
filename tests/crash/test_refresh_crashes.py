"""A process that is killed at any point of a renewal loses no permission that could be saved, and says so where it could not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import ROOT
from app.capture import credentials, pages
from app.capture.credentials import Held, Terms
from app.capture.renewing import Renewing
from app.records.nouns import Page
from app.store import Store, fixity
from app.store.tables import renewals
from connectors.errors import AccessRevoked
from connectors.tokens import TokenClient
from tests.connectors.worlds.authorisation_world import OAUTH2, AuthorisationWorld

pytestmark = pytest.mark.faults

# Where a renewal can be broken off, and how often the platform was asked by then.
POINTS = {"before-use": 0, "after-answer": 1, "before-commit": 1, "after-commit": 1, "after-renewal": 1}
LOST = {"after-answer", "before-commit"}
"""The platform answered, and nobody wrote it down."""

# A process that has everything imported and nothing opened. For each line it forks a process of its own, which
# kills itself (SIGKILL: nothing is flushed, nothing is closed) at the point; it says how that one ended.
VICTIMS = """
import json, os, signal, sys
from pathlib import Path
from app import main
from app.capture import credentials, pages
from app.capture.renewing import Renewing
from app.settings import Settings
from connectors.tokens import TokenClient
from tests.connectors.worlds.authorisation_world import OAUTH2

def renew(home, wanted):
    def point(name):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
    store = main.open_store(Settings(home=Path(home), _env_file=None))
    with store.database.read() as tx:
        (page,) = pages.listed(tx)
        held = credentials.held(store, tx, page)
    asks = TokenClient(version="0", allow_hosts=["127.0.0.1"])
    Renewing(store=store, page=page, sign_in=OAUTH2, asks=asks, wait=lambda _: None, point=point)(held)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            renew(*json.loads(line))
        finally:
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

Kill = Callable[[Path, str], int]


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Renews in a process that is killed at a point; returns how that process ended."""
    command = [sys.executable, "-c", VICTIMS]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as victims:
        asked, told = victims.stdin, victims.stdout
        assert asked is not None
        assert told is not None

        def killed(home: Path, point: str) -> int:
            print(json.dumps([str(home), point]), file=asked, flush=True)
            return int(told.readline())

        yield killed
        asked.close()


@pytest.fixture
def world() -> Iterator[AuthorisationWorld]:
    with AuthorisationWorld() as made:
        yield made


def connected(store: Store, world: AuthorisationWorld, until: datetime) -> Page:
    """A page that somebody connected some time ago."""
    name, secret = world.client()
    given = {
        "access_token": "an access token of before",
        "refresh_token": world.begin(name),
        "client_id": name,
        "client_secret": secret,
    }
    with store.database.begin() as tx:
        page = pages.add(
            store,
            tx,
            connector="notices",
            platform="noticeboard",
            address=f"{world.origin}/@police",
            name="Police notices",
            by=None,
            why="ours",
        )
        terms = Terms(how=credentials.OAUTH2, access_until=until)
        return pages.connect(store, tx, page, given, by=None, why="ours", terms=terms)


def renew(store: Store, page: Page, before: Held) -> Held:
    asks = TokenClient(version="0", allow_hosts=["127.0.0.1"])
    return Renewing(store=store, page=page, sign_in=OAUTH2, asks=asks, wait=lambda _pause: None)(before)


def held(store: Store, page: Page) -> Held:
    with store.database.read() as tx:
        found = credentials.held(store, tx, page)
    assert found is not None
    return found


def left_open(store: Store) -> int:
    with store.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(renewals)).scalar_one())


def uses(world: AuthorisationWorld) -> list[str]:
    """The refresh tokens that the platform was shown, in order."""
    return [form["refresh_token"] for path, form in world.asked if path == "/oauth/token"]


@pytest.mark.parametrize("grace", [False, True], ids=["single-use", "with-grace"])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_of_a_renewal_is_recovered_or_said(
    home: Path,
    reopen: Callable[[], Store],
    clock,
    kill: Kill,
    world: AuthorisationWorld,
    point: str,
    grace: bool,
):
    world.grace = grace
    store = reopen()
    page = connected(store, world, clock.now() + timedelta(hours=1))
    before = held(store, page)
    store.database.close()
    assert kill(home, point) == -9
    assert len(uses(world)) == POINTS[point]

    store = reopen()
    assert left_open(store) == (0 if point == "after-renewal" else 1)
    if point in LOST and not grace:
        with pytest.raises(AccessRevoked, match="broken off") as said:
            renew(store, page, before)
        assert f"muniment page connect {page.id} --invite EMAIL" in str(said.value)
        with store.database.read() as tx:
            assert pages.get(tx, str(page.id)).status == pages.DISCONNECTED
            (act, *_) = store.ledger.acts(tx, subject=page.id)
        assert "Police notices" in act.why
    else:
        after = renew(store, page, before)
        assert after.number != before.number
        assert after.secret["refresh_token"] in world.living, "the newest permission is the one that is kept"
        assert held(store, page).secret == after.secret
        with store.database.read() as tx:
            assert pages.get(tx, str(page.id)).status == pages.ACTIVE
        # A next renewal works with what was saved.
        assert renew(store, page, after).secret["refresh_token"] in world.living
    asked_again = {"before-use": 1, "after-answer": 1, "before-commit": 1}.get(point, 0)
    more = 0 if point in LOST and not grace else 1
    assert len(uses(world)) == POINTS[point] + asked_again + more
    assert left_open(store) == 0
    assert fixity.verify(store, full=True).findings == []


def test_an_answer_that_was_stored_is_used_without_asking_again_even_where_the_platform_is_gone(
    home: Path, reopen: Callable[[], Store], clock, kill: Kill, world: AuthorisationWorld
):
    store = reopen()
    page = connected(store, world, clock.now() + timedelta(hours=1))
    before = held(store, page)
    assert kill(home, "after-commit") == -9
    world.trouble.down = True
    store = reopen()
    assert renew(store, page, before).secret["refresh_token"] in world.living
    assert len(uses(world)) == 1


def test_a_renewal_that_another_living_process_has_is_left_to_it(
    reopen: Callable[[], Store], clock, world: AuthorisationWorld
):
    """The twin: only what its process left behind is taken over."""
    store = reopen()
    page = connected(store, world, clock.now() + timedelta(hours=1))
    before = held(store, page)
    asks = TokenClient(version="0", allow_hosts=["127.0.0.1"])
    paused: list[timedelta] = []

    def point(name: str) -> None:
        if name == "before-use":
            other = Renewing(store=reopen(), page=page, sign_in=OAUTH2, asks=asks, wait=paused.append)
            with pytest.raises(Exception, match="Another process"):
                other(before)

    ours = Renewing(store=store, page=page, sign_in=OAUTH2, asks=asks, wait=lambda _pause: None, point=point)
    assert ours(before).number != before.number
    assert len(paused) > 10
    assert len(uses(world)) == 1
