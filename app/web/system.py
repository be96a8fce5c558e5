"""What monitors ask: whether the process lives, whether it can work, and numbers without names."""

import tempfile
from collections.abc import Callable, Iterator

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from app.capture import overview
from app.records.errors import ArchiveError
from app.store.objects import Folder
from app.web.parts import Here, Parts

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(here: Here) -> JSONResponse:
    """Whether the archive can do its work; each check that fails is named by its code."""
    checks: dict[str, Callable[[], None]] = {
        "database": lambda: _database(here),
        "keyring": lambda: _keyring(here),
        "objects": lambda: _objects(here),
        "index": lambda: _index(here),
        **here.ready,
    }
    told = {name: _tried(check) for name, check in checks.items()}
    well = all(said == "ok" for said in told.values())
    return JSONResponse({"status": "ok" if well else "not ready", "checks": told}, 200 if well else 503)


def _tried(check: Callable[[], object]) -> str:
    try:
        check()
    except ArchiveError as error:
        return error.code
    except Exception as error:  # noqa: BLE001 - whatever it is, the archive is not ready
        return type(error).__name__
    return "ok"


def _database(here: Parts) -> None:
    with here.store.database.read() as tx:
        here.store.ledger.size(tx)


def _keyring(here: Parts) -> None:
    here.store.keyring.largest_signed(here.store.agency.origin)
    here.store.keyring.named("web/forms")


def _objects(here: Parts) -> None:
    """A file can be made where segments lie; it is gone at once."""
    if isinstance(here.store.objects, Folder):
        with tempfile.TemporaryFile(dir=here.store.objects.folder) as file:
            file.write(b"ready")


def _index(here: Parts) -> None:
    here.position()


@router.get("/metrics", response_class=Response)
def metrics(here: Here) -> Response:
    """Prometheus: pages stand under their random ids."""
    registry = CollectorRegistry()
    registry.register(Numbers(here))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Numbers(Collector):
    """Reads the numbers when they are asked for. Private messages are in none of them."""

    def __init__(self, here: Parts) -> None:
        self.here = here

    def collect(self) -> Iterator[Metric]:
        store = self.here.store
        with store.database.read() as tx:
            standings = overview.standings(tx, messages=False)
            size = store.ledger.size(tx)
            disposed = overview.disposed(tx)
        yield CounterMetricFamily("muniment_ledger_entries", "Entries in the ledger.", size)
        behind = size - self.here.position()
        yield GaugeMetricFamily(
            "muniment_index_lag_entries", "Entries that the index has not read yet.", max(0, behind)
        )
        yield CounterMetricFamily("muniment_records_disposed", "Records that were disposed of.", disposed)
        held = GaugeMetricFamily(
            "muniment_records", "Records held, without private messages.", labels=["page", "kind"]
        )
        began = GaugeMetricFamily(
            "muniment_run_last_began_seconds", "When a page's newest run began.", labels=["page"]
        )
        took = GaugeMetricFamily("muniment_run_last_seconds", "How long that run took.", labels=["page"])
        well = GaugeMetricFamily(
            "muniment_run_last_complete", "Whether that run was complete.", labels=["page"]
        )
        gaps = GaugeMetricFamily("muniment_run_last_gaps", "Gaps that it knows of.", labels=["page"])
        for one in standings:
            page = str(one.page.id)
            for kind, count in sorted(one.held.items()):
                held.add_metric([page, kind], count)
            if one.newest is not None:
                run = one.newest
                began.add_metric([page], run.began_at.timestamp())
                well.add_metric([page], run.status == "complete")
                gaps.add_metric([page], run.tally.get("gaps", 0))
                if run.ended_at is not None:
                    took.add_metric([page], (run.ended_at - run.began_at).total_seconds())
        yield from (held, began, took, well, gaps)
