"""Settings as they are before anybody sets them. Imported for it, with the output off."""


def reset(stimulator):
    """Every setting at its default, or as the configuration has it."""
    from firmware.safety.changes import by_hand

    stimulator.session.reset()
    for channel in stimulator.channels:
        channel.reset()
    by_hand(stimulator)
    use_stored(stimulator)
    stimulator.approval.forget()


def use_stored(stimulator):
    """What the configuration says differently from the settings' own defaults."""
    for i in (0, 1):
        stimulator.channels[i].put("pad_mm2", stimulator.storage.value("pad_mm2", i))
    stimulator.configured()
