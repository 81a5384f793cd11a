"""Opens event streams of the dashboard and reads them until the aggregator ends: readers.py PORT STREAMS"""
import selectors
import socket
import sys
import time

port, wanted = int(sys.argv[1]), int(sys.argv[2])
selector = selectors.DefaultSelector()


def connect():
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                sys.exit("readers: nobody listens")
            time.sleep(0.05)


def read_one(source):
    try:
        return source.recv(1 << 16)
    except ConnectionResetError:
        return b""


for _ in range(wanted):
    one = connect()
    one.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    selector.register(one, selectors.EVENT_READ)
read, open_streams = 0, wanted
while open_streams:
    for key, _ in selector.select():
        data = read_one(key.fileobj)
        read += len(data)
        if not data:
            selector.unregister(key.fileobj)
            key.fileobj.close()
            open_streams -= 1
print(f"readers: {wanted} streams, {read / 1e6:.1f} MB")
