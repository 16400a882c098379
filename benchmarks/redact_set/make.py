"""Labelled texts in five languages: chats, code, JSON, logs, and texts that hold nothing: `documents("test")`."""

# ruff: noqa: E501 - made-up texts and tables are easier to read on one line

from __future__ import annotations

import json
import re
from typing import NamedTuple

from benchmarks.redact_set.values import Values

TYPE_OF = {
    "given": "name",
    "family": "name",
    "token": "secret",
    "password": "secret",
    "handle": "username",
    "birth": "date_of_birth",
}
SEEDS = {"dev": 11, "test": 97}
COPIES = {"dev": 8, "test": 14}
_SLOT = re.compile(r"<(\w+)>")


class Document(NamedTuple):
    """A text, its language, what it is, and its spans `(type, start, end)`."""

    text: str
    language: str
    sort: str
    spans: list[tuple[str, int, int]]


DEV = {
    "en": ["hey this is <name>, my number changed to <phone> and my mail is <mail>", "Ship it to <address>, attention <name>.", "The card on file is <card>, please charge it.", "Her SSN is <national_id>, DOB <birth>.", "wire to <iban> by noon"],
    "de": ["Hier ist <name>, meine neue Nummer: <phone>, Mail <mail>", "Bitte an <address> schicken, z. Hd. <name>.", "Kartennummer <card>", "Steuer-ID <national_id>, geboren am <birth>", "Überweise auf <iban>"],
    "fr": ["C'est <name>, mon numéro : <phone>, mail <mail>", "Envoyez à <address>, à l'attention de <name>.", "La carte est <card>", "Numéro de sécu <national_id>, né le <birth>", "Virement sur <iban>"],
    "es": ["Aquí <name>, mi teléfono es <phone> y el correo <mail>", "Envíalo a <address>, a la atención de <name>.", "La tarjeta es <card>", "DNI <national_id>, nacido el <birth>", "Transfiere a <iban>"],
    "it": ["Qui <name>, il mio numero è <phone>, mail <mail>", "Spedisci a <address>, all'attenzione di <name>.", "La carta è <card>", "Codice fiscale <national_id>, nato il <birth>", "Bonifico su <iban>"],
}  # fmt: skip
DEV_ANY = {
    "code": ['API_KEY = "<token>"\nHOST = "<ip>"\n', "git clone <repository>\ncd x", "open('<path_user>/data.csv')"],
    "json": ['{"customer": "<name>", "mail": "<mail>", "ip": "<ip>"}', '{"login": {"username": "<handle>", "password": "<password>"}}'],
    "log": ["2026-03-01T10:00:00Z INFO login user=<handle> ip=<ip>", "eth0 ether <mac> up"],
}  # fmt: skip

