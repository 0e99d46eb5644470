"""What viper functions name at compile time, for where they run as plain Python."""

try:
    from micropython import const
except ImportError:

    def const(value):  # type: ignore[misc]
        """On the device the compiler folds it away."""
        return value


def ptr16(memory):
    """To viper a pointer; elsewhere the array itself."""
    return memory


ptr8 = ptr32 = ptr16
