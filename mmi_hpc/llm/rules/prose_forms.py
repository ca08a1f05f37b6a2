"""Genres in running text: stories, letters, news, blogs, speeches, dialogues and the like."""

from __future__ import annotations

from mmi_hpc.llm.rules.brief import Brief, paragraphs, sentence


def story(b: Brief) -> str:
    """A short narrative that ends where it began."""
    opening = b.pick(
        "open",
        "Nobody had planned to stop, and yet everyone did.",
        "It began the way quiet stories do, with something small.",
        "Later, it was this moment that came to mind first.",
        "There was no announcement, only the scene itself.",
        f"If you asked {b.subject}, nothing unusual was going on.",
    )
    if not b.scene.person:
        opening = opening.replace("If you asked", "For anyone passing")
    turn = b.pick(
        "turn",
        f"Then {b.thing(0)} came into view, and the day seemed to slow down.",
        f"It was {b.thing(0)} that changed the mood, gently and without a sound.",
        f"Beyond that lay {b.thing(0)}, waiting to be noticed.",
    )
    ending = b.pick(
        "end",
        f"When it was over, {b.subject} and {b.thing(1)} were still there, and the story stayed.",
        f"Some endings are loud; this one was only {b.subject} and a moment that would not fade.",
        f"That is how {b.subject} became the part everyone remembered.",
    )
    return paragraphs(sentence(opening, b.lead), sentence(turn, b.rest()), ending)


def diary(b: Brief) -> str:
    """A diary entry."""
    opening = b.pick(
        "open",
        "Today gave me something worth writing down.",
        "I almost walked past it today.",
        "A small thing has stayed with me all day.",
    )
    feeling = b.pick(
        "feel",
        f"I kept looking at {b.thing(0)}, then at {b.thing(1)}, as if they were trying to tell me "
        "something.",
        f"What I want to keep is {b.thing(0)}, and the way {b.thing(1)} seemed to belong to it.",
    )
    return paragraphs(
        "Dear diary,",
        sentence(opening, b.body()),
        sentence(feeling, b.colours("I must remember the colours, too: ", ".")),
        b.pick("end", "Good night for now.", "More tomorrow.", "I am glad I looked twice."),
    )


def letter(b: Brief) -> str:
    """A letter, or an email with a subject line."""
    topic = b.pick("topic", "A few words about", "Something worth seeing:", "Have you seen")
    mark = "?" if topic.startswith("Have") else ""
    subject = f"**Subject:** {topic} {b.subject}{mark}" if b.mentions("mail") else ""
    hello = b.pick("hello", "Hello,", "Dear friend,", "Good day,")
    if b.mentions("grandparent"):
        hello = "Dear Grandma, dear Grandpa,"
    opening = b.pick(
        "open",
        "I hope this finds you well. I wanted to share something I have just seen.",
        "I am writing because a scene today made me think of you.",
        "There is something here that I would like you to picture with me.",
    )
    ask = b.pick(
        "ask",
        f"What do you make of {b.thing(0)}? I would love to hear your thoughts.",
        f"If you were here, I would point out {b.thing(0)} and {b.thing(1)} first.",
    )
    if b.mentions("permission"):
        opening = "I hope this finds you well. I would like to ask for your permission."
        ask = (
            f"May we print the image with {b.subject}? We would name the source and change "
            "nothing. A short reply is enough."
        )
    elif b.mentions("why you chose"):
        ask = f"I chose it for you because of {b.thing(0)}: I knew you would notice at once."
    bye = b.pick("bye", "Warm regards", "With best wishes", "Yours sincerely")
    return paragraphs(subject, hello, sentence(opening, b.body()), ask, bye)


def social(b: Brief) -> str:
    """A social media post with a hook, a question and tags."""
    hook = b.pick(
        "hook",
        f"Stop scrolling for a second: {b.subject} {b.be('deserves', 'deserve')} it! ✨",
        f"Say hello to {b.subject}! 👋",
        f"Can we talk about {b.subject} for a moment? 💬",
        f"Today's favourite view: {b.subject}. 📸",
    )
    love = b.pick(
        "love",
        f"We cannot stop looking at {b.thing(0)} and {b.thing(1)}.",
        f"Swipe past anything else, but not past {b.thing(0)}.",
        f"Our favourite detail? Definitely {b.thing(0)}.",
    )
    ask = b.pick(
        "ask",
        "What catches your eye first? Tell us below! 👇",
        "Tag someone who needs to see this! 💛",
        "Share it with a friend who would smile at this! 😊",
    )
    if b.mentions("two lively", "closing question"):
        question = "What do you see first?"
        return paragraphs(sentence(hook, love, question))
    tags = b.pick("tags", "#LookCloser #InTheDetails", "#SeenToday #GoodThings", "#DailyView")
    return paragraphs(hook, b.body(60), sentence(love, ask), tags)


def news(b: Brief) -> str:
    """A short, sober news report."""
    head = b.pick(
        "head",
        f"{b.Subject} in focus",
        f"All attention on {b.subject}",
        f"A scene worth reporting: {b.subject}",
    )
    detail = b.pick(
        "detail",
        f"Also in view: {b.listed(4)}.",
        f"Those who look closely will find {b.listed(4)}.",
        f"Among the details that can be made out are {b.listed(4)}.",
    )
    ending = b.pick(
        "end",
        "What happened before and after remains open; the image itself gives no further comment.",
        "No statement accompanies the scene, which leaves readers to draw their own conclusions.",
    )
    return paragraphs(f"**{head}**", b.body(), sentence(detail, ending))


