"""The strings that tokenizers are compared on: everything from one seed, as bytes (some are no valid UTF-8)."""
import random
import unicodedata

SEED = 20240726
WORDS = (
    "the archive keeps a record of every river that changed its course after storms and nobody remembers why "
    "because maps were drawn by hand then copied twice before printing; It's late, we'll see what they've found, "
    "I'm sure he'd agree: don't ask. Temperature pressure velocity photosynthesis parliament internationalization "
    "Zürich café naïve façade coöperate Straße smörgåsbord jalapeño"
).split()
SCRIPTS = [
    "Река меняет русло каждую весну", "Ο ποταμός αλλάζει πορεία", "النهر يغير مجراه كل ربيع ٢٠٢٤", "הנהר משנה את מסלולו",
    "नदी हर वसंत में अपना मार्ग बदलती है", "แม่น้ำเปลี่ยนเส้นทางทุกฤดูใบไม้ผลิ", "河流每年春天都会改变河道", "川は毎年春に流れを変える。", "강은 매년 봄마다 흐름을 바꾼다",
    "Con sông đổi dòng mỗi mùa xuân", "Řeka mění každé jaro své koryto", "ወንዙ በየጸደይ ይለወጣል", "ნაკადი ყოველ გაზაფხულზე იცვლება",
    "Գետը փոխում է իր հունը", "নদী প্রতি বসন্তে গতিপথ বদলায়", "ஆறு ஒவ்வொரு வசந்தத்திலும்", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛", "ᚠᚢᚦᚨᚱᚲ", "漢字かな交じり文①②③",
]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'RE", "'Ll", "’s", "'ſ", "'ſt", "'x", "''s", "'sa", "'𝒔"]
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\xa0", "\u1680", "\u180e", "\u2003", "\u2028",
          "\u2029", "\u202f", "\u205f", "\u3000", "\u200b", "\ufeff", "\n\n", " \n", "\n "]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>", "<unk>", "<|begin_of_text|>", "<|end_of_text|>",
           "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<tool_call>", "</tool_call>", "<|fim_prefix|>",
           "<repo_name>", "<file_sep>", "<mark>", "<word>", "<Wide>", "<0x41>", "[PAD151646]", "<|im_", "im_end|>"]
CODE = ["def f(x):\n    return x ** 2\n", "for (int i = 0; i < n; ++i) { a[i] += b[i]; }", "\tif (p != nullptr) {\n\t\treturn;\n\t}\n",
        "SELECT * FROM t WHERE id = 42;", "https://example.org/a/b?c=d&e=%20f#g", "x_1.y-2@z+3", "0xDEADBEEF 1e-9 3.14159f",
        "{\"key\": [1, 2, {\"a\": null}]}", "$ ls -la | grep '\\.cpp$' > /dev/null 2>&1", "std::vector<std::pair<int,int>> v;",
        "#include <stdio.h>\n\n", "/* … */ // ——", "a&&b||!c?d:e", "\\frac{1}{2}\\sum_{i=0}^{n}", "<div class=\"x\">y</div>\n"]
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "1️⃣", "❤️", "🧑🏿‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👁️‍🗨️", "🫠", "☕", "🤷🏻‍♀️"]
DECOMPOSED = ["e\u0301", "A\u030a", "\u212b", "\u1e9b\u0323", "o\u0302\u0323", "\u1100\u1161\u11a8", "\uac00\u11a8", "q\u0307\u0323",
              "\u0958", "\u0f73\u0f71", "\u0344", "c\u0327\u0301", "\u2126", "\u304b\u3099", "\ufb1d", "a\u05ae\u0315\u0300\u0062",
              "\u0340", "\u2adc", "\u0bc6\u0bbe", "\U00011131\U00011127", "\u1fc1", "\uf900", "\U0002f800"]


def by_category():
    """Code points of each general category, those of planes 0 to 2 and 14."""
    table = {}
    for c in [*range(0x20000), *range(0x2A700, 0x2A720), *range(0x2F800, 0x2FA20), *range(0xE0000, 0xE0200)]:
        category = unicodedata.category(chr(c))
        if category not in ("Cs", "Cn"):
            table.setdefault(category, []).append(chr(c))
    return table


