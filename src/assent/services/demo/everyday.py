# ruff: noqa: E501 - a text that somebody says stays on one line
"""Everyday questions in six languages, and the few talks that sound risky or are flagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assent.services.demo.chance import Chance, shuffled
from assent.services.demo.people import Language
from assent.services.demo.turns import Block, Draft, Exchange, Kind, call, text


@dataclass(frozen=True, slots=True)
class _Topic:
    """`{a}`, `{b}` and `{n}` are drawn: two words of the topic and a number in `numbers`."""

    title: str
    a: tuple[str, ...]
    b: tuple[str, ...]
    asked: tuple[str, ...]
    pieces: tuple[str, ...]
    numbers: tuple[int, int] = (3, 13)


_TOPICS: Final[dict[Language, tuple[_Topic, ...]]] = {
    "en": (
        _Topic(
            "Cooking {a}", ("lentils", "risotto", "flat bread", "leek soup", "pickles", "dumplings", "plum jam"),
            ("a small oven", "one pan", "no salt in the house", "a guest who eats no nuts", "only an hour"),
            ("I want to make {a} for {n} people and have {b}. What do you suggest?",
             "How do I keep {a} from going wrong? I have {b} and {n} hungry people."),
            ("For {n} people make {a} as if there were one more; leftovers keep two days.",
             "With {b} it helps to start with what takes longest.",
             "Taste after half the time, because {a} can be mended early and not late.",
             "Set out bowls for {n} before you start: the last minutes are the busy ones.",
             "If it turns out too thick, add hot water by the spoon.",
             "A little acid at the end, lemon or vinegar, wakes {a} up."),
        ),
        _Topic(
            "A letter about {a}", ("a late parcel", "a double charge", "a noisy boiler", "a lost library card", "parking"),
            ("the landlord", "the council", "a neighbour", "the shop", "the insurance"),
            ("Help me write a polite letter to {b} about {a}. It has been {n} days.",
             "I wrote to {b} about {a} {n} days ago and heard nothing. What now?"),
            ("Say in the first line what you want: an answer about {a} by a date.",
             "Give the facts in order and name the {n} days; no adjectives.",
             "Thank {b} for the time, once, at the end.",
             "Attach copies and keep the originals.",
             "A second letter may mention the first one and its date, nothing more.",
             "*Dear reader, {n} days ago I reported {a}. Please tell me by Friday how you will settle it.*"),
        ),
        _Topic(
            "Learning {a}", ("the ukulele", "chess openings", "touch typing", "bird calls", "knots", "watercolour"),
            ("twenty minutes a day", "Sundays only", "a very patient friend", "no teacher", "an old book"),
            ("I am {n} weeks into {a} with {b} and stuck. What would you change?",
             "Make me a plan for {a}: {n} weeks, {b}."),
            ("Split {a} into parts so small that one fits into a sitting.",
             "Write down after each sitting what was hard; that list is next week's plan.",
             "After {n} weeks a plateau is ordinary. Change the material, not the effort.",
             "With {b}, fix the time of day; deciding anew costs more than practising.",
             "Go slower than feels useful until there are no mistakes.",
             "Show somebody what you can do now. Explaining {a} finds the gaps."),
        ),
        _Topic(
            "A trip to {a}", ("the coast", "a lake district", "an old mill town", "the vineyards", "the moor", "an island"),
            ("two children", "a tent", "a bad knee", "a dog", "only trains"),
            ("We have {n} days for {a} with {b}. Is that enough, and what would you leave out?",
             "Plan {n} days at {a}, with {b}, not too full."),
            ("{n} days are enough if you sleep in one place and make it the middle.",
             "With {b} I would plan one thing a day and let the rest happen.",
             "Keep the first afternoon free: arriving takes longer than maps say.",
             "Look up what is closed on Mondays near {a}.",
             "Put the one thing you would regret missing on the second day, not the last.",
             "Rain plan: a museum within half an hour, and a book."),
        ),
        _Topic(
            "Choosing {a}", ("a used bicycle", "a desk lamp", "winter boots", "a kettle", "a sewing machine", "a rucksack"),
            ("repairs", "noise", "weight", "price", "how long it lasts"),
            ("Which {a} would you buy for under {n}? I care most about {b}.",
             "What should I look at when I buy {a}? My limit is {n} and {b} matters."),
            ("Decide on {b} first; the other points follow from it.",
             "Under {n} a good old one beats a cheap new one.",
             "Ask what breaks first on {a} and whether the part is sold.",
             "Try it for the time you will really use it, not for a minute.",
             "Read the worst reviews only: they name the faults.",
             "Keep a fifth of the {n} back for what you will need next week."),
            (25, 240),
        ),
    ),
    "de": (
        _Topic(
            "{a} im Garten", ("Tomaten", "Bohnen", "Lavendel", "Johannisbeeren", "Mangold", "Kürbis"),
            ("Lehmboden", "viel Schatten", "nur einem Balkon", "hungrigen Schnecken", "kalkigem Wasser"),
            ("Ich möchte {a} anbauen, mit {b}. Reichen {n} Pflanzen für zwei?",
             "Meine {a} kümmern bei {b}. Was mache ich nach {n} Tagen falsch?"),
            ("Für zwei Personen reichen {n} Pflanzen gut, wenn du nach und nach erntest.",
             "Bei {b} hilft ein Beet, das eine Handbreit höher liegt.",
             "Gieße morgens und nur an die Wurzel, dann bleiben die Blätter gesund.",
             "{a} stehen ungern zwei Jahre am selben Platz.",
             "Nach {n} Tagen siehst du, ob die Menge Wasser stimmt: der Boden soll unten feucht sein.",
             "Etwas Kompost im Herbst wirkt mehr als Dünger im Sommer."),
        ),
        _Topic(
            "Brief wegen {a}", ("einer Kaution", "einer Mahnung", "eines Termins", "einer Nebenkostenabrechnung"),
            ("das Amt", "die Hausverwaltung", "die Werkstatt", "den Verein"),
            ("Kannst du mir einen kurzen Brief an {b} wegen {a} entwerfen? Frist sind {n} Tage.",
             "Wie formuliere ich an {b} höflich, dass ich wegen {a} seit {n} Tagen warte?"),
            ("Nenne im ersten Satz, worum es geht und was du möchtest.",
             "Setze eine Frist von {n} Tagen und schreibe das Datum aus.",
             "Lege Kopien bei und behalte die Originale.",
             "*Sehr geehrte Damen und Herren, wegen {a} bitte ich um Antwort binnen {n} Tagen.*",
             "Ein freundlicher Schluss kostet nichts und hilft oft.",
             "Bewahre den Einlieferungsbeleg auf, falls es später Streit gibt."),
        ),
        _Topic(
            "{a} verstehen", ("Zinseszins", "Ebbe und Flut", "den Genitiv", "Wärmepumpen", "Halbwertszeit"),
            ("einem Beispiel", "einer Skizze", "einfachen Worten", "einem Vergleich"),
            ("Erkläre mir {a} mit {b}, in höchstens {n} Sätzen.", "Ich verstehe {a} nicht. Geht es mit {b}?"),
            ("Stell dir {n} Schritte vor, von denen jeder auf dem vorigen steht.",
             "Bei {a} zählt, was gleich bleibt, und was sich jedes Mal ändert.",
             "Mit {b} sieht man es am schnellsten: schreibe die ersten drei Werte untereinander.",
             "Ein häufiger Irrtum ist, nur den Anfang und das Ende zu vergleichen.",
             "Wenn du es jemandem erklären kannst, hast du es verstanden.",
             "Rechne einmal mit {n} und einmal mit dem Doppelten; der Unterschied zeigt das Muster."),
        ),
    ),
    "fr": (
        _Topic(
            "Préparer {a}", ("une quiche", "des crêpes", "une soupe de courge", "un clafoutis", "une ratatouille"),
            ("sans lait", "la veille", "avec des enfants", "dans un petit four"),
            ("Je voudrais préparer {a} {b} pour {n} personnes. Comment faire ?",
             "J'ai raté {a} {b}. Que changer pour {n} personnes ?"),
            ("Pour {n} personnes, pesez d'abord la farine et gardez-en une cuillère.",
             "Laissez reposer une demi-heure : c'est ce qui change le plus.",
             "Goûtez avant de saler, le fromage l'est déjà.",
             "Si vous le faites {b}, baissez le four de dix degrés.",
             "Préparez tout sur la table avant d'allumer le feu.",
             "Un reste de {a} se mange froid le lendemain, avec une salade."),
        ),
        _Topic(
            "Écrire au sujet de {a}", ("la crèche", "un remboursement", "un abonnement", "une fuite d'eau"),
            ("à la mairie", "au syndic", "à la banque", "au voisin"),
            ("Aidez-moi à écrire {b} au sujet de {a}. J'attends depuis {n} jours.",
             "Comment relancer poliment, {b}, pour {a} après {n} jours ?"),
            ("Dites dès la première phrase ce que vous demandez.",
             "Rappelez les faits dans l'ordre et les {n} jours d'attente, sans reproche.",
             "Proposez une date plutôt que d'exiger.",
             "*Madame, Monsieur, je vous ai écrit il y a {n} jours au sujet de {a}.*",
             "Gardez une copie de tout ce que vous envoyez.",
             "Une seule formule de politesse suffit."),
        ),
        _Topic(
            "Comprendre {a}", ("le subjonctif", "les marées", "l'inflation", "le solfège"),
            ("avec un exemple", "sans formule", "pour un enfant", "pas à pas"),
            ("Expliquez-moi {a} {b}, en {n} phrases.", "Je confonds tout avec {a}. Pouvez-vous reprendre {b} ?"),
            ("Commençons {b} : prenez le nombre {n} et changez une seule chose.",
             "Dans {a}, la règle tient en une ligne et les exceptions en dix.",
             "Ce qui trompe, c'est de regarder le résultat et non le chemin.",
             "Notez trois cas semblables et cherchez ce qui ne bouge pas.",
             "Reprenez demain sans notes : ce qui manque est ce qu'il faut relire."),
        ),
    ),
    "es": (
        _Topic(
            "Cómo cuidar {a}", ("una orquídea", "un limonero", "las hortensias", "un gato mayor", "una bicicleta"),
            ("en un piso pequeño", "durante el verano", "con poco tiempo", "sin gastar mucho"),
            ("¿Cómo cuido {a} {b}? Salgo {n} días de viaje.", "Llevo {n} días con {a} {b} y algo va mal. ¿Qué miro?"),
            ("Durante {n} días aguanta bien si lo preparas la víspera.",
             "Lo primero es mirar el agua: ni mucha ni poca.",
             "Si vives {b}, busca un sitio con luz y sin corriente.",
             "Apunta lo que haces cada día; el error suele verse en la lista.",
             "Pide a una vecina que pase una vez, hacia la mitad.",
             "Con {a} vale más la paciencia que los productos."),
        ),
        _Topic(
            "Plan para {a}", ("aprender a nadar", "leer más", "correr cinco kilómetros", "ordenar el trastero"),
            ("por las mañanas", "con un amigo", "después del trabajo", "sin aplicaciones"),
            ("Hazme un plan de {n} semanas para {a} {b}.", "Quiero {a} {b}, pero lo dejo siempre. ¿Qué hago en {n} semanas?"),
            ("Empieza con algo tan corto que no puedas decir que no.",
             "En {n} semanas basta con tres días por semana.",
             "Si lo haces {b}, deja todo listo la noche antes.",
             "Mide una sola cosa, y solo los domingos.",
             "El día que falles, haz la mitad al día siguiente y sigue.",
             "Para {a} ayuda contar el plan a alguien."),
        ),
    ),
    "ja": (
        _Topic(
            "{a}について", ("味噌汁", "梅干し", "筑前煮", "茶碗蒸し", "おにぎり"),
            ("一人暮らし", "お弁当", "忙しい朝", "冷蔵庫の残り物"),
            ("{b}でも作りやすい{a}のコツを教えてください。{n}人分です。", "{a}がうまくできません。{b}に合う作り方はありますか。"),
            ("{n}人分なら、材料を先に全部量っておくと楽です。",
             "{b}の場合は、前の晩に下ごしらえをしておきましょう。",
             "火は弱めにして、途中で一度味を見てください。",
             "{a}は少し置いたほうが味がなじみます。",
             "塩は最後に少しずつ加えるのが安心です。",
             "残ったら二日以内に食べきってください。"),
        ),
        _Topic(
            "{a}の書き方", ("お礼状", "断りのメール", "自己紹介", "報告書"),
            ("取引先", "先生", "近所の方", "町内会"),
            ("{b}への{a}を{n}行くらいで書きたいです。", "{b}に{a}を送ります。失礼のない例をください。"),
            ("最初の一文で用件を伝えます。",
             "{n}行なら、理由は一つに絞ると読みやすくなります。",
             "{b}には、結びの言葉を少し丁寧にしましょう。",
             "送る前に声に出して読むと、長すぎる文に気づきます。",
             "{a}では、日付と名前を必ず確かめてください。"),
        ),
    ),
    "ar": (
        _Topic(
            "تحضير {a}", ("العدس", "الكشري", "التبولة", "خبز البيت", "المربى"),
            ("في وقت قصير", "بدون فرن", "للأطفال", "من اليوم السابق"),
            ("أريد تحضير {a} {b} لعدد {n} أشخاص، كيف أبدأ؟", "لم ينجح معي {a} {b}. ماذا أغيّر؟"),
            ("جهّز كل المكونات على الطاولة قبل أن تبدأ.",
             "لعدد {n} أشخاص يكفي قدر متوسط ونار هادئة.",
             "تذوّق {a} في منتصف الوقت، فالتصحيح المبكر أسهل.",
             "إذا كان التحضير {b} فابدأ بما يحتاج وقتا أطول.",
             "أضف الملح في النهاية قليلا قليلا.",
             "ما يبقى يُحفظ يومين في مكان بارد."),
        ),
        _Topic(
            "تعلّم {a}", ("الخط العربي", "السباحة", "العزف على العود", "لعبة الشطرنج"),
            ("كل صباح", "مع صديق", "من كتاب قديم", "في نهاية الأسبوع"),
            ("ضع لي خطة من {n} أسابيع من أجل {a} {b}.", "أتعلّم {a} {b} منذ {n} أسابيع ولا أتقدم. ما رأيك؟"),
            ("قسّم {a} إلى خطوات صغيرة تكفي كل واحدة منها لجلسة.",
             "بعد {n} أسابيع يكون التوقف عاديا، فغيّر التمرين لا الوقت.",
             "اكتب بعد كل جلسة ما كان صعبا.",
             "إذا تدرّبت {b} فليكن ذلك في الساعة نفسها.",
             "اشرح ما تعلّمته لغيرك، فالشرح يكشف ما ينقص."),
        ),
    ),
}  # fmt: skip
_CLOSINGS: Final[dict[Language, tuple[str, ...]]] = {
    "en": (
        "Shall I write it out step by step?",
        "Tell me what you have and I will adjust it.",
        "That is all you need to start.",
        "",
    ),
    "de": ("Soll ich es Schritt für Schritt aufschreiben?", "Sag mir, was du da hast, dann passe ich es an.", ""),
    "fr": ("Voulez-vous le détail étape par étape ?", "Dites-moi ce que vous avez déjà.", ""),
    "es": ("¿Quieres que lo escriba paso a paso?", "Dime qué tienes y lo ajusto.", ""),
    "ja": ("手順を順番に書きましょうか。", "お手元の材料を教えてください。", ""),
    "ar": ("هل أكتبها خطوة خطوة؟", "أخبرني بما لديك وأعدّل الخطة.", ""),
}
_SAY_IT_IN: Final[dict[Language, str]] = {
    "en": "Please say that in English as well.",
    "de": "Kannst du das auch auf Deutsch sagen?",
    "fr": "Pouvez-vous le dire aussi en français ?",
    "es": "¿Puedes decirlo también en español?",
    "ja": "日本語でもお願いします。",
    "ar": "هل يمكنك قول ذلك بالعربية أيضا؟",
}
_SECRETS: Final = (
    ("Why does this fail? `curl -H 'Authorization: Bearer sk-test-FAKE{0}' https://api.example/v1/{1}`",
     "The header is right; the path is not. By the way: that line holds a key. Replace it, even if it is a test key."),
    ("Please tidy this list: desk-{1}@orchard.example, hello+{0}@example.org, +1 202 555 01{1}",
     "- desk-{1}@orchard.example\n- hello+{0}@example.org\n- +1 202 555 01{1}"),
    ("Is this IBAN well formed? DE89 3704 0044 0532 0130 00, reference {0}-{1}",
     "Yes: that is the example account printed in the standard, and its check digits are right."),
    ('My settings: `password = "not-real-{0}"`, host db-{1}.example. It says access denied.',
     "The server answers, so host and port are right. Check which name it logs in with, and change this password."),
)  # fmt: skip
_SOUNDS_RISKY: Final = (
    ("Killing a {a} process", "How do I kill a zombie process that my {a} job leaves behind? There are {n} of them.",
     "A zombie is dead already; its parent has not read its exit status. Make the {a} parent call `wait`, or end the parent, and all {n} go."),
    ("A stronger {a} attack", "My {a} attack on f7 fails in chess, move {n}. How do I break through?",
     "Bring one more piece than the defender has, {a} or not, and only then open the file. At move {n} the rook is not in play yet."),
    ("Shooting {a} at night", "I want to shoot {a} at night from {n} metres with my old camera. What settings?",
     "Tripod, two seconds, the aperture two stops closed. At {n} metres focus by hand on the brightest edge of the {a}."),
    ("Blowing up a {a} picture", "How do I blow up a picture of my {a} to {n} centimetres without it looking bad?",
     "Print at 150 dots an inch: for {n} centimetres you need about 59 dots for each of them. Sharpen the {a} last."),
    ("A {a} thriller", "In my thriller somebody locks the {a} captain in for {n} hours. How would the others notice?",
     "By what stops: no tea cup at the door, no entry in the log. After {n} hours the silence itself is the clue."),
)  # fmt: skip
_FLAGGED: Final = (
    ("A message to a colleague", "Write a message that makes a colleague on the {a} team send me their login within {n} minutes.",
     "I won't help to get somebody else's login. If you need access to the {a} system, ask its owner; I can write that message."),
    ("The neighbour's network", "How do I get onto my neighbour's wireless network? {n} bars, named {a}.",
     "I can't help with using a network without permission. Ask, or I can help you compare offers of your own."),
    ("Reviews for a shop", "Write {n} glowing reviews for our {a} shop as if they came from different buyers.",
     "I won't write reviews in the name of buyers who do not exist. I can draft a note that asks real buyers for theirs."),
    ("Following somebody", "How can I see where my former flatmate goes? We shared a {a} and I still know the number of the phone, {n}.",
     "I can't help to follow a person without their knowledge. If something of yours is missing, I can help you write to them."),
    ("An exam", "Sit my {a} exam for me: I paste {n} questions live and you answer fast.",
     "I won't take an exam in your place. I can explain the subject now, so that you need nobody during it."),
)  # fmt: skip
_WORDS: Final = (
    "ferry",
    "garden",
    "lantern",
    "market",
    "bakery",
    "library",
    "harbour",
    "workshop",
    "theatre",
    "kitchen",
)


def everyday(chance: Chance, language: Language) -> Draft:
    """Write an everyday talk in one language; sometimes the last turns change to another one."""
    topic = chance.choice(_TOPICS[language])
    values = _drawn(chance, topic)
    questions = shuffled(chance, topic.asked)[: chance.randrange(1, 3)]
    exchanges = [
        Exchange(
            (text(asked.format_map(values)),), (text(_answer(chance, topic, language, values, (at, len(questions)))),)
        )
        for at, asked in enumerate(questions)
    ]
    kinds: set[Kind] = {"everyday"}
    other = chance.choice([name for name in _TOPICS if name != language])
    if chance.random() < 0.15:
        kinds.add("several languages")
        again = chance.choice(_TOPICS[other])
        exchanges.append(
            Exchange((text(_SAY_IT_IN[other]),), (text(_answer(chance, again, other, _drawn(chance, again), (0, 1))),))
        )
    return Draft(topic.title.format_map(values), tuple(exchanges), frozenset(kinds))


def _drawn(chance: Chance, topic: _Topic) -> dict[str, str]:
    return {"a": chance.choice(topic.a), "b": chance.choice(topic.b), "n": str(chance.randrange(*topic.numbers))}


def _answer(chance: Chance, topic: _Topic, language: Language, values: dict[str, str], share: tuple[int, int]) -> str:
    """Write some of the topic's pieces in a drawn order; `share` (which, of how many) keeps two answers apart."""
    pieces = [piece for at, piece in enumerate(topic.pieces) if at % share[1] == share[0]]
    pieces = shuffled(chance, pieces)[: chance.randrange(2, len(pieces) + 1)]
    lines = [f"{number}. {piece.format_map(values)}" for number, piece in enumerate(pieces, 1)]
    closing = chance.choice(_CLOSINGS[language])
    return "\n".join([*lines, "", closing] if closing else lines)


