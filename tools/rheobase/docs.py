"""Writes the pages of docs/ that are made from the firmware's own tables.

    python -m rheobase.docs          writes them
    python -m rheobase.docs --check  ends with 1 if one differs from its tables
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lib")]

from firmware.core.limits import LIMITS  # noqa: E402
from firmware.core.settings import ALSO_ZERO, CHANNEL, CHOICES, SESSION  # noqa: E402
from firmware.programs.library import PROGRAMS  # noqa: E402
from firmware.safety.faults import REASONS as FAULTS  # noqa: E402
from firmware.safety.states import NAMES, TABLE  # noqa: E402
from scpi import describe  # noqa: E402

COMMANDS_HEAD = """# Commands

<!-- written by python -m rheobase.docs from the firmware's tables; not by hand -->

SCPI over the USB serial port (or any serial line): one line a message, units separated by `;`, capitals are the short form, `[...]` may be left out, a query ends in `?`. Numbers are in SI base units and take suffixes (`400us`, `20 mA`, `2.5 kHz`, `1 min`), `MIN`, `MAX` and `DEF`. Only queries answer. A refused unit changes nothing, names the value and the limit in the error queue, and ends its line; the next line works. `SYSTem:PROMpt ON` prints errors at once for a person at a terminal.

**`!` stops the output at once**: one byte, in any state, even within a line, and without a line end. Ctrl-C stops it as well and leaves the program for the REPL.

A first session:

    PROG:LOAD "N01",1
    SESS:DUR 60
    ARM
    *OPC?              answers 1 when the supply is up
    OUTP ON
    SOUR1:CURR 1mA     then 2 mA after half a second, and so on
    SESS:STOP          down to zero, then off
"""

ACTIONS = """
## Session and output

| command | what it does |
|---|---|
| `ARM`, `ARM?` | checks all settings together, trip line and stop button, and switches the supply on; lapses after 60 s; any change of a setting disarms |
| `DISarm` | back to IDLE |
| `OUTPut[:STATe] ON` or `SESSion:STARt` | begins the armed session, at amplitude zero |
| `OUTPut[:STATe] OFF` or `ABORt` | off at once, in any state |
| `SESSion:STOP` | down to zero within a second, then off |
| `SESSion:PAUSe`, `SESSion:RESume` | down to zero and hold; go on, from amplitude zero |
| `[SOURce[1\\|2]]:CURRent[:LEVel]` | the channel's intensity: zero at every start, up by at most 1 mA at a time and twice a second, down at once |
| `SESSion:STATe?` | BOOT, SELFTEST, IDLE, ARMED, RUNNING, FADING, PAUSED or FAULT |
| `SESSion:TIME?` | seconds played, without pauses |
| `SESSion:CONTractions?` | contractions planned on channels 1 and 2 |
| `MEASure[1\\|2]:PULSes?` | pulses played |
| `MEASure[1\\|2]:MOVed[:COUNt]?`, `:MOST?` | pulses moved because the channels met, and the furthest move in s |
| `MEASure:SUPPly?` | the supply in V |
| `FAULt[:NUMBer]?`, `FAULt:TEXT?`, `FAULt:CLEar` | the latched fault and its reason; cleared only when its cause is gone |
| `PROGram:CATalog?`, `PROGram:LOAD "N01",1` | stored programs; load one on a channel |
"""

COMMON = """
## Every instrument's

`*CLS *ESE *ESR? *IDN? *OPC *OPC? *RST *SRE *STB? *TST? *WAI`, `SYSTem:ERRor[:NEXT]?`, `SYSTem:ERRor:COUNt?`, `SYSTem:HELP:HEADers?`, `SYSTem:PROMpt`, `SYSTem:VERSion?`, `STATus:OPERation` and `STATus:QUEStionable` with `[:EVENt]?`, `:CONDition?`, `:ENABle`, `STATus:PRESet`. `*TST?` answers 0, or the sum of 1 trip line high, 2 stop button pressed or missing, 4 supply up while switched off, 8 latched fault. What of the standards is left out stands in `lib/scpi/__init__.py`.
"""


def shown(field: tuple, value: int) -> str:
    name, _, scale, unit = field[:4]
    if name in ALSO_ZERO and value == 0:
        return ALSO_ZERO[name]
    if scale is None:
        return CHOICES[name][value]
    return describe(value, -scale, unit or None)


def settings_table(prefix: str, fields: tuple) -> list[str]:
    lines = ["| header | range | default | live | meaning |", "|---|---|---|---|---|"]
    for field in fields:
        name, header, scale, _, low, high, default, live, meaning = field
        if scale is None:
            span = ", ".join(CHOICES[name])
        else:
            span = f"{shown(field, low)} to {shown(field, high)}"
            if name in ALSO_ZERO:
                span += f", or {ALSO_ZERO[name]}"
        lines.append(
            f"| `{prefix}{header}` | {span} | {shown(field, default)} "
            f"| {'yes' if live else ''} | {meaning} |"
        )
    return lines


def commands_page() -> str:
    lines = [COMMANDS_HEAD, "## Channel settings", ""]
    lines.append("*Live* settings may change while the output runs; they act between pulses.")
    lines += ["", *settings_table("[SOURce[1\\|2]]:", CHANNEL)]
    lines += ["", "## Session settings", "", *settings_table("SESSion:", SESSION), ACTIONS]
    lines += ["## Faults", "", "| number | reason |", "|---|---|"]
    lines += [f"| {number} | {text} |" for number, text in FAULTS.items()]
    lines += ["", "## States", "", "| from | event | to |", "|---|---|---|"]
    lines += [f"| {NAMES[a]} | {event} | {NAMES[b]} |" for (a, event), b in TABLE.items()]
    lines += ["| any | fault | FAULT |", "| ARMED, RUNNING, PAUSED | stop | IDLE |"]
    lines.append(COMMON)
    return "\n".join(lines)


def programs_page() -> str:
    lines = [
        "# Programs",
        "",
        "<!-- written by python -m rheobase.docs from firmware/programs; not by hand -->",
        "",
        "Seeds for research, from the sources named; none is a prescription.",
    ]
    for key, program in PROGRAMS.items():
        lines += ["", f"## {key}: {program['name']}", "", f"For {program['purpose']}. "
                  f"Source: {program['source']}.", "", "| setting | value |", "|---|---|"]
        for prefix, fields, part in (
            ("SOURce:", CHANNEL, program["channel"]),
            ("SESSion:", SESSION, program["session"] or {}),
        ):
            lines += [
                f"| `{prefix}{field[1]}` | {shown(field, part[field[0]])} |"
                for field in fields
                if field[0] in part
            ]
    return "\n".join(lines) + "\n"


def limits_table() -> str:
    lines = ["| limit | value | unit | source |", "|---|---|---|---|"]
    lines += [f"| {name} | {value} | {unit} | {why} |" for name, (value, unit, why) in LIMITS.items()]
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """The made pages: path to text. In docs/safety.md only the table of limits is made."""
    safety = ROOT / "docs" / "safety.md"
    begin, end = "<!-- limits -->\n", "<!-- end of limits -->"
    text = safety.read_text()
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    return {
        ROOT / "docs" / "commands.md": commands_page(),
        ROOT / "docs" / "programs.md": programs_page(),
        safety: head + begin + limits_table() + "\n" + end + tail,
    }


def main() -> int:
    stale = [path for path, text in pages().items() if not _same(path, text)]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} differs from the tables: python -m rheobase.docs")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages()[path])
        print(path.relative_to(ROOT))
    return 0


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main())
