#include "datasets/haystack/prose.h"

namespace kvmend {

// Each topic: one thing, several things, a place, the people of it, something one carries, two kinds of matter, and what
// was done (past), has been done, and is being done.
const char* const prose_topics = R"(
harbour.noun!: anchor | barge | rudder | mast | compass | winch | lantern buoy | oilskin coat | ferry bell | dinghy | capstan | tide table | gangway
harbour.plural!: nets | oars | ropes | sails | crab pots | hooks | barrels | pulleys | flags | eels | charts | mooring posts
harbour.place: boathouse | quay | fish market | lighthouse | slipway | customs shed | net loft | pilot station
harbour.trade: ferryman | pilot | sailmaker | fishmonger | harbour master | rope maker | lighthouse keeper | boat builder
harbour.thing: a coil of rope | a basket of herring | an old sea chart | a bucket of pitch | a brass telescope | a mended sail | a sack of cork
harbour.mass: tar | salt | seaweed | canvas | fog | ballast
harbour.mass2: fish oil | wet wool | cold iron | driftwood smoke | brine
harbour.did!: mended the largest net | scraped the hull | waited for the tide | sounded the horn | rowed out to the buoy | sorted the catch
 | caulked the seams | hauled the boat above the waterline | measured the depth off the pier | repainted the name on the bow
harbour.done: stowed the lines | cleaned the lamps | sold the mackerel | signed the log | tied up the last boat
harbour.doing!: splicing rope | reading the tide | gutting fish | patching sails | steering through the narrows | drying nets | painting a keel
garden.noun!: wheelbarrow | rake | greenhouse | sundial | watering can | trellis | pear tree | compost heap | scarecrow | seed drawer | hedge | beehive
garden.plural!: tulips | beans | cuttings | flowerpots | radishes | bulbs | apple trees | marrows | roses | seedlings | stakes | onions
garden.place: garden | orchard | potting shed | allotment | nursery | walled terrace | vineyard | flower market
garden.trade: gardener | florist | beekeeper | seed merchant | orchard keeper | botanist | wine grower
garden.thing: a tray of seedlings | a bunch of asters | a sack of bone meal | a pair of shears | a jar of honey | a grafting knife | a young plum tree
garden.mass: compost | straw | rainwater | clay | peat | leaf mould
garden.mass2: cut grass | lavender | warm earth | ripe pears | wood ash
garden.did!: pruned the apple trees | turned the soil | thinned the carrots | dug out the old hedge | tied up the beans | sowed a second row of peas
 | chased the goats from the lettuce | covered the beds against the frost | picked the last plums | raked the paths
garden.done: watered the beds | weeded the borders | sown the winter rye | counted the hives | sharpened the shears
garden.doing!: grafting | weeding | saving seed | pruning roses | planting bulbs | watering | laying a hedge
workshop.noun!: workbench | lathe | chest of drawers | plane | vice | rocking chair | cabinet | spirit level | cradle | ladder | glue pot | door frame
workshop.plural!: chisels | hinges | dowels | planks | brackets | table legs | screws | clamps | drawers | files | mallets | picture frames
workshop.place: workshop | joinery | sawmill | timber yard | carpenter's loft | tool shed | cellar
workshop.trade: carpenter | cabinetmaker | joiner | wheelwright | cooper | turner | apprentice | locksmith
workshop.thing: a box of nails | a folding rule | a plank of walnut | a tin of varnish | a half-made stool | a set of keys | a roll of sandpaper
workshop.mass: sawdust | glue | varnish | beeswax | oak | linseed oil
workshop.mass2: fresh pine | hot iron | turpentine | shellac | old leather
workshop.did!: planed the long board | measured everything twice | cut the joints | oiled the hinges | fitted the last drawer | sanded the table top
 | sharpened every chisel | took the old chair apart | hung the heavy door | drew the plan on a scrap of paper
workshop.done: swept the shavings | fixed the vice | squared the frame | delivered the wardrobe | sorted the nails
workshop.doing!: sharpening chisels | cutting dovetails | bending wood | matching the grain | gluing up a panel | turning table legs
railway.noun!: signal lamp | timetable | locomotive | ticket window | turntable | station clock | luggage cart | whistle | coal tender | level crossing | dining car
railway.plural!: rails | sleepers | tickets | wagons | suitcases | points | lamps | parcels | carriages | signal flags | buffers
railway.place: station | signal box | engine shed | waiting room | branch line | goods yard | ticket office
railway.trade: signalman | conductor | stoker | station master | porter | engine driver | telegraph clerk | track inspector
railway.thing: a heavy suitcase | a return ticket | a parcel for the night train | a box of lamp wicks | a lost umbrella | a bundle of newspapers
railway.mass: coal | steam | gravel | engine oil | soot | sand
railway.mass2: hot brakes | creosote | wet umbrellas | coal smoke | orange peel
railway.did!: waved the green flag | wound the station clock | walked the line as far as the tunnel | stamped the tickets | announced the delay
 | swept snow from the points | slept on the platform | counted the wagons | changed trains without a word | shunted the milk vans
railway.done: lit the lamps | read the telegram | locked the waiting room | loaded the mail | oiled the points
railway.doing!: shunting | reading timetables | oiling the points | carrying luggage | stoking the boiler | waiting for connections
library.noun!: catalogue | atlas | reading lamp | ladder | dictionary | manuscript | card index | globe | binding press | ledger | bookcase | paper knife
library.plural!: books | index cards | folios | bookmarks | journals | letters | encyclopedias | pamphlets | inkwells | volumes of poetry | engravings
library.place: library | reading room | archive | bookshop | bindery | map room | study
library.trade: librarian | archivist | bookbinder | translator | bookseller | copyist | proofreader | map maker
library.thing: an overdue novel | a crate of almanacs | a pot of paste | a bundle of letters | a torn map | a magnifying glass | a first edition
library.mass: paper | ink | dust | parchment | glue | gold leaf
library.mass2: old leather | candle wax | floor polish | damp plaster | pipe tobacco
library.did!: catalogued the last shelf | read the preface aloud | rebound the atlas | lost the place again | copied the index by hand
 | found a pressed fern between two pages | returned the dictionary | corrected the proofs | opened the shutters | argued about a comma
library.done: dusted the shelves | finished the chapter | answered the letters | sorted the journals | wound the clock
library.doing!: translating | cataloguing | binding books | copying maps | reading proofs | dusting shelves | looking for a quotation
kitchen.noun!: oven | copper pan | rolling pin | soup pot | bread knife | pantry | pepper mill | cake tin | kettle | stove | recipe book | tablecloth
kitchen.plural!: loaves | plates | eggs | dumplings | spoons | jars | pies | pancakes | lemons | pots | almonds | candles
kitchen.place: kitchen | bakery | inn | dining hall | pantry | canteen | tea room | smokehouse
kitchen.trade: cook | baker | innkeeper | butcher | pastry maker | dairymaid | spice merchant | brewer
kitchen.thing: a basket of eggs | a jar of plum jam | a sack of flour | a wheel of cheese | a bunch of thyme | a heavy ladle | a covered dish
kitchen.mass: flour | butter | dough | yeast | sugar | rye bread
kitchen.mass2: cinnamon | roasting onions | burnt sugar | fresh coffee | vinegar
kitchen.did!: kneaded the dough | burned the second batch | tasted the soup | scrubbed the copper pans | counted the spoons | rolled out the pastry
 | laid the table for nine | salted the butter | boiled the milk | wrote down the recipe from memory
kitchen.done: banked the fire | baked for the whole street | sharpened the knives | plucked the goose | washed the jars
kitchen.doing!: baking bread | peeling apples | stirring jam | pickling cucumbers | roasting chestnuts | washing up | setting the table
mountain.noun!: rope | hut | ice axe | trail marker | sledge | rucksack | summit cross | stove | cable car | avalanche pole | walking stick
mountain.plural!: boots | snowshoes | goats | cairns | crampons | blankets | maps | passes | torches | pegs | footprints
mountain.place: mountain hut | pass | valley inn | ridge | upper pasture | weather station | glacier camp
mountain.trade: guide | shepherd | mule driver | hut keeper | surveyor | cheese maker | avalanche watcher | climber
mountain.thing: a coil of rope | a lump of cheese | a frozen map | a bundle of firewood | a barometer | a spare pair of socks | a lame sheep
mountain.mass: snow | granite | ice | fog | firewood | moss
mountain.mass2: wet wool | pine resin | lamp oil | goat's milk | cold stone
mountain.did!: crossed the glacier | turned back at the ridge | marked the trail | waited for the fog to lift | melted snow for tea | counted the flock twice
 | slept in the hut | carried the mail over the pass | measured the depth of the snow | lost a boot in the stream
mountain.done: climbed the north side | packed the mules | repaired the hut | reached the pass | dried the ropes
mountain.doing!: climbing | herding goats | reading the clouds | crossing a snowfield | packing mules | making camp
theatre.noun!: curtain | violin | piano | stage | trumpet | costume trunk | trapdoor | drum | prompt book | chandelier | puppet | music stand
theatre.plural!: masks | seats | candles | songs | wigs | scores | cellos | tickets | dancers | costumes | encores
theatre.place: theatre | concert hall | rehearsal room | opera house | music school | bandstand | circus tent | puppet stage
theatre.trade: actor | conductor | stagehand | violinist | piano tuner | singer | playwright | costume maker | prompter
theatre.thing: a paper crown | a borrowed cello | a pile of scores | a painted moon | a box of false beards | a metronome | a wooden sword
theatre.mass: greasepaint | rosin | velvet | applause | canvas | lamplight
theatre.mass2: face powder | hot lamps | lamp smoke | old curtains | peppermint
theatre.did!: forgot the second verse | tuned the piano | raised the curtain too soon | sang the whole part from memory | painted the backdrop
 | played to eleven people | bowed to the wrong side | rewrote the last act | broke a string | danced until the lamps went out
theatre.done: learned the part | swept the stage | tuned up | sewn the costumes | counted the tickets
theatre.doing!: rehearsing | tuning a violin | sewing costumes | painting scenery | learning lines | beating time | conducting
farm.noun!: plough | barn | hay cart | churn | scythe | gate | mill stone | well | tractor | cow bell | grain sieve | stable
farm.plural!: sheep | hens | haystacks | horseshoes | sacks | fences | turnips | lambs | milk cans | geese | ducks
farm.place: farm | barn | mill | dairy | stable | cattle market | hayloft | threshing floor
farm.trade: farmer | miller | blacksmith | milkmaid | ploughman | shepherd | horse dealer | thatcher
farm.thing: a sack of oats | a newborn lamb | a pail of milk | a broken harness | a bag of seed corn | a pitchfork | a ewe's bell
farm.mass: hay | barley | manure | wool | straw | fodder
farm.mass2: fresh milk | horse sweat | clover | damp straw | wood smoke
farm.did!: brought in the hay | shod the grey mare | milked before sunrise | mended the fence | ground the last of the rye | drove the geese to market
 | ploughed the lower field | sheared forty sheep | sold the bull | waited for the vet
farm.done: fed the hens | mucked out the stable | stacked the sheaves | cleared the ditch | churned the butter
farm.doing!: ploughing | milking | mending fences | threshing | shearing | stacking hay | mucking out
sky.noun!: telescope | barometer | star chart | rain gauge | weather vane | sextant | kite | dome | thermometer | notebook | calendar
sky.plural!: lenses | clouds | star maps | balloons | readings | mirrors | tables of figures | sketches of the moon | gears | clocks
sky.place: observatory | weather station | roof | clock tower | planetarium | instrument room | lecture hall
sky.trade: astronomer | clockmaker | weather observer | lens grinder | night assistant | balloonist | lecturer | almanac printer
sky.thing: a polished lens | a chart of the winter sky | a broken thermometer | a box of photographic plates | a warm hat | a pocket watch
sky.mass: mercury | brass | frost | cloud | starlight | polishing powder
sky.mass2: machine oil | ozone | cold brass | hot dust | spilled ink
sky.did!: noted the temperature | missed the eclipse | ground the lens again | counted the meteors | drew the moon from memory | wound the great clock
 | waited for a gap in the clouds | measured the rainfall | argued about a comet | pointed the telescope at a chimney
sky.done: cleaned the mirror | copied the readings | opened the dome | charted the comet | set the clocks
sky.doing!: counting meteors | grinding lenses | watching clouds | keeping records | adjusting clocks | drawing the moon
glass.noun!: kiln | vase | bottle | pane | potter's wheel | mould | goblet | glazed bowl | furnace | teapot | lampshade | mirror
glass.plural!: tiles | beads | jugs | bottles | cups | panes | bowls | saucers | goblets | shards | marbles
glass.place: pottery | glassworks | kiln house | showroom | clay pit | painters' room | crockery stall
glass.trade: potter | glassblower | tile painter | glazier | clay digger | engraver | crockery dealer
glass.thing: a crate of cups | a lump of clay | a cracked jug | a sheet of blue glass | a bag of quartz sand | a finished vase | a bundle of brushes
glass.mass: clay | glaze | sand | molten glass | ash | cobalt
glass.mass2: wet clay | kiln smoke | lead paint | scorched gloves | turpentine
glass.did!: fired the kiln | threw a bowl and kept it | blew a perfect sphere | dropped the best vase | mixed a new glaze | painted birds on the tiles
 | cut the panes for the chapel | stacked the shelves | engraved a name | waited for the furnace to cool
glass.done: emptied the kiln | washed the brushes | packed the cups | weighed the sand | trimmed the bowls
glass.doing!: throwing pots | blowing glass | mixing glazes | painting tiles | firing a kiln | packing china
river.noun!: bridge | lock gate | raft | water wheel | weir | flood mark | punt | sluice | towpath | dredger | fishing rod | ferry rope
river.plural!: barges | trout | planks | stepping stones | piers | sandbags | willows | otters | swans | locks | reeds
river.place: mill | lock | boat landing | bridge | canal office | bathing place | ferry house
river.trade: lock keeper | bargeman | miller | angler | bridge builder | ferrywoman | water bailiff | dredger's mate
river.thing: a string of trout | a wet dog | a boat hook | a bag of bread | a measuring pole | a mooring line | a lantern on a pole
river.mass: mud | silt | water | gravel | timber | mist
river.mass2: river weed | wet rope | tarred planks | mint | frying fish
river.did!: opened the sluice | poled the raft ashore | watched the water rise | caught nothing at all | marked the flood on the wall | crossed without paying
 | cleared the weir | repaired the third pier | swam as far as the island | fed the swans
river.done: greased the lock | moored the barge | read the flood mark | emptied the eel traps | planked the bridge
river.doing!: fishing | working the lock | poling a raft | mending the weir | watching the water | building bridges
school.noun!: blackboard | bell | globe | abacus | ruler | inkwell | satchel | desk | microscope | spelling book | choir banner | stove
school.plural!: pupils | slates | exercise books | pencils | maps | sums | essays | lunch boxes | chalks | prizes | benches
school.place: school | classroom | playground | gymnasium | drawing room | staff room | village hall
school.trade: teacher | caretaker | headmistress | pupil | drawing master | school inspector | choir leader | tutor
school.thing: a stack of essays | a box of chalk | a stuffed owl | a broken slate | a list of names | a prize for arithmetic | a bag of marbles
school.mass: chalk | ink | arithmetic | grammar | paper | firewood
school.mass2: wet coats | floor wax | chalk dust | apples | new paint
school.did!: rang the bell early | corrected the essays | recited the whole poem | drew a map of the coast | lost the class list | solved the last sum
 | opened a window | confiscated a whistle | taught the little ones to count | wrote the date on the board
school.done: marked the tests | cleaned the board | called the roll | learned the poem | lit the stove
school.doing!: teaching | spelling | learning by heart | drawing maps | correcting essays | doing sums
post.noun!: letter box | mail bag | telegraph key | stamp album | sorting table | bicycle | parcel scale | postmark | envelope | counter | money order
post.plural!: letters | parcels | stamps | postcards | telegrams | addresses | pigeons | envelopes | bicycles | seals
post.place: post office | sorting room | telegraph office | mail coach | counter | newspaper office | stationer's shop
post.trade: postman | telegraphist | clerk | stamp collector | messenger | stationer | postmistress | newspaper editor
post.thing: a registered letter | a parcel tied with twine | an unpaid bill | a postcard of the harbour | a roll of stamps | a telegram | a pigeon in a basket
post.mass: sealing wax | string | paper | ink | gossip | brown paper
post.mass2: gum | wet leather | lamp oil | printer's ink | stale biscuits
post.did!: delivered the wrong parcel | sorted the morning mail | sealed the envelope | repaired the bicycle | read the address twice | sold the last stamp
 | sent the telegram twice | weighed the parcel | forwarded the letter | closed the counter early
post.done: emptied the letter boxes | stamped the cards | finished the round | counted the till | tied up the bundles
post.doing!: sorting letters | riding the round | stamping cards | tying parcels | reading bad handwriting | counting stamps
)";

}  // namespace kvmend
