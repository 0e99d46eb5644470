"""Mnemonics, character data, and telling the kinds of program data apart by their first byte."""

from .errors import ScpiError, printable

LONGEST_WORD = 12

BASES = {72: 16, 81: 8, 66: 2}  # the letters of #H1F, #Q17 and #B101


def short_form(word):
    """The short form of a mnemonic written as in the standard: "CURRent" gives "CURR"."""
    return "".join([letter for letter in word if not "a" <= letter <= "z"])


def matches(token, word):
    """Whether upper-case `token` (str) is the short or the long form of `word`."""
    return token == short_form(word) or token == word.upper()


def is_word(token):
    first = token[0] & 0xDF
    return 65 <= first <= 90


def wrong_kind(token):
    """The error for an element of a kind that this parameter does not take."""
    first = token[0]
    if first == 34 or first == 39:
        code = -158
    elif 48 <= first <= 57 or first == 43 or first == 45 or first == 46:
        code = -128
    elif first == 35:
        code = -128 if len(token) > 1 and token[1] & 0xDF in BASES else -168
    elif first == 40:
        code = -178
    elif is_word(token):
        code = -148
    else:
        code = -102
    return ScpiError(code, printable(token))


def word(token):
    """Character data in upper case, as str."""
    if not is_word(token):
        raise wrong_kind(token)
    if len(token) > LONGEST_WORD:
        raise ScpiError(-144, printable(token))
    return str(token, "ascii").upper()
