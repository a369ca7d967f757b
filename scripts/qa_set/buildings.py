"""What passages say about built things: bridges, libraries, lighthouses, railways, factories.

Each family: `make` invents one thing; `open` sentences name it; `facts` are sentences that state one attribute and
questions that ask for it (none for small numbers: passages say "five", models "5", and "5" is part of half the numbers
there are); `fill` sentences state nothing that is asked; `links` state an attribute by reference to another passage
(attribute, the other family, its attribute, sentences)."""

from names import ANIMALS, COLOURS, FIRST_NAMES

BRIDGE = {
    "make": lambda w: {
        "name": w.surname() + " Bridge", "place": w.place(), "river": w.place() + " River", "architect": w.person(),
        "year": w.year(), "length": w.number(112, 989), "paint": w.random.pick(COLOURS), "arches": w.small(3, 16),
        "inspector": w.person(), "animal": w.random.pick(ANIMALS)},
    "open": [
        "The {name} carries the old coach road over the {river} a little below {place}.",
        "Anyone who comes to {place} from the south crosses the {river} by the {name}.",
        "Until the {name} was built, the people of {place} had to be rowed across the {river}."],
    "facts": {
        "architect": {
            "say": ["It was designed by {architect}, whose first two drawings the council refused.",
                    "The design came from {architect}, a mason's child who had never built over water before.",
                    "{architect} drew the plans in a single winter and asked for no fee."],
            "ask": ["Who designed the {name}?", "Whose design was used for the {name}?"]},
        "year": {
            "say": ["Traffic was let onto it in {year}, two springs later than promised.",
                    "It was opened in {year} with a brass band and a heavy shower.",
                    "The last stone was set in {year}, as a plate on the parapet records."],
            "ask": ["In which year was the {name} opened?", "When was the {name} finished?"]},
        "length": {
            "say": ["From bank to bank it measures {length} metres.", "At {length} metres it was for a long time the longest of its kind in the county.",
                    "The deck is {length} metres long and just wide enough for two carts."],
            "ask": ["How many metres long is the {name}?", "What is the length of the {name} in metres?"]},
        "paint": {
            "say": ["The railings have always been painted {paint}, because that paint was left over from a barge.",
                    "Its railings are {paint}, and a by-law forbids any other colour.",
                    "Every seven years the iron railings get a new coat of {paint}."],
            "ask": ["What colour are the railings of the {name}?"]},
        "inspector": {
            "say": ["A crack in the third pier was discovered by the inspector {inspector}, who closed it for a month.",
                    "{inspector}, the first inspector, walked it every morning and kept a diary of its cracks.",
                    "Its first inspector, {inspector}, lived in a hut beside the ramp."],
            "ask": ["Who was the first inspector of the {name}?", "Which inspector is connected with the {name}?"]},
        "animal": {
            "say": ["A stone {animal} sits on the northern pillar; children rub its back for luck.",
                    "On the keystone a {animal} is carved, the mason's joke on the mayor.",
                    "The northern pillar ends in a carved {animal}."],
            "ask": ["Which animal is carved on the {name}?"]}},
    "fill": ["In hard winters, ice floes pile up against the piers and can be heard from the market square.",
             "Tolls were given up long ago, but the collector's window is still there.",
             "Swallows nest under the deck, and nobody is allowed to disturb them before September."],
    "links": [("architect", "library", "architect",
               ["The town had no money for a competition, so it gave the design to the architect of the {other}.",
                "It was designed by the same architect as the {other}, which explains the round windows in its towers."])]}

