#!/usr/bin/env python3
"""Opens one device file for golem: Node.js has no ioctl, and a read that hangs would hold one of its threads.

    device-file.py usbtmc|hid PATH [DRIVERS]

DRIVERS is a Python file that is run first, in place of the kernel's USB drivers: for simulated devices.
Speaks frames on stdin and stdout: length of what follows the five bytes (u32, little-endian), a letter, content.

    to it    W  reply wanted (u8), time-out in ms (u32), bytes      write; with a reply wanted, then read a message
             S                                                      read the status byte (usbtmc)
    from it  O                                                      it is open
             W                                                      written
             D  bytes                                               a piece of a message (usbtmc), a report (hid)
             E                                                      the message is complete (usbtmc)
             T                                                      no answer in time; in step again (usbtmc)
             S  status byte (u8), or nothing when it has none
             X  error name, space, what was being done              it failed and is over; the program ends

It ends when stdin ends, whatever it waits for. Standard library only, Python 3.7 or newer.
"""
import errno
import fcntl
import os
import queue
import struct
import sys
import threading
import time

CLEAR = 0x5B02
ABORT_BULK_IN = 0x5B04
SET_TIMEOUT = 0x40045B0A
READ_STATUS_BYTE = 0x80015B12
END_ATTRIBUTE = 0x80015B18
AUTO_ABORT = 0x40015B19
HID_INFO = 0x80084803

# What is asked for in one read: less than an answer is no loss, the rest comes with the next read.
READ_SIZE = 64 * 1024
REPORT_SIZE = 64 * 1024
# The kernel takes no shorter time-out, in ms.
SHORTEST_TIMEOUT = 100
# How long a predecessor that is just ending may keep the file, in s.
LOCK_PATIENCE = 0.5
# An ioctl that this kernel or this kind of file does not have.
NOT_THERE = (errno.ENOTTY, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)

sending = threading.Lock()


class Failed(Exception):
    """The file can't be used any more: name of the error, what was being done."""


def name_of(error):
    return errno.errorcode.get(error.errno, "EIO")


def send(letter, content=b""):
    frame = memoryview(struct.pack("<I", len(content)) + letter + content)
    with sending:
        while frame:
            frame = frame[os.write(1, frame):]


def fail(name, doing):
    send(b"X", (name + " " + doing).encode())
    os._exit(1)


def read_exactly(count):
    parts = []
    while count > 0:
        try:
            part = os.read(0, min(count, 1 << 20))
        except OSError:
            part = b""
        if not part:
            os._exit(0)
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def requests(frames):
    """Takes frames while the file is waited for, so that the end of stdin is noticed at any time."""
    while True:
        head = read_exactly(5)
        frames.put((head[4:5], read_exactly(struct.unpack("<I", head[:4])[0])))


def open_file(path):
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Failed(name_of(error), "open")
    patient_until = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise Failed(name_of(error), "lock")
            if time.monotonic() >= patient_until:
                raise Failed("EBUSY", "lock")
            time.sleep(0.02)


