"""Writes a Packages.db (rpm 4.20, lib/backend/ndb/rpmpkg.c) of the header blobs in a rpmdb.sqlite: ndb.py rpmdb.sqlite Packages.db"""
import sqlite3, struct, sys, zlib

rows = sqlite3.connect(sys.argv[1]).execute("SELECT hnum, blob FROM Packages ORDER BY hnum").fetchall()
BLOCK, PAGE = 16, 4096
slots, blobs, at = [], b"", PAGE
for number, blob in rows:
    head = struct.pack("<4sIII", b"BlbS", number, 1, len(blob))
    body = head + blob
    pad = -(len(body) + 12) % BLOCK
    tail = b"\0" * pad + struct.pack("<II4s", zlib.adler32(body + b"\0" * pad), len(blob), b"BlbE")
    size = len(body) + len(tail)
    slots.append(struct.pack("<4sIII", b"Slot", number, at // BLOCK, size // BLOCK))
    blobs += body + tail
    at += size
free = struct.pack("<4sIII", b"Slot", 0, 0, 0)
slots += [free] * ((PAGE - 32) // 16 - len(slots))
with open(sys.argv[2], "wb") as f:
    f.write(struct.pack("<4sIIII12x", b"RpmP", 0, 1, 1, len(rows) + 1) + b"".join(slots) + blobs)
