"""The made parts of docs/programs.md: from the library's texts and the validator's table."""

from __future__ import annotations

from collections.abc import Iterator

from firmware.core.settings import CHANNEL, SESSION
from firmware.programs import classes
from firmware.programs.format import CHANNEL_WORDS, SESSION_WORDS, Program, shown
from rheobase.programs.library import IDS, program

OWN = "**own choice**"
CERTAIN = {"V": "read there", "G": "general knowledge, not verified", "P": OWN}


def _table(*rows: list[str]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"


def said(made: Program) -> Iterator[tuple[str, str]]:
    """(word, value) of everything that a program says; with both values where channels differ."""
    rows = {field[0]: field for field in [*CHANNEL, *SESSION]}
    for name, word, usual, _ in SESSION_WORDS:
        if made.session[name] != usual:
            yield word, shown(rows[name], made.session[name])
    for name, word, usual, _ in CHANNEL_WORDS:
        values: list[int] = [c[name] for c in made.channels if c is not None]
        if any(value != usual for value in values):
            texts = [shown(rows[name], value) for value in values]
            yield word, texts[0] if len(set(values)) == 1 else " / ".join(texts)


def _program(name: str) -> str:
    made = program(name)
    head = made.head
    source = {word: (c, text) for c, words, text in made.sources for word in words}
    rows = [["setting", "value", "from", "how sure"]]
    for word, value in said(made):
        certainty, text = source[word]
        rows.append([word, value, OWN if certainty == "P" else text,
                     "" if certainty == "P" else CERTAIN[certainty]])
    channels = "channels 1 and 2" if all(made.channels) else "one channel"
    return (
        f"### {name}: {head['name']}\n\n"
        f"{classes.mode_of(made)}, class *{head['class']}*, {channels}, "
        f"{classes.pattern_word(made)}. {_sentence(head['purpose'])}\n\n"
        f"- Electrodes: {head['electrodes']}.\n- Intensity: {head['intensity']}.\n\n"
        + _table(*rows)
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def programs() -> str:
    return "\n".join(_program(name) for name in IDS)


def overview() -> str:
    rows = [["id", "name", "mode", "class", "rate", "width", "on", "off", "length", "pattern",
             "ceiling"]]
    fields = {field[0]: field for field in [*CHANNEL, *SESSION]}
    for name in IDS:
        made = program(name)
        c = made.channels[0] or made.channels[1]
        assert c is not None
        cells = [shown(fields[key], c[key]) for key in ("rate_mhz", "width_ns", "on_ms", "off_ms")]
        if c["modulation"]:
            if c["rate_to_mhz"]:
                cells[0] += f" to {shown(fields['rate_to_mhz'], c['rate_to_mhz'])}"
            if c["width_to_ns"]:
                cells[1] += f" to {shown(fields['width_to_ns'], c['width_to_ns'])}"
        rows.append([name, made.head["name"], classes.mode_of(made), made.head["class"], *cells,
                     shown(fields["duration_ms"], made.session["duration_ms"]),
                     classes.pattern_word(made), shown(fields["limit_ua"], c["limit_ua"])])
    return _table(*rows)


def classes_table() -> str:
    rows = [["class", "mode", "rest between contractions", "least ramp above "
             f"{classes.TETANIC_MHZ // 1000} Hz", "longest session", "highest ceiling"]]
    for name, (mode, contraction, ramp_ms, minutes, ceiling_ua) in classes.CLASSES.items():
        rest = f"at least {classes.REST_MS / 1000:g} s" if contraction else "none needed"
        if name == "FES":
            rest += ", unless triggered"
        rows.append([name, mode, rest, f"{ramp_ms / 1000:g} s" if ramp_ms else "none",
                     f"{minutes} min", f"{ceiling_ua // 1000} mA"])
    return _table(*rows)


def words() -> str:
    fields = {field[0]: field for field in [*CHANNEL, *SESSION]}
    rows = [["line", "word", "setting", "when not said", "meaning"]]
    for line, prefix, table in (("session", "SESSion:", SESSION_WORDS),
                                ("channel", "SOURce:", CHANNEL_WORDS)):
        for name, word, usual, _ in table:
            missing = "must be said" if usual is None else shown(fields[name], usual)
            rows.append([line, f"`{word}`", f"`{prefix}{fields[name][1]}`", missing,
                         fields[name][8]])
    return _table(*rows)
