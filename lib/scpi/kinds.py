"""What a parameter of a command may be: from the bytes sent to a value, and back for the reply."""

from .errors import ScpiError, forget, quoted, told
from .quantity import INFINITY, Boolean, Quantity

__all__ = ("INFINITY", "Boolean", "Choice", "Integer", "Optional", "Quantity", "Text")


def _short(word):
    return "".join([letter for letter in word if not "a" <= letter <= "z"])


class Integer(Quantity):
    """A whole number without a unit; also takes #H, #Q and #B."""

    def __init__(self, low=None, high=None, default=None, infinity=None):
        super().__init__(None, 0, low, high, default, infinity, True)


class Choice:
    """One of some words, "POSitive|NEGative|ALTernating", in short or long form.

    The value is the word's place (0, 1, 2), or what stands there in `values`.
    """

    def __init__(self, words, values=None):
        self.words = words
        self.values = values

    def parse(self, token, numbers=()):
        said = told("word", token)
        for place, choice in enumerate(self.words.split("|")):
            if said == _short(choice) or said == choice.upper():
                forget()
                return self.values[place] if self.values else place
        raise told("error", -141, token, " is not " + self.words)

    def format(self, value):
        if self.values:
            value = self.values.index(value)
        return _short(self.words.split("|")[value])


class Text:
    """A string in single or double quotes, of up to `longest` characters."""

    def __init__(self, longest=80):
        self.longest = longest

    def parse(self, token, numbers=()):
        quote = token[0]
        if quote != 34 and quote != 39:
            raise told("wrong_kind", token)
        text = str(token, "ascii")
        mark = text[0]
        inside = text[1:-1].replace(mark + mark, "")
        if len(text) < 2 or text[-1] != mark or mark in inside:
            raise told("error", -151, token)
        text = text[1:-1].replace(mark + mark, mark)
        if len(text) > self.longest:
            raise ScpiError(-223, "more than " + str(self.longest) + " characters")
        return text

    def format(self, value):
        return quoted(value)


class Optional:
    """A parameter at the end that may be left out; then its value is `missing`."""

    def __init__(self, kind, missing):
        self.kind = kind
        self.missing = missing
        self.parse = kind.parse
        self.format = kind.format
