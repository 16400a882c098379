"""Made-up personal data for the labelled set, valid where the type has a check."""

# ruff: noqa: E501, RUF001 - made-up texts and tables are easier to read on one line

from __future__ import annotations

import random
import string
from collections.abc import Callable

PEOPLE = {
    "dev": {
        "en": (["Harriet Colmore", "Desmond Pryce", "Naomi Whitlock", "Curtis Endicott", "Priya Raghunathan", "Wei Zhang", "Oluwaseun Adeyemi", "Tamsin Bickerstaff"]),
        "de": (["Annegret Holzapfel", "Torben Lüdtke", "Ulrike Baumgärtner", "Falk Schimmelpfennig", "Mehmet Yıldırım", "Heike Dombrowski"]),
        "fr": (["Solène Marchetti", "Gaëtan Lefrançois", "Maëlys Charbonnier", "Yannick Perrault", "Fatoumata Diallo", "Clémence Thibodeau"]),
        "es": (["Itziar Goikoetxea", "Rubén Villanueva Ortiz", "Macarena Piñeiro", "Jordi Puigdomènech", "Lucía Barrantes", "Gonzalo Echeverría"]),
        "it": (["Ludovica Santarelli", "Ettore Brambilla", "Ginevra Pellegrini", "Tommaso Quaranta", "Fiorenza Maltese", "Donato Scognamiglio"]),
    },
    "test": {
        "en": (["Beatrix Hollingsworth", "Malcolm Ferris", "Keisha Underwood", "Rory MacAllister", "Anjali Deshpande", "Thomas Okafor", "Siobhan O'Rourke", "Grace Lindqvist", "Leonard Ashby", "Hannah Kowalczyk", "Dmitri Volkov", "Yuki Tanaka", "Marcus Delgado", "Ifeoma Nwosu", "Peter Van Houten", "Caroline Bexley"]),
        "de": (["Friederike Osterhagen", "Jochen Wiedemann", "Sabine Krüger", "Matthias Vogelsang", "Gudrun Eisenhauer", "Cem Özdemiroğlu", "Lars Petersen", "Katharina Weißmüller", "Bernd Kowalski", "Wiebke Thomsen", "Hartmut Böhme", "Anke Schröter"]),
        "fr": (["Aurélie Dumoulin", "Benoît Castaing", "Mathilde Rousselot", "Étienne Garnier", "Ousmane Traoré", "Capucine Lemaître", "Hervé Bonnefoy", "Noémie Delacourt", "Jean-Luc Fabre", "Sandrine Weil", "Thibault Mercier", "Inès Benali"]),
        "es": (["Nerea Zubizarreta", "Álvaro Cifuentes", "Pilar Montenegro", "Joaquín Saavedra Luna", "Remedios Carrasco", "Iker Mendizábal", "Beatriz Solano", "Fermín Arriaga", "Ximena Quispe", "Esteban Roldán", "Consuelo Paredes", "Hugo Larrañaga"]),
        "it": (["Federica Bonaventura", "Lorenzo Cattaneo", "Chiara Mastroianni", "Ruggero Battistini", "Elisabetta Fumagalli", "Gianluca Sorrentino", "Agnese Tedesco", "Vittorio Zanardi", "Serena Lombardo", "Carmelo Incandela", "Michela Bressan", "Dario Valsecchi"]),
    },
}  # fmt: skip
STREETS = {
    "dev": {
        "en": [("{n} Larkspur Lane, Portland, OR 972{d}{d}", 0), ("{n} Abbey Road, Leeds LS{d} {d}QR", 0)],
        "de": [("Lindenallee {n}, 504{d}{d} Köln", 0), ("Am Mühlbach {n}, 793{d}{d} Freiburg", 0)],
        "fr": [("{n} avenue Victor Hugo, 690{d}{d} Lyon", 0), ("{n} bis, rue des Tanneurs, 370{d}{d} Tours", 0)],
        "es": [("Calle Mayor {n}, 500{d}{d} Zaragoza", 0), ("Avenida de la Constitución {n}, 410{d}{d} Sevilla", 0)],
        "it": [("Via Garibaldi {n}, 101{d}{d} Torino", 0), ("Corso Italia {n}, 341{d}{d} Trieste", 0)],
    },
    "test": {
        "en": [("{n} Cedar Hollow Drive, Austin, TX 787{d}{d}", 0), ("{n} Kingsway Court, Bristol BS{d} {d}TL", 0), ("Flat {d}, {n} Wellington Street, Glasgow G{d} {d}HB", 0), ("{n} W. 14th Street, Apt 4B", 0), ("PO Box {n}, Dayton, OH 454{d}{d}", 0)],
        "de": [("Schillerstraße {n}, 803{d}{d} München", 0), ("Birkenweg {n}a, 221{d}{d} Hamburg", 0), ("An der Alten Post {n}, 300{d}{d} Hannover", 0), ("Goethestr. {n}", 0)],
        "fr": [("{n} rue du Faubourg Saint-Antoine, 750{d}{d} Paris", 0), ("{n}, boulevard de la Liberté, 590{d}{d} Lille", 0), ("{n} chemin des Oliviers, 130{d}{d} Marseille", 0), ("{n} place Bellecour", 0)],
        "es": [("Paseo de Gracia, {n}, 080{d}{d} Barcelona", 0), ("C/ Serrano {n}, 280{d}{d} Madrid", 0), ("Plaza de España {n}, 290{d}{d} Málaga", 0), ("Avda. del Puerto {n}", 0)],
        "it": [("Viale dei Mille {n}, 501{d}{d} Firenze", 0), ("Piazza San Carlo {n}, 401{d}{d} Bologna", 0), ("Via Giuseppe Verdi {n}, 801{d}{d} Napoli", 0), ("Via dei Condotti {n}", 0)],
    },
}  # fmt: skip