class Usbtmc:
    """A test-and-measurement instrument: write a message, read its answer until the end."""

    def __init__(self, fd):
        self.fd = fd
        self.absent = set()
        self.timeout = None
        # Answers that a predecessor did not fetch must not become ours. An instrument that can't be cleared shows
        # itself with the first question; a file that has no such thing is another kind of file.
        try:
            fcntl.ioctl(fd, CLEAR)
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.ENOTTY):
                raise Failed(name_of(error), "clear")
        self.auto_abort = self.control(AUTO_ABORT, b"\1") is not None

    def control(self, request, argument=None):
        """An ioctl; None when it is not there."""
        if request in self.absent:
            return None
        try:
            if argument is None:
                return fcntl.ioctl(self.fd, request)
            return fcntl.ioctl(self.fd, request, argument)
        except OSError as error:
            if error.errno not in NOT_THERE:
                raise
            self.absent.add(request)
            return None

    def handle(self, letter, content):
        if letter == b"W":
            reply, timeout = struct.unpack("<BI", content[:5])
            self.set_timeout(timeout)
            self.write(content[5:])
            if reply:
                self.read_message()
        elif letter == b"S":
            try:
                byte = self.control(READ_STATUS_BYTE, b"\0")
            except OSError as error:
                raise Failed(name_of(error), "status")
            send(b"S", b"" if byte is None else byte)

    def set_timeout(self, timeout):
        timeout = max(SHORTEST_TIMEOUT, timeout)
        if timeout != self.timeout:
            try:
                self.control(SET_TIMEOUT, struct.pack("<I", timeout))
            except OSError as error:
                raise Failed(name_of(error), "set the time-out")
            self.timeout = timeout

    def write(self, message):
        try:
            written = os.write(self.fd, message)
        except OSError as error:
            self.clear_after(error, "write")
            raise Failed(name_of(error), "write")
        if written != len(message):
            raise Failed("EIO", "write")
        send(b"W")

    def read_message(self):
        while True:
            try:
                piece = os.read(self.fd, READ_SIZE)
            except OSError as error:
                self.clear_after(error, "read")
                if error.errno == errno.ETIMEDOUT:
                    return send(b"T")
                raise Failed(name_of(error), "read")
            if piece:
                send(b"D", piece)
            if self.ended(piece):
                return send(b"E")

    def ended(self, piece):
        try:
            attribute = self.control(END_ATTRIBUTE, b"\0")
        except OSError as error:
            raise Failed(name_of(error), "read")
        if attribute is None:
            return len(piece) < READ_SIZE
        return attribute[0] & 1 == 1

    def clear_after(self, error, doing):
        """Without this a late answer would be the next question's."""
        if error.errno == errno.ENODEV:
            raise Failed("ENODEV", doing)
        try:
            if error.errno == errno.ETIMEDOUT and doing == "read" and not self.auto_abort:
                self.control(ABORT_BULK_IN)
        except OSError as another:
            # There was nothing to abort: the clear counts.
            if another.errno == errno.ENODEV:
                raise Failed("ENODEV", doing)
        try:
            self.control(CLEAR)
        except OSError as another:
            raise Failed(name_of(another), "clear")


class Hid:
    """A device that takes and gives reports."""

    def __init__(self, fd):
        self.fd = fd
        # "Written" is said before any report that came after it: what is said before that is no answer.
        self.order = threading.Lock()
        try:
            fcntl.ioctl(fd, HID_INFO, bytes(8))
        except OSError as error:
            raise Failed(name_of(error), "ask what it is")
        threading.Thread(target=self.listen, daemon=True).start()

    def handle(self, letter, content):
        if letter != b"W":
            return
        with self.order:
            try:
                # The kernel wants the report's number first: 0, these devices have but one.
                os.write(self.fd, b"\0" + content[5:])
            except OSError as error:
                raise Failed(name_of(error), "write")
            send(b"W")

    def listen(self):
        while True:
            try:
                report = os.read(self.fd, REPORT_SIZE)
            except OSError as error:
                # The kernel says EIO when the device has gone.
                fail("ENODEV" if error.errno == errno.EIO else name_of(error), "read")
            if not report:
                fail("ENODEV", "read")
            with self.order:
                send(b"D", report)


def main():
    kind, path = sys.argv[1:3]
    for drivers in sys.argv[3:]:
        with open(drivers, encoding="utf-8") as code:
            exec(compile(code.read(), drivers, "exec"), {"__name__": "drivers"})
    frames = queue.Queue()
    threading.Thread(target=requests, args=(frames,), daemon=True).start()
    try:
        device = {"usbtmc": Usbtmc, "hid": Hid}[kind](open_file(path))
        send(b"O")
        while True:
            device.handle(*frames.get())
    except Failed as failed:
        fail(*failed.args)
    except BrokenPipeError:
        # golem has gone: nobody is there to be told.
        os._exit(0)


main()