class Maker:
    def __init__(self):
        self.random = random.Random(SEED)
        self.categories = by_category()
        self.marks = [c for c in self.categories["Mn"]]

    def some(self, choices, low, high, between=""):
        return between.join(self.random.choice(choices) for _ in range(self.random.randint(low, high)))

    def category(self):
        names = sorted(self.categories)
        return self.some(self.categories[self.random.choice(names)], 1, 6)

    def english(self):
        return self.some(WORDS, 1, 12, " ") + self.random.choice(["", ".", "!", "?\n", "..."])

    def script(self):
        text = self.random.choice(SCRIPTS)
        begin = self.random.randrange(len(text))
        return text[begin : begin + self.random.randint(1, 16)]

    def stacked(self):
        return self.random.choice("aeuoxQ1 かדक") + self.some(self.marks, 1, 5)

    def space(self):
        return self.some(SPACES, 1, 5)

    def digits(self):
        kinds = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "½¼²³①⑳ⅫⅣ〇㊿", "0123456789.,-e "]
        return self.some(self.random.choice(kinds), 1, 9)

    def contraction(self):
        return self.random.choice(WORDS) + self.some(CONTRACTIONS, 1, 2)

    def special(self):
        return self.random.choice(["", " ", "a", "\n"]) + self.random.choice(SPECIAL) + self.random.choice(["", " ", "a", "  b"])

    def mixed_script(self):
        return self.script() + self.random.choice(SPACES + ["", "-", "、"]) + self.script()

    def any_part(self):
        return self.random.choice(
            [self.category, self.english, self.script, self.stacked, self.space, self.digits, self.contraction,
             lambda: self.random.choice(CODE), lambda: self.some(EMOJI, 1, 3), lambda: self.random.choice(DECOMPOSED)])()

    def parts(self):
        return "".join(self.any_part() for _ in range(self.random.randint(2, 4)))

    def broken(self):
        """UTF-8 with bytes changed, dropped or added, or bytes at random."""
        r = self.random
        if r.random() < 0.3:
            return bytes(r.randrange(256) for _ in range(r.randint(1, 24)))
        data = bytearray((self.script() + self.random.choice(EMOJI) + "ok").encode())
        for _ in range(r.randint(1, 3)):
            at = r.randrange(len(data))
            change = r.randrange(4)
            if change == 0:
                data[at] = r.randrange(256)
            elif change == 1:
                del data[at]
            elif change == 2:
                data.insert(at, r.choice([0x80, 0xC0, 0xE2, 0xED, 0xF0, 0xF5, 0xFF]))
            else:
                data[at:at] = r.choice([b"\xed\xa0\x80", b"\xc0\xaf", b"\xe0\x80\x80", b"\xf4\x90\x80\x80", b"\xf0\x82\x82\xac"])
            data = data or bytearray(b"x")
        return bytes(data)

    def long(self):
        r = self.random
        return r.choice([
            lambda: r.choice(["a", " ", "é", "中", "\n", "1", "-", "\u0301", "ab", "▁", "👍"]) * r.randint(40, 400),
            lambda: "".join(r.choice("abcdefgh") for _ in range(r.randint(40, 300))),
            lambda: " ".join(self.english() for _ in range(4)),
            lambda: "".join(self.script() for _ in range(12)),
        ])()


def golden_strings():
    """[(name, [bytes, …])] in a fixed order; 12,000 strings in all."""
    m = Maker()
    kinds = [("category", m.category, 2000), ("english", m.english, 700), ("script", m.mixed_script, 1300),
             ("marks", lambda: "".join(m.stacked() for _ in range(m.random.randint(1, 3))), 1000),
             ("decomposed", lambda: m.some(DECOMPOSED + ["x", " "], 1, 5), 500), ("space", lambda: m.space() + m.random.choice(["", "a", "1", "é", "!"]) + m.space(), 1000),
             ("digits", lambda: m.digits() + m.random.choice(["", " ", "a"]) + m.digits(), 700), ("contraction", m.contraction, 400),
             ("code", lambda: m.some(CODE, 1, 2), 200), ("emoji", lambda: m.some(EMOJI + [" ", "a", "\u200d", "\ufe0f"], 1, 4), 400),
             ("special", lambda: m.some([m.special() for _ in range(4)], 1, 3), 900), ("broken", m.broken, 1000),
             ("long", m.long, 150), ("mixed", m.parts, 1749)]
    made = []
    for name, make, count in kinds:
        texts = [make() for _ in range(count)]
        made.append((name, [t if isinstance(t, bytes) else t.encode("utf-8", "replace") for t in texts]))
    made.append(("empty", [b""]))
    return made


# Every code point of the planes in use stands in these places of a sentence, 32 to a string.
SWEEP_BLOCKS = [(0x0, 0x40000), (0xE0000, 0xE0200)]
SWEEP_STEP = 32
SWEEP_HASHED = 8  # strings to one hash


def sweep_strings():
    for first, last in SWEEP_BLOCKS:
        for begin in range(first, last, SWEEP_STEP):
            yield "".join(
                f"a{c}1 {c}{c}'{c}!{c}\u0301\u0327{c}\n" for c in map(chr, range(begin, begin + SWEEP_STEP))
                if not 0xD800 <= ord(c) <= 0xDFFF
            )


def as_pipeline_reads(data):
    """Bytes as the string that the published pipeline would hold: U+FFFD for each byte that is no part of UTF-8."""
    text = data.decode("utf-8", "surrogateescape")
    return "".join("\ufffd" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)
