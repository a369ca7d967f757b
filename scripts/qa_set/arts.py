"""What passages say about arts and company: paintings, operas, festivals, clubs, newspapers.
The form is that of buildings.py."""

from names import ANIMALS, COLOURS, MONTHS

PAINTING = {
    "make": lambda w: {
        "name": w.random.pick(["The Sleeping ", "The Late ", "Portrait of a ", "The Unwilling ", "Morning with a ", "The Second "]) + w.random.pick(
            ["Ferryman", "Glazier", "Beekeeper", "Notary", "Bellringer", "Tailor", "Organist", "Widow"]) + " of " + w.place(),
        "painter": w.person(), "year": w.year(), "museum": w.surname() + " Museum", "sum": w.number(310, 9800), "dog": w.random.pick(ANIMALS),
        "sitter": w.person(), "coat": w.random.pick(COLOURS)},
    "open": [
        "\"{name}\" is a small picture that people expect to be large.",
        "For a long time \"{name}\" served as the lid of a flour chest.",
        "Critics disliked \"{name}\" so much that it became famous."],
    "facts": {
        "painter": {
            "say": ["It was painted by {painter}, by lamplight and without a sketch.", "The painter, {painter}, signed it on the back.",
                    "{painter} painted it to pay a dentist."],
            "ask": ["Who painted \"{name}\"?", "Which painter made \"{name}\"?"]},
        "year": {
            "say": ["It is dated {year}.", "The date {year} stands in a corner.", "It was finished in {year}."],
            "ask": ["In which year was \"{name}\" painted?", "What date does \"{name}\" bear?"]},
        "museum": {
            "say": ["It hangs in the {museum}, opposite a radiator.", "Today the {museum} owns it.", "A will brought it to the {museum}."],
            "ask": ["In which museum does \"{name}\" hang?", "Which museum owns \"{name}\"?"]},
        "sum": {
            "say": ["At its last sale it fetched {sum} crowns.", "Someone paid {sum} crowns for it at an auction.", "Its price at auction was {sum} crowns."],
            "ask": ["How many crowns were paid for \"{name}\"?", "For how many crowns was \"{name}\" sold?"]},
        "dog": {
            "say": ["In the lower left a {dog} can be made out.", "A {dog} looks in at the window.", "Under the table, hardly visible, sits a {dog}."],
            "ask": ["Which animal can be seen in \"{name}\"?"]},
        "sitter": {
            "say": ["The model was {sitter}, a cousin by marriage.", "{sitter} sat for it eleven times.", "The face is that of {sitter}, who sold fish."],
            "ask": ["Who was the model for \"{name}\"?", "Whose face is shown in \"{name}\"?"]},
        "coat": {
            "say": ["The {coat} coat in the middle was added later.", "All the light falls on a {coat} coat.", "Its centre is a coat of a startling {coat}."],
            "ask": ["What colour is the coat in \"{name}\"?"]}},
    "fill": ["An X-ray showed a shopping list under the varnish.", "The frame is older than the canvas and worth more.",
             "It was stolen once and brought back by the same evening.", "Copies of it hang in at least three dentists' waiting rooms."],
    "links": [("painter", "opera", "composer",
               ["It is the only known picture by the composer of the {other}, who usually burned them.",
                "It was painted, strange to say, by the composer of the {other} during an illness."])]}

OPERA = {
    "make": lambda w: {
        "name": "opera \"" + w.random.pick(["The Miller's ", "The Captain's ", "The Last ", "The Silver ", "The Winter ", "The Borrowed "]) + w.random.pick(
            ["Wager", "Lantern", "Thimble", "Wedding", "Orchard", "Umbrella", "Letter", "Staircase"]) + " of " + w.place() + "\"",
        "composer": w.person(), "year": w.year(), "town": w.place(), "acts": w.small(3, 9), "singer": w.person(), "minutes": w.number(71, 330),
        "instrument": w.random.pick(["a glass harmonica", "a serpent", "four alphorns", "a hurdy-gurdy", "a singing saw", "cowbells", "a bass recorder", "a nose flute"])},
    "open": [
        "The {name} tells of an heir who comes home and finds the locks changed.",
        "Hardly anyone has heard the whole {name}, but its third march is played at weddings.",
        "The {name} was written for a theatre without a curtain."],
    "facts": {
        "composer": {
            "say": ["It is by {composer}, who was also the prompter.", "The composer, {composer}, conducted from under the stage.",
                    "{composer} composed it on a borrowed harmonium."],
            "ask": ["Who composed the {name}?", "Who is the composer of the {name}?"]},
        "year": {
            "say": ["It was first given in {year}.", "The first performance, in {year}, ended before the last act.", "It reached the stage in {year}."],
            "ask": ["In which year was the {name} first performed?", "When was the {name} first given?"]},
        "town": {
            "say": ["The premiere took place at {town}.", "{town} saw the premiere, in a riding school.", "It was first heard in {town}."],
            "ask": ["In which town was the {name} first performed?", "Where did the premiere of the {name} take place?"]},
        "acts": {
            "say": ["It has {acts} acts and no interval.", "The plot needs {acts} acts.", "There are {acts} acts, one of them silent."]},
        "singer": {
            "say": ["{singer} sang the main part and fainted.", "The main part was written for {singer}.", "At the first night the main part was sung by {singer}."],
            "ask": ["Who first sang the main part in the {name}?", "For whom was the main part of the {name} written?"]},
        "minutes": {
            "say": ["A performance lasts {minutes} minutes.", "Played without cuts it takes {minutes} minutes.", "Its {minutes} minutes pass quickly, say those who like it."],
            "ask": ["How many minutes does the {name} last?"]},
        "instrument": {
            "say": ["The score calls for {instrument}.", "In the storm scene {instrument} must be played.", "Orchestras fear it because of {instrument}."],
            "ask": ["Which unusual instrument does the score of the {name} call for?"]}},
    "fill": ["The fire in the second scene has to be real.", "Its libretto was sold by weight.", "A critic called it a long way round to a short tune.",
             "Tenors ask for double pay, and get it."],
    "links": [("town", "newspaper", "town",
               ["The premiere took place in the town where the {other} is printed, and that paper alone praised it.",
                "It was first heard in the home town of the {other}."])]}