LIBRARY = {
    "make": lambda w: {
        "name": w.surname() + " Library", "place": w.place(), "architect": w.person(), "founder": w.person(),
        "year": w.year(), "volumes": w.number(4100, 38999), "ceiling": w.random.pick(COLOURS),
        "treasure": w.random.pick(["a globe of whalebone", "a map drawn on birch bark", "a harp without strings",
                                   "a meteorite the size of a loaf", "a book bound in eelskin", "a clock that runs backwards",
                                   "a chess set of salt", "a piano for one hand", "a letter written on a leaf"])},
    "open": [
        "The {name} stands on the highest street of {place}, between a chapel and a cooperage.",
        "{place} owes the {name} to a quarrel between two brothers over a barn full of books.",
        "Readers from several counties come to {place} for the {name}, although it lends nothing."],
    "facts": {
        "architect": {
            "say": ["Its architect, {architect}, put the reading room on the top floor to be nearer the light.",
                    "The building is a work of {architect}, who slept on the site until the roof was on.",
                    "{architect} was the architect; the staircase was changed twice against the drawings."],
            "ask": ["Who was the architect of the {name}?", "Which architect built the {name}?"]},
        "founder": {
            "say": ["It was founded by {founder}, a dealer in rope who had learned to read at forty.",
                    "The founder, {founder}, gave the whole profit of a good whaling year.",
                    "{founder} founded it and forbade fires in every room but the porter's."],
            "ask": ["Who founded the {name}?", "By whom was the {name} founded?"]},
        "year": {
            "say": ["The doors opened in {year}, with more shelves than books.", "Since {year} it has been open every day but one.",
                    "The oldest entry in the visitors' book was made at the opening in {year}."],
            "ask": ["In which year did the {name} open?", "Since which year has the {name} been open?"]},
        "volumes": {
            "say": ["The catalogue lists {volumes} volumes, all written on slips of blue card.",
                    "It holds {volumes} volumes, not counting the almanacs.", "At the last count there were {volumes} volumes."],
            "ask": ["How many volumes does the {name} hold?", "How many volumes are in the catalogue of the {name}?"]},
        "ceiling": {
            "say": ["The ceiling of the reading room is {ceiling}, with small gilt stars.",
                    "Above the desks the ceiling is painted {ceiling}.", "A {ceiling} ceiling gives the reading room its nickname."],
            "ask": ["What colour is the ceiling of the reading room in the {name}?"]},
        "treasure": {
            "say": ["Its greatest treasure is {treasure}, shown on two days a year.",
                    "In a case by the door lies {treasure}, which no one has ever explained.",
                    "Most visitors ask first for {treasure}, kept in the strong room."],
            "ask": ["What is the greatest curiosity kept in the {name}?", "Which unusual object does the {name} own?"]}},
    "fill": ["Dogs are admitted if they are older than the newest book.",
             "Silence is kept by an hourglass that any reader may turn over.",
             "In wet weather the cellar must be pumped by the readers themselves, an hour each.",
             "The cat has a pass of its own and appears in the accounts under heating."],
    "links": [("year", "ship", "year",
               ["It opened in the very year in which the {other} was launched, and the same mayor held both speeches.",
                "The doors were opened in the year of the launch of the {other}, a coincidence that the founder liked to mention."])]}

