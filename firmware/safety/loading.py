"""Takes a program's settings over, whole or not at all; imported only when used.

Nothing here raises an amplitude: a program is loaded only while both outputs are 0 (SR-03, SR-44).
"""

from firmware.core.refused import Refused
from firmware.core.settings import CHANNEL, SESSION, Settings
from firmware.core.unload import borrow, fetch
from firmware.safety.states import ARMED, PAUSED, RUNNING


def need_rest(stimulator):
    """Refused (-221) unless both outputs are 0 and nothing is armed."""
    if stimulator.state in (ARMED, RUNNING, PAUSED):
        raise Refused(-221, f"not in state {stimulator.state_name()}; stop first")
    for i in (0, 1):
        current_ua = stimulator.intensity[i].current_ua
        if current_ua:
            raise Refused(-221, f"channel {i + 1} at {current_ua} uA; a program loads at 0")


def check(stimulator, session, channels):
    """Refused (-221, -222) unless a session with these values can be played as a whole.

    session, channels: dicts of fields; a channel that is None is off.
    """
    made = Settings(SESSION)
    made.update(session)
    parts = (Settings(CHANNEL), Settings(CHANNEL))
    for i in (0, 1):
        if channels[i] is not None:
            parts[i].update(channels[i])
            parts[i].update({"enabled": 1})
    if not session["trigger"]:
        fetch("firmware.core.course", "firmware.core.fit")
        borrow("firmware.core.plan", "make_plan", parts, made, stimulator.timing)


def load(stimulator, id, mode, session, channels):
    """Take over a whole program; what it doesn't use is switched off, the pads stay."""
    need_rest(stimulator)
    check(stimulator, session, channels)
    stimulator.session.update(session)
    for i in (0, 1):
        if channels[i] is not None:
            stimulator.channels[i].update(channels[i])
        stimulator.channels[i].update({"enabled": int(channels[i] is not None)})
        stimulator.loaded[i] = id if channels[i] is not None else ""
    stimulator.mode = mode
    stimulator.configured()


def load_channel(stimulator, id, mode, session, i, values):
    """Take over what a program has for one channel, and these values of the session."""
    need_rest(stimulator)
    for name in session:
        stimulator.session.check(name, session[name])
    stimulator.channels[i].update(values)
    stimulator.channels[i].update({"enabled": 1})
    stimulator.session.update(session)
    stimulator.loaded[i] = id
    stimulator.mode = mode
    stimulator.configured()
