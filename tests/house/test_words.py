"""The glossary's words hold: in what people read of us, each thing has one name, and every setting is explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import ROOT
from app.settings import Settings

OPERATORS = (ROOT / "docs" / "operators.md").read_text()
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()


@dataclass(frozen=True)
class Word:
    """A word that is not ours, what we say instead, and where it means something else, with the reason."""

    pattern: str
    listed: str
    instead: str
    elsewhere: tuple[str, ...] = ()
    unless: str = r"(?!)"


WORDS = (
    # SQL and HTTP have their own verbs; what a platform did to an item is quoted in its own word.
    Word(r"\bdelet(e[ds]?|ing|ions?)\b", "delete", "dispose of a record, discard a cache", elsewhere=("app/demo/",), unless=r"proves no deletion|delet(e|ion)s? (at|on|by) (a|the) (platform|page|site)"),
    Word(r"\bpurg(e[ds]?|ing)\b", "purge", "dispose"),
    # An account is an officer's way in. Pages are never accounts, so the steps that know pages never say it.
    Word(
        r"\baccounts?\b",
        "account",
        "page",
        elsewhere=("app/officers/", "app/web/", "app/cli/people_commands.py", "app/cli/serve_commands.py", "app/demo/"),
    ),
    Word(r"\b(social[- ]media|platform|facebook|twitter|agency'?s) accounts?\b", "account", "page"),
    Word(r"\bscrap(e[ds]?|ing|ers?)\b", "scrape", "observe, capture"),
    Word(r"\b(crawl(s|ed|ing|ers?)?|harvest(s|ed|ing|ers?)?)\b", "crawl", "observe, capture", elsewhere=("app/demo/",)),
    # The role is called `ingest`; nobody ingests.
    Word(r"\bingest(s|ed|ing)?\b", "ingest", "capture", unless=r"(?i)^ingest$"),
    Word(r"\b(to archive|archived|archiving|archives (it|them|the page))\b", "archive", "capture, keep", elsewhere=("app/demo/",)),
    Word(r"\bthreads?\b", "thread", "family", elsewhere=("app/demo/",)),
    Word(r"\bblobs?\b", "blob", "object"),
    Word(r"\b(audit log|blockchain)\b", "audit log", "ledger, access log"),
    Word(r"\bsoft[- ]delet", "soft delete", "tombstone"),
    Word(r"\b(un)?lock (a|the) (hold|record|matter)|\b(freeze|unfreeze) (a|the) record", "lock", "place or release a hold"),
    Word(r"\bsync(s|ed|ing|hroni[sz]e)?\b", "sync", "capture, a run", unless=r"^a?sync$"),
)  # fmt: skip


def fitting(word: Word, text: str) -> bool:
    return re.search(word.pattern, text, re.IGNORECASE) is not None and re.search(word.unless, text) is None


def said(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What a module's strings say, without its docstrings; an f-string is read as one."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values),
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.lineno, node.value


def sentence(text: str) -> bool:
    """Whether people read it: more than an identifier, and not SQL, a pattern or an address."""
    name = (
        re.fullmatch(r"[\w./:{}<>…-]*", text) is not None
        and text.casefold() != "ingest"
        and not text.istitle()
    )
    return (
        not name
        and not re.match(r"\s*(CREATE|SELECT|PRAGMA|BEGIN|COMMIT|INSERT|UPDATE|DELETE)\b", text)
        and "(?" not in text
    )


def offences(name: str, text: str) -> list[str]:
    """The sentences of a module, template or page that use another's word: `file:line: word, rather …`."""
    if name.endswith(".py"):
        found = [(line, words) for line, words in said(ast.parse(text)) if sentence(words)]
    else:
        shown = re.sub(
            r"\{[%{#].*?[%}#]\}", lambda code: "\n" * code.group().count("\n"), text, flags=re.DOTALL
        )
        found = list(enumerate(shown.splitlines(), start=1))
    return [
        f"{name}:{line}: rather {word.instead}: {words.strip()[:120]!r}"
        for line, words in found
        for word in WORDS
        if not name.startswith(word.elsewhere or "\0") and fitting(word, words)
    ]


@pytest.fixture(scope="module")
def read() -> dict[str, str]:
    """Everything under `app/` in which people are spoken to: strings of modules, templates, style sheets' captions."""
    files = [path for suffix in ("py", "html", "txt") for path in (ROOT / "app").rglob(f"*.{suffix}")]
    told = [path for path in files if "story" not in path.parts and "__pycache__" not in path.parts]
    return {str(path.relative_to(ROOT)): path.read_text() for path in told}