FESTIVAL = {
    "make": lambda w: {
        "name": w.random.pick(["Lantern", "Onion", "Bell", "Kite", "Snail", "Straw", "Ladder", "Barrel"]) + " Festival of " + w.place(),
        "founder": w.person(), "year": w.year(), "month": w.random.pick(MONTHS), "prize": w.random.pick(["a live goose", "a silver spoon", "a cartload of peat",
            "the right to ring the church bell", "a pair of red boots", "a year's supply of vinegar", "a wheel of cheese"]),
        "guests": w.number(1200, 9900), "dress": w.random.pick(COLOURS), "food": w.random.pick(["turnip dumplings", "eel pies", "honey soup", "buckwheat waffles",
            "black bread with plums", "fried elderflowers", "nettle cakes"])},
    "open": [
        "Once a year the {name} fills every bed and most of the haylofts.",
        "The {name} goes back to a mistake in a calendar.",
        "Strangers are welcome at the {name} as long as they carry something."],
    "facts": {
        "founder": {
            "say": ["It was started by {founder}, the innkeeper.", "{founder} held the first one in a private kitchen.", "The idea came from {founder}, a chimney sweep."],
            "ask": ["Who started the {name}?", "Who held the first {name}?"]},
        "year": {
            "say": ["The first one took place in {year}.", "It has been held since {year}, war or no war.", "In {year} it was held for the first time."],
            "ask": ["In which year was the {name} first held?", "Since which year has the {name} been held?"]},
        "month": {
            "say": ["It falls on the second Saturday of {month}.", "All of it happens in {month}.", "{month} was chosen because the roads are passable then."],
            "ask": ["In which month is the {name} held?"]},
        "prize": {
            "say": ["The winner of the race receives {prize}.", "First prize has always been {prize}.", "People run themselves breathless for {prize}."],
            "ask": ["What is the first prize at the {name}?", "What does the winner at the {name} receive?"]},
        "guests": {
            "say": ["Last time {guests} guests were counted.", "The gate counted {guests} visitors at the latest one.", "Some {guests} people came to the most recent one."],
            "ask": ["How many guests came to the latest {name}?"]},
        "dress": {
            "say": ["Everybody wears something {dress}.", "The dancers are dressed in {dress}.", "Whoever comes without a {dress} ribbon pays a fine."],
            "ask": ["What colour do people wear at the {name}?"]},
        "food": {
            "say": ["One eats {food}, standing.", "The dish of the day is {food}.", "No stall may sell anything but {food}."],
            "ask": ["What is eaten at the {name}?", "Which food is sold at the {name}?"]}},
    "fill": ["Musicians are paid in firewood.", "Rain does not stop it; hail did, once.", "The mayor has to open it in a paper hat.",
             "At midnight everything is swept up by those who were born that month."],
    "links": [("year", "railway", "year",
               ["It has been held since the {other} was opened, and in the same year the first guests came by train.",
                "The first one took place in the year in which the first train ran on the {other}."])]}

