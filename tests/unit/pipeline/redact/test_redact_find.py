"""What redaction finds, and what it leaves alone."""

from collections.abc import Callable

import pytest
from benchmarks.bench_redact import EVERYTHING, ours, score
from benchmarks.redact_set.unseen import unseen

from assent.pipeline.redact import checks
from assent.pipeline.redact.find import find

HOME = "/" + "home/"
DRIVE = "C:" + r"\Users"


def found(text: str) -> list[tuple[str, str]]:
    return [(one.type, text[one.start : one.end]) for one in find(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("write to jo.ann+x@mail.co.uk today", "mail", "jo.ann+x@mail.co.uk"),
        ("john [at] acme [dot] com", "mail", "john [at] acme [dot] com"),
        ("see ?to=ana%40x.pt&a=1", "mail", "ana%40x.pt"),
        ("ring (415) 555-2671 now", "phone", "(415) 555-2671"),
        ("Mobil: 0171/2345678.", "phone", "0171/2345678"),
        ("ou 01.23.45.67.89 ; merci", "phone", "01.23.45.67.89"),
        ("mi móvil es 612 345 678", "phone", "612 345 678"),
        ("card 5500-0000-0000-0004 ok", "card", "5500-0000-0000-0004"),
        ("auf DE89 3704 0044 0532 0130 00.", "iban", "DE89 3704 0044 0532 0130 00"),
        ("SSN 123-45-6789", "national_id", "123-45-6789"),
        ("NIR 1 84 12 76 451 089 46", "national_id", "1 84 12 76 451 089 46"),
        ("Steuer 86 095 742 719", "national_id", "86 095 742 719"),
        ("DNI 12345678Z", "national_id", "12345678Z"),
        ("CPF 529.982.247-25", "national_id", "529.982.247-25"),
        ("aadhaar 2341 2341 2346", "national_id", "2341 2341 2346"),
        ("from 203.0.113.5:8080", "ip", "203.0.113.5"),
        ("[2001:db8:85a3::8a2e:370:7334]", "ip", "2001:db8:85a3::8a2e:370:7334"),
        ("ether 00:1A:2B:3C:4D:5E up", "mac", "00:1A:2B:3C:4D:5E"),
        ("key AKIAIOSFODNN7EXAMPLQ", "secret", "AKIAIOSFODNN7EXAMPLQ"),
        ("DB_PASSWORD=hunter2", "secret", "hunter2"),
        ("ssh root@198.18.4.7", "ip", "198.18.4.7"),
        ('("Gudrun Eisenhauer", "gudrun@x.pt")', "mail", "gudrun@x.pt"),
        ("my password is Sommer2024!", "secret", "Sommer2024!"),
        ("postgres:" + "//admin:s3cr3t@db:5432/app", "secret", "s3cr3t"),
        (f"open {HOME}alice/x.py", "path_user", f"{HOME}alice"),
        (DRIVE + r"\Thomas Müller\x", "path_user", DRIVE + r"\Thomas Müller"),
        ("git@github.com:acme/app.git", "repository", "git@github.com:acme/app.git"),
        ("geboren am 12.03.1987", "date_of_birth", "12.03.1987"),
        ("née le 3 mars 1985", "date_of_birth", "3 mars 1985"),
        ("742 Evergreen Terrace, Springfield, IL 62704", "address", "742 Evergreen Terrace, Springfield, IL 62704"),
        ("Hauptstraße 5, 10115 Berlin", "address", "Hauptstraße 5, 10115 Berlin"),
        ("au 12 rue de la Paix, 75002 Paris", "address", "12 rue de la Paix, 75002 Paris"),
        ("username: mkauf_92", "username", "mkauf_92"),
        ("postgres:" + "//wanda:s3cr3t@db:5432/app", "username", "wanda"),
        ("SMTP_USER=paula.meyer", "username", "paula.meyer"),
        ('"updated_by": "w.fischer"', "username", "w.fischer"),
        ("my login for the shop is petra_1984, help", "username", "petra_1984"),
        ("usuario `rgarcia`", "username", "rgarcia"),
        ("merged by Anna (@annaberg)", "username", "annaberg"),
        ("ssh hmeyer@198.18.4.7", "username", "hmeyer"),
        ("pam_unix: session opened for user hmeyer(uid=1004)", "username", "hmeyer"),
        ("-rw-r--r--  1 hmeyer users 512 Jan  2 10:00 a.txt", "username", "hmeyer"),
        ("sudo -u hmeyer make", "username", "hmeyer"),
        ("uid=1001(hmeyer) gid=100(users)", "username", "hmeyer"),
        ("see github.com/hmeyer", "username", "hmeyer"),
        ('dsn = "hmeyer:Regen-77@tcp(db:3306)/x"', "secret", "Regen-77"),
        ("the wifi password Kirsche-Blau-77 fails", "secret", "Kirsche-Blau-77"),
        ("Passwort am Drucker neu: Kirsche-Blau-77", "secret", "Kirsche-Blau-77"),
        ('ist "Kirsche!Blau77" als Passwort gut?', "secret", "Kirsche!Blau77"),
        ("POST a=1&password=kirschblau", "secret", "kirschblau"),
        ("secret_key     Zx81kq9LmP2vT4wY8uRb  profile", "secret", "Zx81kq9LmP2vT4wY8uRb"),
        ("name,dob,town\nx,1984-03-02,y\n", "date_of_birth", "1984-03-02"),
        ("INSERT INTO p (id, geburtsdatum, ort) VALUES\n(1, '1984-03-02', 'x');", "date_of_birth", "1984-03-02"),
        ("Date of birth\n3 March 1985", "date_of_birth", "3 March 1985"),
        ("Pat. x, *22.06.1951, wach", "date_of_birth", "22.06.1951"),
        ('"naissance": "19740612"', "date_of_birth", "19740612"),
        ("card 5500.0000.0000.0004", "card", "5500.0000.0000.0004"),
        ("the MAC 9cf48e2a7710 is new", "mac", "9cf48e2a7710"),
        ("IP 198.18.4.7.43112 > 198.18.4.8.80: Flags", "ip", "198.18.4.7"),
        ("mamma: 0445 36 91 77", "phone", "0445 36 91 77"),
        ("RV 65 140582 M 352", "national_id", "65 140582 M 352"),
        ("Unterdorf 14, 6130 Schwaz", "address", "Unterdorf 14, 6130 Schwaz"),
        ("19 Roundhay Mount, Leeds LS8 4DW", "address", "19 Roundhay Mount, Leeds LS8 4DW"),
        ("url: https:/" + "/gitlab.com/hmeyer/boot", "repository", "https:/" + "/gitlab.com/hmeyer/boot"),
        (f"rsync /mnt/nas{HOME}hmeyer/x", "path_user", f"/mnt/nas{HOME}hmeyer"),
        ("Dear Dr. Müller, thanks", "name", "Müller"),
        ("I spoke with Anna-Lena Fischer.", "name", "Anna-Lena Fischer"),
        ("my name is john smith and", "name", "john smith"),
        (r'{"m": "Jos\u00e9 Garc\u00eda called"}', "name", r"Jos\u00e9 Garc\u00eda"),
        (r'"Mail:\nbob@acme.com"', "mail", "bob@acme.com"),
    ],
)
def test_personal_data_is_found_with_its_bounds(text: str, kind: str, value: str) -> None:
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "v1.2.3.4, Chrome/120.0.0.0, 127.0.0.1, 0.0.0.0, 10.0.0.0/8",
        "card 4111 1111 1111 1112",
        "order 4155552671, ISBN 978-3-16-148410-0, 2024-01-02 10:00",
        'password = os.environ["DB_PASS"]; token = get_token(); max_tokens = 4096',
        "def f(password: str = None): ...",
        "x = y @ w.T; std::vector<int> v; a::b::c()",
        HOME + "ubuntu/x and /Users/$USER/y",
        "npm i @types/node@18.0.1",
        "@login_required\n@app.route('/')\ndef index(): ...",
        "The user authentication of auth.username is null; client.login('YOUR_BOT_TOKEN')",
        'owner: platform; "author": "the team"; created_by: system',
        "password SHA3-512 or OAuth2.0; the password manager; reset password please",
        "he put his finger somewhere; su amigo vive; TODO(fix) this",
        "order,date,total\nA,2024-03-02,9\n",
        "commit 9cf48e2a7710 of main",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        "epoch 1700000000000, pi 3.14159265358979",
        "The weather in Paris is nice in April.",
        "Sehr geehrte Damen und Herren,",
    ],
)
def test_what_only_looks_like_personal_data_is_left(text: str) -> None:
    assert found(text) == []


