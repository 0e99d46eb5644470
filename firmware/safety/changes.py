"""What a person sets, and what follows from it.

While the output runs only width and gap go this way, within the time that the tape is deep; so
this stays in memory, with core/fit.py and ceiling.py: to load them takes longer.
"""

from firmware.core.refused import Refused
from firmware.safety.states import PAUSED, RUNNING

PERSONS = ("pad_mm2", "standalone")  # settings that are no program's
MANUAL = "MAN"  # the mode of settings that were typed


def update(stimulator, settings, values):
    """Set several fields of one channel or of the session; all or none."""
    on = stimulator.state in (RUNNING, PAUSED)
    if on and not all(settings.field(name)[7] for name in values):
        raise Refused(-221, "not while a session runs; stop it first")
    channel = None  # whose ceiling may become another
    for i in (0, 1):
        if settings is stimulator.channels[i]:
            channel = i
    before = {name: getattr(settings, name) for name in values}
    settings.update(values)
    stimulator.configured(channel)
    if on:
        try:
            _replan(stimulator)
        except Refused:
            settings.update(before)
            stimulator.configured(channel)
            raise
    for name in values:
        if name not in PERSONS:
            by_hand(stimulator)
    stimulator.disarm()
    if channel is not None:
        stimulator.approval.entered(channel, values)


def by_hand(stimulator):
    """What is set now is no program's."""
    stimulator.mode = MANUAL
    stimulator.loaded = ["", ""]


def _replan(stimulator):
    """A live setting has changed: the same time line with other pulses."""
    from firmware.core.fit import refitted

    for i in (0, 1):
        most_ua, why = stimulator.ceiling(i)
        if stimulator.intensity[i].current_ua > most_ua:
            raise Refused(
                -221,
                f"channel {i + 1} at {stimulator.intensity[i].current_ua} uA would be above "
                f"{most_ua} uA ({why})",
            )
    triggered = stimulator.triggered
    if triggered:
        plans = [refitted(plan, stimulator.channels) for plan in triggered.plans]
        plan = triggered.current(plans)
    else:
        plan = refitted(stimulator.plan, stimulator.channels)
    stimulator.plan = plan
    if stimulator.state == RUNNING:
        stimulator.monitor.change(triggered.both(plans) if triggered else plan)
    stimulator.tape.change(plan)
    if triggered:
        triggered.plans = plans
        triggered.changed()
