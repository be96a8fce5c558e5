"""Runs queries of OpenSearch's language over an index of Lucene's, in memory: reads JSON lines, writes JSON lines.

It stands between a test and a Java machine, in an environment of its own
(`.ci/lucene.sh`), and imports nothing of ours. Each query becomes the Lucene
object that OpenSearch's own source makes of it, one for one; nothing is
rewritten, added or left out. Documents are laid down as its mapper does:
several values of a text one after another with the gap between, numbers as
points, truth as `T` and `F`.

A line asks `{"fields", "docs", "queries"}` and is answered with one list for
each query, the numbers of the documents that meet it in their order.
"""

from __future__ import annotations

import glob
import importlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

JARS = ("/usr/share/java/lucene-core-8*.jar", "/usr/share/java/lucene-analyzers-common-8*.jar")
LONGEST_TOKEN = 16_002


class Lucene:
    """The classes that are needed, by their own names."""

    def __init__(self, jpype: Any) -> None:
        self.jpype = jpype

    def __getattr__(self, name: str) -> Any:
        for package in ("index", "search", "search.spans", "document", "store", "util"):
            try:
                found = self.jpype.JClass(f"org.apache.lucene.{package}.{name}")
            except TypeError:
                continue
            setattr(self, name, found)
            return found
        raise AttributeError(name)


