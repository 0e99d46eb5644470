"""The one exception with which the core says no."""


class Refused(Exception):
    """A setting or a request that is not accepted; nothing was changed.

    `code` is the SCPI error number (-222 out of range, -221 settings conflict, ...);
    `text` names the value and the limit.
    """

    def __init__(self, code, text):
        super().__init__(code, text)
        self.code = code
        self.text = text
