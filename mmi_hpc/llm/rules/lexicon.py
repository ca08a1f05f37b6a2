"""Small closed word lists by which the writer finds its way in a sentence without a model.

They need not be complete: a word that is missing costs a little elegance, never a crash.
"""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Split a text into a set of words."""
    return frozenset(text.split())


COLOURS = word_set(
    "black white red green blue yellow orange purple pink brown gray grey beige golden gold "
    "silver turquoise violet cream tan maroon teal navy bronze lavender crimson amber scarlet "
    "magenta indigo khaki ivory"
)

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)  # fmt: skip
TEENS = word_set("thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
TENS = word_set("twenty thirty forty fifty sixty seventy eighty ninety")
ORDINALS = word_set(
    "first second third fourth fifth sixth seventh eighth ninth tenth last next other others own "
    "former latter rest same most least remaining"
)

ARTICLES = word_set("a an the")
QUANTIFIERS = word_set(
    "two three four five six seven eight nine ten eleven twelve several many some various "
    "numerous few both"
)
DETERMINERS = ARTICLES | QUANTIFIERS | word_set("one another")

PREPOSITIONS = word_set(
    "on in at by near with without from to into onto over under above below behind beside besides "
    "between among along across through around against inside outside during for about before "
    "after off up down towards toward beneath underneath within upon as like via per next "
    "adjacent amid alongside amongst while when where because though although until since than of"
)

FUNCTION_WORDS = word_set(
    "and or but nor so yet that which who whom whose what how why if then there here it he she "
    "they we you i him her them us me his its their our my your this these those each every any "
    "all not no only also just very too more most much such both either neither is are was were "
    "be been being am has have had do does did can could will would shall should may might must "
    "out away together apart facing"
)

PRONOUNS = word_set("there here it he she they we you i that this who what")

# Adjectives that are also nouns and end a phrase when nothing follows ("a glass of milk").
NOUNISH = word_set(
    "glass stone light metal square round plastic bold female male oval model flat hollow giant "
    "twin ceramic fabric mosaic picnic traffic music topic clinic comic metallic cross cotton "
    "concrete fair plain adult infant juvenile liquid solid fluid native senior half quarter twin"
)

# Words in -ing and -ed that are nouns, so that they do not end a noun phrase.
ING_NOUNS = word_set(
    "building buildings clothing painting paintings railing railings ceiling evening morning wing "
    "ring king string thing spring earring earrings packaging wedding swing sling living lighting "
    "sibling siblings pudding frosting icing topping rating drawing crossing clearing opening "
    "awning awnings duckling gosling lightning landing seating parking covering coating dressing "
    "filling stuffing marking markings wiring fencing flooring tubing roofing bedding stocking "
    "heading being beings spacing engraving carving carvings gathering lettering writing siding "
    "handwriting meeting housing trimming etching training bowling"
)
ED_NOUNS = word_set(
    "red bed seed weed shed speed sled reed steed thread bread head moped feed deed breed greed "
    "seabed flatbed flowerbed"
)

_GRADED = word_set(
    "large small big little tall short long wide narrow young old new bright dark light clear "
    "fresh soft hard warm cold hot sunny cloudy grassy sandy snowy rocky clean dirty quiet busy "
    "empty full close tiny huge round lush dense thick thin high low deep shallow simple shiny "
    "smooth rough curly tender sweet ripe bold calm gentle vast easy tasty dry wet plain fancy "
    "broad pale slim slender sharp steep blunt loose tight heavy faint dull slow fast quick rich "
    "poor strong weak wild tame great fine flat hazy foggy misty dusty rusty muddy stormy windy "
    "rainy icy chilly cosy cozy messy tidy neat hairy furry fluffy woolly fuzzy bushy leafy "
    "thorny spiky bumpy lumpy wavy stony mossy weedy woody smoky steamy silky glossy chunky "
    "crispy crusty creamy juicy sticky greasy oily slimy salty spicy sleepy hungry happy sad "
    "angry lonely lovely pretty funny silly cute handsome stout fat lean bare blank blurry grainy "
    "grand fair frosty gloomy shady sleek stiff sturdy tough witty early late near far"
)


def _grades(word: str) -> set[str]:
    """Return a short adjective with its -er and -est: "big", "bigger", "biggest"."""
    stem = word[:-1] if word.endswith("e") else word
    if word.endswith("y"):
        stem = word[:-1] + "i"
    elif word[-1] in "bdgnmt" and word[-2] in "aeiou" and word[-3:-2] not in tuple("aeiou"):
        stem += word[-1]
    return {word, stem + "er", stem + "est"}


_UNGRADED = word_set(
    "elderly modern ancient antique beautiful colorful colourful wooden metal metallic plastic "
    "glass stone crowded open closed public private giant square rectangular outdoor indoor "
    "vibrant stylish classic ornate intricate historic traditional rustic matte careful different "
    "similar certain entire whole main central female male unique special playful stunning "
    "spacious floral tribal digital electric urban rural royal even single double triple oval "
    "circular triangular angular linear lunar solar polar regular irregular upright vertical "
    "horizontal diagonal parallel opposite inner outer upper lower left right front rear middle "
    "rightmost leftmost topmost bottommost half quarter visible golden wintry elegant distant "
    "brilliant abundant fragrant transparent translucent silent decent recent prominent dominant "
    "important elaborate separate delicate immaculate private alternate appropriate intimate "
    "good bad better best worse worst nice perfect pleasant casual formal natural artificial "
    "adjacent nearby overhead underground wild ceramic concrete earthen woollen golden raw fluid "
    "solid liquid humid vivid rapid rigid torn broken worn woven frozen sunken mown hidden "
    "mountainous native foreign familiar unusual common rare exotic tropical typical mixed "
    "matching multi-story three-part vintage mini mature adult infant juvenile teenage senior "
    "asleep awake alone alive afloat multiple countless numerous minimal subtle slight serene "
    "serious anxious eager intense extreme remote concrete complete incomplete concave convex "
    "medieval imperial ceremonial seasonal actual real fake true false sunlit moonlit backlit "
    "unlit well-lit handheld handmade homemade roadside seaside sheer opaque ripe ragged rugged "
    "jagged naked wicked sacred crooked wretched mid late early"
)

ADJECTIVES = _UNGRADED.union(*map(_grades, _GRADED))

# Suffixes of adjectives and adverbs, and the nouns that share them.
ADJECTIVE_ENDS = ("ly", "ous", "ful", "less", "ible", "able", "ish", "ular", "ward", "ern", "esque")
END_NOUNS = word_set(
    "table cable vegetable fable stable timetable constable tablecloth fish dish polish radish "
    "goldfish catfish starfish jellyfish finish varnish rubbish blemish family fly butterfly "
    "dragonfly belly jelly lily bully ally assembly supply rally trolley handful armful mouthful "
    "spoonful forward award reward fern lantern pattern tavern cistern stern govern squirrelfish "
    "binocular spatula parish relish shellfish dolly holly tally monopoly anomaly firefly steward "
    "coward platform octopus walrus"
)
# Last parts of compounds that describe: "cloth-like", "notch-shaped", "orange-red".
COMPOUND_ENDS = word_set(
    "like shaped colored coloured toned sized sided style tone out on in up off down part story "
    "storey day long wide high free made old lit faced haired edged"
)

# A head that names no thing of the scene by itself.
EMPTY_HEADS = ORDINALS | word_set(
    "one ones angle rest direction directions way ways shape shapes size sizes form row rows "
    "column columns order profile half quarter bit bits bunch sort sorts manner place places "
    "space position length width height inch inches feet foot meters metres time times moment "
    "few lot lots number group pair variety series mix range amount array assortment collection "
    "hue hues tone tones touch hint sense air look presence appearance impression feeling "
    "effect contrast focus detail details addition combination arrangement composition "
    "distance case example fact reason result something everything nothing anything someone "
    "everyone everybody nobody itself themselves himself herself day night dusk dawn "
    "interior exterior mood atmosphere charm beauty pose posture attention"
)

# Adjective and noun that say how, not what.
IDIOMS = frozenset({
    "full bloom", "full view", "full swing", "full color", "full colour", "close proximity",
    "plain sight", "good condition", "various colors", "various sizes", "different colors",
    "different sizes", "different shapes", "various shapes", "close range", "great detail",
})  # fmt: skip

# Nouns that need no article; other singulars without one are parts of a longer list.
MASS_NOUNS = word_set(
    "grass snow water hair light ink sand glass wood metal stone paper foam ice smoke fog mist "
    "soil dirt gravel moss ivy foliage greenery vegetation fur cloth fabric cotton leather "
    "plastic steel coffee tea milk juice wine beer bread cheese meat rice sauce cream chocolate "
    "fruit food sugar butter hay straw tissue skin paint clothing jewelry jewellery furniture "
    "luggage equipment packaging lighting text writing lettering marble concrete brick asphalt "
    "rust dust sky sunlight shade rain mud lawn liquid makeup armor armour traffic mortar"
)

# Nouns that only count or portion what follows "of", which then belongs to the phrase.
PORTIONS = word_set(
    "hundreds dozens thousands scores pair pairs group groups row rows handful couple lot lots "
    "series set sets variety number crowd bunch stack stacks pile piles piece pieces herd flock "
    "line lines cluster clusters mix range array assortment collection bowl plate glass cup"
)

# Heads that say where in the frame something is, or that there is a picture: never a subject.
POSITIONS = word_set(
    "side sides left right center centre middle top bottom front back corner corners edge edges "
    "part background backdrop foreground picture image photo photograph pictures images photos "
    "rim rims view scene frame end upper lower distance screenshot way lot order addition use "
    "case total "
    "words letters word number text texts element elements color colors colour colours style "
    "intensity sense name names year years shade shades font capacity feature features kind type "
    "types kinds favor favour use area smaller abandonment images outline series titled"
)

PEOPLE = word_set(
    "man men woman women person people boy boys girl girls child children kid kids model player "
    "players farmer skier skiers surfer rower rowers couple baby family team crowd group tourist "
    "tourists soldier soldiers worker workers chef student students guy lady skateboarder rider"
)

BODY = word_set("eye eyes hand hands face head hair arm arms leg legs foot feet smile back neck")

PLURALS = word_set(
    "people men women children police geese sheep teeth feet mice clothes nuclei cacti fungi oxen "
    "deer fish aircraft spacecraft cattle poultry salmon trout shrimp bison moose skis fishermen "
    "firemen policemen sportsmen horsemen workmen snowmen grandchildren bacteria"
)
SINGULARS = word_set(
    "glass grass bus dress campus cactus compass canvas lens cross christmas gas iris pancreas "
    "atlas bias chess brass moss boss mass class pass mess press tennis oasis basis chassis "
    "axis species series news hibiscus octopus platypus walrus virus circus status crocus lotus "
    "minibus trolleybus omnibus headdress mattress fortress harness wilderness hostess princess "
    "waitress eyeglass hourglass cutlass bass plus surplus nexus bonus focus chorus citrus"
)
# Plurals that stand before another noun: "a sports car".
PLURAL_MODIFIERS = word_set(
    "sports arts goods clothes farmers games systems ladies savings telecommunications"
)

PLACES = word_set(
    "street road sidewalk beach seaside sea ocean lake river field fields park forest garden "
    "backyard kitchen room bathroom bedroom restaurant market shop store station airport runway "
    "table desk couch sofa bed chair floor wall bench mountain hill hillside slope grass snow "
    "water sky city town village bridge harbor harbour lobby library museum church office "
    "stadium court rink path trail pavement counter shelf rack plate tablecloth rug carpet boat "
    "rock cliff square courtyard corridor yard meadow pond pool supermarket bakery bar factory"
)

# A sentence that is cut must not end on one of these.
DANGLING = (
    PREPOSITIONS
    | ARTICLES
    | word_set(
        "and or but that which who is are was were its his her their several two three looking "
        "another"
    )
)

ABBREVIATIONS = word_set("mr mrs ms dr st no vs jr sr prof inc ltd co etc approx fig vol")
