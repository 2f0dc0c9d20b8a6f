"""An independent client: aioquic and `struct`, written from docs/WIRE-PROTOCOL.md, docs/PAYMENTS.md,
docs/CHECKS.md and docs/RETURNS.md, nothing else.

Usage: client.py PORT CA_FILE. Prints one line for each thing it saw to be as the document says; fails at the first
that is not.
"""

import asyncio
import random
import struct
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamDataReceived

PORT, CA = int(sys.argv[1]), sys.argv[2]
PLACED, PLACED_LINES, DONE, EXTENDED, RETURN, SET, STOCK, REFUSED, ORDER = 3, 4, 5, 7, 8, 13, 32, 16, 36
BOOKS, WANTED, EFFECTS, HISTORY, HELD_ORDERS = 39, 42, 43, 45, 49
# Replies whose version is not 1.
VERSIONS = {PLACED_LINES: 2, STOCK: 3, ORDER: 7, BOOKS: 5, WANTED: 2, EFFECTS: 2}
SOLD_OUT, CONFLICT, ILLEGAL_STATE, OUT_OF_BOUNDS, NOT_AVAILABLE, NOT_ENOUGH_UNITS = 6, 7, 9, 14, 15, 16
REFUND_TOO_MUCH, OTHER_CURRENCY, UNKNOWN_RETURN, ILLEGAL_RETURN, MALFORMED, UNKNOWN_KIND = 30, 31, 32, 33, 64, 65
FIELD_QUANTITY, FIELD_CODE, FIELD_AMOUNT, FIELD_NOTE, FIELD_METHOD, FIELD_END = 2, 7, 28, 34, 39, 42
PENDING_PAYMENT, CONFIRMED, FULFILLING, COMPLETED, CANCELLED, IN_REVIEW, PAYMENT_FAILED = 1, 2, 3, 4, 5, 8, 9
CARD, WALLET, CASH = 1, 2, 5
# Of payments: stages, reports, steps, a failure.
CREATED, IS_AUTHORISED, HAS_FAILED, IS_VOIDED = 1, 4, 5, 6
AUTHORISED, CAPTURED, FAILED, VOIDED, REFUNDED, DISPUTED, CHARGED_BACK = 3, 4, 5, 6, 8, 10, 12
NOTHING, CAPTURE, GIVE_BACK, CLOSE = 0, 2, 3, 4
INSUFFICIENT_FUNDS, OTHER_METHOD, NEVER = 2, 2, 3
FRAUD, ADDRESS = 1, 3
# Of checks: how far, the effect and its action, what is reported, why it is set aside.
NOT_NEEDED, PENDING, IN_DOUBT, OVER = 0, 1, 2, 3
PAYMENT, CHECK, DO_CHECK = 1, 3, 7
TRUSTED, ASIDE, AGAIN, REJECTED = 1, 2, 3, 4
REVIEW = 3
# Of returns: kinds, reasons, why it is declined; stages (and reports); dispositions, and how long it may stay open.
BY_CUSTOMER, AT_THE_DOOR, CHANGED_MIND, DEFECTIVE, TOO_LATE, USED = 1, 2, 1, 3, 1, 3
REQUESTED, APPROVED, IN_TRANSIT, RECEIVED, INSPECTED, CLOSED, DECLINED = 1, 2, 4, 5, 6, 7, 8
RESTOCK, DAMAGED, TO_SUPPLIER, DAYS_30 = 1, 3, 6, 30 * 86_400_000
DAY = 86_400_000