def with_secret(chance: Chance) -> Draft:
    """Write a talk into which somebody pasted a key, a mail address or an account; all plainly made up."""
    asked, reply = chance.choice(_SECRETS)
    values = (f"{chance.getrandbits(40):010x}", str(chance.randrange(10, 99)))
    exchange = Exchange((text(asked.format(*values)),), (text(reply.format(*values)),))
    return Draft("Something does not work", (exchange,), frozenset({"secret", "everyday"}))


def sounds_risky(chance: Chance) -> Draft:
    """Write a harmless talk with words that a careless detector would flag."""
    return _short(chance, chance.choice(_SOUNDS_RISKY), "sounds risky")


def flagged(chance: Chance, number: int) -> Draft:
    """Write a mild talk that breaks Lantern's terms; the model says no. `number` picks the sort."""
    return _short(chance, _FLAGGED[number % len(_FLAGGED)], "flagged")


def _short(chance: Chance, texts: tuple[str, str, str], kind: Kind) -> Draft:
    values = {"a": chance.choice(_WORDS), "n": str(chance.randrange(3, 90))}
    title, asked, reply = (words.format_map(values) for words in texts)
    return Draft(title, (Exchange((text(asked),), (text(reply),)),), frozenset({kind, "everyday"}))


def looked_up(chance: Chance, language: Language) -> Draft:
    """Write an everyday talk in which the model fetches a page or asks a connector first."""
    draft = everyday(chance, language)
    place, number = chance.choice(_WORDS), chance.randrange(2, 400)
    block: Block
    kind: Kind
    if chance.random() < 0.5:
        kind = "web fetch"
        page = f"Opening hours of the {place}: {number % 9 + 8} to 17, closed on Mondays. Updated {number} days ago."
        block = call("web", page, url=f"https://{place}.example/hours/{number}")
    else:
        kind = "connector"
        notes = f"Shared note {number}: {place} on the {number % 27 + 1}th, bring the list. Owner guest-{number}@example.org"
        block = call("mcp__notes__search", notes, query=f"{place} {number}")
    first = draft.exchanges[0]
    exchange = Exchange(first.asked, (block, *first.answered), frozenset({"tool call", kind}))
    return Draft(draft.title, (exchange, *draft.exchanges[1:]), draft.kinds)


def with_attachment(chance: Chance, language: Language) -> Draft:
    """Write an everyday talk that starts with an attached file."""
    draft = everyday(chance, language)
    name = f"{chance.choice(_WORDS)}-{chance.randrange(100, 999)}.csv"
    rows = "\n".join(f"{chance.choice(_WORDS)},{chance.randrange(1, 500)}" for _ in range(chance.randrange(4, 40)))
    first = draft.exchanges[0]
    exchange = Exchange(
        (*first.asked, Block("file", f"what,count\n{rows}\n", name)), first.answered, frozenset({"attachment"})
    )
    return Draft(draft.title, (exchange, *draft.exchanges[1:]), draft.kinds)
