"""Reads a file in portions, for checks that must not hold it in memory."""


def read_file(path, buffer):
    """Yield the file's bytes as views of `buffer`; nothing if there is no such file."""
    view = memoryview(buffer)
    try:
        with open(path, "rb") as file:
            while True:
                count = file.readinto(buffer)
                if not count:
                    return
                yield view[:count]
    except OSError:
        return