class Protocol(QuicConnectionProtocol):
    """Gathers the bytes of each stream, and the code with which the server closes."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.streams, self.changed, self.close_code = {}, asyncio.Event(), None

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived):
            self.streams.setdefault(event.stream_id, bytearray()).extend(event.data)
        elif isinstance(event, ConnectionTerminated):
            self.close_code = event.error_code
        self.changed.set()

    async def until(self, ready):
        """Waits for what is on its way, under a time limit."""
        while (found := ready()) is None:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 20)
        return found

    def take_frame(self, stream):
        data = self.streams.get(stream, b"")
        if len(data) < 4 or len(data) < (length := struct.unpack_from("<I", data)[0]):
            return None
        frame = bytes(data[:length])
        del self.streams[stream][:length]
        return frame


def session():
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["stockade/0"], server_name="localhost")
    configuration.load_verify_locations(cafile=CA)
    return connect("127.0.0.1", PORT, configuration=configuration, create_protocol=Protocol)


def record(kind, body, version=1):
    words = (4 + len(body) + 7) // 8
    return (struct.pack("<BBH", kind, version, words) + body).ljust(8 * words, b"\0")


def frame(correlation, *records, version=1, kind=1, zero=0, count=None, length=None):
    body = b"".join(records)
    length, count = length or 24 + len(body), len(records) if count is None else count
    return struct.pack("<IBBHQII", length, version, kind, count, correlation, 0, zero) + body


def u128(number):
    return number.to_bytes(16, "little")


def place(order, *lines):
    fixed = struct.pack("<I16s16s3sBBBHHHH", 60_000, u128(order), u128(0), b"GBP", 0, 1, 0, 1, 44, len(lines), 0)
    return record(6, fixed + b"".join(struct.pack("<IIQ", *line) for line in lines))


def one(order, sku, quantity):
    return place(order, (sku, quantity, 1_299))


def hold(order, reason, owner, note):
    return record(21, u128(order) + struct.pack("<BHH", reason, len(owner), len(note)) + owner + note)


def lift(order, reason, owner):
    return record(22, u128(order) + struct.pack("<BH", reason, len(owner)) + owner)


def start(order, attempt, method):
    return record(23, u128(order) + struct.pack("<QB", attempt, method))


def report(order, attempt, what, total=0, reason=0, klass=0, method=WALLET, currency=b"GBP", until=0):
    fields = attempt, total, until, what, reason, klass, method, currency
    return record(24, u128(order) + struct.pack("<QQQBBBB3s", *fields), 2)


def refund(order, change, amount):
    return record(25, u128(order) + struct.pack("<QQ", change, amount))


def happened(reply):
    """What happened to an order after its placement, as its history tells it: what, and the value."""
    count = struct.unpack_from("<H", reply, 26)[0]
    rows = [struct.unpack_from("<QQQIHB", reply, 28 + 31 * row) for row in range(count)]
    return sorted((row[5], row[2]) for row in rows[1:])


def effect_report(order, effect, what, reason=0):
    return record(12, u128(order) + struct.pack("<IBBB", 1, effect, what, reason), 2)


def quantities(lines):
    return b"".join(struct.pack("<HI", *line) for line in lines)


def change_lines(kind, order, change, *lines):
    return record(kind, u128(order) + struct.pack("<QH", change, len(lines)) + quantities(lines))


def send_back(order, number, kind, reason, *lines):
    return record(27, u128(order) + struct.pack("<QBBH", number, kind, reason, len(lines)) + quantities(lines))


def of_return(order, number, what, declined=0):
    return record(28, u128(order) + struct.pack("<QBB", number, what, declined))


def came_in(order, number, site, *lines):
    return record(29, u128(order) + struct.pack("<QHH", number, site, len(lines)) + quantities(lines))


def became(order, number, site, disposition, *lines):
    return record(30, u128(order) + struct.pack("<QHHB", number, site, len(lines), disposition) + quantities(lines))


def words(data, at, lengths):
    """Words one behind the other, and where they end."""
    found = []
    for length in lengths:
        found.append(data[at:at + length])
        at += length
    return found, at


def rows_of(layout, data, at, count):
    """Rows of one layout, one behind the other, and where they end."""
    size = struct.calcsize(layout)
    return [struct.unpack_from(layout, data, at + size * row) for row in range(count)], at + size * count


class Order:
    """The whole reply. Of each return its head, then, in whatever order, its lines and what came in of them where."""

    def __init__(self, flags, reply):
        self.fixed = struct.unpack_from("<16s16s4QB3s2B8H", reply, 16)
        lines, draws, details_len, holds, payments, returns = self.fixed[-6:]
        self.lines, at = rows_of("<IIQ9I", reply, 102, lines)
        self.draws, at = rows_of("<HHIII", reply, at, draws)
        (self.hashes, self.details), at = words(reply, at, (24 if flags & 4 else 0, details_len))
        parts, at = rows_of("<QBHH", reply, at, holds)
        texts, at = words(reply, at, [length for part in parts for length in part[2:]])
        self.holds = [(part[1], *texts[2 * hold:2 * hold + 2]) for hold, part in enumerate(parts)]
        self.payments, at = rows_of("<9Q6B", reply, at, payments)
        heads, at = rows_of("<2Q4B2H", reply, at, returns)
        self.returns = [[head[:6]] for head in heads]
        for layout, count in (("<HI", 6), ("<HHI6I", 7)):
            for goods, head in zip(self.returns, heads):
                rows, at = rows_of(layout, reply, at, head[count])
                goods.append(rows)
        expect(reply[at:], bytes(-at % 8), "nothing behind the returns but padding")


def check_of(reply):
    """How far the check of an order has come, and what is to be paid yet."""
    missing, check = struct.unpack_from("<QB", reply, 72)
    return check, missing


class Talk:
    """One long-lived stream, one request at a time."""

    def __init__(self, protocol, log_time):
        self.protocol, self.log_time, self.correlation = protocol, log_time, 0
        self.stream = protocol._quic.get_next_available_stream_id()

    def send(self, data):
        self.protocol._quic.send_stream_data(self.stream, data)
        self.protocol.transmit()

    async def ask(self, request):
        """The reply to one record: kind, state, flags, and the record."""
        self.correlation += 1
        self.send(frame(self.correlation, request))
        reply = await self.protocol.until(lambda: self.protocol.take_frame(self.stream))
        length, version, kind, count, self.log_time = struct.unpack_from("<IBBHQ", reply)
        expect((version, kind, count), (1, 2, 1), "a reply frame of one record")
        kind, version, words, index, state, flags, correlation = struct.unpack_from("<BBHHBBQ", reply, 16)
        expect((version, 8 * words, index), (VERSIONS.get(kind, 1), length - 16, 0), "its head")
        expect(correlation, self.correlation, "whose reply it is")
        return kind, state, flags, reply[16:]

    async def number(self, request):
        kind, _, _, reply = await self.ask(request)
        expect(kind, 1, "a number")
        return struct.unpack_from("<I", reply, 16)[0]

    async def refused(self, request):
        kind, _, _, reply = await self.ask(request)
        expect(kind, REFUSED, "a refusal")
        return struct.unpack_from("<HHIQQ", reply, 16)

    def identifier(self, market):
        return self.log_time << 80 | market << 60 | random.getrandbits(59)


def expect(seen, wanted, what):
    if seen != wanted:
        raise SystemExit(f"{what}: {seen!r}, not {wanted!r}")


async def hello(protocol):
    greeting = await protocol.until(lambda: protocol.take_frame(3))
    length, version, kind, count, log_time = struct.unpack_from("<IBBHQ", greeting)
    expect((version, kind, count, greeting[16]), (1, 3, 1, 64), "a greeting")
    limits = struct.unpack_from("<9II", greeting, 16 + 24)
    expect((limits[0], limits[2], limits[3], limits[9]), (1_048_576, 8_192, 2_048, 0), "its limits")
    return log_time


async def shop():
    async with session() as protocol:
        talk = Talk(protocol, await hello(protocol))
        market = await talk.number(record(1, struct.pack("<H", 11) + b"independent"))
        sku = await talk.number(record(3, struct.pack("<IH", market, 3) + b"mug"))
        kind, *_ = await talk.ask(record(4, struct.pack("<I16sQH", sku, u128(talk.identifier(market)), 5, 1)))
        expect(kind, 2, "a receipt")
        print("greeting, catalogue and receipt")

        order = talk.identifier(market)
        first = await talk.ask(one(order, sku, 3))
        again = await talk.ask(one(order, sku, 3))
        expect((first[:3], again[:3]), ((PLACED, PENDING_PAYMENT, 0), (PLACED, PENDING_PAYMENT, 1)), "placed, repeated")
        expect(first[3][16:], again[3][16:], "the first answer again")
        expect((await talk.refused(one(order, sku, 2)))[0], CONFLICT, "another content")
        number, _, medium, asked, available = await talk.refused(one(talk.identifier(market), sku, 3))
        expect((number, medium, asked, available), (SOLD_OUT, sku, 3, 2), "sold out")
        print("place, retry, conflict, sold out")

        deadline = struct.unpack_from("<Q", first[3], 32)[0]
        kind, _, flags, reply = await talk.ask(record(13, u128(order) + struct.pack("<QB", deadline + 60_000, 1), 2))
        expect((kind, flags, struct.unpack_from("<Q", reply, 16)[0]), (EXTENDED, 0, deadline + 60_000), "more time")
        for repeated in (0, 1):
            kind, state, flags, reply = await talk.ask(record(7, u128(order) + struct.pack("<Q", 9)))
            expect((kind, state, flags), (DONE, CONFIRMED, repeated), "confirmed")
            expect(struct.unpack_from("<QQ", reply, 16), (3, 0), "units confirmed")
        other = talk.identifier(market)
        await talk.ask(one(other, sku, 1))
        kind, state, flags, _ = await talk.ask(record(8, u128(other) + b"\0"))
        expect((kind, state, flags), (DONE, CANCELLED, 0), "cancelled")
        kind, state, _, reply = await talk.ask(record(7, u128(other) + struct.pack("<Q", 1)))
        expect((kind, state, struct.unpack_from("<H", reply, 16)[0]), (REFUSED, CANCELLED, ILLEGAL_STATE), "too late")
        kind, _, _, reply = await talk.ask(record(41, struct.pack("<IHI", market, 1, sku)))
        expect((kind, struct.unpack_from("<HQ", reply, 16)), (41, (1, 2)), "what is left")
        print("extend, confirm, cancel, availability")

        expect(Order(*(await talk.ask(record(36, u128(order))))[2:]).holds, [], "not held")
        for repeated in (0, 1):
            seen = await talk.ask(hold(order, FRAUD, b"risk desk", b"three mugs at once"))
            expect(seen[:3], (DONE, IN_REVIEW, repeated), "held")
            expect(struct.unpack_from("<QQ", seen[3], 16), (0, 0), "and no unit moved")
        number, *_ = await talk.refused(hold(order, FRAUD, b"risk desk", b"four mugs at once"))
        expect(number, CONFLICT, "another note")
        seen = await talk.ask(hold(order, ADDRESS, b"staff", b""))
        expect(seen[:3], (DONE, IN_REVIEW, 0), "held for another reason")
        expect((await talk.refused(hold(order, 9, b"staff", b"")))[:2], (MALFORMED, 22), "a reason that is none")
        expect(await talk.refused(hold(order, 8, b"", b"")), (OUT_OF_BOUNDS, FIELD_CODE, 0, 1, 64), "no owner")
        seen = await talk.refused(hold(order, 8, b"staff", b"x" * 201))
        expect(seen, (OUT_OF_BOUNDS, FIELD_NOTE, 0, 0, 200), "too long a note")
        kind, state, flags, reply = await talk.ask(record(36, u128(order)))
        held = [(FRAUD, b"risk desk", b"three mugs at once"), (ADDRESS, b"staff", b"")]
        expect((kind, state, Order(flags, reply).holds), (ORDER, IN_REVIEW, held), "both holds, in their order")
        kind, *_, reply = await talk.ask(record(HELD_ORDERS, struct.pack("<IQH", market, 0, 10)))
        expect((kind, struct.unpack_from("<QH", reply, 16)), (HELD_ORDERS, (0, 2)), "a page of what is held")
        rows = [struct.unpack_from("<16sQQBQBHH", reply, 26 + 46 * row) for row in range(2)]
        expect([row[:4:3] for row in rows], [(u128(order), IN_REVIEW)] * 2, "which order")
        texts, _ = words(reply, 26 + 46 * 2, [length for row in rows for length in row[6:]])
        expect([(row[5], *texts[2 * at:2 * at + 2]) for at, row in enumerate(rows)], held, "its holds")
        kind, *_, reply = await talk.ask(record(BOOKS, struct.pack("<I", market)))
        states = struct.unpack_from("<10Q", reply, 114)
        expect((kind, states), (BOOKS, (0, 0, 0, 0, 0, 1, 0, 0, 1, 0)), "orders per state")
        expect((await talk.ask(lift(order, ADDRESS, b"risk desk")))[:3], (DONE, IN_REVIEW, 1), "nobody's hold")
        expect((await talk.ask(lift(order, FRAUD, b"risk desk")))[:3], (DONE, IN_REVIEW, 0), "one lifted")
        for repeated in (0, 1):
            expect((await talk.ask(lift(order, ADDRESS, b"staff")))[:3], (DONE, CONFIRMED, repeated), "all lifted")
        kind, *_, reply = await talk.ask(record(HELD_ORDERS, struct.pack("<IQH", market, 0, 10)))
        expect((kind, struct.unpack_from("<QH", reply, 16)), (HELD_ORDERS, (0, 0)), "nothing is held")
        expect((await talk.refused(hold(other, FRAUD, b"staff", b"")))[0], ILLEGAL_STATE, "a cancelled order")
        print("held, in review, lifted")

        expect(await talk.refused(record(0xEE, b"\1\2\3\4")), (UNKNOWN_KIND, 0xEE, 0, 0, 0), "an unknown kind")
        flawed = bytearray(record(8, u128(order) + b"\0"))
        flawed[-1] = 1
        expect((await talk.refused(bytes(flawed)))[:2], (MALFORMED, 2), "padding that is not zero")
        expect((await talk.refused(record(8, u128(order) + b"\2")))[:2], (MALFORMED, 10), "neither block nor not")
        far = record(13, u128(order) + struct.pack("<QB", 1 << 48, 1), 2)
        expect((await talk.refused(far))[:2], (MALFORMED, 13), "a log time that is none")
        kind, state, _, _ = await talk.ask(record(36, u128(order)))
        expect((kind, state), (ORDER, CONFIRMED), "and nothing has happened")
        print("records that mean nothing")

        policy = struct.pack("<QIIIIHBBQQ", 0, 0, 0, 0, 0, 0, 0, 0, 4, 0)
        kind, *_ = await talk.ask(record(98, struct.pack("<II", market, sku) + policy, version=2))
        expect(kind, SET, "an oversell allowance of four")
        order = talk.identifier(market)
        kind, state, flags, reply = await talk.ask(one(order, sku, 5))
        expect((kind, state, flags), (PLACED_LINES, PENDING_PAYMENT, 32), "beyond the shelf")
        expect(struct.unpack_from("<HII", reply, 40), (1, 5, 3), "three of five are owed")
        number, _, medium, asked, available = await talk.refused(one(talk.identifier(market), sku, 2))
        expect((number, medium, asked, available), (SOLD_OUT, sku, 2, 1), "what is left of the allowance")
        kind, _, _, reply = await talk.ask(record(4, struct.pack("<I16sQH", sku, u128(talk.identifier(market)), 2, 1)))
        expect((kind, struct.unpack_from("<Q", reply, 16)[0]), (2, 0), "what comes in is not for sale")
        kind, *_, reply = await talk.ask(record(36, u128(order)))
        taken, owed, reserved = struct.unpack_from("<III", reply, 102 + 16)
        expect((kind, taken, owed, reserved), (ORDER, 5, 1, 4), "it is given to who waits")
        kind, *_, reply = await talk.ask(record(32, struct.pack("<IHI", market, 1, sku)))
        balances = struct.unpack_from("<10q", reply, 18 + 6)
        expect((kind, sum(balances), balances[9]), (STOCK, 0, 0), "double entry")
        expect(struct.unpack_from("<Q", reply, 18 + 86)[0], 1, "what is still owed")
        print("sold beyond the shelf, and filled")

        await pay(talk, market)
        await check(talk, market)
        await send_goods_back(talk, market)


async def check(talk, market):
    """The table of docs/CHECKS.md."""
    sku = await talk.number(record(3, struct.pack("<IH", market, 4) + b"lamp"))
    await talk.ask(record(4, struct.pack("<I16sQH", sku, u128(talk.identifier(market)), 9, 1)))
    kind, *_ = await talk.ask(record(100, struct.pack("<I3B", market, 0, 0, 1), 2))
    expect(kind, SET, "checks are left to adapters")
    kind, *_, reply = await talk.ask(record(101, struct.pack("<I", market)))
    expect((kind, tuple(reply[16:19])), (EFFECTS, (0, 0, 1)), "and nothing else")

    async def placed(state, method):
        order = talk.identifier(market)
        request = bytearray(place(order, (sku, 2, 1_000)))
        request[44] = method
        expect((await talk.ask(bytes(request)))[:3], (PLACED, state, 0), "placed")
        return order

    async def stands(order, state, seen):
        kind, now, _, reply = await talk.ask(record(36, u128(order)))
        expect((kind, now, check_of(reply)), (ORDER, state, seen), "the order")

    async def told(request, state, moved=0, repeated=0):
        kind, now, flags, reply = await talk.ask(request)
        seen = (kind, now, flags, struct.unpack_from("<QQ", reply, 16))
        expect(seen, (DONE, state, repeated, (moved, 0)), "what is answered")

    async def wanted(aside):
        request = struct.pack("<IQHBB", market, 0, 10, CHECK, aside)
        kind, *_, reply = await talk.ask(record(42, request))
        rows = struct.unpack_from("<H", reply, 24)[0]
        listed = [struct.unpack_from("<Q16sQQQI3sBBBB", reply, 26 + 59 * row) for row in range(rows)]
        expect(kind, WANTED, "a page of what is wanted")
        return [(row[1], row[4], row[5], *row[8:]) for row in listed]

    paid = await placed(PENDING_PAYMENT, CARD)
    doubted, bad = await placed(IN_REVIEW, CASH), await placed(IN_REVIEW, CASH)
    await stands(paid, PENDING_PAYMENT, (PENDING, 2_000))
    await stands(doubted, IN_REVIEW, (PENDING, 0))
    rows = [(u128(paid), 2_000, 1, DO_CHECK, PENDING_PAYMENT, 0)]
    rows += [(u128(order), 2_000, 1, DO_CHECK, IN_REVIEW, 0) for order in (doubted, bad)]
    expect(await wanted(0), rows, "every order is to be checked")
    await told(record(7, u128(paid) + struct.pack("<Q", 1)), IN_REVIEW, moved=2)
    for repeated in (0, 1):
        await told(effect_report(paid, CHECK, TRUSTED), CONFIRMED, repeated=repeated)
    await told(effect_report(paid, CHECK, REJECTED), CONFIRMED, repeated=1)
    await stands(paid, CONFIRMED, (OVER, 0))
    await told(effect_report(doubted, CHECK, ASIDE, REVIEW), IN_REVIEW)
    await stands(doubted, IN_REVIEW, (IN_DOUBT, 0))
    expect(await wanted(1), [(u128(doubted), 2_000, 1, DO_CHECK, IN_REVIEW, REVIEW)], "a person is to decide")
    await told(effect_report(doubted, CHECK, AGAIN), IN_REVIEW)
    await stands(doubted, IN_REVIEW, (PENDING, 0))
    await told(effect_report(doubted, CHECK, TRUSTED), CONFIRMED)
    await told(effect_report(bad, CHECK, REJECTED), CANCELLED, moved=2)
    await stands(bad, CANCELLED, (OVER, 0))
    expect((await wanted(0), await wanted(1)), ([], []), "nobody is asked any more")
    for what, reason in ((REJECTED, 0), (ASIDE, REVIEW)):
        expect((await talk.refused(effect_report(paid, PAYMENT, what, reason)))[:2], (MALFORMED, 17), "of a check only")

    async def history(order):
        kind, *_, reply = await talk.ask(record(45, u128(order) + struct.pack("<IH", 0, 100)))
        return kind, happened(reply)

    expect(await history(doubted), (HISTORY, [(49, 1), (51, 1), (52, 1)]), "what happened to one")
    expect(await history(bad), (HISTORY, [(12, 2), (50, 1)]), "and to another")
    kind, *_ = await talk.ask(record(100, struct.pack("<I3B", market, 0, 0, 0), 2))
    await stands(await placed(CONFIRMED, CASH), CONFIRMED, (NOT_NEEDED, 0))
    print("trusted, rejected, in doubt and decided")


async def pay(talk, market):
    """The example of docs/PAYMENTS.md, and what is refused of payments."""
    skus = []
    for code in (b"cup", b"pot", b"tray"):
        skus.append(await talk.number(record(3, struct.pack("<IH", market, len(code)) + code)))
        await talk.ask(record(4, struct.pack("<I16sQH", skus[-1], u128(talk.identifier(market)), 5, 1)))
    order = talk.identifier(market)
    await talk.ask(place(order, (skus[0], 2, 2_000), (skus[1], 1, 3_500), (skus[2], 1, 1_500)))

    async def told(request, state, captured, step, moved=0, repeated=0):
        """What is answered, and what the last attempt has come to then; its step is a number and an amount."""
        kind, seen, flags, reply = await talk.ask(request)
        answer = (kind, seen, flags, struct.unpack_from("<QQ", reply, 16))
        expect(answer, (DONE, state, repeated, (moved, 0)), f"the answer to {request.hex()}")
        kind, seen, flags, reply = await talk.ask(record(36, u128(order)))
        attempt = Order(flags, reply).payments[-1]
        expect((kind, seen, attempt[2], (attempt[14], attempt[8])), (ORDER, state, captured, step), "the order then")
        return attempt

    nothing = (NOTHING, 0)
    await told(start(order, 1, CARD), PENDING_PAYMENT, 0, nothing)
    await told(start(order, 1, CARD), PENDING_PAYMENT, 0, nothing, repeated=1)
    expect((await talk.refused(start(order, 1, WALLET)))[0], CONFLICT, "another method of the same attempt")
    expect(await talk.refused(start(order, 2, CASH)), (OUT_OF_BOUNDS, FIELD_METHOD, 0, 0, 4), "cash in advance")
    failed = report(order, 1, FAILED, 0, INSUFFICIENT_FUNDS, OTHER_METHOD)
    attempt = await told(failed, PAYMENT_FAILED, 0, nothing)
    expect(attempt[9:14], (CARD, HAS_FAILED, INSUFFICIENT_FUNDS, OTHER_METHOD, 0), "why it failed")
    attempt = await told(start(order, 2, WALLET), PENDING_PAYMENT, 0, nothing)
    expect(attempt[9:14], (WALLET, CREATED, 0, 0, 0), "a second attempt")
    seen = await talk.refused(report(order, 2, AUTHORISED, 9_000, currency=b"EUR"))
    expect(seen, (OTHER_CURRENCY, 0, int.from_bytes(b"GBP", "little"), 0, 0), "another currency")
    expect((await talk.refused(report(order, 2, AUTHORISED)))[:2], (OUT_OF_BOUNDS, FIELD_AMOUNT), "no total")
    expect((await talk.refused(report(order, 2, VOIDED, 1)))[:2], (MALFORMED, 23), "a total too many")
    expect((await talk.refused(report(order, 2, 13)))[:2], (MALFORMED, 23), "a report that is none")
    expect((await talk.refused(report(order, 2, VOIDED, until=1)))[:2], (MALFORMED, 23), "an end of none")
    later = talk.log_time + 7 * DAY
    seen = await talk.refused(report(order, 2, AUTHORISED, 9_000, until=later + 400 * DAY))
    expect(seen[:2], (OUT_OF_BOUNDS, FIELD_END), "an end that is none")
    await told(report(order, 2, AUTHORISED, 9_000, until=later - DAY), CONFIRMED, 0, nothing, moved=4)
    attempt = await told(report(order, 2, AUTHORISED, 9_000, until=later), CONFIRMED, 0, nothing)
    expect(attempt[7], later, "when it ends")
    for end in (0, later - DAY, later):
        await told(report(order, 2, AUTHORISED, 9_000, until=end), CONFIRMED, 0, nothing, repeated=1)
    await told(change_lines(10, order, 11, (0, 2)), FULFILLING, 0, (CAPTURE, 4_000), moved=2)
    await told(report(order, 2, CAPTURED, 4_000), FULFILLING, 4_000, nothing)
    await told(change_lines(10, order, 12, (1, 1)), FULFILLING, 4_000, (CAPTURE, 7_500), moved=1)
    await told(report(order, 2, CAPTURED, 7_500), FULFILLING, 7_500, nothing)
    await told(report(order, 2, CAPTURED, 4_000), FULFILLING, 7_500, nothing, repeated=1)
    attempt = await told(change_lines(9, order, 13, (2, 1)), COMPLETED, 7_500, (CLOSE, 0), moved=1)
    expect(attempt[10], IS_AUTHORISED, "its stage")
    await told(report(order, 2, VOIDED), COMPLETED, 7_500, nothing)
    number, legal, *_ = await talk.refused(start(order, 3, CARD))
    expect((number, legal & 32), (ILLEGAL_STATE, 0), "it is paid")
    for repeated in (0, 1):
        await told(refund(order, 14, 1_000), COMPLETED, 7_500, (GIVE_BACK, 1_000), 1_000, repeated)
    expect((await talk.refused(refund(order, 14, 999)))[0], CONFLICT, "another amount")
    await told(report(order, 2, REFUNDED, 1_000), COMPLETED, 7_500, nothing)
    expect(await talk.refused(refund(order, 15, 7_000)), (REFUND_TOO_MUCH, 0, 0, 6_500, 0), "what is left")
    await told(report(order, 2, DISPUTED), COMPLETED, 7_500, nothing)
    attempt = await told(report(order, 2, CHARGED_BACK, 4_000), COMPLETED, 7_500, nothing)
    account = (2, 9_000, 7_500, 1_000, 1_000, 0, 4_000, later, 0, WALLET, IS_VOIDED, 0, 0, 2, 0)
    expect(attempt, account, "what it came to")
    kind, *_, reply = await talk.ask(record(BOOKS, struct.pack("<I", market)))
    expect((kind, struct.unpack_from("<H3s", reply, 210)), (BOOKS, (1, b"GBP")), "money of one currency")
    sums = [int.from_bytes(reply[at:at + 16], "little") for at in range(215, 279, 16)]
    expect((sums, len(reply)), ([9_000, 7_500, 1_000, 4_000], 280), "its money")
    expect(await talk.refused(refund(order, 16, 2_501)), (REFUND_TOO_MUCH, 0, 0, 2_500, 0), "what is left of it")
    expect((await talk.ask(start(order, 3, CARD)))[:3], (DONE, COMPLETED, 0), "what a bank took may be paid again")
    hopeless = talk.identifier(market)
    await talk.ask(place(hopeless, (skus[0], 1, 2_000)))
    kind, state, flags, reply = await talk.ask(report(hopeless, 1, FAILED, 0, 6, NEVER))
    seen = (kind, state, flags, struct.unpack_from("<QQ", reply, 16))
    expect(seen, (DONE, CANCELLED, 0, (1, 0)), "a failure for good cancels")
    print("paid by parcels, refunded, charged back, and the books")


async def send_goods_back(talk, market):
    """What docs/RETURNS.md says: a return from its request to its end, one that is declined, and one at the door."""
    back = await talk.number(record(2, struct.pack("<IHH", market, 9, 4) + b"back"))
    skus = []
    for code in (b"chair", b"rug"):
        skus.append(await talk.number(record(3, struct.pack("<IH", market, len(code)) + code)))
        await talk.ask(record(4, struct.pack("<I16sQH", skus[-1], u128(talk.identifier(market)), 5, 1)))
    chair, rug = skus

    async def told(request, *moved, stage=0, state=COMPLETED, first=0):
        """Once for each of these units, only the first no repeat. Behind them Done has no excess, Return the stage."""
        for repeated, units in enumerate(moved, first):
            kind, seen, flags, reply = await talk.ask(request)
            seen = (kind, seen, flags, struct.unpack_from("<QB" if stage else "<QQ", reply, 16))
            wanted = (RETURN if stage else DONE, state, repeated, (units, stage))
            expect(seen, wanted, f"the answer to {request.hex()}")

    async def no(wanted, request):
        seen = await talk.refused(request)
        expect(seen[:len(wanted)], wanted, f"the refusal of {request.hex()}")

    async def leave(*lines):
        """An order that is paid and handed over, and what its placement answered."""
        order = talk.identifier(market)
        placed = struct.unpack_from("<QQQ", (await talk.ask(place(order, *lines)))[3], 16)
        units, due = sum(line[1] for line in lines), sum(line[1] * line[2] for line in lines)
        await told(report(order, 1, CAPTURED, due), units, state=CONFIRMED)
        await told(change_lines(10, order, 1), units)
        return order, placed

    async def stands(order):
        kind, state, flags, reply = await talk.ask(record(36, u128(order)))
        expect((kind, state, flags), (ORDER, COMPLETED, 0), "the order")
        return Order(flags, reply)

    async def chairs():
        """At each site: available, customer, quality hold, damaged."""
        *_, reply = await talk.ask(record(32, struct.pack("<IHI", market, 1, chair)))
        rows, _ = rows_of("<IH10qQ", reply, 18, struct.unpack_from("<H", reply, 16)[0])
        return {row[1]: (row[3], row[6], row[8], row[9]) for row in rows}

    order, placed = await leave((chair, 3, 4_000), (rug, 2, 2_500))
    wish = send_back(order, 7, BY_CUSTOMER, DEFECTIVE, (0, 2))
    await no((NOT_ENOUGH_UNITS, 0, 0, 0, 0), wish)
    await told(change_lines(26, order, 2, (0, 3), (1, 1)), 4, 4)
    await no((CONFLICT,), change_lines(26, order, 2, (0, 3)))
    await no((NOT_ENOUGH_UNITS, 1, 0, 1, 0), change_lines(26, order, 3, (1, 2)))
    await no((UNKNOWN_RETURN, 0, 0, 0, 0), of_return(order, 7, APPROVED))
    before = talk.log_time
    await told(wish, 2, 2, stage=REQUESTED)
    until = (await stands(order)).returns[0][0][1] - DAYS_30
    expect(before <= until <= talk.log_time, True, "it ends by itself 30 days from now")
    await no((CONFLICT,), send_back(order, 7, BY_CUSTOMER, DEFECTIVE, (0, 1)))
    await no((NOT_ENOUGH_UNITS, 0, 0, 1, 0), send_back(order, 8, BY_CUSTOMER, 0, (1, 1), (0, 2)))
    await no((OUT_OF_BOUNDS, FIELD_QUANTITY, 0, 1, (1 << 32) - 1), send_back(order, 8, BY_CUSTOMER, 0, (0, 0)))
    await no((MALFORMED, 29), send_back(order, 8, 6, 0, (0, 1)))
    await no((ILLEGAL_RETURN, REQUESTED, 0, 0, 0), of_return(order, 7, CLOSED))
    await told(of_return(order, 7, APPROVED), 0, 0, stage=APPROVED)
    await no((MALFORMED, 29), of_return(order, 7, APPROVED, USED))
    await told(send_back(order, 8, BY_CUSTOMER, CHANGED_MIND, (1, 1), (0, 1)), 2, stage=REQUESTED)
    await told(of_return(order, 8, DECLINED, TOO_LATE), 0, 0, stage=DECLINED)
    await no((CONFLICT,), of_return(order, 8, DECLINED, USED))
    await told(came_in(order, 7, back, (0, 1)), 1, 0, stage=RECEIVED)
    await no((NOT_ENOUGH_UNITS, 0, 0, 1, 0), came_in(order, 7, 1, (0, 2)))
    await told(came_in(order, 7, 1, (0, 1)), 1, stage=RECEIVED)
    await told(of_return(order, 7, IN_TRANSIT), 0, first=1, stage=RECEIVED)
    expect(await chairs(), {1: (2, 1, 1, 0), back: (0, 0, 1, 0)}, "set aside where they lie")
    move = struct.pack("<I16sQHBHB", chair, u128(talk.identifier(market)), 1, 1, 6, 1, 1)
    await no((NOT_AVAILABLE, 0, 0, 0, 0), record(14, move))
    await told(became(order, 7, 1, RESTOCK, (0, 1)), 1, 0, stage=RECEIVED)
    await no((NOT_ENOUGH_UNITS, 0, 0, 0, 0), became(order, 7, 1, DAMAGED, (0, 1)))
    await told(became(order, 7, back, DAMAGED, (0, 1)), 1, stage=INSPECTED)
    await told(of_return(order, 7, CLOSED), 0, 0, stage=CLOSED)
    expect(await chairs(), {1: (3, 1, 0, 0), back: (0, 0, 0, 1)}, "for sale, and damaged")
    seen = await stands(order)
    fixed = (u128(order), u128(0), *placed, 0, NOT_NEEDED, b"GBP", 0, CARD, 1, 44, 2, 2, 0, 0, 1, 2)
    expect(seen.fixed, fixed, "what was asked for, and how much of it follows")
    lines = [(chair, 3, 4_000, 3, 0, 0, 0, 0, 3, 0, 2, 3), (rug, 2, 2_500, 2, 0, 0, 0, 0, 2, 0, 0, 1)]
    expect((seen.lines, seen.draws), (lines, [(0, 1, 0, 0, 3), (1, 1, 0, 0, 2)]), "its lines, and whence they came")
    account = (1, 17_000, 17_000, 0, 0, 0, 0, 0, 0, WALLET, IS_AUTHORISED, 0, 0, 0, NOTHING)
    expect((seen.hashes, seen.details, seen.holds, seen.payments), (b"", b"", [], [account]), "no money moves")
    pieces = [(0, 1, 1, 1, 0, 0, 0, 0, 0), (0, back, 1, 0, 0, 1, 0, 0, 0)]
    first = [(7, 0, BY_CUSTOMER, DEFECTIVE, CLOSED, 0), [(0, 2)], pieces]
    second = [(8, 0, BY_CUSTOMER, CHANGED_MIND, DECLINED, TOO_LATE + 1), [(0, 1), (1, 1)], []]
    expect(seen.returns, [first, second], "its returns")
    *_, reply = await talk.ask(record(45, u128(order) + struct.pack("<IH", 0, 100)))
    told_of = [(53, 4), (54, 2), (54, 2), (55, 1), (56, 2), (62, 1), (63, 1), (63, 1), (64, 1), (66, 1)]
    expect(happened(reply)[-len(told_of):], told_of, "what happened to it")
    print("sent back, inspected and closed; and declined")

    order, _ = await leave((rug, 2, 2_500))
    await told(send_back(order, 1, AT_THE_DOOR, 0, (0, 1)), 1, stage=APPROVED)
    await no((NOT_ENOUGH_UNITS, 0, 0, 1, 0), change_lines(26, order, 2, (0, 2)))
    await told(change_lines(26, order, 2, (0, 1)), 1)
    await no((NOT_ENOUGH_UNITS, 0, 0, 0, 0), send_back(order, 2, AT_THE_DOOR, 0, (0, 1)))
    await told(came_in(order, 1, 1, (0, 1)), 1, stage=RECEIVED)
    await told(became(order, 1, 1, TO_SUPPLIER, (0, 1)), 1, stage=INSPECTED)
    seen = await stands(order)
    refused = [(1, 0, AT_THE_DOOR, 0, INSPECTED, 0), [(0, 1)], [(0, 1, 1, 0, 0, 0, 0, 0, 1)]]
    expect((seen.lines[0][-2:], seen.returns), ((1, 1), [refused]), "one came back, one was delivered")
    print("refused at the door")


async def closed_with(code, data, finish=False):
    """A frame that is not one closes the connection, with its number."""
    async with session() as protocol:
        talk = Talk(protocol, await hello(protocol))
        protocol._quic.send_stream_data(talk.stream, data, end_stream=finish)
        protocol.transmit()
        expect(await protocol.until(lambda: protocol.close_code), code, f"the code of {data[:24].hex()}")


async def main():
    await shop()
    status = record(48, b"\0" * 4)
    await closed_with(1, frame(1, status, length=1 << 21))
    await closed_with(2, frame(1, status)[:20], finish=True)
    await closed_with(3, frame(1, status, version=9))
    await closed_with(4, frame(1, status, kind=2))
    await closed_with(5, frame(1, b"\x30\1\0\0\0\0\0\0"))
    await closed_with(6, frame(1, status, count=2))
    await closed_with(8, frame(1, status, zero=7))
    print("frames that are none")


asyncio.run(main())
