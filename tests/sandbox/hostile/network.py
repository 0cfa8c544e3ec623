"""Programs that talk to the network."""

from sandbox.hostile.program import Family

network = Family("sockets")

network.stdin(
    "connect",
    "connect to a server on this machine",
    """
    import http.client, socket, urllib.request
    attempt("tcp", socket.create_connection, ("127.0.0.1", T["port"]), 1)
    attempt("http", urllib.request.urlopen, f"http://127.0.0.1:{T['port']}/", None, 1)
    attempt("client", lambda: http.client.HTTPConnection("127.0.0.1", T["port"], timeout=1).request("GET", "/"))
    """,
)
network.stdin(
    "datagrams",
    "send datagrams",
    """
    import socket
    attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", T["udp_port"])))
    attempt("udp6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
    attempt("icmp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1))
    """,
)
network.stdin(
    "unix_sockets",
    "connect to Unix sockets, named and abstract",
    """
    import socket
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for address in (T["unix"], "\\0" + T["abstract"], "/run/docker.sock", "/run/dbus/system_bus_socket", "/dev/log"):
            attempt(address, lambda: socket.socket(socket.AF_UNIX, kind).connect(address))
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for address in (T["unix"], "\\0" + T["abstract"], "\\0" + T["abstract"] + "-datagram"):
        attempt("connect pair", pair[0].connect, address)
        attempt("sendto", pair[0].sendto, b"x", address)
        attempt("sendmsg", pair[0].sendmsg, [b"x"], [], 0, address)
        attempt("bind", pair[0].bind, address + "-own")
    """,
)
network.stdin(
    "descriptors_over_sockets",
    "pass descriptors over a pair of sockets",
    """
    import socket
    one, other = socket.socketpair()
    attempt("send", socket.send_fds, one, [b"x"], [0])
    attempt("receive", socket.recv_fds, other, 1, 1)
    attempt("option", one.setsockopt, socket.SOL_SOCKET, 32, 1 << 30)
    attempt("buffer", one.setsockopt, socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    """,
)
network.stdin(
    "servers",
    "listen",
    """
    import http.server, socket
    attempt("tcp", socket.create_server, ("127.0.0.1", 0))
    attempt("http", http.server.HTTPServer, ("127.0.0.1", 0), None)
    attempt("unix", lambda: socket.socket(socket.AF_UNIX).bind("\\0" + T["token"]))
    """,
)
network.stdin(
    "names",
    "look up names",
    """
    import socket
    attempt("getaddrinfo", socket.getaddrinfo, "example.org", 80)
    attempt("gethostbyname", socket.gethostbyname, "example.org")
    attempt("interfaces", lambda: socket.if_nameindex() or 1 / 0)
    """,
)
network.stdin(
    "event_loop",
    "use the network with asyncio",
    """
    import asyncio
    async def listen():
        return (await asyncio.start_server(print, "127.0.0.1", 0)).sockets[0]
    async def main():
        for call in (asyncio.open_connection("127.0.0.1", T["port"]), listen(),
                     asyncio.create_subprocess_shell("true"), asyncio.open_unix_connection(T["unix"])):
            try:
                await asyncio.wait_for(call, 1)
                breach(str(call))
            except BaseException: pass
    asyncio.run(main())
    """,
    *("ok", "exception"),
)
network.stdin(
    "odd_families",
    "open sockets of every family",
    """
    import socket
    for family in range(1, 46):
        for kind in (1, 2, 3, 5):
            for protocol in (0, 1, 15, 16): attempt(f"{family} {kind}", lambda: socket.socket(family, kind, protocol).close())
        if family != 1: attempt(f"pair {family}", socket.socketpair, family)
    """,
)
network.stdin(
    "sockets_by_number",
    "make sockets by raw system calls",
    """
    import struct
    address = struct.pack("HH4s8x", 2, int.from_bytes(T["port"].to_bytes(2, "big"), "little"), bytes([127, 0, 0, 1]))
    pair = ctypes.create_string_buffer(8)
    LIBC.socketpair(1, 2, 0, pair)
    fd = int.from_bytes(pair.raw[:4], "little")
    attempt("socket", syscall, 41, 2, 1, 0)
    attempt("connect", syscall, 42, fd, address, 16)
    attempt("sendto", syscall, 44, fd, b"x", 1, 0, address, 16)
    attempt("sendmsg", syscall, 46, fd, address, 0)
    attempt("sendmmsg", syscall, 307, fd, address, 1, 0)
    attempt("recvmsg", syscall, 47, fd, address, 0)
    attempt("accept", syscall, 43, fd, 0, 0)
    attempt("bind", syscall, 49, fd, address, 16)
    attempt("listen", syscall, 50, fd, 1)
    attempt("setsockopt", syscall, 54, fd, 1, 32, pair, 4)
    attempt("socketpair, high bits", syscall, 53, 2 | 1 << 40, 1, 0, pair)
    attempt("x32 socket", syscall, 0x40000000 | 41, 2, 1, 0)
    """,
    x86_64_only=True,
)
network.stdin(
    "io_uring",
    "do input and output through a ring",
    """
    parameters = ctypes.create_string_buffer(120)
    attempt("setup", syscall, 425, 8, parameters)
    for fd in (-1, 0, 3): attempt("register", syscall, 427, fd, 0, parameters, 1)
    attempt("enter", syscall, 426, 3, 1, 0, 0, 0, 0)
    attempt("io_setup", syscall, 206, 8, parameters)
    """,
    x86_64_only=True,
)