def test_offsets_count_code_points_behind_wide_signs() -> None:
    text = "😀 größe – mail: ana@x.pt"
    (one,) = find(text)
    assert text[one.start : one.end] == "ana@x.pt"


def test_a_finding_is_the_same_at_the_end_of_a_long_text() -> None:
    text = "word " * 50_000 + "ring (415) 555-2671 now"
    assert ("phone", "(415) 555-2671") in found(text)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (checks.luhn, "79927398713", "79927398714"),
        (checks.mod97, "GB82WEST12345698765432", "GB82WEST12345698765433"),
        (checks.nir, "184127645108946", "184127645108947"),
        (checks.tax_id, "86095742719", "86095742718"),
        (checks.dni, "12345678Z", "12345678A"),
        (checks.bsn, "111222333", "111222334"),
        (checks.cpf, "52998224725", "52998224724"),
        (checks.aadhaar, "234123412346", "234123412347"),
        (checks.ean, "7569217076985", "7569217076986"),
        (checks.pesel, "44051401359", "44051401358"),
        (checks.chinese, "11010519491231002X", "110105194912310021"),
        (checks.codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    ],
)
def test_check_digits(check: Callable[[str], bool], good: str, bad: str) -> None:
    assert check(good)
    assert not check(bad)


FLOORS = {
    "address": 0.95,
    "card": 1.0,
    "date_of_birth": 0.92,
    "iban": 1.0,
    "ip": 1.0,
    "mac": 1.0,
    "mail": 0.98,
    "name": 0.76,
    "national_id": 0.97,
    "path_user": 1.0,
    "phone": 0.98,
    "repository": 0.9,
    "secret": 0.85,
    "username": 0.69,
}
"""Recall by type on the texts written apart that may be looked at, a little below what it was."""


def test_texts_written_apart_are_searched_as_well_as_they_were() -> None:
    rows = unseen(looked_at=True)
    counts = score(rows, ours([row.text for row in rows], EVERYTHING))
    for kind, (hit, miss, false) in counts.items():
        assert hit / (hit + miss) >= FLOORS[kind], kind
        assert hit / (hit + false) >= 0.92, kind
