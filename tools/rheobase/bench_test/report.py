"""The bench test's report: Markdown for a person, JSON for a program."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rheobase.bench_test.run import FAIL, NOT_REACHED, PASS, SKIPPED, Result


def counts(results: Sequence[Result]) -> dict[str, int]:
    found = Counter(result.status for result in results)
    return {status: found[status] for status in (PASS, FAIL, SKIPPED, NOT_REACHED)}


def verdict(results: Sequence[Result]) -> str:
    found = counts(results)
    said = ", ".join(f"{found[status]} {status}" for status in found if found[status])
    if found[FAIL]:
        return f"FAILED: {said}"
    if found[NOT_REACHED]:
        return f"not finished: {said}"
    return f"passed: {said}"


def write(folder: Path, facts: Mapping[str, object], results: Sequence[Result]) -> list[Path]:
    """bench.md and bench.json."""
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "bench.md", folder / "bench.json"
    page.write_text(markdown(facts, results))
    data.write_text(json.dumps(as_data(facts, results), indent=2) + "\n")
    return [page, data]


def as_data(facts: Mapping[str, object], results: Sequence[Result]) -> dict[str, object]:
    return {
        **facts,
        "verdict": verdict(results),
        "counts": counts(results),
        "steps": [
            {
                "key": result.step.key,
                "title": result.step.title,
                "promise": result.step.promise,
                "status": result.status,
                "note": result.note,
                "checks": [
                    {"what": c.what, "expected": c.expected, "measured": c.measured, "pass": c.ok}
                    for c in result.checks
                ],
            }
            for result in results
        ],
    }


def markdown(facts: Mapping[str, object], results: Sequence[Result]) -> str:
    lines = ["# Bench test", "", f"**{verdict(results)}**", "", "| | |", "|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {_cell(value)} |" for name, value in facts.items()]
    for result in results:
        lines += ["", f"## {result.step.title}: {result.status}", "", result.step.promise]
        if result.note:
            lines += ["", f"*{result.note}*"]
        if result.checks:
            lines += ["", "| what | expected | measured | |", "|---|---|---|---|"]
            lines += [
                f"| {_cell(c.what)} | {_cell(c.expected)} | {_cell(c.measured)} | "
                f"{'pass' if c.ok else '**FAIL**'} |"
                for c in result.checks
            ]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