class Oracle:
    """An index of some documents."""

    def __init__(self, lucene: Lucene, fields: Mapping[str, Mapping[str, Any]], docs: Sequence[Any]) -> None:
        self.lucene, self.fields = lucene, fields
        custom = lucene.jpype.JClass("org.apache.lucene.analysis.custom.CustomAnalyzer")
        settings = lucene.jpype.JClass("java.util.HashMap")()
        settings.put("maxTokenLen", str(LONGEST_TOKEN))
        gap = max([kind.get("gap", 0) for kind in fields.values()], default=0)
        analyzer = (
            custom.builder().withTokenizer("whitespace", settings).withPositionIncrementGap(gap).build()
        )
        config = lucene.IndexWriterConfig(analyzer)
        config.setMergePolicy(lucene.NoMergePolicy.INSTANCE)  # documents keep their numbers
        directory = lucene.ByteBuffersDirectory()
        writer = lucene.IndexWriter(directory, config)
        for number, doc in enumerate(docs):
            writer.addDocument(self._laid(doc))
            if number % 7 == 6:
                writer.commit()  # several segments, as in life
        writer.close()
        self.reader = lucene.DirectoryReader.open(directory)
        self.searcher = lucene.IndexSearcher(self.reader)

    def _laid(self, doc: Mapping[str, Any]) -> Any:
        lucene = self.lucene
        made = lucene.Document()
        store = lucene.Field.Store.NO
        for name, value in _flat(doc):
            for one in value if isinstance(value, list) else [value]:
                match str(self.fields[name]["type"]):
                    case "text":
                        made.add(lucene.TextField(name, one, store))
                    case "keyword":
                        made.add(lucene.StringField(name, one, store))
                    case "boolean":
                        made.add(lucene.StringField(name, "T" if one else "F", store))
                    case "long":
                        points = lucene.jpype.JArray(lucene.jpype.JLong)([one])
                        made.add(lucene.LongPoint(name, points))
                    case other:
                        raise ValueError(other)
        return made

    def hits(self, query: Mapping[str, Any]) -> list[int]:
        if not self.reader.maxDoc():
            return []
        constant = self.lucene.ConstantScoreQuery(self.query(query))
        found = self.searcher.search(constant, self.reader.maxDoc())
        return sorted(int(one.doc) for one in found.scoreDocs)

    def query(self, query: Mapping[str, Any]) -> Any:
        ((name, told),) = query.items()
        return getattr(self, f"_{name}")(told)

    def _match_all(self, _: Any) -> Any:
        return self.lucene.MatchAllDocsQuery()

    def _match_none(self, _: Any) -> Any:
        return self.lucene.MatchNoDocsQuery()

    def _bool(self, told: Mapping[str, Any]) -> Any:
        occur = self.lucene.jpype.JClass("org.apache.lucene.search.BooleanClause$Occur")
        made = self.lucene.jpype.JClass("org.apache.lucene.search.BooleanQuery$Builder")()
        for name, how in (("filter", occur.FILTER), ("must_not", occur.MUST_NOT), ("should", occur.SHOULD)):
            for one in told.get(name, []):
                made.add(self.query(one), how)
        made.setMinimumNumberShouldMatch(told.get("minimum_should_match", 0))
        return made.build()

    def _term(self, told: Mapping[str, Any]) -> Any:
        ((field, asked),) = told.items()
        value = asked["value"]
        match self.fields[field]["type"]:
            case "long":
                return self.lucene.LongPoint.newExactQuery(field, value)
            case "boolean":
                return self.lucene.TermQuery(self._word(field, "T" if value else "F"))
            case _:
                return self.lucene.TermQuery(self._word(field, value))

    def _terms(self, told: Mapping[str, Any]) -> Any:
        ((field, values),) = told.items()
        if self.fields[field]["type"] == "long":
            return self.lucene.LongPoint.newSetQuery(
                field, self.lucene.jpype.JArray(self.lucene.jpype.JLong)(values)
            )
        terms = self.lucene.jpype.JClass("java.util.ArrayList")()
        for value in values:
            terms.add(self.lucene.BytesRef(value))
        return self.lucene.TermInSetQuery(field, terms)

    def _range(self, told: Mapping[str, Any]) -> Any:
        ((field, bounds),) = told.items()
        least = bounds.get("gte", -(2**63))
        most = min(bounds.get("lte", 2**63 - 1), bounds.get("lt", 2**63) - 1)
        return self.lucene.LongPoint.newRangeQuery(field, least, most)

    def _match_phrase(self, told: Mapping[str, Any]) -> Any:
        ((field, asked),) = told.items()
        made = self.lucene.jpype.JClass("org.apache.lucene.search.PhraseQuery$Builder")()
        for word in asked["query"].split():
            made.add(self._word(field, word))
        made.setSlop(asked["slop"])
        return made.build()

    def _span_near(self, told: Mapping[str, Any]) -> Any:
        return self.lucene.SpanNearQuery(self._clauses(told), told["slop"], told["in_order"])

    def _span_or(self, told: Mapping[str, Any]) -> Any:
        return self.lucene.SpanOrQuery(self._clauses(told))

    def _span_term(self, told: Mapping[str, Any]) -> Any:
        ((field, asked),) = told.items()
        return self.lucene.SpanTermQuery(self._word(field, asked["value"]))

    def _clauses(self, told: Mapping[str, Any]) -> Any:
        return self.lucene.jpype.JArray(self.lucene.SpanQuery)([self.query(one) for one in told["clauses"]])

    def _wildcard(self, told: Mapping[str, Any]) -> Any:
        return self._rewritten(told, lambda term, _: self.lucene.WildcardQuery(term))

    def _prefix(self, told: Mapping[str, Any]) -> Any:
        return self._rewritten(told, lambda term, _: self.lucene.PrefixQuery(term))

    def _fuzzy(self, told: Mapping[str, Any]) -> Any:
        def made(term: Any, asked: Mapping[str, Any]) -> Any:
            return self.lucene.FuzzyQuery(
                term, asked["fuzziness"], asked.get("prefix_length", 0), 50, asked.get("transpositions", True)
            )

        return self._rewritten(told, made)

    def _rewritten(self, told: Mapping[str, Any], make: Any) -> Any:
        ((field, asked),) = told.items()
        query = make(self._word(field, asked["value"]), asked)
        if asked.get("rewrite") == "constant_score":
            query.setRewriteMethod(self.lucene.MultiTermQuery.CONSTANT_SCORE_REWRITE)
        return query

    def _word(self, field: str, word: str) -> Any:
        return self.lucene.Term(field, word)


def _flat(doc: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in doc.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value


def main() -> None:
    jars = [path for pattern in JARS for path in glob.glob(pattern)]  # noqa: PTH207 - patterns that begin at the root
    if len(jars) < len(JARS):
        sys.exit("Lucene's jars are not installed: apt-get install liblucene8-java")
    jpype = importlib.import_module("jpype")
    jpype.startJVM("-Xmx256m", "-Xss8m", classpath=jars, convertStrings=False)
    lucene = Lucene(jpype)
    print(json.dumps({"lucene": str(lucene.Version.LATEST.toString())}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        oracle = Oracle(lucene, asked["fields"], asked["docs"])
        print(json.dumps([oracle.hits(query) for query in asked["queries"]]), flush=True)


if __name__ == "__main__":
    main()
