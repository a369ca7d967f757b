#!/usr/bin/env python3
"""Writes datasets/data/qa_cards.jsonl: the registry cards of invented people, with one plain question each. Where
qa_builtin.jsonl asks as a person would, this set asks in the card's own words, so that a model of 135M parameters can
answer what full prefill shows it. The seed is fixed: running it again writes the same file.

    scripts/qa_set/cards.py > datasets/data/qa_cards.jsonl
    scripts/qa_set/cards.py 7 > other.jsonl          other cards: what quick start's lengths were chosen on

One line is {id, question, answers, hops, kind, passages: [{title, text, gold}]}.
"""

import json
import sys

from names import ANIMALS, COLOURS, MONTHS, World

SEED = 20261125
CARDS = 150
TRADES = """baker cooper fiddler glazier joiner dyer saddler tanner thatcher weaver tinsmith bookbinder clockmaker
ropemaker basketmaker gardener""".split()

# attribute: (what the card says, what is asked; None: said only)
FACTS = {
    "home": ("{name} lives in {home}.", "In which town does {name} live?"),
    "trade": ("{name} works as a {trade}.", "What does {name} work as?"),
    "colour": ("The door of {name}'s house is {colour}.", "What colour is the door of {name}'s house?"),
    "month": ("{name} pays the rent in {month}.", "In which month does {name} pay the rent?"),
    "animal": ("The pet of {name} is a {animal}.", "What animal is the pet of {name}?"),
    "badge": ("The badge number of {name} is {badge}.", None),
}


def article(text):
    """a otter → an otter"""
    for vowel in "aeiou":
        text = text.replace(f" a {vowel}", f" an {vowel}")
    return text


def card(world):
    random = world.random
    return {"name": world.person(), "home": world.place(), "trade": random.pick(TRADES), "colour": random.pick(COLOURS),
            "month": random.pick(MONTHS), "animal": random.pick(ANIMALS), "badge": world.number(1000, 9999)}


def main():
    world = World(int(sys.argv[1]) if len(sys.argv) > 1 else SEED)
    random = world.random
    facts = [fact for fact, (_, ask) in FACTS.items() if ask]
    for i in range(CARDS):
        person, attribute = card(world), facts[i % len(facts)]
        sentences = random.shuffled([say for say, _ in FACTS.values()])
        text = article(" ".join(sentences).format(**person))
        answer = str(person[attribute])
        assert text.count(answer) == 1, (answer, text)
        passage = {"title": f"Card of {person['name']}", "text": text, "gold": True}
        line = {"id": f"card-{i:03d}", "question": FACTS[attribute][1].format(**person), "answers": [answer], "hops": 1,
                "kind": attribute, "passages": [passage]}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
