#!/usr/bin/env python3
"""Writes datasets/data/qa_builtin.jsonl: questions over passages about people, places and things that do not exist, so
that no model knows an answer without its passage. The seed is fixed: running it again writes the same file.

    scripts/qa_set/make.py > datasets/data/qa_builtin.jsonl

One line is {id, question, answers, hops, kind, passages: [{title, text, gold}]}. A question of two hops has two gold
passages: the first names the thing asked for only by reference to the second.
"""

import json
import re
import sys

import arts
import buildings
import journeys
from names import World

SEED = 20240611
PER_FAMILY = 15  # things of a family
LINKED = 3       # of which so many are asked for over two passages
FEWEST_WORDS, MOST_WORDS = 60, 120

FAMILIES = {**buildings.FAMILIES, **journeys.FAMILIES, **arts.FAMILIES}


def capital(text):
    return text[0].upper() + text[1:]


def with_articles(text):
    """"a otter" → "an otter"; our words have no silent h and no "useful"."""
    return re.sub(r"\b([Aa]) (?=[aeiouAEIOU](?!ni))", r"\1n ", text)


def words(text):
    return len(text.split())


class Thing:
    """One invented thing: its attributes, and the attribute (if any) that is stated by reference."""

    def __init__(self, family, attributes):
        self.family = family
        self.attributes = attributes
        self.reference = None  # (attribute, sentence)
        self.needed = set()    # attributes that its passage must state
        self.text = None

    def say(self, random, attribute):
        if self.reference and self.reference[0] == attribute:
            return self.reference[1]
        return random.pick(FAMILIES[self.family]["facts"][attribute]["say"]).format(**self.attributes)

    def write(self, random):
        """The opening, then facts and asides in any order, until there are words enough."""
        family = FAMILIES[self.family]
        opening = random.pick(family["open"]).format(**self.attributes)
        optional = random.shuffled([fact for fact in family["facts"] if fact not in self.needed])
        asides = random.shuffled(family["fill"])
        body = [self.say(random, fact) for fact in sorted(self.needed)] + [asides.pop()]
        goal = FEWEST_WORDS + random.below(35)
        for fact in optional:
            if words(opening) + sum(map(words, body)) >= goal:
                break
            body.append(self.say(random, fact))
        while words(opening) + sum(map(words, body)) < FEWEST_WORDS:
            body.append(asides.pop())
        self.text = with_articles(" ".join(capital(s) for s in [opening] + random.shuffled(body)))
        assert FEWEST_WORDS <= words(self.text) <= MOST_WORDS, (words(self.text), self.text)

    def passage(self):
        title = self.attributes["name"]
        return {"title": capital(title), "text": self.text, "gold": True}


def is_person(family, attribute, value):
    return attribute in {"architect", "inspector", "founder", "keeper", "engineer", "leader", "navigator", "sponsor", "captain",
                         "inventor", "patron", "breeder", "painter", "sitter", "composer", "singer", "editor"} \
        and len(value.split()) == 2 and value[0].isupper()


def accepted(family, attribute, value):
    """The answer as stated; of a person also the surname, which belongs to nobody else."""
    value = str(value)
    return [value, value.split()[1]] if is_person(family, attribute, value) else [value]


def question_of(random, thing, attribute):
    return random.pick(FAMILIES[thing.family]["facts"][attribute]["ask"]).format(**thing.attributes)


def main():
    world = World(SEED)
    random = world.random
    things = {name: [Thing(name, family["make"](world)) for _ in range(PER_FAMILY)] for name, family in FAMILIES.items()}
    asked = []  # (thing, attribute, other thing or None)
    for name, family in FAMILIES.items():
        attribute, other_family, other_attribute, sentences = family["links"][0]
        others = random.shuffled(things[other_family][LINKED:])
        for thing, other in zip(things[name][:LINKED], others):
            thing.attributes[attribute] = other.attributes[other_attribute]
            thing.reference = (attribute, random.pick(sentences).format(other=other.attributes["name"]))
            thing.needed.add(attribute)
            other.needed.add(other_attribute)
            asked.append((thing, attribute, other))
        facts = [fact for fact in family["facts"] if "ask" in family["facts"][fact]]
        for i, thing in enumerate(things[name][LINKED:]):
            attribute = facts[i % len(facts)]
            thing.needed.add(attribute)
            asked.append((thing, attribute, None))
    for family in things.values():
        for thing in family:
            thing.write(random)
    for i, (thing, attribute, other) in enumerate(random.shuffled(asked)):
        answers = accepted(thing.family, attribute, thing.attributes[attribute])
        passages = [thing.passage()] + ([other.passage()] if other else [])
        holder = passages[-1]["text"]
        assert all(answer.lower() in holder.lower() for answer in answers), (answers, holder)
        assert other is None or not any(answer.lower() in passages[0]["text"].lower() for answer in answers)
        question = with_articles(question_of(random, thing, attribute))
        line = {"id": f"builtin-{i:03d}", "question": question, "answers": answers, "hops": 2 if other else 1,
                "kind": thing.family, "passages": passages}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