def blog(b: Brief) -> str:
    """A blog post, with a travel note where the instruction asks for one."""
    travel = b.mentions("travel", "trip", "journey", "tour")
    opening = b.pick(
        "open",
        "Some places are best met slowly." if travel else "Some sights are best met slowly.",
        "I came without a plan, and I am glad I did.",
        "Every now and then a view asks you to put the map away.",
    )
    look = b.pick(
        "look",
        f"Take your time with {b.thing(0)}, and do not miss {b.thing(1)}.",
        f"My eyes went from {b.thing(0)} to {b.thing(1)} and back again.",
        f"If I had to pick one thing, it would be {b.thing(0)}.",
    )
    ending = b.pick(
        "end",
        f"Would I come back for {b.subject}? Without thinking twice.",
        f"I left with a full heart and one more reason to remember {b.subject}.",
        "Pack light, look closely, and let the day surprise you.",
    )
    title = b.pick("title", f"A day with {b.subject}", f"Notes from the road: {b.subject}")
    return paragraphs(f"**{title}**", sentence(opening, b.body()), sentence(look, ending))


def speech(b: Brief) -> str:
    """A short speech."""
    opening = b.pick(
        "open",
        f"Friends, allow me to speak about {b.subject}.",
        f"Thank you for being here. I ask you to look with me at {b.subject}.",
        "Good evening, everyone. Let us begin with what is right before our eyes.",
    )
    point = b.pick(
        "point",
        f"Look at {b.thing(0)}, look at {b.thing(1)}, and ask what they mean to each of us.",
        f"We often hurry past things like {b.thing(0)}. Today, let us not.",
    )
    ending = b.pick(
        "end",
        "May we leave with open eyes and a little more patience. Thank you.",
        f"Let {b.subject} remind us to pay attention to one another. Thank you.",
    )
    return paragraphs(opening, b.body(), sentence(point, ending))


def dialogue(b: Brief) -> str:
    """Two voices talking about what they see."""
    sports = b.mentions("sport", "match", "game")
    one, two = ("Commentator", "Fan") if sports else ("First friend", "Second friend")
    look = b.pick("look", "Are you seeing this?", "Look over there!", "Wait, do not look away now.")
    reply = b.pick(
        "reply",
        f"I am! And {b.thing(0)}, too. My heart is beating faster.",
        f"How could I miss it? {b.Thing(0)} caught me at once.",
        f"Yes, and I cannot take my eyes off {b.thing(0)}.",
    )
    feeling = b.pick(
        "feel", "What a feeling to be here for it!", "You can almost hear the silence before it."
    )
    ending = b.pick(
        "end",
        f"Whatever comes next, I will remember {b.subject}.",
        f"If anyone asks, we were here for {b.subject}.",
    )
    if b.mentions("visitors"):
        one, two = "First visitor", "Second visitor"
    if b.mentions("disagree", "argu"):
        reply = f"I see it, but you are wrong: what matters most is {b.thing(0)}."
        feeling = f"I still say {b.thing(0)}."
        ending = f"And you may keep {b.subject}; let us agree to differ."
    middle = b.rest() or f"And do you see {b.thing(1)}? It all comes together."
    return paragraphs(
        f"**{one}:** {look} {b.lead}",
        f"**{two}:** {reply}",
        f"**{one}:** {middle}",
        f"**{two}:** {feeling} {ending}",
    )


def atmosphere(b: Brief) -> str:
    """A vivid paragraph that tells a reader what the scene is like."""
    opening = b.pick(
        "open",
        "Let your eyes wander slowly.",
        "The first impression is one of stillness and attention.",
        f"Everything seems to gather around {b.subject}.",
    )
    mood = b.pick(
        "mood",
        f"{b.Thing(0)} and {b.thing(1)} give the eye somewhere to rest",
        f"The gaze drifts from {b.thing(0)} to {b.thing(1)}",
        f"There is a rhythm in the way {b.thing(0)} and {b.thing(1)} share the space",
    )
    colours = b.colours(", while touches of ", " set the tone", "")
    ending = b.pick(
        "end",
        "Stay a little longer, and the whole place seems to breathe.",
        "It is easy to imagine the hush that belongs to such a moment.",
        "Nothing calls for hurry, and so the scene unfolds at its own pace.",
    )
    return sentence(opening, b.body(), f"{mood}{colours}.", ending)


def access(b: Brief) -> str:
    """Alternative text for people who cannot see the image."""
    if b.scene.things:
        details = f"Other details that can be made out: {b.listed(5)}."
    else:
        details = "No other detail stands out clearly."
    return sentence(b.body(90), details, b.hues)


def summary(b: Brief) -> str:
    """The gist."""
    opening = b.pick("open", "In short:", "The essentials:", "At a glance:")
    ending = b.pick(
        "end",
        f"Besides {b.subject}, the details to keep in mind: {b.listed(3)}.",
        f"Around {b.subject}, it is {b.listed(3)} that complete the view.",
    )
    return sentence(opening, b.body(55), ending)


def generic(b: Brief) -> str:
    """A plain, friendly answer for an instruction of no known genre."""
    opening = b.pick(
        "open",
        f"The image centres on {b.subject}.",
        f"The first thing to see here is {b.subject}.",
        f"This image draws attention to {b.subject}.",
    )
    details = b.pick(
        "details",
        f"Looking more closely, you can make out {b.listed(4)}.",
        f"Worth noticing, too: {b.listed(4)}.",
        f"Around {b.be('it', 'them')}, the eye finds {b.listed(4)}.",
    )
    if b.scene.person:
        details = details.replace("Around it,", "Beyond that,")
    ending = b.pick(
        "end",
        "Together these details give the scene its character.",
        "Each of them adds something to the whole.",
        "It rewards a second look.",
    )
    return paragraphs(sentence(opening, b.body()), sentence(details, ending))
