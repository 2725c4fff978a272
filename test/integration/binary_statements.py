"""A client with prepared statements of the binary protocol, packet by packet: what it receives is what the server sent."""

import struct

import pymysql

from mariadb_cluster import APP_PASSWORD, APP_USER

PREPARE, EXECUTE, LONG_DATA, CLOSE, RESET, FETCH = 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1C
BIGINT, TEXT, BLOB, DOUBLE = 8, 253, 252, 5
CURSOR_EXISTS, LAST_ROW_SENT = 0x40, 0x80
IN_PIECES = object()  # a parameter whose value goes before, by long_data()


def number_of(payload):
    """The error's number, or None where it is none."""
    return struct.unpack_from("<H", payload, 1)[0] if payload[0] == 0xFF else None


def typed(value):
    """Type and bytes of a parameter; None: no bytes."""
    if value is None or isinstance(value, int):
        return BIGINT, None if value is None else struct.pack("<q", value)
    if isinstance(value, float):
        return DOUBLE, struct.pack("<d", value)
    if value is IN_PIECES:
        return BLOB, b""
    data = value.encode()
    assert len(data) < 1 << 24
    length = bytes([len(data)]) if len(data) < 251 else b"\xfc" + struct.pack("<H", len(data)) if len(data) < 1 << 16 else b"\xfd" + struct.pack("<I", len(data))[:3]
    return TEXT, length + data


class BinaryClient(pymysql.connections.Connection):
    """Each command gives the payloads of its response's packets."""

    def __init__(self, host, port, user=APP_USER, password=APP_PASSWORD, database="shop", **options):
        super().__init__(host=host, port=port, user=user, password=password, database=database, autocommit=None, read_timeout=60, **options)
        self.types = {}  # of each statement, as they were said last
        self.counts = {}  # of each statement: parameters, columns

    def send(self, command, payload):
        self._next_seq_id = 0
        data = bytes([command]) + payload
        while True:  # write_packet() takes what fits one packet
            piece, data = data[:0xFFFFFF], data[0xFFFFFF:]
            self.write_packet(piece)
            if len(piece) < 0xFFFFFF:
                return

    def packet(self):
        """One payload as it came; an ERR is given, not raised."""
        data = b""
        while True:
            header = self._read_bytes(4)
            length = header[0] | header[1] << 8 | header[2] << 16
            self._next_seq_id = (header[3] + 1) % 256
            data += self._read_bytes(length)
            if length < 0xFFFFFF:
                return data

    def until_eofs(self, packets, count):
        while count and not (packets[-1][0] == 0xFF and len(packets[-1]) > 3):
            packets.append(self.packet())
            count -= packets[-1][0] == 0xFE and len(packets[-1]) < 9
        return packets

    def results(self):
        """One result, or one after the other of a procedure."""
        packets = []
        while True:
            packets.append(self.packet())
            if packets[-1][0] == 0xFF:
                return packets
            if packets[-1][0] == 0x00:
                _, at = length_encoded(packets[-1], 1)
                _, at = length_encoded(packets[-1], at)
                status = struct.unpack_from("<H", packets[-1], at)[0]
            else:
                self.until_eofs(packets, 1)
                status = struct.unpack_from("<H", packets[-1], 3)[0]
                if not status & CURSOR_EXISTS:
                    self.until_eofs(packets, 1)
                    status = 0 if packets[-1][0] == 0xFF else struct.unpack_from("<H", packets[-1], 3)[0]
            if not status & 8:
                return packets

    def text(self, sql):
        self.send(0x03, sql.encode())
        return self.results()

    def prepare(self, sql):
        """The statement's id, or None; and the packets."""
        self.send(PREPARE, sql.encode())
        packets = [self.packet()]
        if packets[0][0] != 0:
            return None, packets
        statement, columns, parameters = struct.unpack_from("<IHH", packets[0], 1)
        self.counts[statement] = parameters, columns
        self.until_eofs(packets, (parameters > 0) + (columns > 0))
        return statement, packets

    def execute(self, statement, *values, cursor=False, says_types=None):
        """The types are said where they are others than before, or as told."""
        parameters = [typed(value) for value in values]
        types = b"".join(struct.pack("<H", kind) for kind, _ in parameters)
        said = self.types.get(statement) != types if says_types is None else says_types
        nulls = bytearray((len(values) + 7) // 8)
        for at, (_, data) in enumerate(parameters):
            if data is None:
                nulls[at // 8] |= 1 << at % 8
        payload = struct.pack("<IBI", statement, int(cursor), 1)
        if values:
            payload += bytes(nulls) + bytes([said]) + (types if said else b"")
            payload += b"".join(data for _, data in parameters if data is not None)
            self.types[statement] = types
        self.send(EXECUTE, payload)
        return self.results()

    def fetch(self, statement, count):
        self.send(FETCH, struct.pack("<II", statement, count))
        packets = [self.packet()]
        return packets if packets[0][0] in (0xFE, 0xFF) and len(packets[0]) < 9 else self.until_eofs(packets, 1)

    def long_data(self, statement, parameter, data):
        self.send(LONG_DATA, struct.pack("<IH", statement, parameter) + data)

    def reset(self, statement):
        self.send(RESET, struct.pack("<I", statement))
        return [self.packet()]

    def forget(self, statement):
        self.send(CLOSE, struct.pack("<I", statement))

    def values(self, statement, *values, **options):
        """The rows' first columns, which must be text; AssertionError with the error's payload."""
        packets = self.execute(statement, *values, **options)
        assert packets[-1][0] == 0xFE, packets[-1]
        first_row = next(at for at, packet in enumerate(packets) if packet[0] == 0xFE) + 1
        return [first_text(packet) for packet in packets[first_row:-1]]

    def value(self, statement, *values, **options):
        rows = self.values(statement, *values, **options)
        assert len(rows) == 1, rows
        return rows[0]


def length_encoded(data, at):
    if data[at] < 251:
        return data[at], at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[data[at]]
    return int.from_bytes(data[at + 1:at + 1 + size], "little"), at + 1 + size


def first_text(row):
    """Of a binary row of one column."""
    assert row[0] == 0
    if row[1] & 4:
        return None
    length, at = length_encoded(row, 2)
    return row[at:at + length].decode()


__all__ = ["BinaryClient", "IN_PIECES", "LAST_ROW_SENT", "number_of"]
