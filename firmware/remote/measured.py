"""What was delivered, in SCPI's words."""

from scpi import format_quantity


class Measured:
    """Answers of a stimulator's monitor (safety/monitor.py); channels are 1 and 2 here."""

    def __init__(self, stimulator):
        self._stimulator = stimulator

    def current(self, channel):
        return _all(self._stimulator.monitor.current_ua(channel - 1), 6)

    def rms(self, channel):
        return format_quantity(self._stimulator.monitor.rms_ua(channel - 1), 6)

    def mean(self, channel):
        return format_quantity(self._stimulator.monitor.mean_ua(channel - 1), 6)

    def charge(self, channel):
        return _all(self._stimulator.monitor.charge_nc(channel - 1), 9)

    def net(self, channel):
        return _all(self._stimulator.monitor.net_nc(channel - 1), 9)

    def direct(self, channel):
        return format_quantity(self._stimulator.monitor.net_nc(channel - 1)[1], 9)

    def ohm(self, channel):
        return self._stimulator.monitor.ohm(channel - 1)

    def ledger(self, channel):
        """Pulses measured, charge and net charge of the session."""
        monitor = self._stimulator.monitor
        return (
            monitor.measured(channel - 1),
            format_quantity(monitor.charge_uc(channel - 1), 6),
            format_quantity(monitor.net_nc(channel - 1)[2], 9),
        )

    def unsure(self, channel):
        return format_quantity(self._stimulator.monitor.unsure_nc(channel - 1), 9)


def _all(values, exponent):
    return tuple([format_quantity(value, exponent) for value in values])
