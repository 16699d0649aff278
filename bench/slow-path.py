"""A path with a round trip of DELAY ms: whoever connects to FAR reaches who listens at NEAR.

A TUN device takes every packet for FAR, holds it back for half of DELAY, and hands it back with its addresses swapped, so
that the kernel takes it for one that came from FAR (the checksums hold for a swap). Both ways are delayed, and TCP's own
handshake with them. Prints "ready". usage: slow-path.py NEAR FAR DELAY (as root)
"""
import collections
import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

# <linux/prctl.h>: with whoever started it the device goes, too
PR_SET_PDEATHSIG, SIGKILL = 1, 9
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)

# <linux/if_tun.h>
TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x1001

near, far, delay_ms = sys.argv[1], sys.argv[2], float(sys.argv[3])
device = f"bench{os.getpid() % 100000}"
try:
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN_WITHOUT_HEADER))
    subprocess.check_call(["ip", "address", "add", near, "peer", far, "dev", device])
    subprocess.check_call(["ip", "link", "set", device, "up", "txqueuelen", "10000"])
except (OSError, subprocess.CalledProcessError) as error:
    sys.exit(f"no path that delays packets: {error}")
print("ready", flush=True)

held = collections.deque()
while True:
    wait = max(0.0, held[0][0] - time.monotonic()) if held else None
    if select.select([tun], [], [], wait)[0]:
        try:
            while True:
                packet = os.read(tun, 65536)
                if packet[0] >> 4 == 4:
                    swapped = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
                    held.append((time.monotonic() + delay_ms / 2000, swapped))
        except BlockingIOError:
            pass
    while held and held[0][0] <= time.monotonic():
        os.write(tun, held.popleft()[1])
