"""The chores of the files world: small changes to plain text files, written by seed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

SERVICES = ("api", "backup", "cache", "mail", "proxy", "search")
FRUITS = ("apples", "cherries", "figs", "lemons", "melons", "peaches", "pears", "plums", "quinces")
PEOPLE = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jun")
DESKS = {
    "billing": (
        "the invoice is wrong",
        "I was charged twice",
        "I want my money back",
        "my card was refused",
        "the price is not what you said",
        "the bill has no tax number",
    ),
    "shipping": (
        "my parcel is late",
        "the box came empty",
        "it went to an old address",
        "the courier left it in the rain",
        "where is my order",
        "it was left next door",
    ),
    "support": (
        "the lamp does not start",
        "the app stops at once",
        "the screen stays black",
        "it makes a loud noise",
        "how do I reset it",
        "the battery is flat in an hour",
    ),
    "accounts": (
        "I forgot my password",
        "please change my name",
        "close my account",
        "somebody else is logged in",
        "I get no code by mail",
        "I cannot change my address",
    ),
    "sales": (
        "do you sell it in blue",
        "what does it cost for ten",
        "can I buy it by phone",
        "is there a discount for schools",
        "when is it in stock again",
        "which one fits a small room",
    ),
}
ERRANDS = ("call", "write to", "pay", "visit", "thank", "ask")


@dataclass(frozen=True)
class Chore:
    """What is asked, the folder as it is, and the folder as it should become (path -> text)."""

    instruction: str
    before: dict[str, str]
    after: dict[str, str]


def set_value(random: Random) -> Chore:
    """Change one value in an INI file in which other sections have the same key."""
    names = random.sample(SERVICES, 3)
    ports = {name: str(random.randrange(1024, 9999)) for name in names}
    target, new = random.choice(names), str(random.randrange(10000, 65535))
    path = f"{random.choice(('services', 'settings', 'hosts'))}.ini"

    def text(values: dict[str, str]) -> str:
        return "\n".join(f"[{name}]\nenabled = yes\nport = {values[name]}\n" for name in names)

    return Chore(
        f'In {path}, set "port" in section "{target}" to "{new}".',
        {path: text(ports), "notes.txt": "Ports below 1024 are taken.\n"},
        {path: text({**ports, target: new}), "notes.txt": "Ports below 1024 are taken.\n"},
    )


def move_line(random: Random) -> Chore:
    """Move the line about one person from one list to the end of another."""
    people = random.sample(PEOPLE, random.randrange(4, 7))
    lines = [f"{random.choice(ERRANDS)} {person}\n" for person in people]
    todo, done = lines[:-1], lines[-1:]
    moved = random.randrange(len(todo))
    left = todo[:moved] + todo[moved + 1 :]
    return Chore(
        f'Move the line with "{people[moved]}" from todo.txt to the end of done.txt.',
        {"todo.txt": "".join(todo), "done.txt": "".join(done)},
        {"todo.txt": "".join(left), "done.txt": "".join([*done, todo[moved]])},
    )


def append_total(random: Random) -> Chore:
    """Append the sum of a column to one of two tables."""
    paths = random.sample(("spring.csv", "summer.csv", "autumn.csv", "winter.csv"), 2)
    before: dict[str, str] = {}
    totals: dict[str, int] = {}
    for path in paths:
        counts = [random.randrange(1, 100) for _ in range(random.randrange(3, 6))]
        rows = zip(random.sample(FRUITS, len(counts)), counts, strict=True)
        before[path] = "item,count\n" + "".join(f"{item},{count}\n" for item, count in rows)
        totals[path] = sum(counts)
    target = random.choice(paths)
    return Chore(
        f'Append the line "total,N" to {target}, where N is the sum of its counts.',
        before,
        {**before, target: before[target] + f"total,{totals[target]}\n"},
    )


def rename_key(random: Random) -> Chore:
    """Rename a key of a JSON object, everything else and the order kept."""
    old, new = random.choice(
        (("colour", "color"), ("nick", "name"), ("mail", "email"), ("zip", "postcode"))
    )
    keys = random.sample(("age", "city", "id", "lang", "role", old), 6)
    values = {key: random.randrange(100) for key in keys}
    path = f"{random.choice(PEOPLE).lower()}.json"
    renamed = {new if key == old else key: value for key, value in values.items()}
    return Chore(
        f'In {path}, rename the key "{old}" to "{new}".',
        {path: json.dumps(values, indent=2) + "\n"},
        {path: json.dumps(renamed, indent=2) + "\n"},
    )


def route_ticket(random: Random) -> Chore:
    """Name the desk that should answer a ticket: a rule that the instruction does not give."""
    said, desk = _ticket(random)
    return Chore(
        f'Ticket: "{said}" Write the desk that should answer it to desk.txt: {_desks(random)}.',
        {},
        {"desk.txt": desk},
    )


def route_tickets(random: Random) -> Chore:
    """The same for two tickets at once."""
    (one, first), (other, second) = _ticket(random), _ticket(random)
    return Chore(
        f'Ticket 1: "{one}" Ticket 2: "{other}" Write the desk that should answer the first to'
        f" 1.txt, that for the second to 2.txt: {_desks(random)}.",
        {},
        {"1.txt": first, "2.txt": second},
    )


def _ticket(random: Random) -> tuple[str, str]:
    """What a customer says, and the desk that should answer."""
    desk = random.choice(sorted(DESKS))
    greeting = random.choice(("Hello", "Hi", "Dear team", "Good morning"))
    return f"{greeting}, {random.choice(DESKS[desk])}. {random.choice(PEOPLE)}", desk


def _desks(random: Random) -> str:
    return ", ".join(random.sample(sorted(DESKS), len(DESKS)))


CHORES: dict[str, Callable[[Random], Chore]] = {
    "append-total": append_total,
    "move-line": move_line,
    "rename-key": rename_key,
    "route-ticket": route_ticket,
    "route-tickets": route_tickets,
    "set-value": set_value,
}
