"""A wiki for the fault harness: read by an administrator, whom it shows what it hides from everybody else."""

from __future__ import annotations

from typing import Self

from connectors.contract import Client, Connector
from connectors.mediawiki import MediaWiki
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.mediawiki_world import MediaWikiWorld


class AdministeredWiki(MediaWikiWorld):
    """A page with a hidden revision, a longer history and a picture; a talk page; another page of its category."""

    def __init__(self) -> None:
        super().__init__(connected=True)
        self.options = {"category": "Notices"}
        self.outline_at_once, self.words_at_once = 3, 2

    def __enter__(self) -> Self:
        super().__enter__()
        for hour in (4, 5, 6):
            self.write(self.article, f"Closed until {hour}.", files=[self.upload("Bridge.gif")])
        self.hide(1, 1, "text", "user")
        self.write(f"Talk:{self.article}", "== Detour? ==\nWhich way? ~~~~", "Al Citizen")
        self.write("Old notice", "Snow.", categories=["Category:Notices"])
        return self

    def conceal(self) -> str:
        """The words and the summary of one more revision are hidden from the public: the oldest that shows both."""
        number = next(
            place for place, one in enumerate(self.sheets[1].revisions[:-1]) if "comment" not in one.hidden
        )
        self.hide(1, number, "text", "comment")
        return "page:1"


class AsItsAdministratorSeesIt(ConnectorPromises):
    """How the wiki and its connector are made."""

    def world(self) -> AdministeredWiki:
        return AdministeredWiki()

    def connector(self, client: Client) -> Connector:
        return MediaWiki(client, {"user": MediaWikiWorld.user, "password": MediaWikiWorld.password})
