"""The verbs that follow a noun in descriptions, so that a noun phrase ends before them.

Base forms are listed once; their -s forms are built. A verb that is missing from the list is
often still found by agreement: after "a ... bud" a word in -s can only be a verb.
"""

from __future__ import annotations

from mmi_hpc.llm.rules.lexicon import word_set


def third_person(base: str) -> str:
    """Return the -s form of a verb: "reach" gives "reaches", "carry" gives "carries"."""
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    if base.endswith("y") and base[-2:-1] not in tuple("aeiou"):
        return base[:-1] + "ies"
    return base + "s"


BASES = word_set(
    "add adorn aim allow appear approach arch arise ascend await balance bask bear become begin "
    "belong bend blaze bloom blow blur border bow branch break bring browse bubble build burn "
    "capture carry cast catch celebrate chase chat circle climb cling combine come complement "
    "comprise connect consist contain contrast converge cook cover crawl create crisscross cross "
    "crouch curl curve cut cycle dance dangle darken deepen depict descend differ dine "
    "disappear display dissolve divide dive dominate dot drape drift drink drip drive droop eat "
    "echo emerge emit enclose encircle enhance enjoy enter evoke examine exhibit explore extend "
    "fade fall fan feature feed fill find flank flap flash float flow flutter fly fold follow "
    "form frame gain gallop gather gaze get gleam glide glimmer glint glisten glitter glow go "
    "grab grasp graze greet grin grip grow guard guide hang have help hide highlight hike hit "
    "hold hover hug illuminate include indicate intersect involve join jump jut keep kick kiss "
    "kneel land laugh lay lead lean leap leave let lie lift light line listen loom look make "
    "march mark meet melt merge mingle mix mount move narrow nestle occupy offer open "
    "orbit overhang overlap overlook paddle paint park part pass peek peep peer perch perform "
    "pierce play plunge point portray pose pour prepare present press prop protrude provide pull "
    "push radiate reach reads read recede reflect relax remain represent resemble rest retain "
    "reveal ride ring rise roam roll rub run rush sail scatter scurry sell separate serve set "
    "shade shelter shimmer shine show showcase sing sink sip sit skate ski slant sleep slide "
    "slope smile snake sniff soar span sparkle speak spill spin splash split sport spray spread "
    "spring sprout stack stand stare start stay stem step stick straddle stream stretch stride "
    "stroll study suggest support surf surround sway sweep swim swing symbolize taper talk teeter "
    "tend tilt touch tower trail transport travel trot turn twinkle twist undulate use vary view "
    "wade wait walk wander watch wave wear weave whirl widen wind work wrap yawn zigzag do be "
    "give take say see seem know bloom hold dry describe illustrate display depend exude boast "
    "possess attach bite chew lick pet throw toss swing tie type write ensure measure come note"
)

# Past forms that end a phrase; in -ed only those that never stand as a participle after a noun.
PASTS = word_set(
    "stood sat turned looked flew played wound saw lay held wore ran rode made took became came "
    "went gave got led lit began fell grew hung knew rose sang spoke swam threw wrote written "
    "known shown seen worn set built drawn found kept left bound stuck hidden taken given thrown "
    "walked jumped smiled laughed talked waited arrived appeared happened remained seemed"
)

# Nouns that read like verbs, and stand last in names of things: "a fruit stand", "a ski run".
COMPOUND_HEADS = word_set(
    "stand display run play cut light frame cover guard guide walk work drink rest line mark ring "
    "park set swing stack wave trail tower view span ride jump dive hook slide slope fan support "
    "branch blow break catch cast cross curl curve dance dot drip drive echo fall flash float "
    "fold form glow ground hold kick land lift look mount note paint part pass point press roll "
    "sail sink spray spread spring stem step stick study surf turn twist use watch wind wrap type "
    "feed drop shade mix border bow arch circle bloom feature light ski shelter start stretch "
    "open pet show tie split web transport sport cook bear move"
)

THIRDS = frozenset(third_person(base) for base in BASES) - {"dos", "bes", "haves"} | {"has", "does"}

# Words in -s that are more often nouns where no article stands before them: "clover leaves".
PLURAL_HEADS = word_set(
    "leaves lines marks shapes lights frames covers branches stems rings sails dots stacks trails "
    "steps bows displays guards rolls wraps arches towers stands springs folds circles benches"
)

VERBS = BASES | THIRDS | PASTS
