"""What passages say about journeys and inventions: expeditions, ships, machines, new varieties of plants.
The form is that of buildings.py."""

from names import ANIMALS, COLOURS, MONTHS

EXPEDITION = {
    "make": lambda w: {
        "name": w.surname() + " Expedition", "goal": "the " + w.place() + " Plateau", "leader": w.person(), "navigator": w.person(),
        "year": w.year(), "members": w.small(5, 16), "sponsor": w.person(), "days": w.number(64, 640),
        "beast": w.random.pick(["mules", "reindeer", "camels", "oxen", "goats", "ponies", "llamas", "dogs"])},
    "open": [
        "The {name} set out to map {goal}, of which nothing was known but its outline.",
        "Nobody had asked for the {name}, yet all of {goal} is drawn today from its notebooks.",
        "When the {name} left for {goal}, the newspapers gave it a fortnight."],
    "facts": {
        "leader": {
            "say": ["It was led by {leader}, a surveyor with one good eye.", "{leader} led it and wrote the only account that was printed.",
                    "Its leader, {leader}, had until then never left the lowlands."],
            "ask": ["Who led the {name}?", "Who was the leader of the {name}?"]},
        "navigator": {
            "say": ["The navigator was {navigator}, who trusted the stars more than the compass.",
                    "As navigator {navigator} kept the only watch that never stopped.",
                    "{navigator} served as navigator and brought a tame crow."],
            "ask": ["Who was the navigator of the {name}?", "Who served as navigator on the {name}?"]},
        "year": {
            "say": ["It departed in the spring of {year}.", "The party left in {year}, on the day after a funeral.",
                    "In {year} everything was ready, down to the spare bootlaces."],
            "ask": ["In which year did the {name} set out?", "When did the {name} depart?"]},
        "members": {
            "say": ["It had {members} members, not counting the cook's nephew.", "Only {members} people took part.",
                    "All {members} members came back, which surprised the insurers."]},
        "sponsor": {
            "say": ["{sponsor}, a maker of umbrellas, paid for everything.", "The costs were borne by {sponsor} in exchange for having a mountain named.",
                    "It was paid for by {sponsor}, who had read too many novels."],
            "ask": ["Who paid for the {name}?", "Who bore the costs of the {name}?"]},
        "days": {
            "say": ["It was away for {days} days.", "The journey took {days} days instead of the hundred that had been planned.",
                    "After {days} days it was given up for lost, and on that very evening it came home."],
            "ask": ["How many days did the {name} last?", "For how many days was the {name} away?"]},
        "beast": {
            "say": ["The loads were carried by {beast}, bought on credit.", "Its {beast} proved wiser than the maps.",
                    "For carrying it relied on {beast}, to the amusement of the mountain villages."],
            "ask": ["Which animals carried the loads of the {name}?"]}},
    "fill": ["Bread ran out early; pickled walnuts lasted to the end.",
             "Two hundred sketches of clouds were brought home and never catalogued.",
             "Quarrels were settled by a vote in which the leader had no voice.",
             "Every evening somebody had to read aloud from the one book they had."],
    "links": [("leader", "ship", "captain",
               ["Its leader had been the first captain of the {other} and gave orders as if on deck.",
                "It was led by the first captain of the {other}, who had grown tired of water."])]}

