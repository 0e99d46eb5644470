"""What the commands for programs do; imported for one of them."""

from firmware.core.refused import Refused
from firmware.core.settings import INDEPENDENT
from firmware.programs import classes, format
from firmware.safety import loading
from scpi.errors import quoted

MOST_LINES = 60


def catalog(programs):
    shelf = programs.shelf()
    return tuple([quoted(id) for id in shelf.library() + shelf.own()])


def own(programs):
    ids = tuple([quoted(id) for id in programs.shelf().own()])
    return ids or quoted("")


def line_count(programs, id):
    return len(format.lines_of(programs.shelf().text(id)))


def line(programs, id, number):
    lines = format.lines_of(programs.shelf().text(id))
    if number > len(lines):
        raise Refused(-222, f"line {number} above {len(lines)}")
    return quoted(lines[number - 1])


def read(shelf, id):
    """A checked program."""
    try:
        program = format.parse(format.lines_of(shelf.text(id)))
    except Refused as error:
        raise Refused(error.code, f"{id}: {error.text}")
    if program.id != id:
        raise Refused(-230, f"{id}: line 1: its text is of program {program.id}")
    classes.check(program)
    return program


def load(programs, id, channel):
    """Load a whole program, or with a channel (1, 2) the part of it that is for that channel.

    One channel's part leaves the other channel as it is; the session's settings are taken too
    unless the other channel is on, and the channels are independent.
    """
    stimulator = programs.stimulator
    loading.need_rest(stimulator)
    program = read(programs.shelf(), id)
    mode = classes.mode_of(program)
    if not channel:
        loading.load(stimulator, id, mode, program.session, program.channels)
        return
    other = stimulator.channels[2 - channel].enabled
    if other and stimulator.mode not in (mode, classes.MANUAL):
        raise Refused(
            -221, f"{id} is {mode} and channel {3 - channel} is on in mode {stimulator.mode}"
        )
    if other and stimulator.mode == classes.MANUAL:
        mode = classes.MANUAL
    session = {} if other else dict(program.session)
    session["pattern"] = INDEPENDENT
    part = program.channels[channel - 1] or program.channels[0]
    loading.load_channel(stimulator, id, mode, session, channel - 1, part)


def begin(programs):
    """A text comes, line by line."""
    programs.lines = []


def add(programs, line):
    if programs.lines is None:
        raise Refused(-221, "no import has begun")
    if len(programs.lines) >= MOST_LINES:
        raise Refused(-223, f"more than {MOST_LINES} lines")
    programs.lines.append(line)


def end(programs):
    """Store the lines sent since begin(); whatever is refused, nothing is stored."""
    lines = programs.lines
    if lines is None:
        raise Refused(-221, "no import has begun")
    programs.lines = None
    program = format.parse(lines)
    classes.check(program)
    loading.check(programs.stimulator, program.session, program.channels)
    programs.shelf().put(program.id, format.text_of(program))


def delete(programs, id):
    programs.shelf().remove(id)
