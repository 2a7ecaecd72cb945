"""What every computer looks like from inside, whichever backend runs it. Standard library only: the
keeper of a local computer reads it too."""

HOME = "/home/agent"
RUN = "/run/vm"
"""A folder shared with the host: the sockets and logs of what runs inside."""
PROXY_PORT = 3128
PROXY = f"http://127.0.0.1:{PROXY_PORT}"
"""The only way to the network."""