SHIP = {
    "make": lambda w: {
        "name": w.random.pick(["Patient ", "Merry ", "Silent ", "Second ", "Honest ", "Swift ", "Northern ", "Painted "]) + w.surname(),
        "yard": w.place(), "captain": w.person(), "year": w.year(), "tons": w.number(130, 2900), "figure": w.random.pick(ANIMALS),
        "cargo": w.random.pick(["salted butter", "grindstones", "wallpaper", "pianos", "dried plums", "bell metal", "church candles", "cork"]),
        "reef": w.place() + " Reef", "sails": w.random.pick(COLOURS)},
    "open": [
        "The {name} was laid down at {yard} as a collier and finished as something better.",
        "Few ships from {yard} were as slow as the {name}, and none was luckier.",
        "At {yard} they still sing about the {name}, a three-master with a leak that was never found."],
    "facts": {
        "captain": {
            "say": ["Her first captain was {captain}, who kept hens in the chart room.", "{captain} commanded her on her first nine voyages.",
                    "The first captain, {captain}, had been a schoolteacher."],
            "ask": ["Who was the first captain of the {name}?", "Who first commanded the ship {name}?"]},
        "year": {
            "say": ["She was launched in {year}.", "The launch took place in {year}, at the third attempt.",
                    "In {year} she slid into the water with half the guests still aboard."],
            "ask": ["In which year was the {name} launched?", "When was the ship {name} launched?"]},
        "tons": {
            "say": ["She measured {tons} tons.", "With {tons} tons she was too big for her own harbour.", "Her papers gave {tons} tons."],
            "ask": ["How many tons did the {name} measure?", "What was the tonnage of the {name}?"]},
        "cargo": {
            "say": ["Mostly she carried {cargo}.", "Her usual cargo was {cargo}, which left a smell.", "For years she brought {cargo} to the southern ports."],
            "ask": ["What was the usual cargo of the {name}?", "What did the {name} mostly carry?"]},
        "figure": {
            "say": ["Her figurehead was a {figure}.", "In place of a lady a carved {figure} looked out from her bow.",
                    "The {figure} that served as her figurehead hangs in a tavern now."],
            "ask": ["Which animal was the figurehead of the {name}?"]},
        "reef": {
            "say": ["She went down at last on {reef}, in calm weather and broad daylight.", "Her end came on {reef}; everyone walked ashore.",
                    "Divers still visit what is left of her on {reef}."],
            "ask": ["Where did the {name} sink?", "On which reef did the {name} end?"]},
        "sails": {
            "say": ["Her {sails} sails could be told from any distance.", "She carried {sails} sails, dyed after a lost bet.",
                    "Sailmakers hated her, for she wore only {sails} sails."],
            "ask": ["What colour were the sails of the {name}?"]}},
    "fill": ["Twice she was sold for less than her anchors were worth.", "Rats avoided her, and so did customs officers.",
             "A pair of storks nested on her foremast for a whole summer.", "The ship's bell rang by itself in fog, or so the cook swore."],
    "links": [("captain", "lighthouse", "keeper",
               ["Her first captain became the first keeper of the {other} in old age and never looked at the sea again.",
                "Sailors of three ports knew her first captain, the same who was later the first keeper of the {other}."])]}

MACHINE = {
    "make": lambda w: {
        "name": w.surname() + " " + w.random.pick(["Loom", "Threshing Engine", "Calculator", "Knitting Frame", "Snow Plough", "Bread Slicer", "Pump", "Sorting Machine"]),
        "inventor": w.person(), "place": w.place(), "year": w.year(), "patron": w.person(), "parts": w.number(210, 4900),
        "metal": w.random.pick(["brass", "bog iron", "pewter", "nickel", "gunmetal", "cast iron", "zinc"]), "colour": w.random.pick(COLOURS)},
    "open": [
        "The {name} was shown for the first time in a barn at {place}, to nine people and a vet.",
        "Of all the inventions made at {place}, only the {name} was ever sold abroad.",
        "The {name} looks like an organ and does the work of twelve people, or so its makers in {place} claimed."],
    "facts": {
        "inventor": {
            "say": ["It was invented by {inventor}, then nineteen years old.", "Its inventor, {inventor}, had wanted to build a clock.",
                    "{inventor} invented it to win an argument."],
            "ask": ["Who invented the {name}?", "Who was the inventor of the {name}?"]},
        "year": {
            "say": ["The patent was granted in {year}.", "It was patented in {year}, a day before a rival's.",
                    "Its patent bears the year {year}."],
            "ask": ["In which year was the {name} patented?", "When was the patent for the {name} granted?"]},
        "patron": {
            "say": ["Without the money of {patron} it would have stayed a drawing.", "{patron} financed the first ten and lost everything.",
                    "The widow's mite came from {patron}, who paid for the castings."],
            "ask": ["Who financed the {name}?", "Whose money paid for the {name}?"]},
        "parts": {
            "say": ["It has {parts} parts, of which two turn in opposite directions for no known reason.", "A complete one consists of {parts} parts.",
                    "The manual counts {parts} parts and asks the owner to lose none."],
            "ask": ["How many parts does the {name} have?", "Of how many parts does the {name} consist?"]},
        "metal": {
            "say": ["The moving pieces are of {metal}.", "Its wheels were cast in {metal}, since steel was too dear.",
                    "Only {metal} was used for the gears."],
            "ask": ["Of which metal were the moving pieces of the {name} made?"]},
        "colour": {
            "say": ["Every one left the works painted {colour}.", "The casing is always {colour}.", "Buyers could choose any colour they liked and received {colour}."],
            "ask": ["What colour was the {name} painted?"]}},
    "fill": ["It must be oiled with the fat of geese; anything else makes it sing.",
             "Operators were forbidden to wear scarves.", "An early model ran for three days after it had been switched off.",
             "Copies appeared within a year and worked better."],
    "links": [("patron", "factory", "founder",
               ["It was financed by the founder of the {other}, against the advice of a whole family.",
                "The founder of the {other} paid for the first ten and asked only for a seat to watch."])]}

