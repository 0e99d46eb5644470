"""What stops a deployment."""

from __future__ import annotations

from rheobase.client import RheobaseError


class DeployError(RheobaseError):
    """The firmware could not be installed; the words say what is on the board then."""