LIGHTHOUSE = {
    "make": lambda w: {
        "name": w.place() + " Lighthouse", "island": "the island of " + w.place(), "keeper": w.person(), "year": w.year(),
        "height": w.number(19, 108), "flash": w.small(4, 16), "stone": w.random.pick(["pink granite", "black slate", "white limestone", "grey basalt", "yellow sandstone"]),
        "quarry": w.place(), "animal": w.random.pick(ANIMALS)},
    "open": [
        "The {name} was put up on {island} after three wool ships had been lost in one night.",
        "On the western point of {island} stands the {name}, known to every sailor of that coast.",
        "From {island}, where forty people live, the {name} lights the strait."],
    "facts": {
        "keeper": {
            "say": ["The first keeper, {keeper}, stayed for thirty-one years and grew leeks behind the oil store.",
                    "{keeper} was its first keeper and is buried beside the path.",
                    "Its first keeper was {keeper}, who could not swim."],
            "ask": ["Who was the first keeper of the {name}?", "What was the name of the first keeper of the {name}?"]},
        "year": {
            "say": ["The lamp was first lit in {year}.", "It has been lit every night since {year}, with one exception during a wedding.",
                    "After many delays the lamp burned for the first time in {year}."],
            "ask": ["In which year was the lamp of the {name} first lit?", "When was the {name} lit for the first time?"]},
        "height": {
            "say": ["The tower is {height} metres high, and its stairs are so narrow that furniture comes by rope.",
                    "It rises {height} metres above its rock.", "With {height} metres it overtops even the church of the mainland."],
            "ask": ["How many metres high is the {name}?", "What is the height of the {name} in metres?"]},
        "flash": {
            "say": ["It shows one white flash every {flash} seconds.", "Its light returns every {flash} seconds, slow enough to count.",
                    "One flash every {flash} seconds tells it from its neighbours."]},
        "quarry": {
            "say": ["The {stone} came by raft from the quarries of {quarry}.", "It is built of {stone} that was cut at {quarry}.",
                    "Its {stone} was quarried at {quarry} and numbered block by block."],
            "ask": ["Where was the stone of the {name} quarried?", "From which place did the stone for the {name} come?"]},
        "animal": {
            "say": ["The weather vane on its dome is a copper {animal}.", "A {animal} of copper turns on top of the dome.",
                    "Instead of a cock, a {animal} serves as its weather vane."],
            "ask": ["Which animal is the weather vane of the {name}?"]}},
    "fill": ["Supplies come once a month, the newspapers all together.",
             "On clear evenings the keepers of two coasts used to greet each other with the shutters.",
             "During gales the whole tower hums like a bottle.", "Goats are kept on the rock to keep the grass short."],
    "links": [("keeper", "expedition", "navigator",
               ["Its first keeper had been the navigator of the {other} and wanted nothing but a dry bed.",
                "The post of first keeper went to the former navigator of the {other}."])]}

RAILWAY = {
    "make": lambda w: {
        "name": w.surname() + " Railway", "start": w.place(), "end": w.place(), "engineer": w.person(), "year": w.year(),
        "length": w.number(21, 189), "tunnels": w.small(3, 16), "engine": w.random.pick(FIRST_NAMES) + " " + w.random.pick(["the Second", "the Great", "the Small"]),
        "livery": w.random.pick(COLOURS)},
    "open": [
        "The {name} runs from {start} to {end}, mostly along the edge of a cliff.",
        "Between {start} and {end} the {name} climbs more than any line in the district.",
        "Peat, milk and schoolchildren are what the {name} carries from {start} to {end}."],
    "facts": {
        "engineer": {
            "say": ["The engineer in charge was {engineer}, who measured the whole route on foot.",
                    "{engineer} engineered it with a spirit level borrowed from a joiner.",
                    "Its chief engineer, {engineer}, refused to travel in anything but the brake van."],
            "ask": ["Who was the engineer of the {name}?", "Which engineer built the {name}?"]},
        "year": {
            "say": ["The first train ran in {year} and was met by a goat.", "Regular service began in {year}.",
                    "It was opened to passengers in {year}, still without a timetable."],
            "ask": ["In which year did the first train run on the {name}?", "When was the {name} opened?"]},
        "length": {
            "say": ["The line is {length} kilometres long.", "Its {length} kilometres take an afternoon.",
                    "Counting the siding to the quarry, it has {length} kilometres of track."],
            "ask": ["How many kilometres long is the {name}?", "What is the length of the {name} in kilometres?"]},
        "tunnels": {
            "say": ["There are {tunnels} tunnels, the shortest of them hardly longer than a coach.",
                    "Passengers go through {tunnels} tunnels and hold their hats.", "It needed {tunnels} tunnels, all dug by hand."]},
        "engine": {
            "say": ["Its oldest locomotive is called {engine}.", "Sunday trains are still drawn by the locomotive {engine}.",
                    "The pride of the shed is {engine}, a locomotive with a cracked bell."],
            "ask": ["What is the oldest locomotive of the {name} called?", "What is the name of the {name}'s best-known locomotive?"]},
        "livery": {
            "say": ["The coaches are painted {livery}, doors included.", "Its coaches are {livery}, a colour that hides the soot badly.",
                    "All coaches wear {livery} paint since a famous bet."],
            "ask": ["What colour are the coaches of the {name}?"]}},
    "fill": ["Leaves on the rails are swept away by the guard with a broom.",
             "Third class was abolished when the second one became worse.",
             "The station clocks are set four minutes fast for the sake of late risers.",
             "A ticket is valid until it is lost."],
    "links": [("engineer", "bridge", "architect",
               ["The directors trusted nobody but the designer of the {other}, who became their engineer.",
                "Its engineer had already designed the {other} and brought the same foremen along."])]}

