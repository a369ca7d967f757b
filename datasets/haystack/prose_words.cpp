#include "datasets/haystack/prose.h"

namespace kvmend {

const char* const prose_words = R"(
person!: Marta | Ansel | Ottilie | Joren | Priya | Tobias | Wanda | Emeka | Ludo | Saskia | Henrik | Amara | Fergus | Noor | Isolde
 | Bastian | Chiara | Dragan | Elspeth | Farid | Greta | Hamish | Ingrid | Jamal | Katya | Leopold | Mirela | Niamh | Orson | Petra
 | Quentin | Rosalind | Stellan | Tamsin | Ulrich | Valeria | Wendell | Yusuf | Zelda | Agnes | Bertil | Corinne | Dmitri | Eudora
 | Florian | Gwendolyn | Hugo | Imogen | Jasper | Linnea | Magnus | Nadia | Oskar | Philippa | Rafael | Sunniva | Thaddeus | Vera
 | the widow next door | an uncle of mine | the younger sister | the night watchman | the schoolmaster | the new neighbour | my grandmother
town!: Aldermouth | Brackenford | Caldwick | Dunhollow | Eastmere | Fennimore | Garrowby | Hartsend | Inverleigh | Kestrel Bay | Larkfield
 | Mossgate | Nettlecombe | Oxbridge Cross | Pellworth | Quarrytown | Rushwater | Saltmarket | Thornbury Hill | Underwick | Wexcombe
 | Yarrowdale | the next valley | the capital | the far side of the hill
weekday: Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday
number: two | three | four | five | six | seven | eight | nine | ten | eleven | a dozen | thirteen | fifteen | sixteen | twenty
 | twenty-four | thirty | thirty-one | forty | fifty
span: a week | nearly a month | two years | the better part of a year | ten days | an entire winter | several summers | half a lifetime
 | forty minutes | a whole afternoon | six weeks | longer than anyone expected | three seasons | one long evening | most of a decade
 | eleven months | a fortnight | some weeks | as long as it takes to boil an egg
when!: in the early morning | on a(n) <weekday> in <month> | late in <month> | after the first frost | shortly before noon | during the holidays
 | at the end of a long day | when the shops had closed | on the way home | before the rains came | one evening in <month>
 | while the others slept | at half past <hour> | in the year of the great storm | on market day | toward the end of <month>
 | in the quiet hour after lunch | around <hour> o'clock | on the last <weekday> of <month> | as soon as the snow had melted
 | when the lamps were lit | just before dawn | in the middle of <month> | on a(n) <adjective> <weekday>
when_noun: summer | winter | morning | evening | <weekday> in <month> | year | afternoon | autumn
month: January | February | March | April | May | June | July | August | September | October | November | December
hour: two | three | four | five | six | seven | eight | nine | ten | eleven
soon: at once | by the end of <month> | without delay | on the next <weekday> | before the frost | when convenient | alone
nearby: near the bridge | on the hill | by the old wall | at the end of the lane | behind the church | in our street | close to the station
 | by the river | on the coast | at the crossroads | beyond the orchard | beside the school | under the elms | on the north side of town
 | across from the bakery | near <town> | on the road to <town> | a mile from <town>
where: by the window | behind the door | under the stairs | on the top shelf | in a corner | beside the stove | next to the clock
 | in a wooden box | on a nail by the door | beneath a sheet | at the back of the drawer | along the wall | against the chimney
 | in the shade | between two crates | near the entrance | on the sill | out of reach | in plain sight | under a(n) <colour> blanket
where2: across the fields | along the canal | through the snow | over the bridge | by train | in a borrowed cart | down the long hill
 | on foot | through <town> | by the back road | past the mill | in the rain
how: with great care | without hurry | in silence | as if it were nothing | with both hands | rather badly | while humming | for the third time
 | out of habit | with a steady hand | against all advice | with some help | as usual | before anyone could object | by candlelight
 | in spite of the heat | more slowly than before | to everyone's relief | as the book advised | with only one mistake | out of kindness
how2: fondly | with a sigh | gravely | with a kind of pride | half in jest | in a low voice | at length | reluctantly | warmly | with a shrug
quality!: plain | sturdy | graceful | light | solid | honest | delicate | warm | handsome | even | polished | smooth | generous | quiet
 | unassuming | well made | balanced | simple | patient | soft | bright | dignified | harmless | familiar | lively | tidy
flaw!: crooked | cracked | too heavy | stained | loose | noisy | stubborn | worn thin | dull | bent | damp | slightly burnt | out of true
 | brittle | dusty | faded | lopsided | chipped | leaking | overpriced | short on one side | hard to clean | late
state!: empty | ready | almost finished | as good as new | covered in dust | still wet | locked | half full | in pieces | closed for repairs
 | painted <colour> | gone | safe and dry | crowded | up for sale | quiet | in use again | exactly where it had been | upside down
 | warm to the touch | under water | nowhere to be found | tied with string | out of order | open to everyone
adjective!: old | narrow | heavy | broken | rare | foreign | small | enormous | painted | rusty | borrowed | forgotten | careful | curious
 | gentle | weathered | splendid | humble | awkward | ordinary | peculiar | second-hand | sensible | stubborn | tender | unlucky | useful
 | vague | wooden | wide | early | expensive | faithful | hollow | iron | lasting | modest | noble | odd | prompt | quarrelsome | restless
 | silver | tall | uneven | velvet | wet | yellowed | brisk | clever
colour: red | green | blue | grey | brown | white | black | yellow | orange | purple | pale blue | dark green | rust-coloured | cream | silver
reason!: since the roof leaked | because of the heat | after a long argument | to save time | for want of space | as the rules required
 | against the wishes of the mayor | thanks to a mistake in the calendar | since nobody else would do it | to please the children
 | because the road was closed | for reasons that were never explained | by popular demand | following the advice of an almanac
 | since the lamp had gone out | with the festival only days away | because two families claimed it | to keep the peace
reason2!: for no reason that anyone could name | in case of fire | because it had always been done so | out of respect for the dead
 | as a kind of joke | because the cat liked it there | for luck | to remember the flood by | in memory of a teacher
 | since it would not fit elsewhere | whatever the neighbours said | as insurance against winter | for want of anything better
remark!: it will hold until spring | you can hear it when it is right | nobody ever asks about the middle part | there is always one more
 | I would not trade it for a house | the trick is to stop in time | my mother did it better | it is only water | we shall see in the morning
 | never lend what you cannot lift | a straight line is a matter of opinion | patience is cheaper than glue | it was not me this time
 | ask again when the wind has turned | there is no hurry and there never was | everything looks easy from the road | that is half of it
 | not before breakfast | I have seen worse in <town> | it only looks finished | they do not make them round any more
 | leave it as it is | count them again | the small ones are the clever ones
activity!: learning to swim | writing a letter | keeping bees | peeling potatoes | reading aloud | raising a child | playing chess | shovelling snow
 | tuning a piano | folding sheets | waiting for a ferry | baking bread | crossing a marsh | sharpening pencils | picking cherries | singing in a choir
 | walking a dog | mending a net | telling a long story | sorting stamps
virtue!: patience | good eyes | a steady hand | a sense of proportion | stubbornness | quiet | an early start | good shoes | luck
 | a forgiving nature | curiosity | time | a dry place to sit | honest company | a cheerful temper
plain_things: boxes | furniture | lumber | goods | objects | souvenirs | ornaments | leftovers
drink: tea | coffee | cocoa | milk | cider | soup | broth | mint tea
view!: the harbour | the chimney of the brickworks | a row of poplars | the slow bend of the river | the school yard | the neighbour's laundry
 | the first hills | three roofs and a weathercock | a field of barley | the tram depot | the garden wall | the ferry landing | the water tower
view2!: the mail coach | geese flying south | a lamp in the tower | children on their way home | nothing but fog | the lights of <town>
 | boats coming in | the milk cart | a line of washing in the wind | smoke from the kilns | the last train | snow on the far ridge
paper: letters | receipts | music sheets | drawings | newspapers | recipes | price lists | maps | seed packets | tickets
)";

}  // namespace kvmend
