"""Invented people, places and things, drawn without repetition from a fixed seed."""


class Random:
    """SplitMix64: the same numbers whatever the Python version."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    def below(self, n):
        return self.next() % n

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def pick(self, items):
        return items[self.below(len(items))]

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


FIRST_NAMES = """Adela Ambrose Anselm Beatrix Benedikt Brigid Caspar Cecily Clement Cosima Dagny Desmond Edda Elias
Emeline Enoch Esther Fabian Felicity Ferdinand Flora Gideon Gisela Gregor Gunnar Hanne Harriet Hedwig Hector Ignatius
Ilse Isidore Jerome Jocasta Josefa Judith Konrad Lavinia Leander Leonie Lorenz Lucinda Mabel Malachi Margit Matthias
Melchior Mercy Milena Nathaniel Nora Octavia Olympia Osbert Otto Pascal Perpetua Quirin Rainer Ramona Reuben Rosamund
Rufus Salome Sebald Selma Severin Sidonie Sigrid Solomon Sophronia Tabitha Theodora Theo Thora Ursula Valentin Verena
Viola Walburga Wilfred Winifred Xaver Yolanda Zacharias""".split()

SURNAME_STARTS = """Vel Hal Brun Tor Mar Kes Dor Fen Gol Har Jas Kor Lan Mer Nor Os Pel Quil Ras Sten Tul Ulv Vand Wes
Yar Zell Ard Bex Crom Dra Eck Fal Grim Hes Isen Jor Krol Lum Mosk Nev""".split()
SURNAME_ENDS = """borg dane vik sten mark holt by ridge lund gard wick more strom feld quist ner rell sen tov ley
combe thal mond dorn ett ulin aker ovic bury hage""".split()
PLACE_STARTS = """Alder Birch Cinder Dun Elm Frost Gall Hazel Iron Kestle Lark Mill Nether Oaken Pine Quarr Raven Salt
Thistle Under Vine Whit Yew Amber Brim Coldi Drift Ever Fallow Green Hollow Inver Jun Kings Lynd Mossi Nord Otter
Pebble Rush""".split()
PLACE_ENDS = """ford haven mere stead wold burn minster cliff dale gate ham moor pool reach rook sett shaw thorpe wyke
garth marsh""".split()
# No word here is part of a common one ("amber" of "chamber", "ram" of "program"): scores look for substrings.
COLOURS = """crimson turquoise ochre violet scarlet ivory emerald vermilion indigo maroon lavender copper navy lemon
mustard lilac magenta bronze charcoal slate""".split()
ANIMALS = """heron badger otter falcon squirrel salamander stork lynx hedgehog pelican raven mastiff osprey beetle lobster
weasel jackal walrus marmot cormorant""".split()
MONTHS = "January February April June July August September October November December".split()
NUMBER_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten",
                11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen"}


class World:
    """Hands out names; no name, and no year of one kind, is given twice."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.surnames = self._combine(SURNAME_STARTS, SURNAME_ENDS)
        self.places = self._combine(PLACE_STARTS, PLACE_ENDS)
        self.used_numbers = set()

    def _combine(self, starts, ends):
        names = [start + end for start in starts for end in ends if start[-1] != end[0]]
        return self.random.shuffled(names)

    def surname(self):
        return self.surnames.pop()

    def place(self):
        return self.places.pop()

    def person(self):
        return self.random.pick(FIRST_NAMES) + " " + self.surname()

    def number(self, low, high):
        """A number that no other passage states."""
        while True:
            n = self.random.between(low, high)
            if n not in self.used_numbers:
                self.used_numbers.add(n)
                return n

    def year(self):
        return self.random.between(1741, 1938)

    def small(self, low, high):
        """A small number as a word."""
        return NUMBER_WORDS[self.random.between(low, high)]
