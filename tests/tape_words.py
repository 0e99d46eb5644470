"""Writes and plays words of the tape for the inspector's tests, from the format alone."""

from array import array

CH1_PLUS, CH1_MINUS, CH2_PLUS, CH2_MINUS, GATE, SYNC = 1, 2, 4, 8, 16, 32
LEGS = 15
SHORTEST, LONGEST = 5, (1 << 24) + 4
LEVEL_TURNS = 4


def segment(turns: int, pins: int) -> int:
    """The word that holds these pins for so many turns."""
    if not SHORTEST <= turns <= LONGEST:
        raise ValueError(f"a segment can't last {turns} turns")
    return (turns - SHORTEST) << 6 | pins


def level_word(first: int, second: int) -> int:
    """The word that sets the levels of both channels."""
    return 1 << 31 | second << 16 | first


def turns_of(word: int) -> int:
    """How long a word lasts."""
    return LEVEL_TURNS if word >> 31 else (word >> 6) + SHORTEST


class Block:
    """One block of tape in the making."""

    def __init__(self) -> None:
        self.words: list[int] = []

    @property
    def turns(self) -> int:
        """What the words add up to."""
        return sum(turns_of(word) for word in self.words)

    def hold(self, turns: int, pins: int = 0) -> "Block":
        """Hold the pins; in several words if one can't hold them so long."""
        while turns > LONGEST:
            piece = min(LONGEST, turns - SHORTEST)
            self.words.append(segment(piece, pins))
            turns -= piece
        self.words.append(segment(turns, pins))
        return self

    def levels(self, first: int, second: int) -> "Block":
        """Set both levels."""
        self.words.append(level_word(first, second))
        return self

    def pulse(
        self,
        channel: int,
        width: int,
        gap: int,
        *,
        lead: int = 0,
        minus_first: bool = False,
        pieces: int = 1,
        second_width: int | None = None,
    ) -> "Block":
        """Two opposite phases, GATE high from `lead` turns before; a phase may be many words."""
        legs = [CH1_PLUS, CH1_MINUS] if channel == 0 else [CH2_PLUS, CH2_MINUS]
        if minus_first:
            legs.reverse()
        if lead:
            self.hold(lead, GATE)
        self._phase(width, legs[0] | GATE | SYNC, pieces)
        self.hold(gap, GATE)
        self._phase(width if second_width is None else second_width, legs[1] | GATE, 1)
        return self

    def _phase(self, width: int, pins: int, pieces: int) -> None:
        for _ in range(pieces - 1):
            self.hold(width // pieces, pins)
        self.hold(width - width // pieces * (pieces - 1), pins)

    def halves(self) -> array:
        """The block as it lies in memory."""
        return halves(self.words)


def halves(words: list[int]) -> array:
    """Words as an array of halves, low half first."""
    result = array("H")
    for word in words:
        result.append(word & 0xFFFF)
        result.append(word >> 16)
    return result


def play(words: list[int]) -> list[tuple[int, int, int, int, int]]:
    """What a state machine makes of the words: (from turn, to turn, pins, level 1, level 2).

    A segment sets the pins and lasts its hold and 5 turns; a level word leaves the pins as they
    are for 4 more and the levels change at its end. Neighbours that agree are joined.
    """
    played: list[tuple[int, int, int, int, int]] = []
    turn, pins, first, second = 0, 0, 0, 0
    for word in words:
        was = first, second
        if word & 1 << 31:
            lasts = 4
            first, second = word & 0x7FFF, word >> 16 & 0x7FFF
        else:
            lasts = (word >> 6 & (1 << 25) - 1) + 5
            pins = word & 0x3F
        if played and played[-1][2:] == (pins, *was):
            played[-1] = (played[-1][0], turn + lasts, pins, *was)
        else:
            played.append((turn, turn + lasts, pins, *was))
        turn += lasts
    return played