TEST = {
    "en": [
        "Good morning, I am <name> and my invoice never arrived. You can reach me on <phone> during the day.",
        "Could you draft an apology to <name>? She lives at <address> and prefers letters.",
        "we moved last month!! new place is <address>. call <given> if you get lost, <phone>",
        "I accidentally pasted my card <card> in the form. What should I do?",
        "For the tax form: <national_id>. I was born on <birth>.",
        "Rewrite politely: '<name> owes us money since spring, his account is <iban>.'",
        "Forward everything from <mail> to <mail>, and tell <given> that it is done.",
        "Summarise: <name> met <name> in the lobby. <family> was late, as always, and the two argued about the budget.",
        "the wifi box says <mac>, its address is <ip>, can you explain why it drops?",
        "Minutes. Present: <name>, <name>, <name>. Apologies: <given>.",
        "My therapist, Dr <family>, suggested writing this down.",
        "write a birthday toast for my grandfather <name>, who turns ninety",
    ],
    "de": [
        "Guten Morgen, ich bin <name>, und meine Rechnung ist nie angekommen. Sie erreichen mich unter <phone>.",
        "Kannst du eine Entschuldigung an <name> formulieren? Sie wohnt in der <address>.",
        "Wir sind umgezogen: <address>. Ruf <given> an, falls du dich verläufst, <phone>",
        "Ich habe aus Versehen meine Kreditkarte <card> ins Formular kopiert. Was jetzt?",
        "Für die Steuer: IdNr. <national_id>, ich wurde am <birth> geboren, Geburtsdatum <birth>.",
        "Formuliere höflicher: „<name> schuldet uns seit dem Frühjahr Geld, das Konto ist <iban>.“",
        "Leite alles von <mail> an <mail> weiter und sag <given> Bescheid.",
        "Fasse zusammen: <name> traf <name> im Foyer. Frau <family> kam zu spät.",
        "Protokoll. Anwesend: <name>, <name>. Entschuldigt: <given>.",
        "Schreib eine Rede zum Geburtstag meines Großvaters <name>",
    ],
    "fr": [
        "Bonjour, ici <name>, ma facture n'est jamais arrivée. Vous pouvez me joindre au <phone>.",
        "Peux-tu rédiger des excuses pour <name> ? Elle habite au <address>.",
        "Nous avons déménagé : <address>. Appelle <given> si tu te perds, <phone>",
        "J'ai collé par erreur ma carte <card> dans le formulaire. Que faire ?",
        "Pour la mutuelle, mon numéro est <national_id>, date de naissance <birth>.",
        "Reformule poliment : « <name> nous doit de l'argent, son compte est <iban>. »",
        "Transfère tout de <mail> à <mail> et préviens <given>.",
        "Résume : <name> a rencontré <name> dans le hall. Madame <family> était en retard.",
        "Compte rendu. Présents : <name>, <name>. Excusée : <given>.",
        "Écris un discours pour l'anniversaire de mon grand-père <name>",
    ],
    "es": [
        "Buenos días, le habla <name>; mi factura no ha llegado. Puede localizarme en el <phone>.",
        "¿Puedes redactar una disculpa para <name>? Vive en <address>.",
        "Nos hemos mudado a <address>. Llama a <given> si te pierdes, <phone>",
        "He pegado sin querer mi tarjeta <card> en el formulario. ¿Qué hago?",
        "Para la renta: <national_id>, fecha de nacimiento <birth>.",
        "Dilo con educación: «<name> nos debe dinero, su cuenta es <iban>».",
        "Reenvía todo de <mail> a <mail> y avisa a <given>.",
        "Resume: <name> se encontró con <name> en el vestíbulo. La señora <family> llegó tarde.",
        "Acta. Asisten: <name>, <name>. Excusa su ausencia <given>.",
        "Escribe un brindis para el cumpleaños de mi abuelo <name>",
    ],
    "it": [
        "Buongiorno, qui parla <name>; la mia fattura non è mai arrivata. Mi trova al <phone>.",
        "Puoi scrivere delle scuse per <name>? Abita in <address>.",
        "Ci siamo trasferiti in <address>. Chiama <given> se ti perdi, <phone>",
        "Ho incollato per sbaglio la mia carta <card> nel modulo. Che faccio?",
        "Per il modulo: <national_id>, data di nascita <birth>.",
        "Dillo con garbo: «<name> ci deve dei soldi, il suo conto è <iban>».",
        "Inoltra tutto da <mail> a <mail> e avvisa <given>.",
        "Riassumi: <name> ha incontrato <name> nell'atrio. La signora <family> era in ritardo.",
        "Verbale. Presenti: <name>, <name>. Assente: <given>.",
        "Scrivi un brindisi per il compleanno di mio nonno <name>",
    ],
}  # fmt: skip
TEST_ANY = {
    "code": [
        'import requests\n\nclient = requests.Session()\nclient.headers["Authorization"] = "Bearer <token>"\nclient.get("/v1", peer="<ip>")\n',
        'DATABASES = {\n    "default": {"HOST": "<ip>", "PASSWORD": "<password>", "PORT": 5432},\n}\n',
        "# maintained by <name> <<mail>>\ndef total(rows):\n    return sum(row.price for row in rows)\n",
        "export SERVICE_TOKEN=<token>\nssh -i <path_user>/.ssh/id_ed25519 root@<ip>\n",
        "const config = { apiKey: '<token>', retries: 3, timeout: 2500 };\n",
        'with open(r"<path_user>/report.txt") as f:\n    data = f.read()\n',
        "$ git remote -v\norigin\t<repository> (fetch)\n",
        'TEST_USERS = [("<name>", "<mail>"), ("<name>", "<mail>")]\nassert len(TEST_USERS) == 2\n',
    ],
    "json": [
        '{"id": 48213, "contact": {"full_name": "<name>", "email": "<mail>", "mobile": "<phone>"}, "active": true}',
        '{"event": "payment", "pan": "<card>", "amount": 129.95, "payer": {"name": "<name>", "iban": "<iban>"}}',
        '[{"speaker": "user", "text": "i am <name>, mail me: <mail>"}, {"speaker": "assistant", "text": "Noted."}]',
        '{"auth": {"username": "<handle>", "password": "<password>"}, "host": "<ip>"}',
        '{"device": {"mac": "<mac>", "ip": "<ip>"}, "version": "4.12.0", "build": 20260114}',
        '{"employee": {"name": "<name>", "address": "<address>", "birth_date": "<birth>"}}',
    ],
    "log": [
        "Jan 14 03:12:55 web1 sshd[4411]: Failed password for invalid user <handle> from <ip> port 50122 ssh2",
        "2026-01-14 03:12:55,123 WARN [pool-3] c.e.Mailer - bounce from <mail> (attempt 2 of 5)",
        '<ip> - - [14/Jan/2026:03:12:55 +0000] "GET /a?id=7 HTTP/1.1" 200 5316 "-" "Mozilla/5.0 Chrome/121.0.0.0"',
        "DHCPACK on <ip> to <mac> via eth1",
        'Traceback (most recent call last):\n  File "<path_user>/app/main.py", line 12, in <module>\nValueError: bad row 17',
        'ERROR payment declined card=<card> customer="<name>" code=51',
    ],
}  # fmt: skip
NOTHING = [
    "The release 4.12.0.1 came out on 2026-01-14; build 20260114, checksum 9f86d081884c7d65.",
    "Order 4155552671 shipped, tracking number 9400 1000 0000 0000 0000 00, total 1 249,90 EUR.",
    "def area(width, height):\n    return width * height\n\nprint(area(3, 4))\n",
    "max_tokens = 4096\npassword = getpass.getpass()\ntoken = os.environ['TOKEN']\n",
    "for i in range(0, 1000000007, 97):\n    total += i ** 2  # 3.14159265\n",
    "The Paris agreement and the Treaty of Rome are taught in April at Lincoln High School.",
    "Ask Siri, Alexa or Cortana; Jenkins and Maven build it; Marks & Spencer sells it.",
    "Im Sommer backt der Bäcker, der Müller mahlt, und der Schneider näht. Die Deutsche Bank schließt um 16 Uhr.",
    "La tour Eiffel, le musée d'Orsay et la place de la Concorde se visitent en avril.",
    "La Sagrada Familia abre a las 9:00; el Museo del Prado, a las 10:00.",
    "La Divina Commedia si studia a scuola; il Colosseo apre alle 8:30.",
    '{"status": 200, "elapsed_ms": 1184, "trace": "7d1f9c0e5b8a4d2f", "version": "10.2.14", "range": [1, 65535]}',
    "std::vector<int> v; std::cout << v.size(); a::b::c(); x = y @ w.T",
    "Epoch 1700000000 to 1700086400, offset 0x7ffe12345678, uuid 123e4567-e89b-12d3-a456-426614174000.",
    "Bind to 0.0.0.0 or 127.0.0.1; the mask is 255.255.255.0; see RFC 1918 and ISBN 978-3-16-148410-0.",
    "pip install numpy==2.4.6 && npm i @types/node@18.0.1 react@18.2.0",
    "See https://docs.python.org/3/library/re.html and https://github.com/python/cpython for more.",
    "Chapter 12: Great Expectations. Summary. Key Points. Next Steps. Frequently Asked Questions.",
]


