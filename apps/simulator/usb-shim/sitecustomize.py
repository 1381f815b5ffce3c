"""Pretends the kernel's USB drivers to a Python program: put this folder into its PYTHONPATH.

A device file that is a unix socket is taken for a USB device (see apps/simulator/src/usbtmc-bus.ts); everything else
goes to the real system. As the kernel's usbtmc driver does it: headers, tags, padding, time-outs, clear, abort. As its
hidraw driver does it: one report each time. Locks are real ones, on a file beside the socket.
"""
import errno
import fcntl
import os
import select
import socket
import stat
import struct
import time

real_open, real_read, real_write, real_ioctl = os.open, os.read, os.write, fcntl.ioctl
devices = {}
STALLED = b"P"


def error(number):
    return OSError(number, os.strerror(number))


class Device:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.received = b""
        self.bulk, self.answers, self.reports = [], [], []
        self.tag = 0
        self.timeout = 5.0
        self.attribute = 0
        self.auto_abort = False
        self.kind, self.old = None, False
        self.wait(lambda: self.kind)

    def transfer(self, letter, content):
        try:
            self.socket.sendall(letter + struct.pack("<I", len(content)) + content)
        except OSError:
            raise error(errno.ENODEV)

    def wait(self, got, timeout=None):
        """Takes frames until `got` gives something."""
        until = None if timeout is None else time.monotonic() + timeout
        while not got():
            left = None if until is None else max(0, until - time.monotonic())
            if not select.select([self.socket], [], [], left)[0]:
                raise error(errno.ETIMEDOUT)
            try:
                piece = self.socket.recv(1 << 20)
            except OSError:
                piece = b""
            if not piece:
                raise error(errno.ENODEV)
            self.received += piece
            while len(self.received) >= 5:
                length = struct.unpack("<I", self.received[1:5])[0]
                if len(self.received) < 5 + length:
                    break
                self.frame(self.received[:1], self.received[5:5 + length])
                self.received = self.received[5 + length:]

    def frame(self, letter, content):
        if letter == b"K":
            self.kind, self.old = content.split(b",")[0], content.endswith(b",old")
        elif letter == b"H":
            self.reports.append(content)
        elif letter == b"R":
            self.answers.append(content)
        else:
            self.bulk.append((letter, content))

    def control(self, request, value, length):
        self.answers.clear()
        self.transfer(b"C", struct.pack("<BBHHH", 0xA1, request, value, 0, length))
        self.wait(lambda: self.answers, self.timeout)
        return self.answers.pop()

    def next_tag(self):
        self.tag = self.tag % 255 + 1
        return self.tag

    def write(self, message):
        if self.kind == b"hid":
            self.transfer(b"H", message[1:] if message[:1] == b"\0" else message)
            return len(message)
        tag = self.next_tag()
        header = struct.pack("<BBBBIBBBB", 1, tag, tag ^ 255, 0, len(message), 1, 0, 0, 0)
        self.transfer(b"O", header + message + b"\0" * (-len(message) % 4))
        return len(message)

    def read(self, count):
        if self.kind == b"hid":
            self.wait(lambda: self.reports)
            return self.reports.pop(0)[:count]
        tag = self.next_tag()
        self.transfer(b"O", struct.pack("<BBBBIBBBB", 2, tag, tag ^ 255, 0, count, 0, 0, 0, 0))
        try:
            self.wait(lambda: self.bulk, self.timeout)
        except OSError as failure:
            if failure.errno == errno.ETIMEDOUT and self.auto_abort:
                self.abort()
            raise
        letter, content = self.bulk.pop(0)
        if letter == STALLED:
            raise error(errno.EPIPE)
        if len(content) < 12:
            raise error(errno.EIO)
        identity, got, inverse, _, length, attribute = struct.unpack("<BBBBIB", content[:9])
        if identity != 2 or got != tag or inverse != tag ^ 255 or length > count or len(content) < 12 + length:
            raise error(errno.EIO)
        self.attribute = attribute
        return content[12:12 + length]

    def abort(self):
        if self.control(3, self.tag, 2)[0] == 1:
            self.control(4, 0, 8)
        self.bulk.clear()

    def ioctl(self, request, argument):
        if self.kind == b"hid":
            if request == 0x80084803:
                return struct.pack("<IHH", 3, 0x888, 0x4000)
            raise error(errno.ENOTTY)
        if request == 0x5B02:
            if self.control(5, 0, 1)[0] != 1:
                raise error(errno.EPERM)
            until = time.monotonic() + self.timeout
            while self.control(6, 0, 2)[0] == 2:
                if time.monotonic() > until:
                    raise error(errno.ETIMEDOUT)
                time.sleep(0.005)
            self.bulk.clear()
            return 0
        if request == 0x5B04:
            self.abort()
            return 0
        if self.old:
            raise error(errno.ENOTTY)
        if request == 0x40045B0A:
            milliseconds = struct.unpack("<I", argument)[0]
            if milliseconds < 100:
                raise error(errno.EINVAL)
            self.timeout = milliseconds / 1000
            return 0
        if request == 0x40015B19:
            self.auto_abort = argument != b"\0"
            return 0
        if request == 0x80015B18:
            return bytes([self.attribute])
        if request == 0x80015B12:
            tag = self.next_tag() % 126 + 2
            status, echoed, byte = self.control(128, tag, 3)
            if status != 1 or echoed != tag:
                raise error(errno.EIO)
            return bytes([byte])
        raise error(errno.ENOTTY)


def open_(path, flags, mode=0o777, **more):
    try:
        pretended = not more and stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        pretended = False
    if not pretended:
        return real_open(path, flags, mode, **more)
    try:
        device = Device(path)
    except OSError:
        raise error(errno.ENODEV)
    fd = real_open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    devices[fd] = device
    return fd


def read_(fd, count):
    return devices[fd].read(count) if fd in devices else real_read(fd, count)


def write_(fd, content):
    return devices[fd].write(bytes(content)) if fd in devices else real_write(fd, content)


def ioctl_(fd, request, argument=0, mutate=True):
    if fd in devices:
        return devices[fd].ioctl(request, argument)
    return real_ioctl(fd, request, argument, mutate)


os.open, os.read, os.write, fcntl.ioctl = open_, read_, write_, ioctl_
