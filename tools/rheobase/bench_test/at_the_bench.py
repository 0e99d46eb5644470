"""The person in front of the board: told what to do, asked for readings, in the terminal."""

from __future__ import annotations

import click
from rich.console import Console

from rheobase.bench_test.run import Check, Quit, Skip
from rheobase.bench_test.step import Do, Read, See, Step

WIRING = """\
Each channel ends in its dummy load, nothing else. Oscilloscope: one probe at the plus terminal of
the channel in question, one at its minus terminal (their difference is the voltage across the
load), trigger on SYNC (GP7). For legs, GATE and SYNC look at the pins themselves (docs/bench.md).
Every answer may also be s (skip the step) or q (end; the output goes off). Ctrl-C ends too."""


class PersonAtTheBench:
    """Asks with click's prompt; `s` raises Skip, `q` and Ctrl-C raise Quit."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._count = 0
        console.print(WIRING)

    def begin(self, step: Step) -> None:
        self._count += 1
        self._console.rule(f"{self._count} of at most {self._total}: {step.title}")
        self._console.print(f"[dim]{step.promise}[/]")

    def tell(self, words: str) -> None:
        self._console.print(f"  [cyan]{words}[/]")

    def do(self, what: Do) -> None:
        self._answer(f"{what.words} Enter when done", "")

    def read(self, what: Read) -> list[float]:
        unit = f" in {what.bounds.unit}" if what.bounds.unit else ""
        while True:
            text = self._answer(f"{what.words}{unit}", None)
            try:
                return [float(text.replace(",", "."))]
            except ValueError:
                self._console.print("a number, or s to skip the step, or q to end")

    def see(self, what: See) -> bool:
        while True:
            text = self._answer(f"{what.words}? y/n", None)
            if text in ("y", "yes", "n", "no"):
                return text.startswith("y")

    def show(self, check: Check) -> None:
        mark = "[green]pass[/]" if check.ok else "[bold red]FAIL[/]"
        self._console.print(f"  {mark}  {check.what}: {check.measured}; expected {check.expected}")

    def _answer(self, words: str, default: str | None) -> str:
        try:
            text = str(click.prompt(f"  {words}", default=default, show_default=False)).strip()
        except click.Abort:
            raise Quit from None
        if text == "q":
            raise Quit
        if text == "s":
            raise Skip("left out by the person")
        return text.lower()
