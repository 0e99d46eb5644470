"""Intensity as a multiple of a channel's stored threshold. Imported for one command."""

from firmware.core.refused import Refused

NAMES = ("motor", "sensory")


def put(stimulator, channel, thousandths, name):
    """Set channel 0 or 1 to a multiple of its motor (0) or sensory (1) threshold.

    All rules of the way up hold. Refused (-221) where no threshold is stored.
    """
    threshold_ua = stimulator.storage.value(NAMES[name] + "_ua", channel)
    if not threshold_ua:
        raise Refused(-221, f"no {NAMES[name]} threshold of channel {channel + 1} is stored")
    stimulator.set_current(channel, threshold_ua * thousandths // 1000)


def told(stimulator, channel):
    """Motor and sensory threshold in A; 0 for one that is not known."""
    value = stimulator.storage.value
    return ",".join([f"{value(name + '_ua', channel)}E-6" for name in NAMES])
