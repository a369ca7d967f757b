#include "datasets/haystack/prose.h"

namespace kvmend {

const char* const prose_frames = R"(
opening!: <when> the <.place> was <state>, and <1=person> <.did> <how>.
 | nobody remembers who built the <.place> <nearby>, but <1=person> used to say that it began with <.thing> and a good deal of patience.
 | <1=person> had worked at the <.place> for <span> before anyone asked about the <.noun>.
 | of all the rooms <nearby>, the <.place> was the one that <1=person> liked best <when>.
 | there is a way of <.doing> that can only be learned slowly, and <1=person> learned it from the <.trade> <nearby>.
 | the first thing a visitor noticed at the <.place> was the <.noun>, which stood <where> and looked <quality>.
 | <when> <1=person> walked to the <.place> with <.thing> under one arm and no clear plan for the day.
 | some people collect coins; <1=person>, the <.trade>, collected <.plural> and kept them <where>.
 | the <.trade> <nearby> had <number> rules about <.plural>, and <1=person> broke most of them <when>.
 | it is easy to think of <.doing> as simple work, until the <.noun> is <flaw> and the <.place> is full of people waiting.
 | <span> passed between the day that <1=person> bought the <.noun> and the day that it was of any use.
 | every <.place> has its own smell, and the one <nearby> smelled of <.mass> and of <.mass2> <when>.
 | when the old <.trade> retired, <1=person> took over the <.place>, the <.plural> and a debt of <number> years.
 | the letter said only that the <.noun> was <state> and that <1=person> should come <soon>.
 | in a town <nearby>, where most things are <quality>, the <.place> stayed <state> for <span>.
 | <1=person> came to the <.place> by accident, <when>, looking for <.thing>.
 | for those who care about <.plural>, the <.place> <nearby> is worth the journey from <town>.
 | it was the <.noun> that brought <1=person> and the <.trade> together, and the <.noun> that divided them.
 | <when> there was no <.mass> to be had anywhere, and the <.place> <nearby> closed for <span>.
 | in <town> a(n) <adjective> <.place> is called a misfortune; <nearby> it is called a beginning.
 | <1=person> learned <.doing> late, at an age when others give it up.
 | the story of the <.noun> is told in two ways, and <1=person> knew both.
 | a(n) <adjective> <.trade> and <number> <.plural> were all that the <.place> had to show <when>.
 | there was a time when every family <nearby> owned a(n) <.noun>, <quality> or not.
 | <1=person> kept a diary of the <.place>, with a page for the <.plural> and a page for the weather.
 | whenever <1=person> spoke of <town>, it was to praise the <.mass> there and the art of <.doing>.
 | the <.place> had been <state> for <span> when the <.trade> from <town> moved in.
 | on the day the <.noun> arrived, <when>, half the street came out to look.
frame!: <1=person> <.did> <how>, and by evening the <.noun> was <state>.
 | the <.trade> <.did> <when>, although nobody had asked for it.
 | <reason>, the <.plural> were moved from the <.place> to a shelf <where>.
 | what surprised <1=person> was not the <.noun> itself but how <quality> it felt beside <.thing>.
 | "<remark>," said the <.trade>, and went back to <.doing>.
 | a good <.noun> should be <quality> without being <flaw>, and that is harder than it sounds.
 | <2=person> preferred <.mass> to <.mass2>, a matter on which the two of them never agreed.
 | for <span> the <.plural> lay <where>, and <2=person> passed them every day without a glance.
 | there were <number> <.plural> in the <.place>, <number> of them <flaw>.
 | if the <.noun> had been <quality>, the <.trade> would have noticed <when>.
 | the work of <.doing> begins with <.mass> and ends, as a rule, with a broom.
 | <2=person> <.did>, then sat <where> and counted the <.plural> twice.
 | not every <.trade> likes <.doing>; some of them would rather sweep the <.place>.
 | the <.noun> came from a cousin of <1=person>, who had found it <where> and never learned its name.
 | people <nearby> still talk about the <when_noun> when <2=person> <.did> and the whole <.place> stood and watched.
 | once the <.mass> had settled, it was plain that the <.noun> needed <.thing> and perhaps <span> of rest.
 | <1=person> wrote everything down: the <.plural>, the <.mass>, the weather, and the price of <.thing>.
 | a child asked why the <.noun> was <state>, and the <.trade> answered with a question about <.plural>.
 | it took <number> people to lift the <.noun>, and one to complain about <.doing> afterwards.
 | <when> the <.place> filled with the sound of someone <.doing>, <quality> and unhurried.
 | <2=person> kept <.thing> <where>, <reason2>.
 | the difference between <.plural> and mere <plain_things> is a matter of time, said <1=person>, who <.did> anyway.
 | rain fell on the roof of the <.place>, and under it the <.trade> <.did> <how>.
 | nobody could say whether the <.noun> was <quality> or only <state>.
 | <2=person> borrowed a(n) <adjective> <.noun> from the <.place> and returned it <when>, <state>.
 | the <adjective> <.noun> and the <adjective> <.noun> looked alike until someone held them up to the light.
 | in the end the <.plural> were sold, all but <number>, and those went to the <.trade> <nearby>.
 | a(n) <adjective> <.noun> is worth more than <number> new ones, or so <1=person> believed.
 | the <.trade> had hands that smelled of <.mass> and a voice that carried across the <.place>.
 | <reason>, nobody thought of the <.noun> until <2=person> <.did>.
 | there was <.mass> on the floor, <.mass2> on the bench, and a(n) <adjective> silence in the <.place>.
 | <1=person> <.did> on the first try, which made <2=person> laugh and spill the <drink>.
 | when the <.noun> broke, as <adjective> things do, the <.trade> mended it with <.thing> and some string.
 | each of the <.plural> had a label <where>, written in ink that had gone <colour>.
 | <2=person> said that <.doing> was like <activity>: slow at first, then suddenly finished.
 | the <colour> <.noun> stood <where>, a little <flaw>, and no one had the heart to throw it out.
 | from the window of the <.place> one could see <view>, and <when> <view2>.
 | it was <2=person> who first brought <.mass> <nearby>, <span> before the road was paved.
 | as long as the <.plural> were <quality>, the <.trade> did not mind <.doing> in the cold.
 | the <.noun> made a(n) <adjective> noise, stopped, and made it again <when>.
 | <1=person> spent <span> <.doing> and never once asked what the <.noun> was for.
 | without <.mass>, the <.trade> explained, even the best <.noun> is no better than a(n) <adjective> chair.
 | <2=person> carried <.thing> home <where2>, stopping <number> times to rest.
 | the older <.plural> were <colour>; the newer ones were <colour> and somewhat <flaw>.
 | by the time the <drink> was cold, the <.trade> had <.done> and gone home.
 | a(n) <adjective> argument about <.plural> kept the <.place> busy for <span>.
 | <1=person> knew the <.place> in the dark: <number> steps to the <.noun>, <number> more to the door.
 | those who have never tried <.doing> think that it needs strength, but what it needs is <virtue>.
 | <when> someone left <.thing> at the door of the <.place>, with no note and no name.
 | the <.noun> had belonged to <number> owners, none of whom had been kind to it.
 | <2=person> dreamed of <.plural> that night and woke up thinking about <.mass>.
 | at the edge of the <.place>, <where>, the <.trade> kept <number> <.plural> for guests.
 | <1=person> had <.done> before breakfast, so the rest of the day belonged to <activity>.
 | to the <.trade> a(n) <adjective> <.noun> was an insult; to <2=person> it was a beginning.
 | no one <nearby> would lend the <.noun> twice to a person who had returned it <state>.
 | the sun reached the <.place> late, touched the <.plural> one after another, and moved on to <view>.
 | <virtue> is what the <.trade> looked for in an apprentice, and after that a liking for <.mass>.
 | at the yearly supper <2=person> told the story of the <.noun>, a little longer each time.
 | the smell of <.mass2> stayed in the coat of <1=person> for <span>.
 | between <.doing> and <activity> there was hardly an hour left to answer letters.
 | <reason>, <2=person> wrapped the <.noun> in a(n) <colour> cloth and carried it <where2>.
 | a map of the <.place> hung <where>, drawn by someone who had <.done> and had time to spare.
 | the <.trade> from <town> came <when>, looked at the <.plural>, and left without a word.
 | in <town> they do it differently: there the <.noun> is <colour> and the <.plural> are never sold.
 | <1=person> once travelled to <town> only to see how people there went about <.doing>.
 | it was <how2> that the <.trade> spoke of the <.noun>, as one speaks of a friend in <town>.
 | two things were always on the table of the <.place>: <.thing> and a cup of <drink>.
 | a stranger would have thought the <.plural> <flaw>, but <1=person> saw that they were only <state>.
 | <when> the wind from the direction of <town> blew through the <.place> and scattered the <paper>.
 | the price of <.mass> rose, and with it the temper of the <.trade>.
 | before going to bed <2=person> always checked the <.noun>, the stove, and the lock, in that order.
 | what the <.place> lacked in comfort it made up for in <.mass> and in conversation.
 | sometimes <.doing> goes well for <span> and then, <reason2>, it does not.
 | the <.trade> and the baker shared a wall, a well, and a(n) <adjective> dislike of <.plural>.
 | "<remark>," wrote <2=person> on the back of a bill for <.mass>.
 | under the <.noun> they found <number> buttons, a key, and a(n) <adjective> photograph of the <.place>.
 | <1=person> <.did> because it was <3=weekday>, and on a(n) <3=weekday> that was simply what one did.
 | the <.noun> was lent to <town> for <span> and came back <flaw>.
 | what <2=person> admired in the <.trade> was <virtue>, though <1=person> called it plain obstinacy.
 | somewhere between the <.place> and <view> the <.plural> were lost, and a search with lamps found only <.thing>.
 | for want of <.mass> the <.trade> used <.mass2>, and nobody noticed until <month>.
 | a bell rang, the <.trade> looked up, and <2=person> saw that the <.noun> was <state>.
 | few sights are as <quality> as a row of <.plural> <where> <when>.
 | there is no school for <.doing>; one watches, says little, and spoils a good deal of <.mass>.
 | <1=person> and <2=person> took turns <.doing>, an hour each, and told stories in between.
 | the <adjective> <.noun> cost more than it should have, but <1=person> never regretted a penny of it.
 | whoever sleeps near the <.place> learns to tell the hour by the sound of the <.plural>.
 | <2=person> tried <.doing> once, in <month>, and still has the scar to prove it.
 | all that remained of the old <.noun> was a(n) <adjective> handle and a smell of <.mass2>.
 | to reach the <.place> one must go <where2>, and in <month> even that is no certainty.
 | with <number> <.plural> and a little <.mass> the <.trade> could make almost anything, except a profit.
 | <1=person> had promised not to touch the <.noun>, and kept the promise for nearly <span>.
 | the <.plural> came from <town>, wrapped in <paper> that were more interesting than the goods.
 | out of <number> attempts at <.doing>, <number> failed, and those were the ones worth remembering.
 | the cat slept on the <.noun>, which was therefore considered <quality>.
 | on the wall of the <.place> someone had written "<remark>" in <colour> chalk.
 | neither <1=person> nor the <.trade> could remember who had painted the <.noun> <colour>.
 | the <.place> was let for <span> to a(n) <adjective> <.trade> from <town>, who paid in <.plural>.
 | if one listens at the door of the <.place> <when>, one hears <.doing> and, now and then, a laugh.
 | the best <.plural> are never for sale; they stand <where> and are shown only to friends.
 | after <span> of <.doing> <2=person> could tell good <.mass> from bad with closed eyes.
 | a neighbour complained about the <.noun>, then about the <.plural>, and at last about <1=person>.
 | <1=person> explained the <.noun> to the visitors from <town> <how>, leaving out the sad part.
 | the festival <nearby> was opened with <.thing>, <number> speeches and far too much <drink>.
 | <reason>, the <.place> was lit by a single lamp, and the <.trade> worked from memory.
 | what had looked <state> from outside turned out to be <quality> within, like much else in <town>.
 | the <.trade> measured the <.noun> twice, nodded, and wrote a(n) <adjective> number on a slate.
 | a photograph shows <1=person> beside the <.noun>, squinting, with <.thing> in both hands.
 | the road to <town> is lined with people who gave up <.doing> and took up <activity>.
 | <2=person> inherited <number> <.plural>, the <colour> <.noun>, and a reputation for <.doing>.
 | it rained, so the <.plural> were carried in, and when they were all inside it stopped.
 | the secret of <.mass>, <2=person> used to say, is to leave it alone for <span>.
 | along with the <.noun> came a bill, a warning, and <.thing> as a gift.
 | the <.trade> would rather lose a finger than lend out the <.noun>, and said so <how2>.
 | by <month> the <.place> was <state>, the <.trade> was in <town>, and <1=person> had the key.
 | for every person who enjoys <.doing> there are <number> who only like to watch.
 | an old custom requires that the first of the <.plural> be given to the <.trade> <nearby>.
 | the clock in the <.place> was wrong by <number> minutes, and everyone had grown used to it.
 | <1=person> judged a(n) <.place> by its <.noun>, and people by how they treated the <.plural>.
 | in a drawer lay <.thing>, a pair of gloves, and <number> letters about <.mass>.
 | one of the <.plural> rolled away, and the whole of the <.place> went down on its knees to look for it.
 | the inspector from <town> found the <.noun> <quality>, the <.plural> <flaw>, and the <drink> excellent.
 | as a cure for sadness <2=person> recommended <.doing>, and if that failed, <activity>.
)";

}  // namespace kvmend