def test_what_people_read_uses_our_words(read: dict[str, str]):
    assert len(read) > 50
    assert (
        sum(len(list(said(ast.parse(text)))) for name, text in read.items() if name.endswith(".py")) > 1_000
    )
    assert [offence for name, text in read.items() for offence in offences(name, text)] == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("app/web/records.py", 'raise Refused("the record was deleted")'),
        ("app/web/templates/user.html", "<p>{{ name }} deletes {{ record }}</p>"),
        ("app/cli/page.py", 'add.add_parser("add", help="add an account of the agency")'),
        ("app/capture/run.py", 'say(f"scraping {page.name}")'),
        ("app/capture/run.py", 'say("3 comments ingested")'),
        ("app/web/who.py", 'ROLES = {1: "ingests what others found"}'),
        ("app/web/templates/record.html", "<h2>The whole thread</h2>"),
        ("app/store/objects.py", 'raise ObjectMissing("a blob is missing")'),
        ("app/officers/letters.py", 'TEXT = "your Facebook account was captured"'),
        ("app/jobs/night.py", 'told("the page was archived")'),
    ],
)
def test_another_word_would_be_found(name: str, line: str):
    assert len(offences(name, line)) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("app/officers/letters.py", 'TEXT = "somebody opened an account for you"'),
        ("app/web/showing.py", 'ROLES = {1: "Ingest"}'),
        ("app/store/tables.py", 'op.execute("DELETE FROM pieces WHERE key = 1")'),
        ("app/web/showing.py", 'STATES = {"absent": "Missing. This proves no deletion."}'),
        ("app/web/templates/pages.html", "{% if officer.may(Role.INGEST) %}Add a page{% endif %}"),
        ("app/web/who.py", "response.delete_cookie('session')"),
        ("app/capture/run.py", 'def f() -> None:\n    """Nobody but us reads that a thread was deleted."""'),
    ],
)
def test_a_word_in_its_right_place_is_not(name: str, line: str):
    assert offences(name, line) == []


def documents() -> dict[str, str]:
    """What we say in documents; the glossary has to name the words that it forbids."""
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(path.relative_to(ROOT)): path.read_text() for path in files if path.name != "glossary.md"}


DOCUMENT_WORDS = [
    word for word in WORDS if word.listed in {"scrape", "crawl", "purge", "soft delete", "blob", "sync"}
]


def strange(text: str) -> list[str]:
    """The lines of a document that use another's word, outside of code."""
    plain = re.sub(r"`[^`\n]*`", "", text)
    return [line for line in plain.splitlines() if any(fitting(word, line) for word in DOCUMENT_WORDS)]


@pytest.mark.parametrize("name", documents())
def test_documents_use_our_words(name: str):
    assert strange(documents()[name]) == []


def test_a_strange_word_in_a_document_would_be_found():
    assert strange("Muniment crawls pages.\nIt keeps `blob` out.\n") == ["Muniment crawls pages."]


def test_every_word_that_is_refused_is_in_the_glossary():
    rather = " ".join(line.rsplit("|", 2)[1] for line in GLOSSARY.splitlines() if line.startswith("| **"))
    assert rather.count("`") > 60
    assert [word.listed for word in WORDS if f"`{word.listed}" not in rather] == []


def test_a_word_has_one_meaning_in_the_glossary():
    bold = [
        match
        for line in GLOSSARY.splitlines()
        for match in re.findall(
            r"\*\*([^*]+)\*\*( \([^)]*\))?", line.split("|")[1] if line.startswith("| **") else ""
        )
    ]
    assert len(bold) > 60
    assert sorted({word for word in bold if bold.count(word) > 1}) == []


# -- settings ----------------------------------------------------------------------------------------------


def explained(text: str) -> dict[str, str]:
    """The settings that the operator's guide has rows for, each with what it says."""
    return dict(re.findall(r"^\| `(MUNIMENT_[A-Z0-9_]+)` \|(.*)\|$", text, flags=re.MULTILINE))


def settings() -> set[str]:
    return {f"MUNIMENT_{name.upper()}" for name in Settings.model_fields}


def test_every_setting_is_explained_in_the_operators_guide():
    assert len(settings()) > 10
    rows = explained(OPERATORS)
    assert sorted(name for name in settings() if not rows.get(name, "").strip(" |")) == []


def test_no_explanation_has_outlived_its_setting():
    assert sorted(set(explained(OPERATORS)) - settings()) == []


def test_every_setting_says_in_code_what_it_is():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_no_document_names_a_setting_that_is_not_there():
    named = {name for text in documents().values() for name in re.findall(r"\bMUNIMENT_[A-Z0-9_]+\b", text)}
    assert named - settings() - {"MUNIMENT_SHARED"} == set()


def test_a_setting_without_words_would_be_found():
    assert (
        explained("| `MUNIMENT_HOME` | | |\n| `MUNIMENT_TOKEN` | | who acts |\n")["MUNIMENT_HOME"].strip(" |")
        == ""
    )


def test_the_tree_is_the_one_that_the_glossary_speaks_of():
    for name in re.findall(r"`((?:app|connectors|tests)/[\w/.]+)`", GLOSSARY):
        assert Path(ROOT / name).exists(), name