FACTORY = {
    "make": lambda w: {
        "name": w.surname() + " " + w.random.pick(["Glassworks", "Paper Mill", "Pottery", "Bell Foundry", "Rope Works", "Soap Works", "Button Factory"]),
        "place": w.place(), "founder": w.person(), "year": w.year(), "workers": w.number(61, 940), "chimney": w.number(22, 99),
        "mark": w.random.pick(ANIMALS), "bestseller": w.random.pick(["a square teacup", "a bell for sledges", "a bottle with two necks",
            "soap that smelled of hay", "waterproof writing paper", "buttons in the shape of shells", "a jug with a lid of cork"])},
    "open": [
        "For four generations the {name} gave work to half of {place}.",
        "The {name} in {place} began in a disused stable beside the canal.",
        "Travellers used to smell the {name} before they saw {place}."],
    "facts": {
        "founder": {
            "say": ["Its founder was {founder}, who could neither draw nor add.", "{founder} founded it with money won in a lottery.",
                    "It was founded by {founder}, until then a teacher of dancing."],
            "ask": ["Who founded the {name}?", "Who was the founder of the {name}?"]},
        "year": {
            "say": ["Production started in {year}.", "The first goods left the yard in {year}.", "Work began in {year} with a single foreman."],
            "ask": ["In which year did production start at the {name}?", "When did the {name} start working?"]},
        "workers": {
            "say": ["In its best years it employed {workers} people.", "At its height {workers} workers passed the gate every morning.",
                    "The wage book of its busiest year names {workers} workers."],
            "ask": ["How many workers did the {name} have at its height?", "How many people did the {name} employ in its best years?"]},
        "chimney": {
            "say": ["Its chimney, {chimney} metres high, could be seen from the sea.", "The chimney was built {chimney} metres high to spare the bishop's garden.",
                    "A chimney of {chimney} metres is all that a fire left of the first building."],
            "ask": ["How high was the chimney of the {name} in metres?"]},
        "mark": {
            "say": ["Every piece bore the stamp of a {mark}.", "Its trade mark was a {mark} in a ring.",
                    "Collectors know its goods by the small {mark} pressed into the underside."],
            "ask": ["Which animal was the trade mark of the {name}?"]},
        "bestseller": {
            "say": ["What made it rich was {bestseller}.", "Nothing sold better than {bestseller}, though the foremen thought it silly.",
                    "It is remembered above all for {bestseller}."],
            "ask": ["What was the best-known product of the {name}?", "Which product made the {name} rich?"]}},
    "fill": ["A whistle at noon told the whole valley when to eat.",
             "Strikes were rare, because the foremen's wives took part in them.",
             "The night shift had a choir that won prizes.", "Carters had to wipe their wheels before they left the yard."],
    "links": [("founder", "machine", "inventor",
               ["It was founded by the inventor of the {other}, who was tired of being asked for spare parts.",
                "The money came from a patent: its founder was none other than the inventor of the {other}."])]}

FAMILIES = {"bridge": BRIDGE, "library": LIBRARY, "lighthouse": LIGHTHOUSE, "railway": RAILWAY, "factory": FACTORY}
