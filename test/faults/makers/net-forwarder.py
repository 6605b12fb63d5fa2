"""Passes Ethernet frames between two interfaces, losing some and delaying each: a bad mobile link.

Arguments: left, right, seed. Each line it reads, "loss delay jitter" (0..1, ms, ms), is the link's manner from now on: each frame except
ARP is lost with that probability, else it takes delay - jitter .. delay + jitter, each way, and may overtake others. Each line is
answered with what happened to frames until then. At first the link is good. Ends with its input.
"""

import heapq
import json
import random
import select
import socket
import sys
import time

PACKET_OUTGOING = 4
ETH_P_ALL = 3
ARP = b"\x08\x06"
ARP_DELAY_S = 0.001

left, right = sys.argv[1:3]
draw = random.Random(int(sys.argv[3]))
loss = delay_ms = jitter_ms = 0.0


def opened(name):
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    packets.bind((name, 0))
    packets.setblocking(False)
    return packets


ends = {left: opened(left), right: opened(right)}
other = {ends[left]: ends[right], ends[right]: ends[left]}
waiting = []
count = {"passed": 0, "lost": 0, "delayed": 0}
number = 0


def take(end):
    global number
    while True:
        try:
            frame, address = end.recvfrom(65535)
        except BlockingIOError:
            return
        # What this very program has sent is heard too.
        if address[2] == PACKET_OUTGOING:
            continue
        after = ARP_DELAY_S
        if frame[12:14] != ARP:
            if draw.random() < loss:
                count["lost"] += 1
                continue
            after = max(0.0, delay_ms + draw.uniform(-jitter_ms, jitter_ms)) / 1000
            count["delayed"] += after > 0
        number += 1
        heapq.heappush(waiting, (time.monotonic() + after, number, other[end], frame))


print(json.dumps(count), flush=True)
while True:
    now = time.monotonic()
    while waiting and waiting[0][0] <= now:
        _, _, end, frame = heapq.heappop(waiting)
        try:
            end.send(frame)
            count["passed"] += 1
        except OSError:
            count["lost"] += 1
    pause = max(0.0, waiting[0][0] - now) if waiting else None
    readable, _, _ = select.select([*other, sys.stdin], [], [], pause)
    for end in readable:
        if end is sys.stdin:
            line = sys.stdin.readline()
            if not line:
                sys.exit(0)
            loss, delay_ms, jitter_ms = (float(word) for word in line.split())
            print(json.dumps(count), flush=True)
        else:
            take(end)