class Values:
    """Draws values of one half of the set; the numbers of the halves begin apart, so none is in both."""

    def __init__(self, half: str, seed: int) -> None:
        self.half, self.chance = half, random.Random(seed)

    def digits(self, count: int) -> str:
        return "".join(self.chance.choices(string.digits, k=count))

    def mixed(self, count: int, signs: str = string.ascii_letters + string.digits) -> str:
        return "".join(self.chance.choices(signs, k=count))

    def pick(self, *choices: Callable[[], str]) -> str:
        return self.chance.choice(choices)()

    def draw(self, kind: str, lang: str) -> str:
        return str(getattr(self, kind)(lang))

    def name(self, lang: str) -> str:
        return self.chance.choice(PEOPLE[self.half][lang])

    def given(self, lang: str) -> str:
        return self.name(lang).split()[0]

    def family(self, lang: str) -> str:
        return self.name(lang).split()[-1]

    def address(self, lang: str) -> str:
        text, _ = self.chance.choice(STREETS[self.half][lang])
        text = text.replace("{n}", str(self.chance.randint(2, 180)))
        while "{d}" in text:
            text = text.replace("{d}", str(self.chance.randint(1, 9)), 1)
        return text

    def mail(self, lang: str) -> str:
        given, family = (plain(one) for one in (self.given(lang), self.family(lang)))
        host = self.chance.choice(
            {
                "dev": ["posteo.de", "corp.example.com", "uni-mail.fr"],
                "test": ["gmail.com", "example.org", "firma-nord.de", "correo.es", "studio.it", "mail.co.uk"],
            }[self.half]
        )
        return self.pick(
            lambda: f"{given}.{family}@{host}",
            lambda: f"{given[0]}{family}{self.digits(2)}@{host}",
            lambda: f"{given}+{self.digits(2)}@{host}",
        )

    def phone(self, lang: str) -> str:
        d = self.digits
        if lang == "en":
            return self.pick(
                lambda: f"({self.chance.randint(201, 989)}) {self.chance.randint(200, 999)}-{d(4)}",
                lambda: f"+1 {self.chance.randint(201, 989)} {self.chance.randint(200, 999)} {d(4)}",
                lambda: f"07{d(3)} {d(6)}",
                lambda: f"+44 20 {d(4)} {d(4)}",
                lambda: f"{self.chance.randint(201, 989)}-555-{d(4)}",
            )
        if lang == "de":
            return self.pick(
                lambda: f"+49 15{d(1)} {d(8)}",
                lambda: f"017{d(1)} {d(7)}",
                lambda: f"040/{d(6)}",
                lambda: f"(089) {d(3)} {d(4)}",
                lambda: f"0{self.chance.randint(200, 999)}-{d(6)}",
            )
        if lang == "fr":
            return self.pick(
                lambda: " ".join(["06", d(2), d(2), d(2), d(2)]),
                lambda: ".".join(["01", d(2), d(2), d(2), d(2)]),
                lambda: f"+33 7 {d(2)} {d(2)} {d(2)} {d(2)}",
                lambda: f"07{d(8)}",
            )
        if lang == "es":
            return self.pick(
                lambda: f"6{d(2)} {d(3)} {d(3)}",
                lambda: f"+34 9{d(2)} {d(3)} {d(3)}",
                lambda: f"6{d(2)} {d(2)} {d(2)} {d(2)}",
                lambda: f"+346{d(8)}",
            )
        return self.pick(
            lambda: f"34{d(1)} {d(7)}",
            lambda: f"+39 3{self.chance.randint(20, 99)} {d(3)} {d(4)}",
            lambda: f"02 {d(4)} {d(4)}",
            lambda: f"+39 06 {d(8)}",
        )

    def card(self, _lang: str) -> str:
        prefix, size = self.chance.choice([("4", 16), ("52", 16), ("37", 15), ("6011", 16), ("2223", 16)])
        body = prefix + self.digits(size - len(prefix) - 1)
        number = body + luhn_digit(body)
        if size == 15:
            return self.pick(lambda: number, lambda: f"{number[:4]} {number[4:10]} {number[10:]}")
        return self.pick(
            lambda: number,
            lambda: " ".join(number[i : i + 4] for i in range(0, 16, 4)),
            lambda: "-".join(number[i : i + 4] for i in range(0, 16, 4)),
        )

    def iban(self, lang: str) -> str:
        d = self.digits
        country, body = {
            "en": ("GB", f"NWBK{d(14)}"),
            "de": ("DE", d(18)),
            "fr": ("FR", d(10) + self.mixed(11, string.digits + "ABCDEFG") + d(2)),
            "es": ("ES", d(20)),
            "it": ("IT", "X" + d(22)),
        }[lang]
        number = "".join(str(int(one, 36)) for one in body + country + "00")
        plain_iban = f"{country}{98 - int(number) % 97:02}{body}"
        return self.pick(
            lambda: plain_iban, lambda: " ".join(plain_iban[i : i + 4] for i in range(0, len(plain_iban), 4))
        )

    def national_id(self, lang: str) -> str:
        d = self.digits
        if lang == "en":
            return self.pick(
                lambda: (
                    f"{self.chance.randint(100, 665)}-{self.chance.randint(10, 99)}-{self.chance.randint(1000, 9999)}"
                ),
                lambda: f"JM {d(2)} {d(2)} {d(2)} B",
                lambda: f"SC{d(6)}A",
            )
        if lang == "de":
            while True:
                ten = str(self.chance.randint(1, 9)) + d(9)
                counts = sorted(ten.count(one) for one in set(ten))
                if counts[-1] == 2 and counts[-2] == 1:
                    break
            product = 10
            for one in ten:
                total = (int(one) + product) % 10 or 10
                product = total * 2 % 11
            number = ten + str((11 - product) % 10)
            return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"
        if lang == "fr":
            body = f"{self.chance.randint(1, 2)}{self.chance.randint(50, 99)}{self.chance.randint(1, 12):02}{self.chance.randint(10, 89)}{d(3)}{d(3)}"
            key = f"{97 - int(body) % 97:02}"
            return self.pick(
                lambda: body + key,
                lambda: f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {key}",
            )
        if lang == "es":
            number = d(8)
            return number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]
        consonants = "BCDFGLMNPRSTVZ"
        return f"{self.mixed(6, consonants)}{self.chance.randint(50, 99)}{self.chance.choice('ABCDEHLMPRST')}{self.chance.randint(1, 28):02}{self.chance.choice('ABCDEFGHIL')}{self.chance.randint(100, 999)}{self.chance.choice(string.ascii_uppercase)}"

    def ip(self, _lang: str) -> str:
        c = self.chance.randint
        first = {"dev": (20, 90), "test": (100, 126)}[self.half]
        return self.pick(
            lambda: f"{c(*first)}.{c(1, 254)}.{c(1, 254)}.{c(1, 254)}",
            lambda: f"192.168.{c(0, 9)}.{c(2, 250)}",
            lambda: f"10.{c(0, 200)}.{c(0, 250)}.{c(2, 250)}",
            lambda: (
                f"2a02:{self.mixed(4, '123456789abcdef')}:{self.mixed(4, '123456789abcdef')}::{self.mixed(4, '123456789abcdef')}"
            ),
        )

    def mac(self, _lang: str) -> str:
        pairs = [self.mixed(2, "0123456789abcdef") for _ in range(6)]
        return self.pick(lambda: ":".join(pairs), lambda: "-".join(pairs).upper())

    def token(self, _lang: str) -> str:
        m = self.mixed
        upper = string.ascii_uppercase + string.digits
        if self.half == "dev":
            return self.pick(
                lambda: f"AKIA{m(16, upper)}",
                lambda: f"ghp_{m(36)}",
                lambda: f"sk_live_{m(24)}",
                lambda: f"xoxb-{self.digits(12)}-{m(24)}",
            )
        return self.pick(
            lambda: f"ASIA{m(16, upper)}",
            lambda: f"gho_{m(36)}",
            lambda: f"glpat-{m(20)}",
            lambda: f"xoxp-{self.digits(11)}-{m(24)}",
            lambda: f"rk_live_{m(24)}",
            lambda: f"AIza{m(35)}",
            lambda: f"sk-proj-{m(48)}",
            lambda: f"sk-ant-api03-{m(60)}",
            lambda: f"hf_{m(34)}",
            lambda: f"eyJ{m(20)}.eyJ{m(40)}.{m(43)}",
            lambda: f"SG.{m(22)}.{m(43)}",
        )

    def password(self, _lang: str) -> str:
        word = self.chance.choice(
            {"dev": ["Harbour", "Lampe"], "test": ["Kestrel", "Zwiebel", "Citron", "Naranja", "Ombra"]}[self.half]
        )
        return self.pick(
            lambda: f"{word}{self.digits(3)}!", lambda: self.mixed(14), lambda: f"{self.mixed(5)}#{self.mixed(6)}7"
        )

    def handle(self, lang: str) -> str:
        return f"{plain(self.given(lang))}{self.chance.choice(['_', '.', ''])}{self.digits(2)}"

    def path_user(self, lang: str) -> str:
        who = plain(self.given(lang)) + self.chance.choice(["", plain(self.family(lang))[:1]])
        return self.pick(lambda: f"/home/{who}", lambda: f"/Users/{who}", lambda: f"C:\\Users\\{who}")

    def repository(self, lang: str) -> str:
        who, what = (
            plain(self.family(lang)),
            self.chance.choice(
                {"dev": ["dotfiles", "ledger"], "test": ["thesis", "shop-backend", "notes", "infra"]}[self.half]
            ),
        )
        return self.pick(
            lambda: f"git@github.com:{who}/{what}.git",
            lambda: f"https://gitlab.com/{who}/{what}.git",
            lambda: f"ssh://git@git.{who}.net/{what}.git",
        )

    def birth(self, lang: str) -> str:
        year, month, day = self.chance.randint(1945, 2006), self.chance.randint(1, 12), self.chance.randint(13, 28)
        return self.pick(
            lambda: f"{year}-{month:02}-{day}",
            lambda: f"{day}/{month:02}/{year}" if lang != "de" else f"{day}.{month:02}.{year}",
        )


def plain(word: str) -> str:
    """Write a word in ASCII, small."""
    table = str.maketrans("äöüéèëêáàâíïóôúñçğışžãõ", "aoueeeeaaaiioouncgiszao")
    return "".join(one for one in word.lower().translate(table) if one.isascii() and one.isalnum())


def luhn_digit(body: str) -> str:
    """Return the digit that makes digits a card number."""
    total = 0
    for place, one in enumerate(reversed(body)):
        value = int(one) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