def documents(half: str) -> list[Document]:
    """Fill the templates of one half; the same call gives the same texts."""
    values = Values(half, SEEDS[half])
    spoken, anywhere = (DEV, DEV_ANY) if half == "dev" else (TEST, TEST_ANY)
    made = []
    for _ in range(COPIES[half]):
        for lang, templates in spoken.items():
            made += [_fill(values, template, lang, "chat") for template in templates]
            for sort, others in anywhere.items():
                made += [_fill(values, template, lang, sort) for template in others]
    if half == "test":
        made += [Document(text, "en", "nothing", []) for text in NOTHING]
    return made


def _fill(values: Values, template: str, lang: str, sort: str) -> Document:
    pieces, spans, at, length = [], [], 0, 0
    for match in _SLOT.finditer(template):
        kind = match[1]
        if not hasattr(Values, kind):
            continue
        value = values.draw(kind, lang)
        shown = json.dumps(value, ensure_ascii=False)[1:-1] if sort == "json" else value
        length += match.start() - at
        pieces += (template[at : match.start()], shown)
        spans.append((TYPE_OF.get(kind, kind), length, length + len(shown)))
        length += len(shown)
        at = match.end()
    return Document("".join([*pieces, template[at:]]), lang, sort, spans)


def main() -> None:
    """Say how large both halves are."""
    for half in ("dev", "test"):
        rows = documents(half)
        print(half, len(rows), "texts", sum(len(row.spans) for row in rows), "spans")


if __name__ == "__main__":
    main()
