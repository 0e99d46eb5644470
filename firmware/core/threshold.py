"""An analogue trigger input as a switch."""


class Threshold:
    """An analogue input as a switch: active beyond the threshold until back by the hysteresis."""

    def __init__(self, level_mv, hysteresis_mv, falling):
        self._sign = -1 if falling else 1
        self._on = level_mv * self._sign
        self._off = self._on - hysteresis_mv
        self._active = 0

    def step(self, value_mv):
        value = value_mv * self._sign
        if value >= self._on:
            self._active = 1
        elif value < self._off:
            self._active = 0
        return self._active