CLUB = {
    "make": lambda w: {
        "name": w.place() + " " + w.random.pick(["Harriers", "Rovers", "Wanderers", "Oarsmen", "Skaters", "Bowlers"]),
        "captain": w.person(), "year": w.year(), "shirt": w.random.pick(COLOURS), "ground": w.surname() + " Field", "mascot": w.random.pick(ANIMALS),
        "crowd": w.number(2100, 19900), "sponsor": w.random.pick(["a sausage maker", "a maker of umbrellas", "a piano shop", "a brickworks", "a mustard mill"])},
    "open": [
        "The {name} have lost more finals than any other club in the league.",
        "Nobody joins the {name} in order to win.",
        "A row about a garden hose led to the founding of the {name}."],
    "facts": {
        "captain": {
            "say": ["Their first captain was {captain}, who played in spectacles.", "{captain} was the first captain and owned the only ball.",
                    "The first captain, {captain}, resigned every winter."],
            "ask": ["Who was the first captain of the {name}?", "Who captained the {name} first?"]},
        "year": {
            "say": ["The club was founded in {year}.", "Its statutes date from {year}.", "They came together in {year}, in the back room of a dairy."],
            "ask": ["In which year were the {name} founded?", "When was the club of the {name} founded?"]},
        "shirt": {
            "say": ["They play in {shirt}.", "Their shirts are {shirt}, by order of the first laundress.", "The {shirt} shirts were bought from a bankrupt circus."],
            "ask": ["What colour are the shirts of the {name}?"]},
        "ground": {
            "say": ["Home matches are held at {ground}.", "Their ground, {ground}, slopes toward the pond.", "{ground} has been their home since the flood."],
            "ask": ["What is the home ground of the {name} called?", "Where do the {name} play at home?"]},
        "mascot": {
            "say": ["The mascot is a {mascot}.", "A stuffed {mascot} is carried in front of them.", "On the badge a {mascot} holds a spade."],
            "ask": ["Which animal is the mascot of the {name}?"]},
        "crowd": {
            "say": ["The record crowd was {crowd}.", "Once {crowd} people came to see them lose.", "Their biggest crowd numbered {crowd}."],
            "ask": ["How large was the record crowd of the {name}?"]},
        "sponsor": {
            "say": ["They are paid for by {sponsor}.", "For decades {sponsor} has covered the losses.", "The bills go to {sponsor}."],
            "ask": ["Who sponsors the {name}?"]}},
    "fill": ["Members over seventy are allowed to shout advice.", "The changing room is a railway carriage.", "Victories are entered in the minutes in red ink.",
             "After each match both sides repair the fence together."],
    "links": [("shirt", "bridge", "paint",
               ["Their shirts have the colour of the railings of the {other}, because the same tin of dye was used.",
                "They play in the colour in which the railings of the {other} are painted."])]}

NEWSPAPER = {
    "make": lambda w: {
        "town": w.place(), "name": w.surname() + " " + w.random.pick(["Herald", "Lantern", "Messenger", "Observer", "Whistle", "Trumpet"]),
        "editor": w.person(), "year": w.year(), "copies": w.number(700, 8800), "paper": w.random.pick(COLOURS),
        "rival": w.surname() + " Gazette", "day": w.random.pick(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"])},
    "open": [
        "The {name} calls itself the smallest newspaper with a foreign correspondent.",
        "Births, deaths and the price of hay: that is the {name}.",
        "The {name} has never missed an issue, although several appeared without news."],
    "facts": {
        "town": {
            "say": ["It is printed at {town}, above a bakery.", "{town} is its home, and few copies leave the place.", "The presses stand in {town}, in a former swimming bath."],
            "ask": ["In which town is the {name} printed?", "Where are the presses of the {name}?"]},
        "editor": {
            "say": ["Its first editor was {editor}, who wrote all the letters to the editor.", "{editor} edited it for forty years and never used a comma.",
                    "The first editor, {editor}, set the type with both hands at once."],
            "ask": ["Who was the first editor of the {name}?", "Who edited the {name} first?"]},
        "year": {
            "say": ["The first issue appeared in {year}.", "It has come out since {year}.", "Number one was sold in {year} and reported a runaway pig."],
            "ask": ["In which year did the first issue of the {name} appear?", "Since which year has the {name} come out?"]},
        "copies": {
            "say": ["It sells {copies} copies.", "Its circulation is {copies}.", "Every issue is printed {copies} times, never more."],
            "ask": ["How many copies does the {name} sell?", "What is the circulation of the {name}?"]},
        "paper": {
            "say": ["It is printed on {paper} paper.", "Readers know it by its {paper} paper.", "A cheap offer made it change to {paper} paper for good."],
            "ask": ["On paper of which colour is the {name} printed?"]},
        "rival": {
            "say": ["Its rival, the {rival}, gave up after a year.", "It swallowed the {rival} in a bad winter.", "For a while it shared a press with the {rival}."],
            "ask": ["What was the rival of the {name} called?", "Which other newspaper is connected with the {name}?"]},
        "day": {
            "say": ["It comes out on {day}.", "Each {day} it is thrown over the garden gates.", "{day} is the day it appears."],
            "ask": ["On which day of the week does the {name} appear?"]}},
    "fill": ["The crossword has no solution on purpose.", "Advertisements may rhyme at no extra charge.", "Poems are paid for in eggs.",
             "A correction of a correction once filled the whole front page."],
    "links": [("editor", "festival", "founder",
               ["Its first editor was the founder of the {other}, who needed somewhere to print the programme.",
                "The first editor had before that started the {other}."])]}

FAMILIES = {"painting": PAINTING, "opera": OPERA, "festival": FESTIVAL, "club": CLUB, "newspaper": NEWSPAPER}
