# SPDX-License-Identifier: Apache-2.0
"""Ports to listen on, from below the range the kernel takes for outgoing connections: a port from within it may be
taken by one of our own clients between choosing and binding."""
import random
import socket
from pathlib import Path


def free_port():
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first_ephemeral // 2, first_ephemeral)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
