"""Walks tables of readings, and notes what came of each.

A table is a dictionary: a key leads to a function of what is read (a handle, a link, …), to a table of what is below it,
or to `Each` for a list. What comes of it is flat: a path, with the position where there is a list, and an answer:

    {"value": 5}       what was read; null where that is the answer
    {"error": 3}       NVML's code where there is no value
    {"items": 2}       a list of so many; what they have stands below
    {"counted": 7}     a rate, of a counter that stands at 7
    {"sampled": 120}   statistics, of a ring in which the driver keeps so many samples
"""

import pynvml as n


class Each:
    """A list: `items` gives what each item is read from."""

    def __init__(self, items, table):
        self.items, self.table = items, table


class Counted:
    """Stands for the rate of a counter: in a world that stands still there is none."""

    def __init__(self, raw):
        self.raw = raw


class Sampled:
    """Stands for statistics of what the driver samples between two ticks: in a world that stands still, nothing."""

    def __init__(self, samples):
        self.samples = samples


def answer(read, of):
    try:
        value = read(of)
    except n.NVMLError as error:
        return {"error": error.value}
    if isinstance(value, Counted):
        return {"counted": value.raw}
    if isinstance(value, Sampled):
        return {"sampled": value.samples}
    # Some texts nvidia-ml-py leaves as bytes.
    return {"value": value.decode() if isinstance(value, bytes) else value}


def walk(table, of, path=""):
    """What came of all that is in `table`."""
    found = {}
    for key, what in table.items():
        here = f"{path}{key}"
        if isinstance(what, dict):
            found |= walk(what, of, f"{here}.")
        elif isinstance(what, Each):
            found |= each(what, of, here)
        else:
            found[here] = answer(what, of)
    return found


def each(what, of, here):
    try:
        items = what.items(of)
    except n.NVMLError as error:
        return {here: {"error": error.value}}
    found = {here: {"items": len(items)}}
    for position, item in enumerate(items):
        found |= walk(what.table, item, f"{here}.{position}.")
    return found
