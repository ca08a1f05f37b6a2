"""Small closed word lists by which the writer finds its way in a sentence without a model.

They need not be complete: a word that is missing costs a little elegance, never a crash.
"""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Split a text into a set of words."""
    return frozenset(text.split())


COLOURS = word_set(
    "black white red green blue yellow orange purple pink brown gray grey beige golden gold "
    "silver turquoise violet cream tan maroon teal navy bronze lavender crimson"
)

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)  # fmt: skip

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

VERBS = word_set(
    "walks walk sits sit stands stand holds hold runs run plays play shows show displays display "
    "features feature wears wear rides ride lies lie lays lay hangs hang reads read says say "
    "appears appear includes include contains contain consists consist provides provide offers "
    "offer represents represent faces covers surrounds surround flies fly jumps jump catches "
    "eats eat drinks swims swim leans lean rests rest waits wait talks talk smiles smile watches "
    "works cuts cooks pours sells stares stare carries carry pulls pushes drives parks poses pose "
    "grazes graze crosses overlooks overlook leads lead comes come goes go takes take gives give "
    "gets get makes make uses use seems seem looks look involves involve plunges stretches rises "
    "glows shines depicts depict portrays illustrates captures capture presents present reveals "
    "reveal streams casts cast showcases showcase highlights stood sat turned looked flew played "
    "wound saw lay held wore ran rode made took became becomes become belongs belong marks turns "
    "written known shown seen worn set built drawn found kept left led lit "
    "touches reaches looms towers spreads extends forms serves serve helps prepare prepares "
    "resembles remains remain enjoys enjoy blurs blur dives gathers gather"
)

# Adjectives that are also nouns and end a phrase when nothing follows ("a glass of milk").
NOUNISH = word_set("glass stone light metal square round plastic bold female male")

# Words in -ing and -ed that are nouns, so that they do not end a noun phrase.
ING_NOUNS = word_set(
    "building buildings clothing painting paintings railing railings ceiling evening morning wing "
    "ring king string thing spring earring earrings packaging wedding swing sling living lighting "
    "sibling siblings pudding frosting icing topping rating drawing crossing clearing opening"
)
ED_NOUNS = word_set("red bed seed weed shed speed sled reed steed thread bread head")

ADJECTIVES = word_set(
    "large small big little tall short long wide narrow young old older elderly new modern ancient "
    "antique beautiful pretty colorful colourful bright dark light clear fresh soft hard warm cold "
    "hot sunny cloudy grassy sandy snowy rocky wooden metal metallic plastic glass stone clean "
    "dirty quiet busy crowded empty full open closed public private tiny huge giant round square "
    "rectangular bare lush dense thick thin high low deep shallow outdoor indoor vibrant stylish "
    "classic simple ornate intricate historic traditional rustic shiny matte smooth rough curly "
    "tender sweet ripe bold careful different same similar certain entire whole main central "
    "female male unique special playful happy calm gentle vast stunning spacious easy fresh tasty "
    "floral tribal digital electric urban rural royal ripe dry wet plain fancy"
)

# Heads that say where in the frame something is, or that there is a picture: never a subject.
POSITIONS = word_set(
    "side sides left right center centre middle top bottom front back corner corners edge edges "
    "part background backdrop foreground picture image photo photograph pictures images photos "
    "view scene frame end upper lower distance screenshot way lot order addition use case total "
    "words letters word number text texts element elements color colors colour colours style "
    "intensity sense name names year years shade shades font capacity feature features kind type "
    "types kinds favor favour use area smaller abandonment images section outline series titled"
)

PEOPLE = word_set(
    "man men woman women person people boy boys girl girls child children kid kids model player "
    "players farmer skier skiers surfer rower rowers couple baby family team crowd group tourist "
    "tourists soldier soldiers worker workers chef student students guy lady skateboarder rider"
)

PLURALS = word_set("people men women children police geese sheep teeth feet mice clothes")
SINGULARS = word_set("glass grass bus dress campus cactus compass canvas lens cross christmas gas")

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
