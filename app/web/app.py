"""The web application, put together from what the builder hands over."""

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from app.web import hooks, problems, showing, system
from app.web.api import audit as api_audit
from app.web.api import captures as api_captures
from app.web.api import connections as api_connections
from app.web.api import counsel as api_counsel
from app.web.api import coverage as api_coverage
from app.web.api import dispositions as api_dispositions
from app.web.api import holds as api_holds
from app.web.api import hooks as api_hooks
from app.web.api import imports as api_imports
from app.web.api import ledger as api_ledger
from app.web.api import matters as api_matters
from app.web.api import people as api_people
from app.web.api import productions as api_productions
from app.web.api import records as api_records
from app.web.api import registry as api_registry
from app.web.api import requests as api_requests
from app.web.api import retention as api_retention
from app.web.api import reviews as api_reviews
from app.web.api import schedules as api_schedules
from app.web.api import searching as api_searching
from app.web.headers import Careful
from app.web.pages import (
    auditing,
    connecting,
    counsel,
    coverage,
    dashboard,
    disposing,
    door,
    holding,
    importing,
    people,
    record,
    registry,
    requesting,
    retaining,
    reviewing,
    searching,
)
from app.web.parts import Parts

DESCRIPTION = "The archive of what an agency’s pages say and what the public says back."

_LARGEST_BODY = 1 << 20
"""Forms and JSON; the routes that take files have a limit of their own."""


def create(parts: Parts) -> FastAPI:
    """The application: the API, the pages, and what monitors ask."""
    app = FastAPI(
        title="Muniment",
        description=DESCRIPTION,
        version=parts.version,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        max_body_size=_LARGEST_BODY,
    )
    app.state.parts = parts
    app.state.templates = showing.templates()
    app.add_middleware(Careful, https=parts.settings.public_url.startswith("https://"))
    problems.install(app)
    for module in (
        api_searching,
        api_counsel,
        api_dispositions,
        api_retention,
        api_schedules,
        api_records,
        api_registry,
        api_connections,
        api_hooks,
        api_coverage,
        api_matters,
        api_holds,
        api_requests,
        api_reviews,
        api_productions,
        api_imports,
        api_captures,
        api_ledger,
        api_audit,
        api_people,
    ):
        app.include_router(_under("/api/v1", module.router))
    for page in (
        door,
        connecting,
        dashboard,
        searching,
        counsel,
        record,
        registry,
        retaining,
        coverage,
        disposing,
        holding,
        reviewing,
        requesting,
        importing,
        people,
        auditing,
    ):
        app.include_router(page.router)
    app.include_router(system.router)
    app.include_router(hooks.router)
    app.mount("/static", StaticFiles(directory=showing.FOLDER / "static"), name="static")
    return app


def _under(prefix: str, router: APIRouter) -> APIRouter:
    outer = APIRouter(prefix=prefix)
    outer.include_router(router)
    return outer
