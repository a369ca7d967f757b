#include "datasets/ruler/words.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

namespace kvmend {
namespace {

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// Our own lists: everyday words that a small vocabulary still splits into few tokens.
constexpr std::string_view adjective_list =
    "able absent acid active agile airy alert alien amber ample ancient angry arctic arid ashen autumn awake aware "
    "azure barren basic bent big bitter black bland blank bleak blind blue blunt bold bony brave brief bright brisk "
    "broad broken bronze brown bumpy busy calm candid careful casual cautious certain cheap cheerful chilly civic "
    "classic clean clear clever close cloudy clumsy coastal cold common compact complex cool coral cosmic costly "
    "cozy crafty crisp crooked crude cruel curious curly curved damp daring dark dear deep delicate dense dim direct "
    "distant dizzy double drab dry dull dusty eager early earthy eastern easy elastic elegant elder empty endless "
    "equal even exact exotic extra faded faint fair faithful false famous fancy fast fatal fearless feeble fertile "
    "few fierce final fine firm first flat fleet flexible fluent foggy fond foreign formal fragile frail frank free "
    "fresh friendly frosty frozen full funny fuzzy gaunt gentle giant gifted giddy glad glassy gleaming global "
    "gloomy glossy golden good graceful grand grateful gray great green grim gritty grumpy handy happy hardy harsh "
    "hasty hazy heavy hidden high hollow honest hopeful huge humble humid hungry icy ideal idle immense inner "
    "intact ivory jagged jolly joyful jumbo keen kind knotty large lasting late lavish lawful lazy lean legal light "
    "likely limber limp linear lively local lofty lonely long loose loud loyal lucid lucky lunar major massive "
    "mellow merry mighty mild minor misty mobile modern modest moist muddy mute mutual narrow nasal native neat "
    "nervous neutral new nimble noble noisy northern novel numb odd olive open orange outer oval pale partial past "
    "patient perfect petty placid plain plump polar polite poor precise pretty prime private prompt proper proud "
    "pure quaint quick quiet radical rainy random rapid rare raw ready real recent regal remote rich rigid ripe "
    "robust rocky rosy rough round royal rural rustic rusty sacred salty sandy scarce scarlet secret senior serene "
    "shady shallow sharp shiny short shy silent silky silver simple single sleepy slender slim slow small smart "
    "smooth snowy sober soft solar solemn solid sparse special spicy stable stark steady steep stern stiff stormy "
    "stout strict strong sturdy subtle sunny super sweet swift tall tame tart tender thick thin thirsty tidy tight "
    "tiny tired tough tranquil tropic true trusty unique upper urban useful usual vacant vague vast velvet vital "
    "vivid warm wary watery wavy weak wealthy weary western whole wicked wide wild windy winter wise witty wooden "
    "woolly worthy yearly yellow young zealous";

constexpr std::string_view noun_list =
    "acorn actor alley almond anchor angle ankle anvil apple apron arbor arch arena armor arrow artist atlas attic "
    "author badge bakery balcony ballad bamboo banana banjo banner barley barn barrel basin basket bay beacon bead "
    "beaker beam bean bear beaver beetle bell belt bench berry bike birch bird biscuit blade blanket blossom boat "
    "bonnet book boot bottle boulder bow bowl box branch brass bread breeze brick bridge brook broom brush bucket "
    "buckle bugle bulb bundle butter button cabin cabinet cable cactus cake camel camera camp canal candle canoe "
    "canvas canyon cape captain carbon card cargo carpet carrot cart castle cat cave cedar cellar cello chain chair "
    "chalk channel chapel chart cheese cherry chest chimney church cider cinder circle city clay cliff clock cloth "
    "cloud clover coach coal coast coat cobra coffee coin collar comet compass copper coral cord cork corn cottage "
    "cotton couch crab cradle crane crater crayon cream creek crow crown crystal cup curtain cushion daisy dam "
    "dancer dawn deer delta desert desk dew dial diary dock doctor dog doll dolphin donkey door dove dragon drawer "
    "dress drum duck dune eagle easel echo eel egg elbow elm ember engine envelope fabric falcon fan farm farmer "
    "feather fence fern ferry fiddle field fig finch fir fire flag flame flask flint flower flute fog forest fork "
    "fountain fox frame frog fruit furnace galaxy gallery garden garlic gate gem ghost ginger giraffe glacier glass "
    "globe glove goat gold goose grain grape grass gravel grove guitar gull hammer hammock harbor harp hat hawk hay "
    "hazel heart hedge helmet herb heron hill hinge honey hook horn horse hotel house ink inn iris iron island "
    "ivory ivy jacket jar jasmine jewel jungle juniper kayak kennel kettle key kite kitten knife knight knot "
    "ladder lagoon lake lamb lamp lantern lark lawn leaf leather ledge lemon lens letter lever library lily lime "
    "linen lion lizard lobster lock locket log loom lotus lumber magnet mango map maple marble market marsh mask "
    "mast meadow medal melon metal meteor mill mint mirror mitten moat monkey moon moose morning mosaic moss moth "
    "motor mountain mouse mule museum mushroom needle nest net nickel night notebook nut oak oar oasis oat ocean "
    "olive onion opal orbit orchard orchid otter oven owl oyster paddle page palace palm panda panel panther paper "
    "parade parcel parrot path peach peak pear pearl pebble pelican pencil pepper petal phone piano pickle pier "
    "pigeon pillar pillow pilot pine pipe planet plank plaster plate plaza plough plum pocket poem pond pony poplar "
    "port potato pottery prairie prism puddle pump puppet puzzle quail quarry quartz quill quilt rabbit raft rail "
    "rain raven razor reef ribbon rice ridge ring river road robin rocket roof rope rose ruby rudder saddle sail "
    "salad salmon salt sand satin scale scarf school scooter sea seal seed shawl shed sheep shell ship shirt shoe "
    "shore shovel shrimp silk sketch skiff sky sled slope snail snow soap sofa song spade sparrow spider spindle "
    "spoon spring spruce squash stable star statue steam stone stool storm stove straw stream street sugar summit "
    "sunset swan table tailor tavern teapot temple tent thimble thorn thread throne thunder ticket tiger timber "
    "tomato torch tower town toy tractor trail train tree trout trumpet tulip tunnel turnip turtle valley vase "
    "vessel village vine violet violin wagon walnut walrus water wave well whale wharf wheat wheel whistle willow "
    "window wing wolf wood wool wren yacht yard zebra zinc";

}  // namespace

std::string random_needle_text(NeedleKind kind, Random& random) {
  static const auto adjectives = split_words(adjective_list), nouns = split_words(noun_list);
  switch (kind) {
    case NeedleKind::word: {
      const auto adjective = random.pick(adjectives);
      return fmt::format("{}-{}", adjective, random.pick(nouns));
    }
    case NeedleKind::number: return std::to_string(random.between(1000000, 9999999));
    case NeedleKind::uuid: break;
  }
  // Version 4, variant 10 (RFC 4122 §4.4): the other 122 bits are random.
  const std::uint64_t high = (random.next() & ~0xF000ULL) | 0x4000ULL;
  const std::uint64_t low = (random.next() & ~(3ULL << 62)) | (2ULL << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF, low >> 48,
                     low & 0xFFFFFFFFFFFFULL);
}

std::string needle_noun(NeedleKind kind) {
  switch (kind) {
    case NeedleKind::word: return "words";
    case NeedleKind::number: return "numbers";
    case NeedleKind::uuid: break;
  }
  return "uuids";
}

std::string random_letters(int n, Random& random, char first) {
  std::string out(static_cast<std::size_t>(n), first);
  for (char& c : out) c = static_cast<char>(static_cast<unsigned char>(first) + random.below(26));
  return out;
}

std::vector<std::string> needle_adjectives() {
  const auto words = split_words(adjective_list);
  return {words.begin(), words.end()};
}

std::vector<std::string> needle_nouns() {
  const auto words = split_words(noun_list);
  return {words.begin(), words.end()};
}

}  // namespace kvmend
