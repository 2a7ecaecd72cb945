"""Makes a `Browser` of a whole Chromium: of a computer's, or of one that was started for it."""

from doer.computers.browser.browser import ACTION_S, OPEN_S, Browser
from doer.computers.browser.cdp import CdpError, Connection
from doer.computers.browser.profile import Options, Profile
from doer.errors import ComputerError


async def attach(
    connection: Connection,
    options: Options,
    *,
    action_s: float = ACTION_S,
    open_s: float = OPEN_S,
) -> Browser:
    """Take over the tabs that Chromium has. It stays its owner's: closing the browser closes the
    connection only. Raises `ComputerError`."""
    try:
        profile = await Profile.open(connection, options)
    except CdpError as error:
        raise ComputerError(f"Chromium cannot be taken over: {error}") from error
    return Browser(connection, "", profile, action_s=action_s, open_s=open_s)
