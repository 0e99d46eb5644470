"""SCPI numbers where MicroPython's integers change their kind: at 2**30 a small int ends."""

from scpi.errors import ScpiError
from scpi.numbers import format_quantity, parse_quantity
from scpi.refusals import describe

SMALL_INT_END = 1 << 30


def expect(found, wanted):
    if found != wanted or not isinstance(found, type(wanted)):
        raise AssertionError("{!r} is not {!r}".format(found, wanted))


def test_quantities_are_integers():
    for text in ("400us", "0.4 ms", "4E-4", "400E-6S", "0.00040000000000000000000000000000000"):
        expect(parse_quantity(text, "S", 9), 400_000)
    expect(parse_quantity("9.9E37"), 99 * 10**36)


def test_around_the_end_of_small_integers():
    for power in (29, 30, 31, 32, 62, 63, 64):
        for offset in (-2, -1, 0, 1, 2):
            value = (1 << power) + offset
            for signed in (value, -value):
                text = str(signed)
                expect(parse_quantity(text), signed)
                expect(format_quantity(signed), text)
                for scale in (3, 6, 9, 12):
                    shown = format_quantity(signed, scale)
                    expect(parse_quantity(shown, "S", scale, True), signed)
                    expect(parse_quantity(describe(signed, scale, "S"), "S", scale, True), signed)


def test_rounding_around_the_end_of_small_integers():
    for value in (SMALL_INT_END - 1, SMALL_INT_END, SMALL_INT_END + 1, (1 << 62) - 1, 1 << 62):
        expect(parse_quantity(str(value) + ".4999999"), value)
        expect(parse_quantity(str(value) + ".5"), value + 1)
        expect(parse_quantity("-" + str(value) + ".5"), -value - 1)
        expect(parse_quantity(str(value) + "4E-1"), value)
        expect(parse_quantity(str(value) + "5E-1"), value + 1)


def test_many_digits():
    expect(parse_quantity("1" * 40), int("1" * 40))
    expect(parse_quantity("0." + "1" * 40, None, 40), int("1" * 40))
    for text, code in (
        ("1" * 41, -124),
        ("1E61", -222),
        ("1E32001", -123),
        ("x", -104),
        ("1 A", -138),
        ("\xb5", -104),
    ):
        try:
            found = parse_quantity(text)
        except ScpiError as error:
            found = error.code
        expect(found, code)


def test_a_number_within_the_small_integers_allocates_little():
    """A float or a long integer on the way would show: each takes a block of the heap."""
    import gc

    token = b"400us"
    parse_quantity(token, "S", 9)
    before = gc.mem_alloc()
    parse_quantity(token, "S", 9)
    used = gc.mem_alloc() - before
    print(used, "bytes")
    if used > 400:
        raise AssertionError("one number took {} bytes of heap".format(used))
