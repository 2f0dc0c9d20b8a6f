#!/usr/bin/env python3
"""Counts what becomes of every line of a shop's file, from the rules alone.

    python3 recount.py FILE.csv[.gz] [--short P]
        prints one JSON object: lines, orders, by_reason, units, and in pennies captured, refunded, price_difference

Shares no code with the load generator and talks to no server: what `loadtest replay FILE` reports must be this, class
by class and to the penny. Standard library only. The rules are those at the top of `loadtest/src/replay/mod.rs`, told
again beside the code.
"""

import argparse
import collections
import csv
import decimal
import gzip
import io
import json
import re

COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
NOT_GOODS = {"POST", "DOT", "M", "m", "S", "D", "C2", "B", "CRUK", "BANK CHARGES", "AMAZONFEE"}
UNITS_MAX = 10_000_000
PENCE_MAX = 1_000_000_000_000
CODE_BYTES_MAX = 64


def read(path):
    """The records of a file, without its header."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        records = csv.reader(text)
        header = next(records)
        assert header == COLUMNS, header
        yield from records


def pence_of(price):
    """Whole pennies of a price that can be paid, or nothing."""
    pence = decimal.Decimal(price).scaleb(2, decimal.Context(prec=1000))
    return None if pence < 0 or pence > PENCE_MAX or pence != pence.to_integral_value() else int(pence)


def sort_out(record):
    """What kind of line this is: a class that is final, or a thing to do with its parts."""
    if len(record) != 8:
        return ("malformed",)
    invoice, code, _, quantity, _, price, customer, _ = (field.strip(" \t\r\n\f") for field in record)
    # Anything that cannot be read is malformed, whatever else it may be.
    if not invoice or not code or not re.fullmatch(r"-?[0-9]+", quantity):
        return ("malformed",)
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", price):
        return ("malformed",)
    if len(code.encode(errors="surrogateescape")) > CODE_BYTES_MAX or not all(" " <= letter <= "~" for letter in code):
        return ("malformed",)
    if not all(" " <= letter <= "~" for letter in invoice + customer):
        return ("malformed",)
    units = int(quantity)
    if units == 0 or abs(units) > UNITS_MAX:
        return ("malformed",)
    if invoice[0] == "C" and units > 0:
        return ("malformed",)
    # Adjustments of the books and codes that name no goods.
    if invoice[0] == "A" or code in NOT_GOODS or code.startswith("gift_"):
        return ("no_goods", invoice, customer)
    if invoice[0] == "C":
        return ("cancellation", customer, code, -units, pence_of(price)) if customer else ("cancellation_guest",)
    if units < 0:
        return ("write_off", invoice, customer)  # units that were never for sale: nothing else changes
    pence = pence_of(price)
    if pence is None:
        return ("bad_price", invoice, customer)
    return ("order", invoice, customer, code, units, pence)


def recount(records, short):
    reasons = collections.Counter()
    events, baskets, demand, lines, day = [], {}, collections.Counter(), 0, ""
    for record in records:
        lines += 1
        kind, *parts = sort_out(record)
        if kind != "malformed":  # what was ordered leaves the building before anything of another day happens
            today = record[4].strip(" \t\r\n\f").split(" ")[0]
            if day and today != day:
                events.append(("end_of_day",))
            day = today
        if kind == "cancellation":
            events.append((kind, *parts))
            continue
        if parts:  # everything of an invoice happens where its first line stands, whatever that line is
            invoice, customer = parts[:2]
            if invoice not in baskets:
                baskets[invoice] = []
                events.append(("order", customer, baskets[invoice]))
        if kind == "order":
            code, units, pence = parts[2:]
            baskets[invoice].append((code, units, pence))
            demand[code] += units
        else:
            reasons[kind] += 1

    available = {code: units * (100 - short) // 100 for code, units in demand.items()}
    bought = collections.defaultdict(list)  # (customer, code) -> units still his, their price and their order's day
    units, today = collections.Counter(cancelled=0, returned=0), 0
    captured = refunded = difference = 0
    for kind, *parts in events:
        if kind == "end_of_day":
            today += 1
        elif kind == "order":
            customer, basket = parts
            for code, asked, pence in basket:
                taken = min(asked, available[code])
                available[code] -= taken
                captured += taken * pence
                if customer and taken:
                    bought[customer, code].append([taken, pence, today])
                reasons["reserved" if taken == asked else "partly_reserved" if taken else "sold_out"] += 1
        else:
            customer, code, wanted, listed = parts
            left, theirs = wanted, bought[customer, code]
            while left and theirs:
                line = theirs[-1]
                given = min(left, line[0])
                line[0] -= given
                left -= given
                available[code] += given
                units["returned" if line[2] < today else "cancelled"] += given
                refunded += given * line[1]
                if listed is not None:  # what it cost, less what the cancellation says that it cost
                    difference += given * (line[1] - listed)
                if line[0] == 0:
                    theirs.pop()
            outcome = "matched" if left == 0 else "unmatched" if left == wanted else "partly_matched"
            reasons["cancellation_" + outcome] += 1
    orders = sum(1 for basket in baskets.values() if basket)
    return {
        "lines": lines,
        "orders": orders,
        "by_reason": dict(sorted(reasons.items())),
        "units": dict(units),
        "captured": captured,
        "refunded": refunded,
        "price_difference": difference,
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("file")
    arguments.add_argument("--short", type=int, default=5)
    chosen = arguments.parse_args()
    print(json.dumps(recount(read(chosen.file), chosen.short)))


if __name__ == "__main__":
    main()