PLANT = {
    "make": lambda w: {
        "name": w.surname() + " " + w.random.pick(["Pear", "Apple", "Plum", "Quince", "Gooseberry", "Cabbage", "Bean"]),
        "breeder": w.person(), "place": w.place(), "year": w.year(), "colour": w.random.pick(COLOURS), "month": w.random.pick(MONTHS[4:9]),
        "grams": w.number(14, 990), "dish": w.random.pick(["smoked with bacon", "stewed in beer", "pickled with mustard", "baked under a crust of salt",
            "boiled down to a black jam", "dried on strings above the stove", "eaten with sheep's cheese"])},
    "open": [
        "The {name} grows nowhere but around {place}, where it was found in a ditch.",
        "Gardeners in {place} will talk about the {name} for as long as anyone listens.",
        "The {name} is a variety from {place} that travels badly and keeps for ever."],
    "facts": {
        "breeder": {
            "say": ["It was bred by {breeder}, a retired postman.", "{breeder} bred it over twenty patient seasons.",
                    "The breeder, {breeder}, never told anyone what it was crossed with."],
            "ask": ["Who bred the {name}?", "Who was the breeder of the {name}?"]},
        "year": {
            "say": ["It was first shown in {year} and won nothing.", "The first basket reached a market in {year}.", "It has been listed in catalogues since {year}."],
            "ask": ["In which year was the {name} first shown or sold?", "Since which year has the {name} been known?"]},
        "colour": {
            "say": ["When ripe it turns {colour}.", "Its skin is {colour}, a shade that painters envy.", "A ripe one is {colour} all over."],
            "ask": ["What colour is the {name} when it is ripe?"]},
        "month": {
            "say": ["It ripens in {month}, later than its neighbours would like.", "The harvest falls in {month}.", "Picking starts in {month} and lasts three days."],
            "ask": ["In which month is the {name} harvested?"]},
        "grams": {
            "say": ["A good one weighs {grams} grams.", "The usual weight is {grams} grams.", "Specimens of {grams} grams are nothing unusual."],
            "ask": ["How many grams does a good {name} weigh?", "What is the usual weight of the {name} in grams?"]},
        "dish": {
            "say": ["It is best {dish}.", "Local people have it {dish}.", "Raw it is no pleasure; {dish} it is famous."],
            "ask": ["How is the {name} best prepared?", "In what way do people eat the {name}?"]}},
    "fill": ["Wasps leave it alone, for which no reason has been found.", "The tree it comes from is propped up with oars.",
             "Children are paid to whistle while picking, so that they cannot eat.", "Its blossom smells faintly of pencils."],
    "links": [("breeder", "club", "captain",
               ["It was bred by the first captain of the {other}, between two seasons.",
                "Its breeder is better known as the first captain of the {other}."])]}

FAMILIES = {"expedition": EXPEDITION, "ship": SHIP, "machine": MACHINE, "plant": PLANT}
